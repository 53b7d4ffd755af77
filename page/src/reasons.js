// What codes of refusals mean, in a few words. Pure.
// Spec: RFC 3463, RFC 7372, RFC 7505 and IANA's registry of enhanced status codes; RFC 5321 4.2.3 for those without.

const ENHANCED = {
  "1.0": "address", "1.1": "no such mailbox", "1.2": "no such domain", "1.3": "address is malformed", "1.4": "address is ambiguous", "1.6": "mailbox has moved", "1.7": "sender's address is malformed", "1.8": "sender's domain is not known", "1.9": "address of an older kind", "1.10": "recipient takes no mail (null MX)",
  "2.0": "mailbox", "2.1": "mailbox is disabled", "2.2": "mailbox is full", "2.3": "too long for the mailbox", "2.4": "mailing list",
  "3.0": "mail system", "3.1": "mail system is full", "3.2": "takes no mail now", "3.3": "cannot do what is asked", "3.4": "message is too big",
  "4.0": "network", "4.1": "no answer from the host", "4.2": "bad connection", "4.3": "directory does not answer", "4.4": "no route", "4.5": "congestion", "4.6": "loop", "4.7": "too old",
  "5.0": "protocol", "5.1": "command out of place", "5.2": "syntax", "5.3": "too many recipients", "5.4": "bad parameters", "5.6": "line is too long",
  "6.0": "content", "6.1": "kind of content not taken", "6.3": "conversion needed",
  "7.0": "security or policy", "7.1": "policy", "7.2": "may not write to this list", "7.3": "security conversion", "7.5": "no key", "7.7": "message was changed", "7.8": "log-in fails", "7.9": "way to log in is too weak", "7.10": "encryption needed", "7.11": "encryption needed to log in", "7.13": "account is disabled",
  "7.20": "no DKIM signature passes", "7.21": "no acceptable DKIM signature", "7.22": "no DKIM signature of the author", "7.23": "SPF fails", "7.24": "SPF cannot be checked", "7.25": "no name for the address (reverse DNS)", "7.26": "authentication fails (SPF, DKIM, DMARC)", "7.27": "sender takes no mail (null MX)", "7.28": "too much mail", "7.29": "ARC fails",
};
const BASIC = { 421: "service ends", 450: "mailbox not at hand", 451: "error at the server", 452: "no room", 454: "not now", 455: "parameters", 500: "syntax", 501: "syntax", 502: "command not known", 503: "command out of place", 521: "takes no mail", 530: "log-in needed", 535: "log-in fails", 550: "mailbox, or policy", 551: "not local", 552: "too much", 553: "address not allowed", 554: "refused", 555: "parameters", 556: "domain takes no mail" };

// key as /top has it: code or enhanced code, then what it answered. null where it says nothing more.
export function reasonText(key) {
  const [code] = key.split(" ");
  const enhanced = /^[245]\.(\d{1,3}\.\d{1,3})$/.exec(code);
  return (enhanced ? ENHANCED[enhanced[1]] : /^\d{3}$/.test(code) ? BASIC[code] : null) ?? null;
}
