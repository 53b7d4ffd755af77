/* request.c: what stands behind a '?', bodies, paths, hosts, cookies, times.
 *
 * What is taken is valid UTF-8 without NUL, each parameter once; what is not is said, with a status. A text
 * that is encoded again is taken again, as the same. The first byte chooses what the rest is. */
#include "base/utf8.h"
#include "fuzz.h"
#include "web/guard.h"
#include "web/moment.h"
#include "web/route.h"

static const struct web_settings settings = {.certificate = "",
                                             .key = "",
                                             .users = "",
                                             .audit = "",
                                             .page_rows = 1000,
                                             .hosts = {"mail.example.org", "*.b.example:9"},
                                             .host_count = 2};
static const double NOW = 1796022000;

static void check_values(const struct request *r)
{
    for (enum param p = 0; p < PARAM_COUNT; p++) {
        const struct param_value *v = &r->values[p];
        if (!v->given)
            continue;
        assert(v->text.data && utf8_is_valid(v->text) && slice_index(v->text, 0) == v->text.len);
        if (param_table[p].kind == PARAM_IS_TIME)
            assert(v->seconds >= 0 && v->seconds < 253402300800.0);
        if (param_table[p].kind == PARAM_IS_NUMBER || param_table[p].kind == PARAM_IS_ID)
            assert(v->number <= INT64_MAX);
    }
    assert(request_limit(r, 100) <= 1000);
}

static void encode(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        buf_printf(out, "%%%02X", text.data[i]);
}

/* All parameters, written in the safest way, say the same. */
static void check_again(const struct request *r)
{
    struct request other;
    struct refusal why;
    struct buf query;
    buf_init(&query, 1 << 20);
    for (enum param p = 0; p < PARAM_COUNT; p++)
        if (r->values[p].given) {
            buf_printf(&query, "&%s=", param_table[p].name);
            encode(r->values[p].text, &query);
        }
    request_init(&other);
    other.route = r->route;
    other.set = r->set;
    assert(request_take_query(&other, buf_slice(&query), NOW, &why));
    for (enum param p = 0; p < PARAM_COUNT; p++)
        assert(r->values[p].given == other.values[p].given &&
               slice_eq(r->values[p].text, other.values[p].text));
    request_free(&other);
    buf_free(&query);
}

static void take(struct slice in, const char *path, enum method m, bool body)
{
    struct request r;
    struct refusal why = {0};
    request_init(&r);
    r.set = &settings;
    r.route = route_find(m, slice_str(path)).route;
    bool good = body ? request_take_body(&r, in, NOW, &why) : request_take_query(&r, in, NOW, &why);
    if (!good)
        assert(why.status == 400 && *why.text.text);
    else
        check_values(&r);
    if (good && !body)
        check_again(&r);
    request_free(&r);
}

static void take_path(struct slice in)
{
    const struct route_match m = route_find(METHOD_GET, in);
    struct request r;
    struct refusal why = {0};
    if (!m.route || !m.part.data)
        return;
    assert(m.part.len && slice_index(m.part, '/') == m.part.len);
    request_init(&r);
    r.set = &settings;
    r.route = m.route;
    if (request_take_path(&r, m.which, m.part, NOW, &why))
        check_values(&r);
    else
        assert(why.status == 400);
    request_free(&r);
}

static void take_heads(struct slice in)
{
    static struct guard g;
    const struct endpoint at = {{4, {127, 0, 0, 1}}, 8025};
    if (!g.count)
        guard_init(&g, &settings, &at, (struct slice){NULL, 0});
    const struct heads h = {
        .host = slice_str("localhost:8025"), .origin = in, .cookie = in, .accept_encoding = in};
    if (guard_origin(&g, &h))
        assert(slice_case_eq(in, slice_str("http://localhost:8025")) ||
               slice_case_eq(in, slice_str("https://localhost:8025")));
    guard_host(&g, in);
    struct slice cookie = heads_cookie(&h, "mailtap");
    assert(!cookie.data || slice_index(cookie, ';') == cookie.len);
    heads_take_gzip(&h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double at;
    if (!size || size > REQUEST_BODY)
        return 0;
    uint8_t *copy = exact_copy((struct slice){data + 1, size - 1});
    const struct slice in = {copy, size - 1};
    switch (data[0] % 5) {
    case 0:
        take(in, "/mails", METHOD_GET, false);
        break;
    case 1:
        take(in, "/mutes", METHOD_POST, true);
        break;
    case 2:
        take_path(in);
        break;
    case 3:
        take_heads(in);
        break;
    default:
        if (moment_parse(in, NOW, &at))
            assert(at >= 0 && at < 253402300800.0);
        break;
    }
    free(copy);
    return 0;
}
