import { test } from "node:test";
import assert from "node:assert/strict";
import { Pages } from "../src/mails/pages.js";

// A store whose newest mail has the highest id; ids grow by 10.
function store(n) {
  const ids = Array.from({ length: n }, (_, i) => BigInt(1_700_000_000_000_000) + BigInt(i) * 10n);
  const asked = [];
  const fetch = async ({ before, limit }) => {
    asked.push({ before, limit });
    const rows = ids.filter((id) => !before || id < BigInt(before)).slice(-limit).reverse();
    return { mails: rows.map((id) => ({ id: String(id) })), next: rows.length && rows.at(-1) !== ids[0] ? String(rows.at(-1)) : null, complete: true };
  };
  return { ids, asked, fetch, newest: (i) => String(ids.at(-1 - i)) };
}

test("page after page to the end, each row once", async () => {
  const s = store(95);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  while (!pages.done) await pages.more();
  assert.equal(pages.total, 95);
  for (let i = 0; i < 95; i++) assert.equal(pages.row(i).id, s.newest(i));
  assert.equal(pages.row(95), null);
  assert.equal(pages.row(-1), null);
  assert.equal(pages.more(), null);
});

test("two who ask for more get one page", async () => {
  const s = store(50);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  await Promise.all([pages.more(), pages.more()]);
  assert.equal(pages.total, 20);
});

test("rows far away are given up, and come back as they were", async () => {
  const s = store(1000);
  const pages = new Pages({ fetch: s.fetch, size: 10, keep: 8 });
  await pages.first();
  while (!pages.done) {
    await pages.need(pages.total - 5, pages.total - 1);
    await pages.more();
  }
  const held = () => pages.list.filter((page) => page.rows).length;
  assert.ok(held() <= 10, `${held()} pages held`);
  assert.equal(pages.row(3), null);
  await pages.need(0, 12);
  for (let i = 0; i < 20; i++) assert.equal(pages.row(i).id, s.newest(i));
  assert.equal(pages.need(0, 12), null);
});

test("newer ones stand in front", async () => {
  const s = store(40);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  await pages.more();
  assert.equal(await pages.newer(), 0);
  for (let i = 0; i < 3; i++) s.ids.push(s.ids.at(-1) + 10n);
  assert.equal(await pages.newer(), 3);
  assert.equal(pages.total, 23);
  for (let i = 0; i < 23; i++) assert.equal(pages.row(i).id, s.newest(i));
  assert.equal(pages.indexOf(s.newest(21)), 21);
  assert.equal(pages.indexOf(s.newest(30)), -1);
});

test("more newer ones than a page: all begins anew", async () => {
  const s = store(40);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  for (let i = 0; i < 15; i++) s.ids.push(s.ids.at(-1) + 10n);
  assert.equal(await pages.newer(), -1);
  assert.equal(pages.total, 10);
  assert.equal(pages.row(0).id, s.newest(0));
});

test("the first mail of an empty list is newer", async () => {
  const s = store(0);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  assert.equal(pages.total, 0);
  s.ids.push(17n);
  assert.equal(await pages.newer(), 1);
  assert.equal(pages.row(0).id, "17");
});

test("a list that stands open for days does not grow", async () => {
  const s = store(300);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  for (let i = 0; i < 200; i++) {
    s.ids.push(s.ids.at(-1) + 10n);
    await pages.newer();
    pages.shorten(50);
  }
  assert.ok(pages.total < 70, String(pages.total));
  while (!pages.done) await pages.more();
  for (let i = 0; i < 500; i++) assert.equal(pages.row(i)?.id ?? s.newest(i), s.newest(i));
  assert.equal(pages.total, 500);
});

test("an answer that comes late for another query is not taken", async () => {
  const s = store(30);
  const pages = new Pages({ fetch: s.fetch, size: 10 });
  await pages.first();
  const late = pages.more();
  await pages.first();
  await late;
  assert.equal(pages.total, 10);
});

test("a search that its time ended goes on", async () => {
  const answers = [{ mails: [], next: null, complete: false, searched_to: 90.5 }, { mails: [], next: null, complete: false, searched_to: 80 }, { mails: [{ id: "70000000" }], next: null, complete: true, searched_to: 0 }];
  const asked = [];
  const pages = new Pages({ fetch: async (params) => (asked.push(params.before), answers.shift()), size: 10 });
  await pages.first();
  assert.deepEqual([pages.done, pages.total, pages.idle], [false, 0, 1]);
  await pages.more();
  assert.equal(pages.idle, 2);
  await pages.more();
  assert.deepEqual([pages.done, pages.total, pages.idle], [true, 1, 0]);
  assert.deepEqual(asked, [undefined, "90500000", "80000000"]);
});
