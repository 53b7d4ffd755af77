/* exchange.c: one request and its answer.
 * In: libmicrohttpd's callbacks. Out: responses. Owns: the exchange. Limits: REQUEST_URI, REQUEST_BODY. What
 * is wrong with a request is looked for in the order in which it costs: its name for us, where it comes from,
 * its path, who asks, what it asks. While a desk has it the connection is suspended, and nobody else touches
 * it. */
#include "view/reader.h"
#include "web/exchange.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/memory.h"
#include "base/now.h"
#include "base/shown.h"
#include "web/outlet.h"
#include "web/respond.h"
#include "web/server.h"

static const double EXPORT_SECONDS = 3600;

static void let_go(struct exchange *e)
{
    if (atomic_fetch_sub(&e->holders, 1) > 1)
        return;
    buf_free(&e->uri);
    buf_free(&e->body);
    request_free(&e->request);
    answer_free(&e->answer);
    free(e);
}

void exchange_left(struct exchange *e)
{
    atomic_size_t *open = &e->web->open;
    /* A desk that still fills it is told by the response's end. */
    if (e->response)
        MHD_destroy_response(e->response);
    e->response = NULL;
    let_go(e);
    atomic_fetch_sub(open, 1);
}

void *exchange_begin(void *web, const char *uri, struct MHD_Connection *connection)
{
    struct web *w = web;
    struct exchange *e = calloc(1, sizeof *e);
    memory_check(e);
    e->web = w;
    e->holders = 1;
    e->connection = connection;
    e->began = now_monotonic();
    buf_init(&e->uri, REQUEST_URI);
    buf_init(&e->body, REQUEST_BODY);
    /* One byte too many says that it was longer. */
    buf_add_str(&e->uri, uri);
    request_init(&e->request);
    answer_init(&e->answer);
    atomic_fetch_add(&w->open, 1);
    struct exchange *old = slow_hold(w->slow, connection, e);
    if (old)
        exchange_left(old);
    return e;
}

void exchange_end(void *web, struct MHD_Connection *connection, void **exchange,
                  enum MHD_RequestTerminationCode how)
{
    (void)how;
    struct web *w = web;
    struct exchange *e = *exchange;
    *exchange = NULL;
    if (!e)
        return;
    slow_hold(w->slow, connection, NULL);
    exchange_left(e);
    slow_enter(w->slow, connection, SLOW_READS);
}

static struct respond_settings respond_of(const struct exchange *e)
{
    return (struct respond_settings){.secure = web_is_secure(e->web), .gzip = e->gzip};
}

/* What stood behind the '?', but for the query: which records, which of their fields. Bodies have passwords.
 */
static void add_asked(const struct request *r, struct audit_line *line)
{
    for (enum param p = 0; r->route && p < PARAM_COUNT; p++)
        if (p != PARAM_q && r->route->takes >> p & 1 && request_has(r, p) && line->more_count < AUDIT_MORE) {
            line->more[line->more_count].name = param_table[p].name;
            line->more[line->more_count++].text = request_text(r, p);
        }
}

/* Every answer of the API, but for what anybody may ask. */
static void tell_audit(const struct exchange *e)
{
    char address[ADDRESS_TEXT];
    const struct route *r = e->request.route;
    struct slice uri = buf_slice(&e->uri);
    if (!e->web->audit || !e->is_api || (r && r->desk == DESK_NONE && r->method == METHOD_GET))
        return;
    address_text(&e->request.from, address);
    bool tries = r && r->desk == DESK_LOG_INS;
    char user[USER_NAME];
    struct slice name = tries ? request_text(&e->request, PARAM_user) : slice_str("");
    snprintf(user, sizeof user, "%.*s", (int)name.len, name.data ? (const char *)name.data : "");
    struct audit_line line = {.user = *user ? user : e->request.user,
                              .address = address,
                              .method = e->method,
                              .path = slice_sub(uri, 0, slice_index(uri, '?')),
                              .query = request_text(&e->request, PARAM_q),
                              .status = e->answer.status,
                              .rows = e->answer.rows,
                              .seconds = now_monotonic() - e->began};
    add_asked(&e->request, &line);
    audit_write(e->web->audit, &line);
}

static void make_response(struct exchange *e)
{
    const struct respond_settings set = respond_of(e);
    if (e->answer.over)
        answer_error(&e->answer, 413,
                     "the answer is too large: ask for less, by limit or fields, or export it");
    e->status = e->answer.status;
    tell_audit(e);
    e->response = respond_whole(&e->answer, &set);
    e->state = EXCHANGE_ANSWERED;
}

/* What is answered before a body was read ends the connection, so an answer to a request without one waits
 * for the next call. */
static enum MHD_Result finish(struct exchange *e)
{
    bool at_once = e->state == EXCHANGE_READS && !e->has_body;
    if (e->state != EXCHANGE_ANSWERED)
        make_response(e);
    if (at_once)
        return MHD_YES;
    if (atomic_load(&e->web->ending))
        respond_header(e->response, "Connection", "close");
    /* One in pieces is watched by its outlet. */
    slow_enter(e->web->slow, e->connection, e->pieces ? SLOW_WORKS : SLOW_SENDS);
    return MHD_queue_response(e->connection, e->status, e->response);
}

static enum MHD_Result refuse(struct exchange *e, unsigned status, const char *text)
{
    answer_error(&e->answer, status, "%s", text);
    if (status == 503)
        answer_header(&e->answer, "Retry-After", "1");
    return finish(e);
}

static void take_client(struct exchange *e)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(e->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info ? info->client_addr : NULL;
    struct address a = {0};
    if (from && from->sa_family == AF_INET) {
        a.family = 4;
        memcpy(a.bytes, &((const struct sockaddr_in *)from)->sin_addr, 4);
    } else if (from && from->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)from)->sin6_addr;
        a.family = IN6_IS_ADDR_V4MAPPED(six) ? 4 : 6;
        memcpy(a.bytes, six->s6_addr + (a.family == 4 ? 12 : 0), a.family == 4 ? 4 : 16);
    }
    e->request.from = a;
}

static enum MHD_Result send_page(struct exchange *e, struct slice path, const struct heads *h)
{
    const struct page_file *f = page_find(e->web->page, path);
    const struct respond_settings set = respond_of(e);
    if (!f)
        return refuse(e, 404, "nothing is here; the page is /, the API " ROUTE_API);
    bool known = page_is_known(f, h->if_none_match), packed = e->gzip && f->gzip.len;
    struct slice body = known ? (struct slice){NULL, 0} : packed ? f->gzip : f->plain;
    e->response = respond_fixed(body, known ? NULL : f->type, &set);
    respond_header(e->response, "Cache-Control", "no-cache");
    respond_header(e->response, "ETag", f->tag);
    respond_header(e->response, "Vary", "Accept-Encoding");
    if (packed && !known)
        respond_header(e->response, "Content-Encoding", "gzip");
    e->status = known ? 304 : 200;
    e->state = EXCHANGE_ANSWERED;
    return e->has_body ? finish(e) : MHD_YES;
}

static bool find_method(const char *text, enum method *ret)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "DELETE"};
    static const enum method methods[] = {METHOD_GET, METHOD_GET, METHOD_POST, METHOD_DELETE};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = methods[i];
            return true;
        }
    return false;
}

/* No route: the path is unknown, or another method's. */
static enum MHD_Result no_route(struct exchange *e, struct slice path, unsigned allowed)
{
    char methods[64] = "";
    const char *near = route_nearest(path);
    if (!allowed) {
        answer_error(&e->answer, 404, ROUTE_API " has no '%s'%s%s", shown(path).text,
                     near ? "; the nearest is " : "", near ? near : "");
        return finish(e);
    }
    for (enum method m = METHOD_GET; m <= METHOD_DELETE; m++)
        if (allowed >> m & 1) {
            size_t len = strlen(methods);
            snprintf(methods + len, sizeof methods - len, "%s%s", len ? ", " : "", route_method(m));
        }
    answer_error(&e->answer, 405, "%s takes %s", shown(path).text, methods);
    answer_header(&e->answer, "Allow", "%s", methods);
    return finish(e);
}

/* Who asks, and whether they may. */
static enum MHD_Result admit(struct exchange *e, const struct heads *h, bool *retgood)
{
    const struct route *r = e->request.route;
    struct visitor *v = &e->visitor;
    door_visitor(e->web->door, h, v);
    e->request.csrf = v->csrf;
    e->request.user = *v->user ? v->user : NULL;
    e->request.role = v->role;
    e->request.cookie = heads_cookie(h, door_cookie(e->web->door));
    e->answer.redacts = e->request.role != ROLE_FULL;
    *retgood = false;
    if (r->who != WHO_ANYBODY && e->request.role == ROLE_NOBODY) {
        answer_error(&e->answer, 401, "a log-in is needed");
        answer_header(&e->answer, "WWW-Authenticate", "Bearer realm=\"mailtap\"");
        return finish(e);
    }
    if (r->who == WHO_FULL && e->request.role != ROLE_FULL)
        return refuse(e, 403, "this is not shown to those for whom persons are left out");
    if (r->method != METHOD_GET) {
        if (!guard_origin(&e->web->guard, h))
            return refuse(e, 403, "this comes from another site");
        if (!v->by_token && !guard_same(h->csrf, v->csrf))
            return refuse(e, 403, "X-CSRF-Token is not the csrf of " ROUTE_API "/me");
    }
    *retgood = true;
    return MHD_YES;
}

static bool is_api(struct slice path)
{
    return slice_eq(slice_sub(path, 0, sizeof ROUTE_API - 1), slice_str(ROUTE_API)) &&
           (path.len == sizeof ROUTE_API - 1 || path.data[sizeof ROUTE_API - 1] == '/');
}

/* The first look: nothing but the header is there. Answers, or goes on to read the body. */
static enum MHD_Result look(struct exchange *e, const char *method)
{
    struct heads h;
    enum method m;
    struct slice uri = buf_slice(&e->uri);
    size_t question = slice_index(uri, '?');
    struct slice path = slice_sub(uri, 0, question), query = slice_sub(uri, question + 1, uri.len);
    struct refusal why = {0};
    bool good;
    double now = (double)now_wall().tv_sec;
    e->state = EXCHANGE_READS;
    e->method = method;
    heads_read(e->connection, &h);
    take_client(e);
    e->gzip = heads_take_gzip(&h);
    e->has_body =
        h.transfer_encoding.data || (h.content_length.data && !slice_eq(h.content_length, slice_str("0")));
    if (h.odd)
        return refuse(e, 400, "a header field is there twice, or has a NUL in it");
    if (!guard_host(&e->web->guard, h.host))
        return refuse(e, 403, "this server does not go by that name; see the setting web_hosts");
    if (uri.len == e->uri.max)
        return refuse(e, 400, "the address is too long");
    if (!find_method(method, &m))
        return refuse(e, 405, "only GET, HEAD, POST and DELETE are answered");
    if (!is_api(path))
        return m == METHOD_GET ? send_page(e, path, &h) : refuse(e, 405, "the page takes GET");
    e->is_api = true;
    if (guard_is_foreign(&h))
        return refuse(e, 403, "another site asks");
    path = slice_sub(path, sizeof ROUTE_API - 1, path.len);
    const struct route_match match = route_find(m, path);
    if (!match.route)
        return no_route(e, path, match.allowed);
    e->request.route = match.route;
    e->request.set = &e->web->set;
    e->request.web = e->web;
    enum MHD_Result done = admit(e, &h, &good);
    if (!good)
        return done;
    if (match.part.data && !request_take_path(&e->request, match.which, match.part, now, &why))
        return refuse(e, why.status, why.text.text);
    if (!request_take_query(&e->request, query, now, &why))
        return refuse(e, why.status, why.text.text);
    return MHD_YES;
}

/* The first piece is ready: the response goes, though more is to come. */
static void begin_pieces(void *exchange)
{
    struct exchange *e = exchange;
    const struct respond_settings set = respond_of(e);
    e->status = e->answer.status;
    e->response = respond_pieces(&e->answer, &set);
    e->pieces = true;
    e->state = EXCHANGE_ANSWERED;
}

static void call_handler(struct exchange *e)
{
    const struct route *r = e->request.route;
    bool asks = r->desk == DESK_QUESTIONS || r->desk == DESK_EXPORTS;
    double seconds = r->desk == DESK_EXPORTS ? EXPORT_SECONDS : e->web->set.seconds;
    e->request.deadline = now_monotonic() + seconds;
    if (e->request.reader)
        reader_deadline(e->request.reader, seconds);
    if (!e->request.reader && asks && r->who != WHO_ANYBODY)
        answer_error(&e->answer, 503, "the store's folder cannot be read");
    else
        r->handler(&e->request, &e->answer);
}

void exchange_serve(struct exchange *e, struct reader *r)
{
    struct outlet *out = NULL;
    e->request.reader = r;
    if (e->request.route->desk == DESK_EXPORTS) {
        const struct outlet_settings set = {.connection = e->connection,
                                            .gzip = e->gzip,
                                            .patience = e->web->set.client_timeout,
                                            .ending = &e->web->ending,
                                            .begin = begin_pieces,
                                            .ctx = e};
        out = e->answer.out = outlet_new(&set);
    }
    call_handler(e);
    bool left = out && outlet_end(out, &e->answer);
    e->answer.out = NULL;
    if (left) {
        tell_audit(e);
    } else {
        make_response(e);
        MHD_resume_connection(e->connection);
    }
    let_go(e);
}

void exchange_refuse(struct exchange *e)
{
    answer_error(&e->answer, 503, "the server ends");
    make_response(e);
    MHD_resume_connection(e->connection);
    let_go(e);
}

static enum MHD_Result too_many(struct exchange *e, unsigned wait)
{
    answer_error(&e->answer, 429, "too many tries to log in; wait %u seconds", wait);
    answer_header(&e->answer, "Retry-After", "%u", wait);
    return finish(e);
}

/* All is read. */
static enum MHD_Result ask(struct exchange *e)
{
    struct refusal why = {0};
    const struct route *r = e->request.route;
    if (e->body.len == e->body.max)
        return refuse(e, 413, "the body is too large");
    if (r->method != METHOD_GET &&
        !request_take_body(&e->request, buf_slice(&e->body), (double)now_wall().tv_sec, &why))
        return refuse(e, why.status, why.text.text);
    /* Whoever has not logged in keeps no thread busy. */
    bool at_once = r->desk == DESK_NONE || (r->desk == DESK_QUESTIONS && e->request.role == ROLE_NOBODY);
    if (at_once) {
        call_handler(e);
        return finish(e);
    }
    if (atomic_load(&e->web->ending))
        return refuse(e, 503, "the server ends");
    if (r->desk == DESK_LOG_INS) {
        unsigned wait = door_try(e->web->door, &e->request.from, request_text(&e->request, PARAM_user));
        if (wait)
            return too_many(e, wait);
    }
    e->state = EXCHANGE_WAITS;
    slow_enter(e->web->slow, e->connection, SLOW_WORKS);
    MHD_suspend_connection(e->connection);
    atomic_fetch_add(&e->holders, 1);
    if (desk_take(e->web->desks[r->desk], e))
        return MHD_YES;
    atomic_fetch_sub(&e->holders, 1);
    answer_error(&e->answer, r->desk == DESK_LOG_INS ? 429 : 503, "too many ask at once");
    answer_header(&e->answer, "Retry-After", "1");
    make_response(e);
    MHD_resume_connection(e->connection);
    return MHD_YES;
}

enum MHD_Result exchange_take(void *web, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *len,
                              void **exchange)
{
    (void)web;
    (void)connection;
    (void)url;
    (void)version;
    struct exchange *e = *exchange;
    if (e->state == EXCHANGE_NEW)
        return look(e, method);
    if (e->state == EXCHANGE_ANSWERED)
        return finish(e);
    e->state = EXCHANGE_TAKES;
    if (*len) {
        buf_add(&e->body, (struct slice){(const uint8_t *)data, *len});
        *len = 0;
        return MHD_YES;
    }
    return ask(e);
}
