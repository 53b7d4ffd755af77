// The last list of mails, so that one comes back to where one was, and goes from mail to mail within it.

let last = null;

// Who comes next may not be shown what this one was.
globalThis.document?.addEventListener("whochange", () => (last = null));

// left: the list goes from the screen now, so where it stood is kept.
export function remember({ route, pages, list }, { left = false } = {}) {
  last = { address: route.address, pages, active: list.active, scroll: list.root.scrollTop, left };
}

// For a view that comes back by the browser's history to the same address; null else.
export function remembered(route) {
  return last?.left && route.restore !== undefined && last.address === route.address && last.pages.total ? last : null;
}

// The mail next to this one in the last list: by 1 the older, by -1 the newer one; null where there is none. Loads another page where the list ends.
export async function beside(id, by) {
  if (!last) return null;
  const at = last.pages.indexOf(id);
  if (at < 0) return null;
  if (at + by >= last.pages.total) await last.pages.more();
  await last.pages.need(at + by, at + by);
  const row = last.pages.row(at + by);
  if (row) last.active = at + by;
  return row?.id ?? null;
}

// The address of that list, to go back to.
export function listAddress() {
  return last?.address ?? "/mails";
}

export function inList(id) {
  return Boolean(last) && last.pages.indexOf(id) >= 0;
}
