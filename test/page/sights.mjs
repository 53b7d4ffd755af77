// Charts, the map, hosts and paths: what is dragged, pressed and clicked leads to where it says, with numbers that the API has too.
import { api, ok, part, tab, until } from "./harness.mjs";

const number = text => Number((text.match(/[\d,]+/) ?? ["-1"])[0].replaceAll(",", ""));
const at = (t, name) => new URL(t.page.url()).searchParams.get(name);
const path = t => new URL(t.page.url()).pathname;
const range = given => `since=${given.since}&until=${given.until}`;

async function chart(t, given, span) {
  await t.open(`/?${range(given)}`);
  const whole = given.until - given.since, top = await api(t, "/top", { by: "client", limit: 1, ...span });
  const mails = () => t.page.locator(".chart-switch", { hasText: "Mails" }).first().innerText();
  ok(number(await mails()) === top.total.mails, "now: the chart has all mails", await mails(), top.total);
  ok((await t.page.locator("main").innerText()).includes(top.rows[0].key), "now: the client that sends most is named", top.rows[0]);
  const over = t.page.locator(".u-over").first(), b = await over.boundingBox();
  await t.page.mouse.move(b.x + b.width * 0.25, b.y + 40);
  await t.page.mouse.down();
  await t.page.mouse.move(b.x + b.width * 0.5, b.y + 45, { steps: 6 });
  await t.page.mouse.up();
  ok(await until(() => Number(at(t, "since")) > given.since), "now: dragging over the chart zooms in", t.page.url());
  ok(Math.abs((at(t, "since") - given.since) / whole - 0.25) < 0.02 && Math.abs((at(t, "until") - given.since) / whole - 0.5) < 0.02, "now: to what was dragged over", t.page.url());
  await t.settled();
  const part_ = await api(t, "/timeline", { since: at(t, "since"), until: at(t, "until"), step: 3600 });
  const sum = part_.series.mails.reduce((x, y) => x + y, 0);
  ok(await until(async () => Math.abs(number(await mails()) - sum) <= sum * 0.02), "now: its numbers are of that time", await mails(), sum);
  await t.page.goBack();
  ok(await until(() => at(t, "since") === String(given.since)), "now: back zooms out", t.page.url());
  await t.settled();
  ok(await until(async () => number(await mails()) === top.total.mails), "now: with all numbers again", await mails());
  await t.page.getByRole("button", { name: "Zoom in" }).click();
  ok(await until(() => at(t, "until") - at(t, "since") < whole), "now: a button zooms too", t.page.url());
  await t.settled();
  await t.page.getByRole("button", { name: "Zoom out" }).click();
  await t.settled();
  const refused = t.page.locator(".chart-switch", { hasText: "Rejected" });
  await refused.click();
  ok(await until(async () => (await refused.getAttribute("aria-pressed")) === "false" && /rejected/.test(at(t, "hide"))), "now: a series can be switched off", t.page.url());
  await t.page.reload();
  await t.settled();
  ok((await refused.getAttribute("aria-pressed")) === "false", "now: and a reload keeps that");
  await t.page.locator("summary", { hasText: "numbers as a table" }).first().click();
  ok(await until(async () => (await t.page.locator("details[open] table tr").count()) > 10), "now: the numbers stand in a table too");
}

/** Who opens the page over a store that has ended, as that of a capture, sees its last mails, in each view. */
async function first(t, given) {
  for (const [view, what] of [["/", ".chart-switch"], ["/mails", ".mails-count"], ["/hosts", "main tbody td.number"], ["/map", "main tbody td.number"], ["/paths", ".paths-node"], ["/notices", ".notice"]]) {
    await t.open(view);
    const shown = await until(async () => number(await t.page.locator(what).first().textContent()) > 0 || (!/count|switch|number/.test(what) && (await t.page.locator(what).count())));
    ok(shown, `opened without a range: ${view} shows the end of the store`, (await t.page.locator("main").innerText()).slice(0, 300));
  }
}

async function presets(t) {
  await t.open("/");
  const group = t.page.getByRole("group", { name: "Range of time" }).first();
  await group.locator("summary").click();
  await t.page.getByRole("button", { name: "Last 7 days" }).click();
  ok(await until(() => at(t, "since") === "7d"), "range: a preset stands in the address", t.page.url());
  await t.settled();
  await t.page.getByRole("link", { name: "Hosts", exact: true }).click();
  ok(await until(() => path(t) === "/hosts" && at(t, "since") === "7d"), "range: and goes along to other views", t.page.url());
  await t.settled();
  await group.locator("summary").click();
  await t.page.getByRole("button", { name: "All times" }).click();
  ok(await until(() => at(t, "since") === "all"), "range: all times", t.page.url());
  await t.settled();
  ok(await until(async () => (await t.page.locator("main table tbody tr").count()) > 5), "range: has all hosts");
}

async function map(t, given, span) {
  await t.open(`/map?${range(given)}`);
  const { countries, unknown } = await api(t, "/map", span);
  ok(countries.length >= 30, "map: mails come from many countries", countries.length);
  const row = countries.toSorted((a, b) => b.mails - a.mails).find(c => c.country === "IN") ?? countries[0];
  const shape = t.page.locator(`.map-country[data-code="${row.country}"]`).first();
  ok((await t.page.locator('.map-country[class*="map-class-"]').count()) >= 25, "map: they are coloured");
  ok((await t.page.locator("main").innerText()).replaceAll(",", "").includes(String(unknown.mails)), "map: those of no known country are told", unknown);
  await shape.hover({ force: true });
  ok(await until(async () => (await t.page.locator(".map-told").innerText()).includes(`${row.mails} mails`)), "map: pointing at a country tells its mails", row, await t.page.locator(".map-told").innerText());
  const b = await shape.boundingBox();
  await t.page.mouse.click(b.x + b.width / 2, b.y + b.height / 2);
  ok(await until(() => path(t) === "/mails" && at(t, "q") === `country:${row.country}`), "map: a click leads to them", t.page.url());
  await t.settled();
  ok(await until(async () => number(await t.page.locator(".mails-count").innerText()) === row.mails), "map: as many as it said", await t.page.locator(".mails-count").innerText(), row);
  await t.page.goBack();
  await t.settled();
  await t.page.getByRole("button", { name: "Rejected", exact: true }).or(t.page.getByLabel("Rejected", { exact: true })).first().click();
  ok(await until(() => Boolean(at(t, "by"))), "map: colours may mean refused ones", t.page.url());
  await t.settled();
  const link = t.page.locator(".map-row-link").first();
  await link.focus();
  await t.page.keyboard.press("Enter");
  ok(await until(() => path(t) === "/mails" && /^country:\w\w disposition:rejected$/.test(at(t, "q"))), "map: its table leads on by keys", t.page.url());
}

async function hosts(t, given, span) {
  await t.open(`/hosts?by=sender&${range(given)}`);
  const top = await api(t, "/top", { by: "sender", limit: 100, ...span });
  const first = t.page.locator("main table tbody tr").first();
  ok((await first.innerText()).includes(top.rows[0].key) && number((await first.locator("td").nth(1).innerText())) === top.rows[0].mails, "hosts: the domain that sends most is first", await first.innerText(), top.rows[0]);
  await t.page.locator("main thead button", { hasText: "Rejected" }).first().click();
  ok(await until(() => at(t, "order") === "rejected"), "hosts: sorted by refusals", t.page.url());
  await t.settled();
  const worst = (await api(t, "/top", { by: "sender", limit: 1, order: "rejected", ...span })).rows[0];
  ok(await until(async () => (await first.innerText()).includes(worst.key)), "hosts: the one refused most is first", await first.innerText(), worst);
  await first.getByRole("link").first().click();
  ok(await until(() => path(t) === `/hosts/${worst.key}`), "hosts: leads to the host", t.page.url());
  await t.settled();
  const host = await api(t, `/hosts/${worst.key}`, span), words = (await t.page.locator("main").innerText()).replaceAll(",", "");
  ok(words.includes(String(host.out.mails)) && (!host.peers.length || words.includes(host.peers[0].key)), "host: its numbers and peers", host.out, host.peers[0]);
  await t.page.getByRole("link", { name: "Mails from it" }).click();
  await t.settled();
  ok(path(t) === "/mails" && (await until(async () => number(await t.page.locator(".mails-count").innerText()) === host.out.mails)), "host: its mails are as many", t.page.url(), await t.page.locator(".mails-count").innerText(), host.out);
}

async function paths(t, given, span) {
  await t.open(`/paths?${range(given)}`);
  const { nodes, edges } = await api(t, "/paths", { limit: 60, ...span });
  ok(edges.length > 15 && edges.some(e => e.delay > 60), "paths: many edges, some of them slow", edges.length);
  ok((await t.page.locator(".paths-node").count()) === nodes.length && (await t.page.locator("a.paths-edge").count()) === edges.length, "paths: all are drawn", await t.page.locator(".paths-node").count(), nodes.length, edges.length);
  ok((await t.page.locator("main table tbody tr").count()) === edges.length, "paths: and stand in the table");
  const nodeName = nodes.find(n => n.id === "fwd.alumni.example.net").id;
  await t.page.locator(`.paths-node[data-host="${nodeName}"]`).click();
  ok(await until(() => path(t) === `/hosts/${nodeName}`), "paths: a node leads to its host", t.page.url());
  await t.settled();
  await t.open(`/paths?host=lists.example.com&${range(given)}`);
  const some = await api(t, "/paths", { limit: 60, host: "lists.example.com", ...span });
  ok(some.edges.length > 0 && some.edges.length < edges.length && (await t.page.locator("main table tbody tr").count()) === some.edges.length, "paths: of one host alone", some.edges.length);
}

export async function sights(browser, given) {
  const span = { since: given.since, until: given.until };
  const t = await tab(browser, given.base, { viewport: { width: 1280, height: 1400 } });
  for (const [name, checks] of Object.entries({ first, chart, presets, map, hosts, paths })) {
    await part(name, () => checks(t, given, span));
    ok(!t.faults.length, `${name}: without errors`, ...t.faults);
    t.faults.length = 0;
  }
  await t.close();
}
