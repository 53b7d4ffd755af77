// Which edges get a text, and where: at the end where fewer edges meet, the ones with most mails first, none upon another.
// Pure. In: edges as layout.js places them, width and height of a text. Out: [{line, x, y, end}]: the baseline's begin (end: its end).

const OFF = 8;

export function placeLabels(lines, width, height) {
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
    const [x, y] = atEnd ? [last[0] - OFF, last[1] - 4] : [first[0] + OFF, first[1] - 4];
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

// A text that fits: its middle is left out, as the end of a name says whose it is.
export function shorten(text, most) {
  if (text.length <= most) return text;
  const head = Math.floor((most - 1) * 0.4);
  return `${text.slice(0, head)}\u2026${text.slice(text.length - (most - 1 - head))}`;
}
