/* bulk_answer.c: the answer to a _bulk request.
 * In: JSON. Out: a status for each item. Owns: nothing. Limits: SCAN_DEPTH. Spec: the _bulk API of
 * Elasticsearch and OpenSearch: {"errors": B, "items": [{"create": {"status": N, "error": {"type": "...",
 * "reason": "..."}}}, ...]}. */
#include "carrier/bulk_answer.h"

#include "clickhouse/scan.h"

/* Goes through the members of an object: `member` reads the value of each, behind its colon. */
static bool each(struct scan *s, bool (*member)(struct scan *s, struct slice key, void *ctx), void *ctx)
{
    struct slice key;
    if (!scan_byte(s, '{'))
        return false;
    if (scan_byte(s, '}'))
        return true;
    do {
        if (!scan_string(s, &key) || !scan_byte(s, ':') || !member(s, slice_sub(key, 1, key.len - 1), ctx))
            return false;
    } while (scan_byte(s, ','));
    return scan_byte(s, '}');
}

static bool is(struct slice key, const char *name)
{
    return slice_eq(key, slice_str(name));
}

static bool error_member(struct scan *s, struct slice key, void *ctx)
{
    struct bulk_item *item = ctx;
    struct slice text;
    struct slice *to = is(key, "type") ? &item->type : is(key, "reason") ? &item->reason : NULL;
    if (!to || scan_peek(s) != '"')
        return scan_skip(s, 0);
    if (!scan_string(s, &text))
        return false;
    *to = slice_sub(text, 1, text.len - 1);
    return true;
}

static bool result_member(struct scan *s, struct slice key, void *ctx)
{
    struct bulk_item *item = ctx;
    struct slice word;
    uint64_t status;
    if (is(key, "error") && scan_peek(s) == '{')
        return each(s, error_member, item);
    if (!is(key, "status"))
        return scan_skip(s, 0);
    if (!scan_word(s, &word))
        return false;
    item->status = slice_number(word, &status) && status < 1000 ? (unsigned)status : 0;
    return true;
}

/* The result of one action, whose name is the key. */
static bool action_member(struct scan *s, struct slice key, void *ctx)
{
    (void)key;
    return each(s, result_member, ctx);
}

struct taking {
    void (*take)(void *ctx, const struct bulk_item *item);
    void *ctx;
    bool any;
};

static bool items(struct scan *s, struct taking *t)
{
    t->any = true;
    if (!scan_byte(s, '['))
        return false;
    if (scan_byte(s, ']'))
        return true;
    do {
        struct bulk_item item = {0};
        if (!each(s, action_member, &item))
            return false;
        t->take(t->ctx, &item);
    } while (scan_byte(s, ','));
    return scan_byte(s, ']');
}

static bool answer_member(struct scan *s, struct slice key, void *ctx)
{
    return is(key, "items") ? items(s, ctx) : scan_skip(s, 0);
}

bool bulk_answer(struct slice answer, void (*take)(void *ctx, const struct bulk_item *item), void *ctx)
{
    struct scan s = {answer.data, answer.data + answer.len};
    struct taking t = {take, ctx, false};
    return each(&s, answer_member, &t) && t.any;
}

struct slice bulk_reason(struct slice answer)
{
    struct scan s = {answer.data, answer.data + answer.len};
    struct bulk_item item = {0};
    /* {"error": {...}, "status": 400} is as one item's result. */
    each(&s, result_member, &item);
    return item.reason.len ? item.reason : item.type;
}
