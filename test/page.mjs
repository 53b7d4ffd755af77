// Clicks through the page in a browser. usage: node test/page.mjs JSON
// In: {base, shots, chromium, since, until, ...}, as test/page.py makes it. Out: a line of JSON a check.
import { browse, part } from "./page/harness.mjs";
import { hostile } from "./page/hostile.mjs";
import { live } from "./page/live.mjs";
import { login } from "./page/login.mjs";
import { mails } from "./page/mails.mjs";
import { notices } from "./page/notices.mjs";
import { sensors } from "./page/sensors.mjs";
import { sights } from "./page/sights.mjs";
import { views } from "./page/views.mjs";

const given = JSON.parse(process.argv[2]);
const only = process.argv.slice(3);
const parts = { views, mails, sights, notices, sensors, hostile, login, live };
const browser = await browse(given);
try {
  await Promise.all(Object.entries(parts).filter(([name]) => !only.length || only.includes(name)).map(([name, checks]) => part(name, () => checks(browser, given))));
} finally {
  await browser.close();
}
