// Addresses: patterns of paths, and what stands behind the question mark. Pure.

// "/mails/:id" -> a function: path -> {id} or null. Every part is decoded; a broken escape is no match.
export function matcher(pattern) {
  const parts = pattern.split("/").filter(Boolean);
  return (path) => {
    const given = path.split("/").filter(Boolean);
    if (given.length !== parts.length) return null;
    const params = {};
    for (const [i, part] of parts.entries()) {
      if (!part.startsWith(":")) {
        if (part !== given[i]) return null;
        continue;
      }
      try {
        params[part.slice(1)] = decodeURIComponent(given[i]);
      } catch {
        return null;
      }
    }
    return params;
  };
}

// The first of the views whose pattern matches: {view, params}, or null.
export function find(views, path) {
  for (const view of views) {
    const params = matcher(view.pattern)(path);
    if (params) return { view, params };
  }
  return null;
}

export function parseQuery(search) {
  const query = {};
  for (const [name, value] of new URLSearchParams(search)) query[name] ??= value;
  return query;
}

// Path and query to an address; what is null, undefined or empty is left out.
export function address(path, query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") params.set(name, value);
  // Blanks as +, as URLSearchParams has them; what stays readable in a query is left readable.
  const text = params.toString().replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%40", "@");
  return text ? `${path}?${text}` : path;
}

// Where one goes after a log-in: a path of this page, else "/". Nobody can send a viewer elsewhere by it.
export function safeBack(text) {
  return typeof text === "string" && /^\/(?![/\\])/.test(text) && !/[\u0000-\u001f\\]/.test(text) && !text.startsWith("/log-in") ? text : "/";
}
