/* shorten.c: JSON objects made to fit.
 * In: an object. Out: the same without its longest members. Owns: nothing. Limits: MEMBERS; an object with
 * more is not shortened. Knowingly: what stands first in a record (which stream, when, whose connection)
 * goes last. Spec: RFC 8259. */
#include "carrier/shorten.h"

#include <stdlib.h>
#include "base/memory.h"
#include "clickhouse/scan.h"

enum { MEMBERS = 1024, FIRST = 8, FIRST_MOST = 56, SHOWN = 200 };
static const char left_out[] = "\"_left_out\":[";

struct member {
    struct slice outer, key, all; /* keys with quotes; all: key, colon and value */
    bool first, out;
};

struct members {
    struct member *items;
    size_t count;
};

static bool gather(struct scan *s, struct slice outer, struct members *m);

/* One whose key was read. */
static bool gather_one(struct scan *s, struct slice outer, struct slice key, struct members *m)
{
    bool object = scan_peek(s) == '{';
    struct scan inside = *s;
    if (!scan_skip(s, 1))
        return false;
    if (!outer.len && object && s->at - inside.at > 2)
        return inside.end = s->at, gather(&inside, key, m);
    if (m->count == MEMBERS)
        return false;
    struct member *mine = &m->items[m->count++];
    *mine = (struct member){.outer = outer, .key = key};
    mine->all = (struct slice){key.data, (size_t)(s->at - key.data)};
    mine->first = m->count <= FIRST && mine->all.len <= FIRST_MOST;
    return true;
}

static bool gather(struct scan *s, struct slice outer, struct members *m)
{
    struct slice key;
    if (!scan_byte(s, '{'))
        return false;
    if (scan_byte(s, '}'))
        return true;
    do {
        if (!scan_string(s, &key) || !scan_byte(s, ':') || !gather_one(s, outer, key, m))
            return false;
    } while (scan_byte(s, ','));
    return scan_byte(s, '}');
}

/* What stands first comes last. */
static int by_length(const void *a, const void *b)
{
    const struct member *const *x = a, *const *y = b;
    if ((*x)->first != (*y)->first)
        return (*x)->first ? 1 : -1;
    if ((*x)->all.len != (*y)->all.len)
        return (*x)->all.len < (*y)->all.len ? 1 : -1;
    return *x < *y ? -1 : *x > *y;
}

/* At most: objects whose members are all left out are left out too. */
static size_t length_of(const struct members *m)
{
    size_t len = 2 + sizeof left_out + 1;
    for (size_t i = 0; i < m->count; i++) {
        const struct member *one = &m->items[i];
        len += one->all.len + 1;
        if (one->outer.len && (!i || m->items[i - 1].outer.data != one->outer.data))
            len += one->outer.len + 4;
    }
    return len;
}

/* The longest, one after the other, until the rest fits. */
static bool choose(struct members *m, size_t room)
{
    struct member **sorted = malloc((m->count + 1) * sizeof *sorted);
    memory_check(sorted);
    size_t len = length_of(m), next = 0;
    for (size_t i = 0; i < m->count; i++)
        sorted[i] = &m->items[i];
    qsort(sorted, m->count, sizeof *sorted, by_length);
    for (; len > room && next < m->count; next++) {
        size_t name = sorted[next]->key.len + sorted[next]->outer.len + 2;
        if (sorted[next]->all.len <= name)
            break;
        sorted[next]->out = true;
        len = len - sorted[next]->all.len - 1 + name;
    }
    free(sorted);
    return len <= room;
}

static void add_name(const struct member *m, struct line *out)
{
    line_byte(out, '"');
    if (m->outer.len) {
        line_add(out, slice_sub(m->outer, 1, m->outer.len - 1));
        line_byte(out, '.');
    }
    line_add(out, slice_sub(m->key, 1, m->key.len - 1));
    line_byte(out, '"');
}

/* In place of the last comma. */
static void end_object(struct line *out)
{
    out->data[out->len - 1] = '}';
    line_byte(out, ',');
}

static void print(const struct members *m, struct line *out)
{
    struct slice open = {0};
    line_byte(out, '{');
    for (size_t i = 0; i < m->count; i++) {
        const struct member *one = &m->items[i];
        if (one->out)
            continue;
        if (open.len && open.data != one->outer.data)
            end_object(out);
        if (one->outer.len && open.data != one->outer.data) {
            line_add(out, one->outer);
            line_str(out, ":{");
        }
        open = one->outer;
        line_add(out, one->all);
        line_byte(out, ',');
    }
    if (open.len)
        end_object(out);
    line_str(out, left_out);
    for (size_t i = 0; i < m->count; i++)
        if (m->items[i].out) {
            add_name(&m->items[i], out);
            line_byte(out, ',');
        }
    out->data[out->len - 1] = ']';
    line_byte(out, '}');
}

static bool has_out(const struct members *m)
{
    for (size_t i = 0; i < m->count; i++)
        if (m->items[i].out)
            return true;
    return false;
}

static void explain(const struct line *out, size_t from, size_t room, struct error *retwhy)
{
    const struct slice all = slice_sub(line_slice(out), from, out->len);
    const struct slice names = slice_sub(all, slice_find(all, left_out) + sizeof left_out - 1, all.len - 2);
    error_set(retwhy, 0, "it does not fit into %zu bytes, so it went without %.*s%s", room,
              names.len < SHOWN ? (int)names.len : SHOWN, (const char *)names.data,
              names.len < SHOWN ? "" : "...");
}

bool shorten(struct slice json, size_t room, struct line *out, struct error *retwhy)
{
    struct members m = {.items = malloc(MEMBERS * sizeof *m.items)};
    struct scan s = {json.data, json.data + json.len};
    const size_t at = out->len;
    memory_check(m.items);
    /* Something is left out then, unless blanks were what made it long. */
    bool fits =
        gather(&s, (struct slice){0}, &m) && s.at == s.end && m.count && choose(&m, room) && has_out(&m);
    if (fits) {
        print(&m, out);
        explain(out, at, room, retwhy);
    }
    free(m.items);
    return fits;
}
