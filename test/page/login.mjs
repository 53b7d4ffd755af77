// Users and TLS: log in, be told what is wrong, log out, and see no local part as somebody who is not to see persons.
import { ok, part, shot, tab, until, violations } from "./harness.mjs";

async function fill(t, user, password) {
  await t.page.getByLabel(/user/i).first().fill(user);
  await t.page.getByLabel(/password/i).first().fill(password);
  await t.page.getByRole("button", { name: /log in/i }).click();
}

const at = t => new URL(t.page.url()).pathname;

async function logOut(t) {
  await t.page.getByLabel("Settings").click();
  await t.page.getByRole("button", { name: /log out/i }).click();
  return until(() => at(t) === "/log-in");
}

async function inAndOut(browser, given) {
  const t = await tab(browser, given.secure), range = `since=${given.since}&until=${given.until}`;
  await t.page.goto(`${t.base}/mails?q=is%3Arejected&${range}`);
  ok(await until(() => at(t) === "/log-in"), "who is not logged in is asked to", t.page.url());
  await t.settled();
  const found = await violations(t.page);
  ok(!found.length, "log-in keeps the rules of accessibility", ...found);
  await shot(t, given, "log-in");
  t.forgive(/status of 401/);
  await fill(t, "anna", "wrong");
  ok(await until(async () => (await t.page.getByRole("alert").allInnerTexts()).join("").length > 3), "a wrong password is told", await t.page.locator("main").innerText());
  ok(at(t) === "/log-in", "and leads nowhere");
  t.forgive(/status of 401/);
  await fill(t, "anna", given.users.anna);
  ok(await until(() => at(t) === "/mails"), "the right one leads to where one wanted to go", t.page.url());
  await t.settled();
  ok(new URL(t.page.url()).searchParams.get("q") === "is:rejected", "with its query", t.page.url());
  ok(/@uni\.example\.org/.test(await t.page.locator("main").innerText()) && !/\*\*\*@/.test(await t.page.locator("main").innerText()), "who may see all sees addresses");
  const [cookie] = await t.context.cookies();
  ok(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict", "the cookie is out of reach of scripts and other sites", cookie);
  ok(await logOut(t), "log out leads to the log-in", t.page.url());
  const after = await t.context.request.get(t.base + "/api/v1/mails");
  ok(after.status() === 401, "and the session is over", after.status());
  await t.page.goBack();
  await until(() => at(t) === "/log-in");
  ok(!/@uni\.example\.org/.test(await t.page.locator("body").innerText()), "back shows no mails any more");
  t.forgive(/status of 401/);
  ok(!t.faults.length, "logging in and out runs without errors", ...t.faults);
  await t.close();
}

/** Local parts that stand in a text: whatever is before an @ and no star. */
const locals = text => [...text.matchAll(/([^\s<>",;:*()[\]]+)@[\w-]+\.[\w.-]+/g)].map(m => m[0]).filter(m => !m.includes("***@"));

async function redacted(browser, given) {
  const t = await tab(browser, given.secure, { viewport: { width: 1280, height: 2000 } }), range = `since=${given.since}&until=${given.until}`;
  await t.page.goto(t.base + "/log-in");
  await t.settled();
  t.forgive(/status of 401/);
  const answers = [];
  t.page.on("response", async r => {
    if (new URL(r.url()).pathname.startsWith("/api/")) answers.push([new URL(r.url()).pathname, await r.text().catch(() => "")]);
  });
  await fill(t, "bruno", given.users.bruno);
  ok(await until(() => at(t) !== "/log-in"), "bruno logs in", t.page.url());
  const list = await (await t.context.request.get(`${t.base}/api/v1/mails?limit=1&q=has:file&${range}`)).json();
  const notices = await (await t.context.request.get(`${t.base}/api/v1/notices?limit=1&state=all&${range}`)).json();
  for (const address of [`/?${range}`, `/mails?${range}`, `/mails/${list.mails[0].id}`, `/hosts?${range}`, `/hosts/192.0.2.25?${range}`, `/paths?${range}`, `/notices?${range}`, `/notices/${notices.notices[0].id}`]) {
    await part(address, async () => {
      await t.open(address);
      const shown = locals(await t.page.locator("body").innerText());
      ok(!shown.length, `redacted: no local part in ${address.split("?")[0].replace(/\d{10,}/, "ID")}`, ...shown);
    });
  }
  const said = answers.flatMap(([path, text]) => locals(text).map(l => `${path}: ${l}`));
  ok(answers.length > 8 && !said.length, "redacted: nor in what the server answers the page", answers.length, ...said.slice(0, 10));
  await t.open(`/mails?q=subject%3Aproofs&${range}`);
  t.forgive(/status of 403|cannot be searched/);
  ok(/not open to you/.test(await t.page.locator("main").innerText()), "redacted: a search of subjects is refused, and said", await t.page.locator("main").innerText());
  await shot(t, given, "redacted");
  ok(!t.faults.length, "redacted: runs without errors", ...t.faults);
  await t.close();
}

export async function login(browser, given) {
  await part("log in and out", () => inAndOut(browser, given));
  await part("redacted", () => redacted(browser, given));
}
