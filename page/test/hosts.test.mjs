// What is typed or pasted into the box of hosts.
import test from "node:test";
import assert from "node:assert/strict";
import { hostIn } from "../src/host_in.js";

test("the host in what is pasted", () => {
  const rows = { " 192.0.2.1 ": "192.0.2.1", "anna@Example.ORG": "example.org", "https://user@example.org/x?y#z": "example.org", "[192.0.2.1]": "192.0.2.1", "[IPv6:2001:db8::1]": "2001:db8::1", "2001:db8::1": "2001:db8::1", "example.org.": "example.org", "": "" };
  for (const [given, host] of Object.entries(rows)) assert.equal(hostIn(given), host);
});
