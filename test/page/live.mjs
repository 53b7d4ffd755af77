// A store that is being written: what comes while the page is open appears by itself.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ok, part, tab, until } from "./harness.mjs";

const run = promisify(execFile);
const number = text => Number((text.match(/[\d,]+/) ?? ["-1"])[0].replaceAll(",", ""));

async function appears(t, given) {
  await t.open("/mails");
  const rows = t.page.locator(".list-row"), count = async () => number(await t.page.locator(".mails-count").innerText());
  ok(await until(async () => (await count()) === 1 && (await rows.count()) === 1), "live: the one mail of the last day", await t.page.locator("main").innerText());
  const [program, ...more] = given.live.more;
  await run(program, more);
  ok(await until(async () => /the second mail/.test(await rows.first().innerText()), 30000), "live: another one appears by itself, on top", await t.page.locator("main").innerText());
  ok(await until(async () => (await count()) === 2), "live: and is counted", await count());
  const button = t.page.locator("button.live");
  await t.context.setOffline(true);
  ok(await until(async () => /Offline/.test(await button.innerText()), 30000), "live: a server that does not answer is told", await button.innerText());
  ok((await rows.count()) === 2, "live: and the list stays");
  await t.context.setOffline(false);
  ok(await until(async () => /^Live/.test((await button.innerText()).trim()), 30000), "live: it goes on once the server answers again", await button.innerText());
  t.forgive(/ERR_INTERNET_DISCONNECTED|does not answer/);
  await t.open("/");
  ok(number(await t.page.locator(".chart-switch", { hasText: "Mails" }).first().innerText()) === 2, "live: now shows both", await t.page.locator("main").innerText());
}

export async function live(browser, given) {
  const t = await tab(browser, given.live.base);
  await part("live", () => appears(t, given));
  ok(!t.faults.length, "live: without errors", ...t.faults);
  await t.close();
}
