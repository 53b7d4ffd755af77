// A store of two sensors, one of which has fallen silent: who is told of, the one that is chosen, columns, filters; and a store of one, where nothing of it is shown.
import { api, ok, part, shot, tab, until, violations } from "./harness.mjs";

const at = (t, name) => new URL(t.page.url()).searchParams.get(name);
const main = t => t.page.locator("main").innerText();
const picker = t => t.page.getByRole("combobox", { name: "Sensor", exact: true });

async function capture(t, given) {
  await t.open("/?since=1h");
  const card = t.page.locator("section", { has: t.page.locator("#health-title") });
  const words = await card.innerText();
  ok(/1 of 2 sensors has fallen silent: mx-south \(last word 2\d min ago\)/.test(words), "sensors: Now says who is silent", words);
  ok(/1 of 2 silent/.test(await t.page.locator(".tiles").innerText()), "sensors: in its tiles too", await t.page.locator(".tiles").innerText());
  const rows = await card.locator(".health-sensors tbody tr").allInnerTexts();
  ok(rows.length === 2 && /^mx-south/.test(rows[0]) && /silent/.test(rows[0]) && /^mx-north/.test(rows[1]) && /all is well/.test(rows[1]), "sensors: a row for each, the worst first", ...rows);
  const top = t.page.locator("section.panel", { has: t.page.getByRole("heading", { name: "Sensors", exact: true }) });
  ok(/mx-north/.test(await top.innerText()) && /mx-south/.test(await top.innerText()), "sensors: who has seen how many mails", await top.innerText());
  const found = await violations(t.page);
  ok(!found.length, "sensors: Now keeps the rules of accessibility", ...found);
  await shot(t, given, "sensors-now", true);
  await picker(t).selectOption("mx-south");
  ok(await until(() => at(t, "sensor") === "mx-south"), "sensors: the chosen one stands in the address", t.page.url());
  await t.settled();
  const south = await api(t, "/health", { since: "1h", sensor: "mx-south" });
  ok(south.loss > 0.2 && /% of the packets were dropped \(360 by the kernel\)/.test(await card.innerText()), "sensors: its own losses", south.loss, await card.innerText());
  await card.getByRole("link", { name: "mx-north" }).click();
  ok(await until(() => at(t, "sensor") === "mx-north"), "sensors: a row leads to another", t.page.url());
  await t.settled();
  ok(/No packet of 29,000 was dropped/.test(await card.innerText()) && /all is well/i.test(await t.page.locator(".tiles").innerText()), "sensors: which fares well", await card.innerText());
  await picker(t).selectOption({ label: "All sensors" });
  ok(await until(() => at(t, "sensor") === null), "sensors: and back to all", t.page.url());
  await t.settled();
}

async function mails(t) {
  await t.open("/mails?since=1h");
  const facet = t.page.locator(".facet", { has: t.page.locator("summary", { hasText: "Sensor" }) });
  ok(await until(async () => (await facet.locator(".facet-add").count()) === 2), "sensors: values of mails", await facet.allInnerTexts());
  await facet.locator(".facet-add", { hasText: "mx-south" }).click();
  ok(await until(() => at(t, "q") === "sensor:mx-south"), "sensors: one narrows the search", t.page.url());
  await t.settled();
  ok(await until(async () => (await t.page.locator(".list-row:not(.is-waiting)").count()) === 1), "sensors: to its mail");
  ok((await facet.locator(".facet-add").count()) === 1, "sensors: and can be taken out again");
  await t.page.locator("summary", { hasText: "Columns" }).click();
  await t.page.getByLabel("Sensor that saw it", { exact: true }).check();
  ok(await until(async () => (await t.page.getByRole("columnheader").allInnerTexts()).includes("Sensor") && /mx-south/.test(await t.page.locator(".list-row:not(.is-waiting)").innerText())), "sensors: a column");
  await t.page.keyboard.press("Escape");
  const [mail] = (await api(t, "/mails", { q: "sensor:mx-south" })).mails;
  await t.open(`/mails/${mail.id}`);
  ok(/seen by mx-south/.test(await main(t)) && !/mx-north/.test(await main(t)), "sensors: a mail says who saw it, and has what that one saw", await main(t));
  await t.page.locator(".mail-side a[href^='/sessions/']").first().click();
  ok(await until(() => at(t, "sensor") === "mx-south"), "sensors: its session is of that sensor", t.page.url());
  await t.settled();
  ok(/Sensor\s+mx-south/.test(await main(t)) && /1 mail\b/.test(await main(t)), "sensors: and says so", await main(t));
}

async function notices(t) {
  await t.open("/notices?since=1h");
  const cards = t.page.locator(".notice-list > .notice"), kinds = async () => (await t.page.locator(".kinds tbody tr").first().innerText()).replace(/\s+/g, " ");
  ok((await cards.count()) === 2 && /Sensor\s+mx-south/.test(await main(t)) && / 2 0 0$/.test(await kinds()), "sensors: notices of both, each with its sensor", await main(t));
  await picker(t).selectOption("mx-south");
  ok(await until(() => at(t, "sensor") === "mx-south"), "sensors: notices of one alone", t.page.url());
  await t.settled();
  ok((await cards.count()) === 1 && / 1 0 0$/.test(await kinds()), "sensors: and kinds of them alone", await kinds());
  await t.open("/notices?since=1h&q=list:nothing*");
  ok(/None in this time/.test(await t.page.locator(".kinds-panel").innerText()), "notices: kinds are those of the search", await t.page.locator(".kinds-panel").innerText());
  const [notice] = (await api(t, "/notices", { q: "sensor:mx-south" })).notices;
  await t.open(`/notices/${notice.id}`);
  const link = t.page.getByRole("link", { name: "mx-south" });
  ok((await link.getAttribute("href"))?.startsWith("/notices?q=sensor:mx-south"), "sensors: a notice says whose it is", await main(t));
}

async function single(t, given) {
  const one = await tab(t.browser, given.base);
  await one.open(`/?since=${given.since}&until=${given.until}`);
  ok(!(await picker(one).count()) && !/\bSensors\b/.test(await main(one)), "sensors: nothing of them where there is one");
  await one.open(`/notices?since=${given.since}&until=${given.until}`);
  ok(!(await picker(one).isVisible()), "sensors: nor among notices");
  ok(!one.faults.length, "sensors: one alone, without errors", ...one.faults);
  await one.close();
}

export async function sensors(browser, given) {
  const t = await tab(browser, given.sensors, { viewport: { width: 1280, height: 1400 } });
  t.browser = browser;
  for (const [name, checks] of Object.entries({ capture, mails, notices, single })) {
    await part(`sensors, ${name}`, () => checks(t, given));
    ok(!t.faults.length, `sensors, ${name}: without errors`, ...t.faults);
    t.faults.length = 0;
  }
  await t.close();
}
