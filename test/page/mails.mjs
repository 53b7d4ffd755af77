// The list of mails: search and its errors, completion, facets, columns, paging to the end, the strip of time, downloads, back and forward, keys alone.
import { readFile } from "node:fs/promises";
import { api, ok, part, shot, tab, until } from "./harness.mjs";

const number = text => Number((text.match(/[\d,]+/) ?? ["-1"])[0].replaceAll(",", ""));
const query = t => new URL(t.page.url()).searchParams.get("q") ?? "";
const box = t => t.page.getByRole("combobox", { name: "Search mails" });
const grid = t => t.page.getByRole("grid");
const rows = t => t.page.locator(".list-row:not(.is-waiting)");
const counted = async t => number(await t.page.locator(".mails-count").innerText());

/** The list shows as many as the API counts, and the newest of them first. */
async function holds(t, q, span, what) {
  const [count, first] = await Promise.all([api(t, "/count", { q, ...span }), api(t, "/mails", { q, limit: 1, ...span })]);
  const shown = await until(async () => (await counted(t)) === count.count);
  ok(shown, `${what}: as many mails as the server counts`, count, await t.page.locator(".mails-count").innerText());
  const link = first.mails[0] && (await until(async () => (await rows(t).first().locator("a").getAttribute("href")) === `/mails/${first.mails[0].id}`));
  ok(link || !first.mails.length, `${what}: the newest stands on top`, first.mails[0]);
  return count.count;
}

async function search(t, q) {
  await box(t).fill(q);
  await box(t).press("Enter");
  await until(() => query(t) === q);
  await t.settled();
}

async function searching(t, span) {
  await search(t, "is:rejected");
  ok(query(t) === "is:rejected", "a search stands in the address", t.page.url());
  const n = await holds(t, "is:rejected", span, "is:rejected");
  const outcomes = await t.page.locator(".list-row .badge").allInnerTexts();
  ok(n > 20 && outcomes.length && outcomes.every(o => o.includes("rejected")), "is:rejected: refused mails alone", ...outcomes.slice(0, 5));
  await search(t, "country:DE -is:rejected (has:file OR tls:yes)");
  await holds(t, "country:DE -is:rejected (has:file OR tls:yes)", span, "a query of many terms");
  await search(t, "subject:no-such-word-anywhere");
  ok(/No mail matches/.test(await t.page.locator("main").innerText()), "nothing found is said");
}

async function wrong(t) {
  await search(t, "subjct:proofs");
  const alert = t.page.locator(".search-wrong");
  ok(await until(async () => /subjct/.test(await alert.innerText())), "a wrong field is told", await alert.innerText());
  ok((await t.page.locator(".search-mark").innerText()).includes("subjct"), "the wrong word is underlined");
  ok((await box(t).getAttribute("aria-invalid")) === "true", "and the box says that it is wrong");
  t.forgive(/status of 400/);
  await alert.getByRole("button", { name: /subject/ }).click();
  ok(await until(() => query(t) === "subject:proofs"), "a press takes the nearest name", t.page.url());
  await t.settled();
  ok((await rows(t).count()) > 0, "which finds mails");
}

async function completing(t) {
  await box(t).fill("");
  await box(t).pressSequentially("dispo");
  const list = t.page.getByRole("listbox");
  ok(await until(async () => (await list.isVisible()) && /disposition/.test(await list.innerText())), "fields are proposed");
  await box(t).press("Tab");
  ok(await until(async () => (await box(t).inputValue()) === "disposition:"), "Tab takes one", await box(t).inputValue());
  ok(await until(async () => /deferred/.test(await list.innerText())), "then its values are", await list.innerText());
  await box(t).pressSequentially("def");
  await until(async () => (await list.getByRole("option").count()) === 1);
  await box(t).press("ArrowDown");
  await box(t).press("Enter");
  ok(await until(async () => /^disposition:deferred ?$/.test(await box(t).inputValue())), "arrows and Enter take one", await box(t).inputValue());
  await box(t).press("Escape");
  await box(t).press("Enter");
  ok(await until(() => query(t) === "disposition:deferred"), "Enter searches", t.page.url());
  await t.settled();
}

async function facets(t, span) {
  await search(t, "has:file");
  const facet = t.page.locator(".facet", { has: t.page.locator("summary", { hasText: "Country" }) });
  const first = facet.locator(".facet-add").first();
  const value = (await first.locator(".facet-name").innerText()).split(" ")[0], count = number(await first.locator(".facet-count").innerText());
  await first.click();
  ok(await until(() => query(t) === `has:file country:${value}`), "a facet narrows the search", t.page.url());
  await t.settled();
  const n = await holds(t, query(t), span, "the facet");
  ok(n === count, "to as many mails as it said", n, count);
  ok(await until(async () => (await facet.locator(".facet-add[aria-pressed=true]").count()) === 1), "and is pressed then");
  await facet.locator(".facet-add[aria-pressed=true]").click();
  ok(await until(() => query(t) === "has:file"), "a second press widens it again", t.page.url());
  await t.settled();
  await t.page.locator(".facet-not").first().click();
  ok(await until(() => /^has:file -/.test(query(t))), "a minus takes a value out", t.page.url());
  await t.settled();
  await holds(t, query(t), span, "without it");
}

async function columns(t) {
  const heads = () => t.page.getByRole("columnheader").allInnerTexts();
  await t.page.locator("summary", { hasText: "Columns" }).click();
  await t.page.getByLabel("Program", { exact: true }).check();
  ok(await until(async () => (await heads()).includes("Program")), "a column more", await heads());
  await t.page.getByLabel("Size", { exact: true }).uncheck();
  ok(await until(async () => !(await heads()).includes("Size")), "one less", await heads());
  await t.page.keyboard.press("Escape");
  const before = await heads();
  await t.page.reload();
  await t.settled();
  ok(JSON.stringify(await heads()) === JSON.stringify(before), "a reload keeps them", await heads(), before);
  ok(new URL(t.page.url()).searchParams.get("cols")?.includes("agent"), "as they stand in the address", t.page.url());
}

async function paging(t, given, span) {
  const asked = [], seen = new Set();
  t.page.on("response", async r => {
    const url = new URL(r.url());
    if (url.pathname !== "/api/v1/mails" || !r.ok()) return;
    asked.push(url.searchParams.get("before"));
    for (const mail of (await r.json().catch(() => ({ mails: [] }))).mails) seen.add(mail.id);
  });
  await t.open(`/mails?since=${given.since}&until=${given.until}`);
  const all = (await api(t, "/count", span)).count;
  const end = () => t.page.locator(".list-foot").innerText();
  ok(await until(async () => {
    await grid(t).press("End");
    return /No older ones/.test(await end());
  }, 60000), "scrolling comes to the end of the list", await end());
  ok(Number(await grid(t).getAttribute("aria-rowcount")) === all + 1, "which has all mails", await grid(t).getAttribute("aria-rowcount"), all);
  ok(seen.size === all, "each of them once", seen.size, all);
  const keys = asked.filter(Boolean).map(BigInt);
  ok(keys.length >= Math.floor(all / 100) - 1 && keys.every((k, i) => i === 0 || k < keys[i - 1]), "page by page, each older than the one before", keys.length, ...asked);
  await grid(t).press("End");
  const last = await until(async () => (await rows(t).last().getAttribute("aria-rowindex")) === String(all + 1));
  ok(last, "the last row is on the screen", await rows(t).last().getAttribute("aria-rowindex"));
  ok((await rows(t).count()) < 120, "and few rows are in the document", await rows(t).count());
  await grid(t).press("Home");
  ok(await until(async () => (await rows(t).first().getAttribute("aria-rowindex")) === "2"), "Home leads back to the newest");
}

async function strip(t, given) {
  const picture = t.page.locator(".strip, .mails-sums canvas, .mails-sums svg").first();
  await picture.waitFor();
  const b = await picture.boundingBox();
  await t.page.mouse.move(b.x + b.width * 0.4, b.y + b.height / 2);
  await t.page.mouse.down();
  await t.page.mouse.move(b.x + b.width * 0.5, b.y + b.height / 2, { steps: 5 });
  await t.page.mouse.up();
  const since = () => Number(new URL(t.page.url()).searchParams.get("since")), to = () => Number(new URL(t.page.url()).searchParams.get("until"));
  ok(await until(() => since() > given.since), "dragging over the strip of time narrows it", t.page.url());
  const whole = given.until - given.since;
  ok(Math.abs((since() - given.since) / whole - 0.4) < 0.04 && Math.abs((to() - given.since) / whole - 0.5) < 0.04, "to what was dragged over", since(), to());
  await t.settled();
  await holds(t, query(t), { since: since(), until: to() }, "the narrowed list");
  await t.page.goBack();
  ok(await until(() => since() === Number(given.since)), "back widens it again", t.page.url());
  await t.settled();
}

/** RFC 4180 -> rows of cells. */
function csv(text) {
  const out = [];
  for (const line of text.matchAll(/((?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*))*)\r\n/g))
    out.push([...line[1].matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(m => m[1]?.replaceAll('""', '"') ?? m[2]));
  return out;
}

async function download(t, group, name) {
  await t.page.locator("summary", { hasText: "Export" }).click();
  const link = t.page.locator(".menu-group", { hasText: group }).getByRole("link", { name });
  const [file] = await Promise.all([t.page.waitForEvent("download"), link.click()]);
  await t.page.keyboard.press("Escape");
  const text = await readFile(await file.path(), "utf8");
  return { name: file.suggestedFilename(), text };
}

async function exports(t, given, span) {
  const q = "is:rejected OR domain:evil.example", n = (await api(t, "/count", { q, ...span })).count;
  await t.open(`/mails?q=${encodeURIComponent(q)}&since=${given.since}&until=${given.until}`);
  const lines = await download(t, "Whole records", /^JSON lines/);
  const records = lines.text.trim().split("\n").map(l => JSON.parse(l));
  ok(records.length === n && records.every(r => r.uid) && /\.ndjson$/.test(lines.name), "JSON lines: a whole record for each mail", records.length, n, lines.name);
  const whole = JSON.parse((await download(t, "Whole records", /^JSON one/)).text);
  ok((Array.isArray(whole) ? whole : Object.values(whole).find(Array.isArray)).length === n, "JSON: one document of all", Object.keys(whole));
  const table = await download(t, "Columns shown", /^CSV/), cells = csv(table.text);
  ok(cells.length === n + 1 && cells.every(row => row.length === cells[0].length) && cells[0].includes("subject"), "CSV: a line for each, below their names", cells.length, n, cells[0]);
  const at = cells[0].indexOf("subject"), subjects = cells.slice(1).map(row => row[at]);
  ok(subjects.some(s => s.includes("<script>alert('subject')</script>")), "CSV: texts as they are");
  ok(subjects.some(s => s.startsWith("'=HYPERLINK")), "CSV: what a spreadsheet would compute is quoted", ...subjects.filter(s => s.includes("HYPERLINK")));
  const formulas = cells.slice(1).flat().filter(c => /^[=+\-@\t\r]/.test(c) && !/^-?[\d.]+$/.test(c));
  ok(!formulas.length, "CSV: in every cell", ...formulas);
}

async function history(t, given) {
  const range = `since=${given.since}&until=${given.until}`;
  await t.open(`/mails?q=has%3Afile&${range}`);
  for (let i = 0; i < 60; i++) await grid(t).press("ArrowDown");
  const active = () => grid(t).getAttribute("aria-activedescendant"), scrolled = () => t.page.locator(".list").evaluate(e => e.scrollTop);
  const [row, top, listed] = [await active(), await scrolled(), t.page.url()];
  await grid(t).press("Enter");
  ok(await until(() => /^\/mails\/\d+$/.test(new URL(t.page.url()).pathname)), "Enter opens the active mail", t.page.url());
  await t.settled();
  const mail = t.page.url();
  await t.page.goBack();
  await t.settled();
  ok(t.page.url() === listed && (await until(async () => Math.abs((await scrolled()) - top) < 3)) && (await active()) === row, "back leads to the same place of the list", t.page.url(), await scrolled(), top, await active(), row);
  ok((await box(t).inputValue()) === "has:file", "with its query in the box");
  await t.page.goForward();
  ok(await until(() => t.page.url() === mail), "forward to the mail again");
  await t.settled();
  await t.page.reload();
  await t.settled();
  ok((await t.page.locator("main").innerText()).length > 200, "which a reload shows too");
}

/** Without a mouse: from the address bar to a mail and back. */
async function keys(t, given) {
  await t.open(`/mails?since=${given.since}&until=${given.until}`);
  const press = k => t.page.keyboard.press(k), focused = () => t.page.evaluate(() => document.activeElement.getAttribute("aria-label") ?? document.activeElement.localName);
  await press("/");
  ok(await until(async () => (await focused()) === "Search mails"), "keys: / leads to the search", await focused());
  const [wanted] = (await api(t, "/mails", { q: "subject:draft is:accepted", limit: 1, since: given.since, until: given.until })).mails;
  await t.page.keyboard.type("subject:draft is:accepted");
  await press("Enter");
  ok(await until(() => query(t) === "subject:draft is:accepted"), "keys: Enter searches", t.page.url());
  await until(async () => (await rows(t).first().locator("a").getAttribute("href")) === `/mails/${wanted.id}`);
  if ((await focused()) === "Search mails") await press("Escape");
  ok(await until(async () => (await focused()) === "Mails, newest first"), "keys: to the list, after the search", await focused());
  await press("j");
  await press("j");
  ok(await until(async () => (await grid(t).getAttribute("aria-activedescendant")) === "mail-row-1"), "keys: j goes down", await grid(t).getAttribute("aria-activedescendant"));
  await press("k");
  await press("Enter");
  ok(await until(() => new URL(t.page.url()).pathname === `/mails/${wanted.id}`), "keys: Enter opens the mail", t.page.url());
  await t.settled();
  ok((await t.page.locator("main").innerText()).includes(wanted.subject), "keys: it is the one that was active");
  await press("Escape");
  ok(await until(() => query(t) === "subject:draft is:accepted"), "keys: Escape leads back", t.page.url());
  await t.settled();
  await press("?");
  ok(await until(async () => await t.page.getByRole("dialog").isVisible()), "keys: ? shows them");
  await shot(t, given, "keys");
  await press("Escape");
  ok(await until(async () => !(await t.page.getByRole("dialog").count())), "keys: Escape closes that");
  const stops = [];
  for (let i = 0; i < 12; i++) {
    await press("Tab");
    stops.push(await t.page.evaluate(() => {
      const e = document.activeElement;
      if (e === document.body) return { what: "the browser's own", seen: true, ring: true };
      const s = getComputedStyle(e), b = e.getBoundingClientRect();
      return { what: (e.getAttribute("aria-label") ?? e.textContent).slice(0, 30), seen: b.width > 0 && b.height > 0, ring: s.outlineStyle !== "none" || s.boxShadow !== "none" };
    }));
  }
  ok(new Set(stops.map(s => s.what)).size > 8 && stops.every(s => s.seen && s.ring), "keys: Tab goes through all, and shows where it is", ...stops.filter(s => !s.seen || !s.ring));
}

export async function mails(browser, given) {
  const span = { since: given.since, until: given.until };
  const t = await tab(browser, given.base);
  await t.open(`/mails?since=${given.since}&until=${given.until}`);
  await part("the whole list", () => holds(t, "", span, "the whole list"));
  for (const [name, checks] of Object.entries({ searching, wrong, completing, facets, columns, paging: () => paging(t, given, span), strip: () => strip(t, given),
    exports: () => exports(t, given, span), history: () => history(t, given), keys: () => keys(t, given) })) {
    await part(name, () => checks(t, span));
    ok(!t.faults.length, `mails, ${name}: without errors`, ...t.faults);
    t.faults.length = 0;
  }
  await t.close();
}
