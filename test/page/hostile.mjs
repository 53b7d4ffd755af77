// What strangers write stays text: in each view that shows it nothing is made of it, nothing runs, and it is there to be read.
import { api, foreignElements, ok, part, shot, tab } from "./harness.mjs";

/** Texts of the sample and of the test's own captures, each with the query that finds its mail. */
const TEXTS = [
  ["a script in the subject", "rcpt:m.berger@uni.example.org domain:evil.example", "<script>alert('subject')</script>"],
  ["a tag in a display name", "rcpt:m.berger@uni.example.org domain:evil.example", "<b onmouseover=alert(1)>Eve</b>"],
  ["a tag in a file name", "rcpt:m.berger@uni.example.org domain:evil.example", "<svg onload=alert('file')>.html"],
  ["a script in a reply", "rcpt:m.berger@uni.example.org domain:evil.example", "<script>alert('reply')</script>"],
  ["a script in a mail program's name", "rcpt:m.berger@uni.example.org domain:evil.example", "<script>alert('agent')</script>"],
];

/** That a text stands in the view, as text. */
async function reads(t, what, text) {
  const words = await t.page.evaluate(() => document.querySelector("main").textContent);
  ok(words.includes(text), `${what} is shown as the text that it is`, text, words.slice(0, 400));
}

async function clean(t, what) {
  const foreign = await foreignElements(t.page);
  ok(!foreign.length && !t.faults.length, `${what}: nothing is made of what strangers wrote`, ...foreign, ...t.faults);
  t.faults.length = 0;
}

/** What a text that turns the writing direction may do to others: it must be alone in an element that isolates it. */
const leaks = page => page.evaluate(() => {
  const bad = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walk.nextNode(); n; n = walk.nextNode()) {
    if (!/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/.test(n.data)) continue;
    let e = n.parentElement;
    while (e && !["isolate", "isolate-override", "plaintext"].includes(getComputedStyle(e).unicodeBidi)) e = e.parentElement;
    if (!e || e === document.body || e.matches("main, .view")) bad.push(n.data.slice(0, 80));
  }
  return bad;
});

export async function hostile(browser, given) {
  const t = await tab(browser, given.base, { viewport: { width: 1280, height: 2000 } });
  const span = { since: given.since, until: given.until }, range = `since=${given.since}&until=${given.until}`;
  const all = (await api(t, "/mails", { q: "domain:evil.example", limit: 100, ...span })).mails;
  ok(all.length >= 50, "the hostile mails are found", all.length);
  const found = all.filter((mail, i) => !mail.subject?.startsWith("odd") || i % 8 === 0);
  for (const [i, mail] of found.entries()) {
    await t.open(`/mails/${mail.id}`);
    await clean(t, `mail ${i + 1} of a hostile sender`);
    const turned = await leaks(t.page);
    ok(!turned.length, `mail ${i + 1}: text that turns the writing direction stays by itself`, ...turned);
    if (i < 4) await shot(t, given, `hostile-${i + 1}`, true);
  }
  const [scripted] = (await api(t, "/mails", { q: TEXTS[0][1], limit: 1, ...span })).mails;
  await t.open(`/mails/${scripted.id}`);
  for (const [what, , text] of TEXTS) await reads(t, what, text);
  const lists = [["the list of mails", `/mails?q=domain%3Aevil.example&${range}`], ["a query that is a script", `/mails?q=${encodeURIComponent("<script>alert(1)</script>")}&${range}`],
    ["a query that is wrong", `/mails?q=${encodeURIComponent("subjct:\"<img src=x onerror=alert(1)>")}&${range}`], ["a domain", `/hosts/evil.example?${range}`],
    ["a host", `/hosts/203.0.113.66?${range}`], ["a host that is none", `/hosts/${encodeURIComponent("<script>alert(1)</script>")}?${range}`], ["the paths", `/paths?${range}`], ["the hosts", `/hosts?${range}`],
    ["the notices", `/notices?${range}`], ["an id that is none", `/mails/${encodeURIComponent("<script>alert(1)</script>")}`], ["where to go after a log-in", "/log-in?back=javascript:alert(1)"]];
  for (const [what, address] of lists) {
    await part(what, async () => {
      await t.open(address);
      t.forgive(/status of 40[04]/); // what the server refuses to take
      await clean(t, what);
      const turned = await leaks(t.page);
      ok(!turned.length, `${what}: text that turns the writing direction stays by itself`, ...turned);
    });
  }
  await t.open(`/mails?q=domain%3Aevil.example&${range}`);
  await reads(t, "the list: a script in the subject", "<script>alert('subject')</script>");
  await shot(t, given, "hostile-list");
  await t.close();
}
