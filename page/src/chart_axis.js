// Texts under a time axis: hours within a day, days over several, and the date wherever it changes. 24 hours, no names of months that a language would change.
// Pure. In: marks (epoch seconds), the distance between them, UTC or the browser's zone. Out: a text each, lines parted by \n.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY = 86400;

function parts(seconds, utc) {
  const date = new Date(seconds * 1000);
  return utc
    ? { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate(), hour: date.getUTCHours(), minute: date.getUTCMinutes(), second: date.getUTCSeconds() }
    : { year: date.getFullYear(), month: date.getMonth(), day: date.getDate(), hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds() };
}

function two(number) {
  return String(number).padStart(2, "0");
}

export function axisTexts(marks, distance, utc) {
  let before = null;
  return marks.map((mark) => {
    const now = parts(mark, utc);
    const date = `${now.day} ${MONTHS[now.month]}`;
    const newDay = before === null || before.day !== now.day || before.month !== now.month || before.year !== now.year;
    const newYear = before === null || before.year !== now.year;
    before = now;
    if (distance >= DAY) return newYear ? `${date}\n${now.year}` : date;
    const clock = `${two(now.hour)}:${two(now.minute)}${distance < 60 ? `:${two(now.second)}` : ""}`;
    return newDay ? `${clock}\n${date}` : clock;
  });
}
