// What mails are counted by: how it is called, whether a key of it is a host with a view of its own, and which query finds its mails (or notices).
// Pure. One table for the views, so that a key leads to the same place everywhere.

import { quoted } from "./query.js";
import { address } from "./router.js";

const term = (field, value) => `${field}:${quoted(value)}`;
const ofDomain = (field) => (key) => (key === "<>" ? `${field}:"<>"` : term(field, `*@${key}`));

// "5.7.1 rcpt", "550 rcpt", "550": code or enhanced code, and what it answered.
function ofReason(key) {
  const [code, stage] = key.split(" ");
  return [term(/^\d{3}$/.test(code) ? "code" : "enhanced", code), stage ? term("stage", stage) : ""].join(" ").trim();
}

export const DIMENSIONS = {
  client: { title: "Clients", one: "Client", hosts: true, query: (key) => term("ip", key) },
  server: { title: "Servers", one: "Server", hosts: true, query: (key) => term("server", key) },
  sender: { title: "Sender domains", one: "Sender domain", hosts: true, query: ofDomain("from") },
  recipient: { title: "Recipient domains", one: "Recipient domain", hosts: true, query: ofDomain("rcpt") },
  country: { title: "Countries of origin", one: "Country", query: (key) => term("country", key) },
  asn: { title: "Networks", one: "Network (AS)", query: (key) => term("asn", key) },
  reason: { title: "Reasons for rejection", one: "Reason", query: ofReason },
  list: { title: "Block lists", one: "Block list", notices: true, query: (key) => term("list", key) },
  note: { title: "Kinds of notices", one: "Kind", notices: true, query: (key) => term("note", key) },
  agent: { title: "Mail programs", one: "Program", query: (key) => term("agent", key) },
  sensor: { title: "Sensors", one: "Sensor", query: (key) => term("sensor", key) },
  tls_version: { title: "TLS versions", one: "TLS version" },
};

// A host is an address or a domain; the null sender and what is counted as others are none.
export function hostHref(key, rangeQuery) {
  return key && key !== "<>" ? address(`/hosts/${encodeURIComponent(key)}`, rangeQuery) : null;
}

export function mailsHref(q, rangeQuery) {
  return address("/mails", { q, ...rangeQuery });
}

// Where what is counted under a key can be read; null where no query finds it.
export function foundHref(by, key, rangeQuery) {
  const dimension = DIMENSIONS[by];
  if (!dimension?.query || !key) return null;
  return dimension.notices ? address("/notices", { q: dimension.query(key), state: "all", ...rangeQuery }) : mailsHref(dimension.query(key), rangeQuery);
}
