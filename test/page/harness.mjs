// What the checks of the page share: a browser, a page whose every word is listened to, waiting for what should be, results a line each.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const modules = createRequire(new URL("../../page/package.json", import.meta.url));
const { chromium } = modules("playwright-core");
const axe = readFileSync(modules.resolve("axe-core/axe.min.js"), "utf8");

export const LONG = 15000; // milliseconds in which a thing that should happen has happened

/** One check, a line of JSON; test/page.py counts them. */
export function ok(condition, name, ...details) {
  console.log(JSON.stringify({ ok: Boolean(condition), name, details: details.slice(0, 12).map(d => (typeof d === "string" ? d : JSON.stringify(d, null, 1) ?? String(d))) }));
  return Boolean(condition);
}

/** Runs checks that may throw; what they threw is a check that failed. */
export async function part(name, checks) {
  const began = Date.now();
  try {
    await checks();
  } catch (error) {
    ok(false, name + ": went through", error.stack ?? error);
  }
  if (process.env.PAGE_TIMES) console.error(name, Date.now() - began, "ms");
}

/** The first true value of it, or the last false one. It may be a promise, and may throw as long as it is not so. */
export async function until(condition, milliseconds = LONG) {
  const end = Date.now() + milliseconds;
  for (let value, error; ; ) {
    try {
      [value, error] = [await condition(), null];
    } catch (thrown) {
      [value, error] = [false, thrown];
    }
    if (value) return value;
    if (Date.now() > end) {
      if (error) throw error;
      return value;
    }
    await new Promise(wake => setTimeout(wake, 25));
  }
}

export async function browse(given) {
  mkdirSync(given.shots, { recursive: true });
  return chromium.launch({ executablePath: given.chromium, headless: true, args: ["--no-sandbox", "--disable-dev-shm-usage", "--font-render-hinting=none"] });
}

/** A tab of its own profile. `faults` gathers what no page should do; whoever means to cause one takes it out by forgive(). */
export async function tab(browser, base, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, timezoneId: "Europe/Berlin", locale: "en-GB", reducedMotion: "reduce",
    acceptDownloads: true, ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(LONG);
  const faults = [], waiting = new Set();
  await context.route("**/*", route => {
    const url = new URL(route.request().url());
    if (url.origin === new URL(base).origin) return route.continue();
    faults.push("asked another host: " + url);
    return route.abort();
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", e => console.error(`CSP: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber} ${e.sample}`));
  });
  const page = await context.newPage();
  page.on("console", m => ["error", "warning"].includes(m.type()) && faults.push(`console: ${m.text()} ${m.location().url ?? ""}`));
  page.on("pageerror", error => faults.push("threw: " + (error.stack ?? error)));
  page.on("dialog", d => {
    faults.push(`opened a dialog: ${d.message()}`);
    d.dismiss();
  });
  context.on("page", other => other !== page && faults.push("opened a window: " + other.url()));
  page.on("request", r => waiting.add(r));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, r => waiting.delete(r));
  const self = {
    base, context, page, faults,
    forgive(pattern) {
      const kept = faults.filter(f => !pattern.test(f));
      const count = faults.length - kept.length;
      faults.splice(0, faults.length, ...kept);
      return count;
    },
    /** The view is there with its data: nothing is under way. */
    async settled() {
      await page.waitForFunction(() => {
        const view = document.querySelector("main .view");
        return view?.hasChildNodes() && !view.querySelector(".state-loading, [aria-busy=true]");
      });
      // What the page asks for is told before the answer to what it is asked itself.
      let quiet = 0;
      await until(async () => {
        await page.evaluate(() => new Promise(done => requestAnimationFrame(() => setTimeout(done))));
        return (waiting.size ? (quiet = 0) : ++quiet) > 2;
      });
    },
    async open(address) {
      await page.goto(base + address, { waitUntil: "load" });
      await self.settled();
    },
    async close() {
      await context.close();
    },
  };
  return self;
}

/** What the API says, asked beside the page, with the cookies of the tab. */
export async function api(t, path, params = {}) {
  const query = new URLSearchParams(Object.entries(params).map(([k, v]) => [k, String(v)]));
  const r = await t.context.request.get(`${t.base}/api/v1${path}${query.size ? "?" + query : ""}`);
  if (!r.ok()) throw new Error(`${path}?${query}: ${r.status()} ${(await r.text()).slice(0, 300)}`);
  return r.json();
}

/** Elements that no text of a mail may make, as short descriptions. */
export function foreignElements(page) {
  return page.evaluate(() => {
    const bad = [];
    for (const e of document.querySelectorAll("*")) {
      const name = e.localName;
      const tell = what => bad.push(`${what}: ${e.outerHTML.slice(0, 200)}`);
      if (["iframe", "object", "embed", "base", "frame", "applet"].includes(name)) tell("element");
      if (name === "script" && new URL(e.src || "x:").pathname !== "/page.js") tell("script");
      if (name === "style" && e.closest("body")) tell("style");
      for (const a of e.attributes) {
        if (/^on/i.test(a.name) || a.name === "srcdoc") tell(a.name);
        if (["href", "src", "action", "formaction", "xlink:href"].includes(a.name) && !/^(\/(?!\/)|#|\?|https?:|mailto:|data:image\/|blob:)/i.test(a.value)) tell(a.name);
      }
    }
    if (window.hacked) bad.push("a script ran");
    return bad;
  });
}

/** Axe's findings of the kinds that count, as texts. */
export async function violations(page) {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe);
  return page.evaluate(async () => {
    const found = await axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return found.violations.map(v => ({ id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 4).map(n => `${n.target.join(" ")}: ${n.html.slice(0, 140)} ${n.any[0]?.message ?? n.all[0]?.message ?? ""}`) }));
  });
}

export function shot(t, given, name, fullPage = false) {
  return t.page.screenshot({ path: join(given.shots, name + ".png"), fullPage, animations: "disabled" });
}
