/* ask.c: a query's condition for ClickHouse.
 * In: trees. Out: SQL made of our own words, and texts as literals. Owns: nothing. Knowingly: what is not
 * there fits nothing, so that a negated term finds it. Spec: ClickHouse 18.16. */
#include "clickhouse/ask.h"

#include <inttypes.h>
#include "clickhouse/ask_parts.h"

void chask_begin(struct chask *a)
{
    line_clear(&a->with);
    a->names = 0;
    a->joins = false;
}

void chask_free(struct chask *a)
{
    line_free(&a->with);
}

static bool is_of_words(const struct query_node *n)
{
    return n->kind == QUERY_TERM && (n->term.match == QUERY_HAS_WORDS || n->term.match == QUERY_HAS_START);
}

bool chask_has_words(const struct query_node *root)
{
    bool found = root && is_of_words(root);
    for (const struct query_node *part = root ? root->first : NULL; part && !found; part = part->next)
        found = chask_has_words(part);
    return found;
}

/* ---- ids */

uint64_t chask_id_at(int64_t micros)
{
    if (micros <= 0)
        return 0;
    if ((uint64_t)micros > UINT64_MAX >> CLICKHOUSE_ID_BITS)
        return UINT64_MAX;
    return (uint64_t)micros << CLICKHOUSE_ID_BITS;
}

/* A range that a term of an id or a time stands for. Both are never negative, but what is asked may be. */
static struct chask_bounds bounds_of_term(const struct query_term *t)
{
    bool time = query_fields[t->field].kind == QUERY_TIME;
    struct chask_bounds all = {0, UINT64_MAX}, none = {1, 0};
    if (t->number < 0)
        return t->compare == QUERY_GT || t->compare == QUERY_GE ? all : none;
    uint64_t first = time ? chask_id_at(t->number) : (uint64_t)t->number,
             behind = time ? chask_id_at(t->number + (t->number < INT64_MAX)) : (uint64_t)t->number + 1;
    switch (t->compare) {
    case QUERY_EQ:
        return first < behind ? (struct chask_bounds){first, behind - 1} : none;
    case QUERY_GT:
        return (struct chask_bounds){behind, UINT64_MAX};
    case QUERY_GE:
        return (struct chask_bounds){first, UINT64_MAX};
    case QUERY_LT:
        return first ? (struct chask_bounds){0, first - 1} : none;
    case QUERY_LE:
        return (struct chask_bounds){0, behind - 1};
    }
    return none;
}

static bool is_id(const struct query_node *n)
{
    return n->kind == QUERY_TERM &&
           (query_fields[n->term.field].kind == QUERY_TIME || query_fields[n->term.field].kind == QUERY_ID);
}

static void narrow(struct chask_bounds *b, const struct query_node *n)
{
    if (!is_id(n))
        return;
    struct chask_bounds one = bounds_of_term(&n->term);
    b->from = one.from > b->from ? one.from : b->from;
    b->to = one.to < b->to ? one.to : b->to;
}

struct chask_bounds chask_bounds(const struct query_node *root)
{
    struct chask_bounds b = {0, UINT64_MAX};
    if (root)
        narrow(&b, root);
    for (const struct query_node *part = root && root->kind == QUERY_AND ? root->first : NULL; part;
         part = part->next)
        narrow(&b, part);
    return b;
}

static void add_id(const struct query_term *t, struct line *out)
{
    struct chask_bounds b = bounds_of_term(t);
    if (b.from > b.to)
        line_byte(out, '0');
    else
        line_printf(out, "id BETWEEN %" PRIu64 " AND %" PRIu64, b.from, b.to);
}

/* ---- trees */

/* As in day files: a notice about a mail is looked for among those of the mail's day. */
static void add_noticed(const struct chask *a, struct line *out)
{
    if (a->stream != STREAM_SMTP || !tables_has(a->tables, STREAM_NOTICE) ||
        !tables_column(a->tables, STREAM_NOTICE, slice_str("trans_depth")))
        line_byte(out, '0');
    else
        line_printf(out,
                    "(day, uid, trans_depth) GLOBAL IN (SELECT day, uid, trans_depth FROM `notice` WHERE day "
                    "BETWEEN toDate(%" PRId32 ") AND toDate(%" PRId32 "))",
                    a->first_day, a->last_day);
}

static void add_term(struct chask *a, const struct query_term *t, struct line *out)
{
    line_byte(out, '(');
    if (query_fields[t->field].kind == QUERY_TIME || query_fields[t->field].kind == QUERY_ID)
        add_id(t, out);
    else if (t->match == QUERY_NOTICED)
        add_noticed(a, out);
    else if (!chask_places(a, t, out))
        line_byte(out, '0');
    line_byte(out, ')');
}

static void add_node(struct chask *a, const struct query_node *n, struct line *out)
{
    if (n->kind == QUERY_TERM) {
        add_term(a, &n->term, out);
        return;
    }
    line_str(out, n->kind == QUERY_NOT ? "(NOT " : "(");
    for (const struct query_node *part = n->first; part; part = part->next) {
        add_node(a, part, out);
        if (part->next)
            line_str(out, n->kind == QUERY_OR ? " OR " : " AND ");
    }
    line_byte(out, ')');
}

void chask_where(struct chask *a, const struct query_node *root, struct line *out)
{
    if (root)
        add_node(a, root, out);
    else
        line_byte(out, '1');
}
