// Which edges get a text, and where: at the end where fewer edges meet, the ones with most mails first, none upon another.
// Pure. In: edges as layout.js places them, width and height of a text. Out: [{line, x, y, end}]: the baseline's begin (end: its end).

const OFF = 8;
const OFF_HEAD = 20;

// strokeOf(edge): how thick its line is, over which the text stands.
export function placeLabels(lines, width, height, strokeOf = () => 2) {
  const degrees = new Map();
  const count = (key) => degrees.set(key, (degrees.get(key) ?? 0) + 1);
  const key = (point) => point.join(" ");
  const long = lines.filter((line) => line.points.length > 1);
  for (const line of long) {
    count(`out ${key(line.points[0])}`);
    count(`in ${key(line.points.at(-1))}`);
  }
  const taken = [];
  const kept = [];
  for (const line of [...long].sort((a, b) => b.edge.mails - a.edge.mails)) {
    const first = line.points[0];
    const last = line.points.at(-1);
    const atEnd = degrees.get(`in ${key(last)}`) < degrees.get(`out ${key(first)}`);
    const up = 3 + strokeOf(line.edge) / 2;
    const [endOff, beginOff] = line.back ? [OFF, OFF_HEAD] : [OFF_HEAD, OFF];
    const [x, y] = atEnd ? [last[0] - endOff, last[1] - up] : [first[0] + beginOff, first[1] - up];
    const box = { left: atEnd ? x - width : x, right: atEnd ? x : x + width, top: y - height, bottom: y };
    if (taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom)) continue;
    taken.push(box);
    kept.push({ line, x, y, end: atEnd });
  }
  return kept;
}

// Classes of a mean delay: lower bound in seconds, and what the legend says.
export const DELAYS = [
  { from: -Infinity, text: "under 1 s" },
  { from: 1, text: "1 to 10 s" },
  { from: 10, text: "10 s to 1 min" },
  { from: 60, text: "1 to 10 min" },
  { from: 600, text: "10 min and more" },
];

export function delayClass(delay) {
  if (delay === null || delay === undefined) return "unknown";
  return String(DELAYS.findLastIndex((row) => delay >= row.from));
}

// A text that fits: its middle is left out, as the end of a name says whose it is. widthOf(text): how wide it is, in any unit.
export function shorten(text, most, widthOf = (some) => some.length) {
  if (widthOf(text) <= most) return text;
  for (let keep = text.length - 1; keep > 2; keep--) {
    const head = Math.floor(keep * 0.4);
    const short = `${text.slice(0, head)}\u2026${text.slice(text.length - (keep - head))}`;
    if (widthOf(short) <= most) return short;
  }
  return "\u2026";
}
