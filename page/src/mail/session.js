// A session: how the two ends spoke, TLS, logins.

import { el } from "../dom.js";
import { count, dateTime, duration } from "../format.js";
import { properties, table } from "../parts/table.js";
import { badge, copyButton, hostLink, label, mono, time, wire } from "../parts/text.js";
import { address } from "../router.js";
import { replyText } from "./envelope.js";
import { pivot } from "./pivot.js";

const ENDS = { quit: "by QUIT", fin: "closed without QUIT", rst: "reset", timeout: "fell silent", reuse: "its ports were used anew", shed: "given up over a limit", eof: "the input ended" };

const product = (row) => (row ? [wire([row.name, row.version].filter(Boolean).join(" ")), row.kind ? [" ", label(row.kind.replaceAll("_", " "))] : null] : null);
const withCopy = (text, what) => (text ? [mono(text), copyButton(text, what)] : null);

// Two sensors that see one connection give it the same id.
export const sessionHref = ({ uid, sensor }) => address(`/sessions/${encodeURIComponent(uid)}`, { sensor });

export function sessionRows(session, { link = false } = {}) {
  return properties([
    ["Connection", link ? [el("a", { class: "mono", href: sessionHref(session) }, wire(session.uid))] : withCopy(session.uid, "connection id")],
    ["Sensor", session.sensor ? wire(session.sensor) : null],
    ["Began", time(session.ts)],
    ["Took", session.duration !== undefined ? duration(session.duration) : null],
    ["Client", [hostLink(session["id.orig_h"]), session.helo ? [" calls itself ", pivot("helo", session.helo)] : null]],
    ["Server", [hostLink(session["id.resp_h"]), session.server ? [" ", product(session.server)] : null]],
    ["Greeting", session.banner ? wire(session.banner) : null],
    ["Extensions", session.ehlo_keywords?.length ? el("span", { class: "chips" }, session.ehlo_keywords.map((word) => label(word))) : null],
    ["TLS", session.tls ? tlsLine(session) : el("span", { class: "dim" }, "none")],
    ["Dialect", withCopy(session.dialect, "dialect")],
    ["Outcome", session.disposition ? [badge(session.disposition), " ", session.reply ? replyText(session.reply) : null] : null],
    ["Last error", session.last_error ? wire(session.last_error) : null],
    ["Mails", session.mails !== undefined ? count(session.mails) : null],
    ["Ended", session.end ? ENDS[session.end] ?? wire(session.end) : null],
  ]);
}

function tlsLine(session) {
  const { ssl } = session;
  const how = session.tls_start === "starttls" ? "STARTTLS" : session.tls_start === "implicit" ? "from the beginning" : "";
  if (!ssl) return [label("TLS", "good"), " ", how];
  return [label(ssl.version ?? "TLS", /^(SSL|TLSv1$|TLSv10|TLSv11)/.test(ssl.version ?? "") ? "warn" : "good"), " ", ssl.cipher ? mono(ssl.cipher) : null, " ", el("span", { class: "dim" }, how)];
}

export function tlsRows(session) {
  const { ssl } = session;
  if (!ssl) return null;
  const cert = ssl.certificate;
  const past = cert?.not_valid_after && session.ts > cert.not_valid_after;
  return properties([
    ["Version", ssl.version ? wire(ssl.version) : null],
    ["Cipher", ssl.cipher ? mono(ssl.cipher) : null],
    ["Group", ssl.curve ? mono(ssl.curve) : null],
    ["Name asked for", ssl.server_name ? mono(ssl.server_name) : null],
    ["Protocol", ssl.next_protocol ? mono(ssl.next_protocol) : ssl.alpn?.length ? ["offered ", mono(ssl.alpn.join(", "))] : null],
    ["Completed", ssl.established === true ? "yes" : ssl.established === false ? label("no", "warn") : null],
    ["Alert", ssl.last_alert ? wire(ssl.last_alert) : null],
    ["Certificate", cert?.subject ? [mono(cert.subject), cert.self_signed ? [" ", label("self-signed", "warn")] : null] : null],
    ["Issuer", cert?.issuer ? mono(cert.issuer) : null],
    ["Names", cert?.san?.length ? mono(cert.san.slice(0, 12).join(", ") + (cert.san.length > 12 ? ` and ${cert.san.length - 12} more` : "")) : null],
    ["Valid", cert?.not_valid_after ? [`${dateTime(cert.not_valid_before)} – ${dateTime(cert.not_valid_after)}`, past ? [" ", label("expired", "bad")] : null] : null],
    ["SHA-256", withCopy(cert?.sha256, "fingerprint")],
    ["JA3", withCopy(ssl.ja3, "JA3")],
    ["JA3S", withCopy(ssl.ja3s, "JA3S")],
    ["JA4", withCopy(ssl.ja4, "JA4")],
  ]);
}

export function logins(session) {
  if (!session?.logins?.length) return null;
  const columns = [
    { key: "user", label: "User", cell: (row) => (row.user !== undefined ? wire(row.user) : el("span", { class: "dim" }, "not shown")) },
    { key: "mechanism", label: "Way", cell: (row) => mono(row.mechanism ?? "–") },
    { key: "outcome", label: "Outcome", cell: (row) => badge(row.outcome) },
    { key: "code", label: "Reply", cell: (row) => mono([row.code, row.enhanced].filter(Boolean).join(" ") || "–") },
  ];
  return table(columns, session.logins.slice(0, 100), { caption: "Attempts to log in" }).root;
}
