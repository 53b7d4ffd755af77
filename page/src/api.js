// The API, over fetch: JSON in and out, errors as one kind of exception, the CSRF token with all that writes.
// Owns: what /me said. Who is not logged in is told by onLost.

const BASE = "/api/v1";
const state = { me: null, onLost: null };

// status 0: no answer came. at and len count bytes of the query; nearest is the name that was meant.
export class ApiError extends Error {
  constructor(status, about = {}) {
    super(about.text || (status ? `The server answered ${status}.` : "The server does not answer."));
    this.status = status;
    this.at = about.at;
    this.len = about.len;
    this.nearest = about.nearest;
    this.retryAfter = about.retryAfter;
  }
}

export function apiAddress(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== null && value !== undefined && value !== "") query.set(name, value);
  const text = query.toString();
  return BASE + path + (text ? `?${text}` : "");
}

async function failure(response) {
  let about = {};
  try {
    about = (await response.json()).error ?? {};
  } catch {
    // No JSON: a proxy in between answered.
  }
  const wait = Number(response.headers.get("Retry-After"));
  return new ApiError(response.status, { ...about, retryAfter: Number.isFinite(wait) && wait > 0 ? wait : undefined });
}

async function call(method, path, { params, body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRF-Token"] = state.me?.csrf ?? "";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(apiAddress(path, params), { method, headers, signal, credentials: "same-origin", cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0);
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const error = await failure(response);
  if (response.status === 401 && path !== "/log-in") state.onLost?.();
  throw error;
}

// get("/mails", {q, limit}, {signal}); post("/notices/1/acknowledge", {remark}); remove("/mutes/1")
export const get = (path, params, { signal } = {}) => call("GET", path, { params, signal });
export const post = (path, body = {}) => call("POST", path, { body });
export const remove = (path) => call("DELETE", path);

// Who one is; asked anew with fresh.
export async function me({ fresh = false } = {}) {
  if (!state.me || fresh) state.me = await call("GET", "/me");
  return state.me;
}

// The last answer of that, at once; null before the first.
export const meKnown = () => state.me;

export async function logIn(user, password) {
  await me();
  await call("POST", "/log-in", { body: { user, password } });
  return me({ fresh: true });
}

export async function logOut() {
  await call("POST", "/log-out");
  return me({ fresh: true });
}

export function onLost(listener) {
  state.onLost = listener;
}

export const isAbort = (error) => error?.name === "AbortError";

let known = null;

// The fields of records and of the query language, asked once.
export function fieldsKnown() {
  known ??= get("/fields").catch((error) => {
    known = null;
    throw error;
  });
  return known;
}
