// Texts of the wire, with what hides or turns writing made visible: controls, marks of direction, characters without width. Pure.

const NAMES = {
  0x00ad: "soft hyphen", 0x034f: "grapheme joiner", 0x061c: "Arabic letter mark", 0x115f: "Hangul filler", 0x1160: "Hangul filler", 0x180e: "Mongolian vowel separator", 0x200b: "zero width space", 0x200c: "zero width non-joiner",
  0x200d: "zero width joiner", 0x200e: "left-to-right mark", 0x200f: "right-to-left mark", 0x2028: "line separator", 0x2029: "paragraph separator",
  0x202a: "left-to-right embedding", 0x202b: "right-to-left embedding", 0x202c: "pop direction", 0x202d: "left-to-right override", 0x202e: "right-to-left override",
  0x2060: "word joiner", 0x2066: "left-to-right isolate", 0x2067: "right-to-left isolate", 0x2068: "first strong isolate", 0x2069: "pop isolate", 0x3164: "Hangul filler", 0xfeff: "byte order mark", 0xffa0: "Hangul filler",
  0xfffd: "not decodable",
};
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\u206a-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffd-\uffff\ufdd0-\ufdef\u{1fffe}\u{1ffff}\u{10fffe}\u{10ffff}\u{e0000}-\u{e007f}]/gu;
// A joiner between two pictures makes one of them (a family, a flag), which is no trick.
const JOINED = /\p{Extended_Pictographic}[\ufe0f\u{1f3fb}-\u{1f3ff}]*$/u;

function sign(code) {
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  if (code === 0xfffd) return "\ufffd";
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

function what(code) {
  const number = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const name = NAMES[code] ?? (code < 0xa0 ? "control character" : (code & 0xfffe) === 0xfffe || (code >= 0xfdd0 && code <= 0xfdef) ? "no character" : code >= 0xe0000 ? "tag character" : "format character");
  return `${number} ${name}`;
}

// Pieces in order: {text} as it is, {sign, what} for a character that is not to be seen.
export function pieces(text) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const code = match[0].codePointAt(0);
    if (code === 0x200d && JOINED.test(text.slice(Math.max(0, match.index - 8), match.index)) && /^\p{Extended_Pictographic}/u.test(text.slice(match.index + 1))) continue;
    if (match.index > from) out.push({ text: text.slice(from, match.index) });
    out.push({ sign: sign(code), what: what(code) });
    from = match.index + match[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from) });
  return out;
}

// The same as plain text, for titles.
export function visible(text) {
  return pieces(text).map((piece) => piece.text ?? `⟨${piece.sign}⟩`).join("");
}
