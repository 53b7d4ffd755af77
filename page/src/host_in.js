// The host in what a person types, pastes, or a server wrote of itself. Pure.

// "anna@Example.org", "https://example.org/x", "[192.0.2.1]" to what the view is about.
export function hostIn(text) {
  const bare = text.trim().replace(/^[a-z][a-z0-9+.-]*:\/\//i, "").replace(/[/?#].*$/, "").replace(/^.*@/, "").replace(/^\[(.*)\]$/, "$1");
  return bare.replace(/^IPv6:/i, "").replace(/\.$/, "").toLowerCase();
}
