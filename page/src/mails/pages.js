// The mails of a query, page after page by keyset, newest first. Holds the rows of few pages; those far from what is seen are given up and asked again.
// In: fetch({before, limit}) -> promise of {mails, next, complete, searched_to}. Limits: keep pages of rows, most rows at all. Pure but for fetch.

// One more than an id: "before" it comes the row itself.
const behind = (id) => String(BigInt(id) + 1n);

export class Pages {
  constructor({ fetch, size = 100, keep = 60, most = 400_000 }) {
    Object.assign(this, { fetch, size, keep, most, list: [], starts: [], total: 0, next: null, done: false, busy: null, complete: true, searchedTo: null, idle: 0, turn: 0 });
  }

  // The first page anew; what was there is gone when it is here.
  async first() {
    const turn = ++this.turn;
    this.idle = 0;
    const answer = await this.fetch({ limit: this.size });
    if (turn !== this.turn) return;
    this.list = [];
    this.take(answer);
  }

  take(answer) {
    if (answer.mails.length) this.list.push({ first: answer.mails[0].id, count: answer.mails.length, rows: answer.mails, asked: null });
    this.complete = answer.complete !== false;
    this.searchedTo = answer.searched_to ?? null;
    // A search that its time ended goes on from where it had come to.
    this.next = answer.next ?? (!this.complete && this.searchedTo !== null ? String(Math.floor(this.searchedTo * 1e6)) : null);
    this.done = this.next === null;
    this.idle = answer.mails.length ? 0 : this.idle + 1;
    this.index();
  }

  // Nothing is known any more.
  empty() {
    this.turn++;
    Object.assign(this, { list: [], next: null, done: false });
    this.index();
  }

  index() {
    this.starts = [];
    this.total = 0;
    for (const page of this.list) {
      this.starts.push(this.total);
      this.total += page.count;
    }
  }

  get full() {
    return this.total >= this.most;
  }

  // The next page, unless there is none, or it is on its way.
  more() {
    if (this.done || this.full || this.next === null) return null;
    const turn = this.turn;
    this.busy ??= this.fetch({ before: this.next, limit: this.size })
      .then((answer) => turn === this.turn && this.take(answer))
      .finally(() => (this.busy = null));
    return this.busy;
  }

  pageOf(i) {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= i) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // A row, or null where it is given up (need() brings it back).
  row(i) {
    if (i < 0 || i >= this.total) return null;
    const k = this.pageOf(i);
    return this.list[k].rows?.[i - this.starts[k]] ?? null;
  }

  // Rows from..to are seen now: a promise where some must be asked again, else null. Gives up pages far away.
  need(from, to) {
    if (!this.total) return null;
    const [a, b] = [this.pageOf(Math.max(0, from)), this.pageOf(Math.min(this.total - 1, to))];
    const held = this.list.filter((page) => page.rows).length;
    if (held > this.keep) this.list.forEach((page, k) => (k < a - this.keep / 4 || k > b + this.keep / 4) && !page.asked && (page.rows = null));
    const waits = [];
    for (let k = a; k <= b; k++) {
      const page = this.list[k];
      if (page.rows) continue;
      page.asked ??= this.fetch({ before: behind(page.first), limit: page.count })
        .then((answer) => (page.rows = answer.mails))
        .finally(() => (page.asked = null));
      waits.push(page.asked);
    }
    return waits.length ? Promise.all(waits) : null;
  }

  // Looks for newer ones; gives how many came. Where more came than a page, all begins anew (-1).
  async newer() {
    const turn = this.turn;
    const answer = await this.fetch({ limit: this.size });
    if (turn !== this.turn) return 0;
    const newest = this.list[0] ? BigInt(this.list[0].first) : 0n;
    const fresh = answer.mails.filter((mail) => BigInt(mail.id) > newest);
    if (!fresh.length) return 0;
    if (fresh.length === answer.mails.length) {
      this.turn++;
      this.list = [];
      this.take(answer);
      return this.total === fresh.length && newest === 0n ? fresh.length : -1;
    }
    this.prepend(fresh);
    return fresh.length;
  }

  prepend(fresh) {
    const head = this.list[0];
    if (head.rows && head.count + fresh.length <= this.size) Object.assign(head, { first: fresh[0].id, rows: [...fresh, ...head.rows], count: head.count + fresh.length });
    else this.list.unshift({ first: fresh[0].id, count: fresh.length, rows: fresh, asked: null });
    this.index();
  }

  // Gives up what is beyond so many rows, so that a page that stands open for days does not grow.
  shorten(rows) {
    while (this.list.length > 1 && this.total - this.list.at(-1).count >= rows) {
      const { first } = this.list.pop();
      this.next = behind(first);
      this.done = false;
      this.index();
    }
  }

  indexOf(id) {
    const wanted = BigInt(id);
    for (const [k, page] of this.list.entries()) {
      if (BigInt(page.first) < wanted) return -1;
      const at = page.rows?.findIndex((row) => row.id === id) ?? -1;
      if (at >= 0) return this.starts[k] + at;
    }
    return -1;
  }
}
