/* route.c: which handler answers which path.
 * In: route.def. Out: a route. Owns: nothing. Limits: one {parameter} a path, which stands for one segment.
 */
#include "web/route.h"

#include <assert.h>
#include <stdio.h>
#include "base/nearest.h"

#define P(name) (UINT64_C(1) << PARAM_##name)

const struct route route_table[] = {
#define ROUTE(name, method, path, who, desk, takes, body, schema, doc)                                       \
    {#name, METHOD_##method, path, WHO_##who, DESK_##desk, takes, body, schema, handle_##name, doc},
#include "web/route.def"
};
const size_t route_count = sizeof route_table / sizeof *route_table;
static_assert(PARAM_COUNT <= 64, "a bit a parameter");

const char *route_method(enum method method)
{
    static const char *const names[] = {"GET", "POST", "DELETE"};
    return names[method];
}

static enum param param_of(struct slice name)
{
    enum param p = 0;
    while (p < PARAM_COUNT && !slice_eq(name, slice_str(param_table[p].name)))
        p++;
    assert(p < PARAM_COUNT);
    return p;
}

/* The next segment of a path that begins with a slash. */
static struct slice segment(struct slice *path)
{
    *path = slice_sub(*path, 1, path->len);
    struct slice ret = slice_sub(*path, 0, slice_index(*path, '/'));
    *path = slice_sub(*path, ret.len, path->len);
    return ret;
}

static bool fits(const char *pattern, struct slice path, struct route_match *ret)
{
    struct slice want = slice_str(pattern);
    while (want.len && path.len) {
        if (*path.data != '/')
            return false;
        struct slice w = segment(&want), p = segment(&path);
        if (w.len && *w.data == '{') {
            ret->part = p;
            ret->which = param_of(slice_sub(w, 1, w.len - 1));
            if (!p.len)
                return false;
        } else if (!slice_eq(w, p)) {
            return false;
        }
    }
    return !want.len && !path.len;
}

/* Literal paths stand for themselves where a pattern would fit too. */
static bool is_literal(const struct route *r)
{
    return !strchr(r->path, '{');
}

struct route_match route_find(enum method method, struct slice path)
{
    struct route_match ret = {0};
    bool literal = false;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &route_table[i];
        struct route_match m = {0};
        if (!fits(r->path, path, &m) || (literal && !is_literal(r)))
            continue;
        if (is_literal(r) && !literal)
            ret = (struct route_match){0};
        literal |= is_literal(r);
        ret.allowed |= 1U << r->method;
        if (r->method == method && !ret.route) {
            ret.route = r;
            ret.part = m.part;
            ret.which = m.which;
        }
    }
    return ret;
}

const char *route_nearest(struct slice path)
{
    struct nearest near = nearest_to(path);
    for (size_t i = 0; i < route_count; i++)
        nearest_try(&near, route_table[i].path);
    return near.name;
}
