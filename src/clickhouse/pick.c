/* pick.c: columns of what lies inside of objects.
 * In: JSON. Out: values in the columns of their paths. Owns: the table of what is wanted. Limits: SCAN_DEPTH.
 * Knowingly: a value of another kind than its column's is in none. */
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "clickhouse/rows_parts.h"

static struct pick *child(const struct pick *node, struct slice key)
{
    for (struct pick *n = node->first; n; n = n->next)
        if (n->key.len == key.len && memcmp(n->key.data, key.data, key.len) == 0)
            return n;
    return NULL;
}

/* What stands behind that, at "a[].b[].c" or "b[].c". */
static void want(struct rowtable *t, struct pick *node, const char *path, size_t column)
{
    while (*(path += strspn(path, "[]."))) {
        struct slice key = {(const uint8_t *)path, strcspn(path, "[].")};
        struct pick *next = child(node, key);
        if (!next) {
            next = &t->nodes[t->node_count++];
            *next = (struct pick){.key = key, .next = node->first, .column = ROW_NO_COLUMN};
            node->first = next;
        }
        node = next;
        path += key.len;
    }
    assert(node->column == ROW_NO_COLUMN);
    node->column = column;
}

void pick_begin(struct rowtable *t)
{
    enum { DEEP = 4, MORE = 1 };
    t->roots = calloc(t->columns->stream->count + 1, sizeof *t->roots);
    t->nodes = calloc((t->columns->count + MORE) * DEEP, sizeof *t->nodes);
    memory_check(t->roots);
    memory_check(t->nodes);
    for (size_t i = 0; i < t->columns->stream->count; i++)
        t->roots[i].column = ROW_NO_COLUMN;
    for (size_t i = 0; i < t->columns->count; i++) {
        const struct chcolumn *c = &t->columns->columns[i];
        if (c->kind != CHCOLUMN_INSIDE)
            continue;
        size_t len = strcspn(c->path, "[."), field = 0;
        const struct chcolumn *of = chtable_find(t->columns, (struct slice){(const uint8_t *)c->path, len});
        /* A line that nobody knows the fields of: its keys are wanted behind the last field's. */
        field = of && of->kind == CHCOLUMN_FIELD ? of->field : t->columns->stream->count;
        want(t, &t->roots[field], c->path + len, i);
    }
    if (t->columns->stream->index == STREAM_SMTP)
        want(t, &t->roots[chtable_find(t->columns, slice_str("hops"))->field], "delay", ROW_NO_COLUMN);
}

static bool is_whole(struct slice token, uint64_t *ret)
{
    return byte_is_digit(token.data[0]) && slice_number(token, ret) == token.len;
}

/* False: it is no value of the column's type, or that has one. `ret_empty`: it is what stands for none. */
static bool put(struct row *row, struct cells *c, struct slice token, bool *ret_empty)
{
    uint64_t count = token.data[0] == 't';
    double real = 0;
    switch (c->type) {
    case CHTYPE_STRING:
    case CHTYPE_STRINGS:
        *ret_empty = token.len == 2;
        return token.data[0] == '"' && cells_text(c, row->at, scan_text(token, &row->rooms[0]));
    case CHTYPE_FLOAT64:
    case CHTYPE_FLOAT64S:
        if (token.data[0] == '"' || !scan_real(token, &real))
            return false;
        *ret_empty = real == 0;
        return cells_real(c, row->at, real);
    case CHTYPE_UINT8:
    case CHTYPE_UINT8S:
        *ret_empty = !count;
        return (count || token.data[0] == 'f') && cells_number(c, row->at, count);
    case CHTYPE_UINT16:
    case CHTYPE_UINT64:
    case CHTYPE_UINT64S:
        if (!is_whole(token, &count))
            return false;
        *ret_empty = !count;
        return cells_number(c, row->at, count);
    case CHTYPE_DATE:
    case CHTYPE_SECONDS:
    case CHTYPE_INT64:
        break;
    }
    return false;
}

/* A single column keeps the first. */
static void take(struct row *row, struct pick *node, struct slice token)
{
    bool empty = false;
    node->got = token;
    if (node->column == ROW_NO_COLUMN)
        return;
    struct cells *c = &row->t->cells[node->column];
    if (put(row, c, token, &empty) && empty && !chtype_is_list(c->type))
        row_note_empty(row, node->column);
}

static bool walk_object(struct row *row, struct scan *s, struct pick *node, unsigned depth)
{
    for (struct pick *n = node->first; n; n = n->next)
        n->got = (struct slice){0};
    s->at++;
    if (!scan_byte(s, '}')) {
        struct slice key;
        do {
            if (!scan_string(s, &key) || !scan_byte(s, ':'))
                return false;
            struct pick *next = child(node, slice_sub(key, 1, key.len - 1));
            if (next ? !pick_walk(row, s, next, depth + 1) : !scan_skip(s, depth + 1))
                return false;
        } while (scan_byte(s, ','));
        if (!scan_byte(s, '}'))
            return false;
    }
    if (node->edge)
        keys_edge(row);
    return true;
}

static bool walk_list(struct row *row, struct scan *s, struct pick *node, unsigned depth)
{
    s->at++;
    if (scan_byte(s, ']'))
        return true;
    do
        if (!pick_walk(row, s, node, depth + 1))
            return false;
    while (scan_byte(s, ','));
    return scan_byte(s, ']');
}

bool pick_walk(struct row *row, struct scan *s, struct pick *node, unsigned depth)
{
    struct slice token;
    switch (scan_peek(s)) {
    case '{':
        return depth < SCAN_DEPTH && walk_object(row, s, node, depth);
    case '[':
        return depth < SCAN_DEPTH && walk_list(row, s, node, depth);
    case '"':
        if (!scan_string(s, &token))
            return false;
        break;
    default:
        if (!scan_word(s, &token))
            return false;
    }
    take(row, node, token);
    return true;
}
