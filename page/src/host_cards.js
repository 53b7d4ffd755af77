// What a host's view shows below its chart: block lists, peers, notices, software, countries. Each gives a panel, or null where there is nothing to say.

import { barList } from "./bars.js";
import { el } from "./dom.js";
import { foundHref, mailsHref } from "./dimensions.js";
import { count, country, plural } from "./format.js";
import { groupBy } from "./paths/ranks.js";
import { table } from "./parts/table.js";
import { label, time, wire } from "./parts/text.js";
import { address } from "./router.js";
import { kindName, stateLabel, titleOf } from "./notices/state.js";
import { quoted } from "./query.js";

const PEERS = 15;
// So many notices a host's view is told at most.
const NOTICES = 50;

// The query of what other streams say of it.
export function aboutHost({ kind, host }) {
  return kind === "domain" ? `from:${quoted(`*@${host}`)}` : `host:${quoted(host)}`;
}

function panel(title, note, ...body) {
  return el("section", { class: "panel" }, el("div", { class: "panel-head" }, el("h2", {}, title), note ? el("span", { class: "dim" }, note) : null), body);
}

// By list: since when refusals name it, until when, how often. "Since" is what the tap saw: the listing itself can be older.
export function listingsCard({ listings, notices, kind }, rangeQuery) {
  // Until all are there, the newest.
  const known = listings.notices.length > 0 ? listings.notices : notices;
  const rows = [...groupBy(known.filter((notice) => notice.list), (notice) => notice.list)].map(([list, some]) => {
    const times = some.map((notice) => notice.ts);
    return { list, first: Math.min(...times), last: Math.max(...times), many: some.reduce((sum, notice) => sum + 1 + (notice.folded ?? 0), 0), removal: some.find((notice) => notice.removal)?.removal, retired: some.find((notice) => notice.retired)?.retired };
  });
  if (rows.length === 0) return null;
  const columns = [
    { key: "list", label: "Block list", cell: (row) => el("a", { href: foundHref("list", row.list, rangeQuery) }, wire(row.list)), sort: (row) => row.list },
    { key: "first", label: "Named since", cell: (row) => time(row.first), sort: (row) => row.first },
    { key: "last", label: "Last", cell: (row) => time(row.last), sort: (row) => row.last },
    { key: "many", label: "Times", number: true, cell: (row) => count(row.many), sort: (row) => row.many },
    { key: "removal", label: "Removal", cell: (row) => (row.removal ? wire(row.removal, { class: "mono" }) : el("span", { class: "dim" }, row.retired ? `out of service since ${row.retired}` : "not known")) },
  ];
  return panel(kind === "domain" ? "Hosts that send for it are listed" : "Listed", listings.next ? `as the newest ${plural(listings.notices.length, "notice")} say` : "as refusals seen in this time say", table(columns, rows, { caption: "Block lists that name this host", sort: { key: "last", descending: true } }).root);
}

// Whom it deals with, by direction: {title, dimension of the keys, query that finds the mails of both}.
function peerKinds({ kind, host }) {
  const self = quoted(kind === "domain" ? `*@${host}` : host);
  return kind === "domain"
    ? { out: ["Clients that send in its name", "client", (key) => `from:${self} ip:${quoted(key)}`], in: ["Servers that take its mails", "server", (key) => `rcpt:${self} server:${quoted(key)}`] }
    : { out: ["Servers it sends to", "server", (key) => `ip:${self} server:${quoted(key)}`], in: ["Clients that send to it", "client", (key) => `server:${self} ip:${quoted(key)}`] };
}

export function peersCards(answer, rangeQuery) {
  const kinds = peerKinds(answer);
  return Object.entries(kinds).map(([direction, [heading, by, query]]) => {
    const rows = answer.peers.filter((row) => (row.direction ?? "out") === direction).slice(0, PEERS);
    return rows.length > 0 ? barList({ by, heading, plain: true, answer: { rows, total: null }, rangeQuery, find: (key) => mailsHref(query(key), rangeQuery) }) : null;
  });
}

// Its neighbours on the way of mails, as the Received lines have them.
export function waysCards({ edges, host }, rangeQuery) {
  const same = (name) => name.toLowerCase() === host.toLowerCase();
  const card = (heading, key, other) => {
    const rows = (edges ?? []).filter((edge) => same(edge[other]) && !same(edge[key])).map((edge) => ({ key: edge[key], mails: edge.mails })).sort((a, b) => b.mails - a.mails);
    if (rows.length === 0) return null;
    const shown = rows.slice(0, PEERS);
    return barList({ by: "client", heading, plain: true, answer: { rows: shown, total: null }, rangeQuery, find: (name) => mailsHref(`host:${quoted(name)} host:${quoted(host)}`, rangeQuery), note: shown.length < rows.length ? `and ${count(rows.length - shown.length)} more` : null });
  };
  return [card("Before it on the way", "from", "to"), card("Behind it on the way", "to", "from")];
}

export function noticesCard(answer, rangeQuery) {
  const { notices } = answer;
  if (notices.length === 0) return null;
  const rows = notices.slice(0, 10).map((notice) => el("li", { class: "host-notice" },
    el("a", { href: `/notices/${encodeURIComponent(notice.id)}` }, wire(titleOf(notice))), el("p", { class: "dim" }, time(notice.ts), " · ", wire(kindName(notice.note)), " ", stateLabel(notice))));
  return el("section", { class: "panel" },
    el("div", { class: "panel-head" }, el("h2", {}, "Notices"), el("span", { class: "dim" }, notices.length >= NOTICES ? `the newest ${NOTICES}` : plural(notices.length, "notice")), el("a", { class: "panel-tools", href: address("/notices", { q: aboutHost(answer), state: "all", ...rangeQuery }), "aria-label": "All notices of this host" }, "All")),
    el("ul", { class: "panel-body host-notices" }, rows));
}

// What it runs: each program once, as often as it was told.
export function softwareCard({ software }) {
  if (software.length === 0) return null;
  const same = groupBy(software, (row) => [row.software_type, row.name, row.version, row.host_p, row.unparsed_version].join("\t"));
  const rows = [...same.values()].map((some) => ({ ...some[0], first: Math.min(...some.map((row) => row.ts)), last: Math.max(...some.map((row) => row.ts)) }));
  const columns = [
    { key: "name", label: "Program", cell: (row) => [wire(row.name ?? ""), " ", wire(row.version ?? "")], sort: (row) => row.name ?? "" },
    { key: "type", label: "As", cell: (row) => wire((row.software_type ?? "").replace(/^SMTP::/, "").replaceAll("_", " ").toLowerCase()) },
    { key: "port", label: "Port", number: true, cell: (row) => row.host_p ?? "" },
    { key: "first", label: "Seen since", cell: (row) => time(row.first), sort: (row) => row.first },
    { key: "last", label: "Last told", cell: (row) => time(row.last), sort: (row) => row.last },
    { key: "text", label: "Says of itself", cell: (row) => wire(row.unparsed_version ?? "", { class: "mono" }) },
  ];
  return panel("Software", null, table(columns, rows, { caption: "Software seen on this host", sort: { key: "last", descending: true } }).root);
}

export function countriesCard({ countries, kind, host }, rangeQuery) {
  if (countries.length === 0) return null;
  const self = kind === "domain" ? `from:${quoted(`*@${host}`)}` : `ip:${quoted(host)}`;
  return panel("Countries of origin", null, el("ul", { class: "panel-body host-countries" }, countries.map((row) => el("li", {}, el("a", { href: mailsHref(`${self} country:${row.key}`, rangeQuery) }, label(row.key, null), " ", country(row.key)), " ", el("span", { class: "dim" }, count(row.mails))))));
}
