// Each view with the sample's data: that it shows something, in both colour schemes and on a narrow screen, without a word to the console, fit for all.
import { api, foreignElements, ok, part, shot, tab, violations } from "./harness.mjs";

const range = given => `since=${given.since}&until=${given.until}`;

/** Name of each view, its address, and a text that must be in it. */
export async function places(t, given) {
  const span = { since: given.since, until: given.until };
  const [mail] = (await api(t, "/mails", { q: "subject:proofs has:file", limit: 1, ...span })).mails;
  const whole = await api(t, "/mails/" + mail.id);
  const [notice] = (await api(t, "/notices", { limit: 1, state: "all", ...span })).notices;
  return [
    ["now", `/?${range(given)}`, ""],
    ["mails", `/mails?${range(given)}`, ""],
    ["mails-found", `/mails?q=is%3Arejected&${range(given)}`, "rejected"],
    ["mail", `/mails/${mail.id}`, mail.subject],
    ["session", `/sessions/${whole.record.uid}`, whole.record.uid],
    ["hosts", `/hosts?${range(given)}`, ""],
    ["host", `/hosts/192.0.2.25?${range(given)}`, "192.0.2.25"],
    ["domain", `/hosts/freemail.example.com?${range(given)}`, "freemail.example.com"],
    ["map", `/map?${range(given)}`, ""],
    ["paths", `/paths?${range(given)}`, ""],
    ["notices", `/notices?${range(given)}`, ""],
    ["notice", `/notices/${notice.id}`, notice.note],
  ];
}

/** No wider than the screen: nobody has to scroll sideways. */
const tooWide = page => page.evaluate(() => {
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide <= 0) return "";
  const worst = [...document.querySelectorAll("main *")].find(e => e.getBoundingClientRect().right > innerWidth + 1 && e.scrollWidth > e.clientWidth);
  return `${wide} px too wide${worst ? ": " + worst.outerHTML.slice(0, 160) : ""}`;
});

/** Rows of the list whose cells do not fit: rows have one height. */
const spilled = page => page.evaluate(() => [...document.querySelectorAll(".list-row")].filter(row => {
  const box = row.getBoundingClientRect();
  return [...row.children].some(cell => {
    const b = cell.getBoundingClientRect();
    return b.height > 0 && (b.top < box.top - 1 || b.bottom > box.bottom + 1);
  });
}).map(row => row.innerText.slice(0, 120)));

const empty = page => page.evaluate(() => (document.querySelector("main")?.innerText ?? "").trim().length < 20);

async function one(t, given, name, [view, address, text], judged) {
  await t.open(address);
  const words = await t.page.locator("main").innerText();
  ok(!(await empty(t.page)) && words.toLowerCase().includes(text.toLowerCase()) && !(await t.page.locator(".state-error").count()), `${name}: ${view} has data`, words.slice(0, 600));
  if (judged) {
    const found = await violations(t.page);
    ok(!found.length, `${name}: ${view} keeps the rules of accessibility`, ...found);
  }
  const wide = await tooWide(t.page);
  ok(!wide, `${name}: ${view} fits the screen`, wide);
  if (view.startsWith("mails")) {
    const rows = await spilled(t.page);
    ok(!rows.length, `${name}: ${view} has rows that hold their cells`, ...rows);
  }
  const foreign = await foreignElements(t.page);
  ok(!foreign.length && !t.faults.length, `${name}: ${view} runs without errors, reports, dialogs or other hosts`, ...foreign, ...t.faults);
  t.faults.length = 0;
  await shot(t, given, `${view}-${name}`, view !== "mails");
}

export async function views(browser, given) {
  const kinds = [
    ["light", { colorScheme: "light" }, true],
    ["dark", { colorScheme: "dark" }, true],
    ["narrow", { colorScheme: "light", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }, false],
  ];
  await Promise.all(kinds.filter(([name]) => !given.kinds || given.kinds.includes(name)).map(([name, options, judged]) => part(name, async () => {
    const t = await tab(browser, given.base, options);
    for (const place of await places(t, given)) await part(`${name}: ${place[0]}`, () => one(t, given, name, place, judged));
    await t.close();
  })));
}
