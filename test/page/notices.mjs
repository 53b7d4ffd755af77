// Notices: acknowledge, mute, and undo both; the address, the numbers of kinds and the server agree with what was pressed.
import { api, ok, part, tab, until, violations, shot } from "./harness.mjs";

const at = (t, name) => new URL(t.page.url()).searchParams.get(name);
const cards = t => t.page.locator(".notice-list > .notice");

async function open(t, kind) {
  const { kinds } = await api(t, "/notices/kinds", t.span);
  return kinds.find(k => k.note === kind) ?? { open: 0, acknowledged: 0, muted: 0 };
}

async function list(t, given) {
  await t.open(`/notices?${t.range}`);
  const { kinds } = await api(t, "/notices/kinds", t.span), text = await t.page.locator(".kinds").innerText();
  ok(kinds.length >= 4 && kinds.every(k => text.includes(k.note.replace(/^SMTP::/, "").replaceAll("_", " "))), "notices: their kinds, with numbers", ...kinds);
  const [newest] = (await api(t, "/notices", { state: "open", limit: 1, ...t.span })).notices;
  ok((await cards(t).first().locator(".notice-title").getAttribute("href")) === `/notices/${newest.id}`, "notices: the newest open one is first", newest);
  const all = (await api(t, "/notices", { state: "open", limit: 1000, ...t.span })).notices.length;
  for (let n = await cards(t).count(); n < all; n = await cards(t).count()) {
    await t.page.getByRole("button", { name: "Show older ones" }).click();
    if (!(await until(async () => (await cards(t).count()) > n))) break;
  }
  ok((await cards(t).count()) === all, "notices: page by page to the oldest", await cards(t).count(), all);
  const ids = await cards(t).locator(".notice-title").evaluateAll(links => links.map(l => l.getAttribute("href")));
  ok(new Set(ids).size === all, "notices: each of them once");
  await t.page.locator(".kind-link", { hasText: "Smuggling Attempt" }).click();
  ok(await until(() => at(t, "kind") === "SMTP::Smuggling_Attempt"), "notices: one kind alone", t.page.url());
  await t.settled();
  ok(await until(async () => (await cards(t).count()) === 2), "notices: has its two", await cards(t).count());
  await t.open(`/notices?q=${encodeURIComponent("list:Spamhaus*")}&${t.range}`);
  const some = (await api(t, "/notices", { q: "list:Spamhaus*", state: "open", limit: 50, ...t.span })).notices.length;
  ok(some > 0 && (await cards(t).count()) === some, "notices: searched", await cards(t).count(), some);
  await t.open(`/notices?q=list:spamhaus&${t.range}`);
  await t.page.getByRole("button", { name: "Search list:*spamhaus*" }).click();
  ok(await until(async () => at(t, "q") === "list:*spamhaus*" && (await cards(t).count()) > 0), "notices: where a name lacks its stars they are offered", t.page.url());
  await t.settled();
}

async function whose(t) {
  await t.open(`/notices?${t.range}`);
  await t.page.getByRole("button", { name: "Ours", exact: true }).click();
  ok(await until(() => at(t, "hosts") === "ours"), "notices: about our own hosts", t.page.url());
  await t.settled();
  const ours = (await api(t, "/notices", { q: "local:yes", state: "open", limit: 1000, ...t.span })).notices, all = (await api(t, "/notices", { state: "open", limit: 1000, ...t.span })).notices;
  ok(ours.length > 0 && ours.length < all.length && ours.every(n => n.local) && (await cards(t).count()) === Math.min(50, ours.length), "notices: as many as there are", ours.length, all.length, await cards(t).count());
  ok((await t.page.locator(".notice-facts .label", { hasText: "ours" }).count()) === (await cards(t).count()), "notices: each is marked", await t.page.locator(".notice-facts").first().innerText(), await cards(t).count());
  const counted = (await t.page.locator(".kinds tbody td:nth-child(2)").allInnerTexts()).reduce((sum, n) => sum + Number(n.replaceAll(",", "")), 0);
  ok(counted === ours.length, "notices: the kinds count these alone", counted, ours.length);
  await t.page.getByRole("button", { name: "Others", exact: true }).click();
  await until(() => at(t, "hosts") === "others");
  await t.settled();
  ok((await t.page.locator(".notice-facts .label", { hasText: "ours" }).count()) === 0 && (await cards(t).count()) > 0, "notices: about others");
  await t.page.getByRole("button", { name: "All hosts", exact: true }).click();
  ok(await until(() => at(t, "hosts") === null), "notices: about all again", t.page.url());
  await t.settled();
}

async function acknowledge(t, given) {
  const kind = "SMTP::Smuggling_Attempt";
  await t.open(`/notices?kind=${kind}&${t.range}`);
  const before = await open(t, kind), first = cards(t).first(), href = await first.locator(".notice-title").getAttribute("href");
  await first.getByRole("button", { name: /^Acknowledge:/ }).click();
  const dialog = t.page.getByRole("dialog");
  const found = await violations(t.page);
  ok(!found.length, "notices: the question keeps the rules of accessibility", ...found);
  await dialog.getByLabel("Remark").fill("told <script>alert(1)</script> the owner");
  await shot(t, given, "acknowledge");
  await dialog.getByRole("button", { name: "Acknowledge" }).click();
  ok(await until(async () => (await open(t, kind)).open === before.open - 1), "notices: acknowledged is told to the server", before, await open(t, kind));
  ok(await until(async () => (await cards(t).count()) === before.open - 1), "notices: and is open no more");
  await t.open(href);
  const words = await t.page.locator("main").innerText();
  ok(words.includes("told <script>alert(1)</script> the owner") && /acknowledged/i.test(words), "notice: says who saw to it, and the remark", words.slice(0, 500));
  await t.page.getByRole("button", { name: /^Open again/ }).click();
  ok(await until(async () => (await open(t, kind)).open === before.open), "notices: it can be undone", await open(t, kind));
  ok(await until(async () => /opened again|reopened/i.test(await t.page.locator("main").innerText())), "notice: which stands in its history", await t.page.locator("main").innerText());
  await t.page.getByRole("link", { name: "Its mail" }).click();
  ok(await until(() => /^\/mails\/\d+$/.test(new URL(t.page.url()).pathname)), "notice: leads to its mail", t.page.url());
  await t.settled();
}

async function mute(t) {
  const kind = "SMTP::Suspicious_Origination";
  await t.open(`/notices?kind=${kind}&${t.range}`);
  const before = await open(t, kind);
  await cards(t).first().getByRole("button", { name: /^Mute/ }).click();
  const dialog = t.page.getByRole("dialog");
  await dialog.getByLabel(/All notices of this kind/).check();
  await dialog.getByLabel("How long").selectOption({ label: "for a week" });
  await dialog.getByLabel("Remark").fill("on holiday");
  await dialog.getByRole("button", { name: "Mute" }).click();
  ok(await until(async () => (await open(t, kind)).open === 0), "notices: a mute covers all of the kind", before, await open(t, kind));
  ok(await until(async () => (await cards(t).count()) === 0), "notices: and none is open");
  const { mutes } = await api(t, "/mutes");
  ok(mutes.length === 1 && mutes[0].note === kind && mutes[0].remark === "on holiday" && Math.abs(mutes[0].until - Date.now() / 1000 - 604800) < 300, "notices: as long as was said", ...mutes);
  await t.open(`/notices?kind=${kind}&state=muted&${t.range}`);
  ok((await cards(t).count()) === before.open, "notices: the muted ones are kept", await cards(t).count(), before);
  await t.page.getByRole("button", { name: /^End the mute/ }).first().click();
  ok(await until(async () => (await open(t, kind)).open === before.open), "notices: a mute can be ended", await open(t, kind));
  ok(await until(async () => (await api(t, "/mutes")).mutes.length === 0), "notices: and is gone");
}

async function all(t) {
  const kind = "Phish::Possible_Password_Reply";
  await t.open(`/notices?kind=${kind}&${t.range}`);
  const before = await open(t, kind);
  await t.page.getByRole("button", { name: /^Acknowledge all/ }).click();
  await t.page.getByRole("dialog").getByRole("button", { name: /^Acknowledge/ }).click();
  ok(await until(async () => (await open(t, kind)).open === 0), "notices: all that are shown at once", before, await open(t, kind));
  await t.page.getByRole("button", { name: "Acknowledged", exact: true }).or(t.page.getByLabel("Acknowledged", { exact: true })).first().click();
  ok(await until(() => at(t, "state") === "acknowledged") && (await until(async () => (await cards(t).count()) === before.open)), "notices: the acknowledged ones", t.page.url());
  const forged = await t.context.request.post(`${t.base}/api/v1/mutes`, { data: { note: kind }, headers: { "X-CSRF-Token": "no" } });
  ok(forged.status() === 403, "notices: nothing is decided without the page's token", forged.status());
}

export async function notices(browser, given) {
  const t = await tab(browser, given.base, { viewport: { width: 1280, height: 1400 } });
  Object.assign(t, { span: { since: given.since, until: given.until }, range: `since=${given.since}&until=${given.until}` });
  for (const [name, checks] of Object.entries({ list, whose, acknowledge, mute, all })) {
    await part(name, () => checks(t, given));
    ok(!t.faults.length, `notices, ${name}: without errors`, ...t.faults);
    t.faults.length = 0;
  }
  await t.close();
}
