/* print.c: a query's tree as text again.
 * In: trees. Out: text that parses to the same tree. Owns: nothing. */
#include <stdio.h>
#include "query/query.h"

enum { MICROSECONDS = 1000000 };

static bool is_plain(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = byte_lower(s.data[i]);
        if (!(c >= 'a' && c <= 'z') && !byte_is_digit(c) && c != '_' && c != '@' && (c != '-' || !i) &&
            (c != '.' || !i))
            return false;
    }
    return s.len && !slice_eq(s, slice_str("OR")) && !slice_eq(s, slice_str("AND")) &&
           !slice_eq(s, slice_str("NOT"));
}

void query_value_print(struct slice value, struct buf *out)
{
    if (is_plain(value) && value.data[0] != '@' && value.data[value.len - 1] != '@') {
        buf_add(out, value);
        return;
    }
    buf_add_byte(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '"' || value.data[i] == '\\')
            buf_add_byte(out, '\\');
        buf_add_byte(out, value.data[i]);
    }
    buf_add_byte(out, '"');
}

static void print_time(int64_t micro, struct buf *out)
{
    time_t t = (time_t)(micro / MICROSECONDS);
    char text[64];
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_add_str(out, text);
    if (micro % MICROSECONDS)
        buf_printf(out, ".%06d", (int)(micro % MICROSECONDS));
    buf_add_byte(out, 'Z');
}

static void print_number(const struct query_term *t, struct buf *out)
{
    static const char *const signs[] = {
        [QUERY_EQ] = "", [QUERY_GT] = ">", [QUERY_GE] = ">=", [QUERY_LT] = "<", [QUERY_LE] = "<="};
    enum query_kind kind = query_fields[t->field].kind;
    if (kind == QUERY_TIME) {
        print_time(t->number, out);
        return;
    }
    buf_add_str(out, signs[t->compare]);
    if (kind == QUERY_SECONDS)
        buf_printf(out, "%.6fs", t->seconds);
    else
        buf_printf(out, "%lld", (long long)t->number);
}

static void print_network(const struct network *net, struct buf *out)
{
    char text[ADDRESS_TEXT];
    address_text(&net->addr, text);
    buf_add_str(out, text);
    if (net->prefix < (net->addr.family == 4 ? 32 : 128))
        buf_printf(out, "/%u", net->prefix);
}

static void print_term(const struct query_term *t, struct buf *out)
{
    if (t->match == QUERY_NOTICED) {
        buf_add_str(out, "has:notice");
        return;
    }
    if (t->field != QUERY_FIELD_ANY || t->match != QUERY_HAS_WORDS)
        buf_printf(out, "%s:", query_fields[t->field].name);
    switch (t->match) {
    case QUERY_IS_THERE:
        buf_add_byte(out, '*');
        break;
    case QUERY_HAS_START:
        buf_add(out, t->text);
        buf_add_byte(out, '*');
        break;
    case QUERY_LIKE:
        buf_add(out, t->text);
        break;
    case QUERY_HAS_WORDS:
    case QUERY_EQUALS:
    case QUERY_BELOW:
        query_value_print(t->text, out);
        break;
    case QUERY_INSIDE:
        print_network(&t->network, out);
        break;
    case QUERY_COMPARES:
        print_number(t, out);
        break;
    case QUERY_IS_TRUE:
        buf_add_str(out, "yes");
        break;
    case QUERY_IS_FALSE:
        buf_add_str(out, "no");
        break;
    case QUERY_NOTICED:
        break;
    }
}

/* Goes as deep as the parser let the tree become. */
static void print_node(const struct query_node *n, bool inside, struct buf *out)
{
    if (n->kind == QUERY_TERM) {
        print_term(&n->term, out);
        return;
    }
    if (n->kind == QUERY_NOT) {
        buf_add_byte(out, '-');
        print_node(n->first, true, out);
        return;
    }
    buf_add_str(out, inside ? "(" : "");
    for (const struct query_node *part = n->first; part; part = part->next) {
        print_node(part, true, out);
        if (part->next)
            buf_add_str(out, n->kind == QUERY_OR ? " OR " : " ");
    }
    buf_add_str(out, inside ? ")" : "");
}

void query_print(const struct query *q, struct buf *out)
{
    if (q->root)
        print_node(q->root, false, out);
}
