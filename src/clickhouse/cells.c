/* cells.c: columns of a block.
 * In: values, row by row. Out: columns in FORMAT Native. Owns: the bytes under construction. Limits: none of
 * its own; who fills it has them. Spec: FORMAT Native, as ClickHouse reads it over HTTP (revision 0); numbers
 * are little endian there, as they are here. */
#include "clickhouse/cells.h"

#include <assert.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers go as they lie in memory");

enum { KEPT = 1 << 16, FEW = 8 };

static size_t size_of(enum chtype type)
{
    static const uint8_t sizes[] = {
        [CHTYPE_DATE] = 2,   [CHTYPE_SECONDS] = 4, [CHTYPE_INT64] = 8,    [CHTYPE_UINT8] = 1,
        [CHTYPE_UINT16] = 2, [CHTYPE_UINT64] = 8,  [CHTYPE_FLOAT64] = 8,  [CHTYPE_STRING] = 1,
        [CHTYPE_UINT8S] = 1, [CHTYPE_UINT64S] = 8, [CHTYPE_FLOAT64S] = 8, [CHTYPE_STRINGS] = 1};
    return sizes[type];
}

void cells_count(struct line *out, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        line_byte(out, (uint8_t)(v | 0x80));
    line_byte(out, (uint8_t)v);
}

void cells_init(struct cells *c, const struct chcolumn *column)
{
    struct slice type = slice_str(chtype_name(column->type)), name = slice_str(column->name);
    *c = (struct cells){.type = column->type};
    cells_count(&c->head, name.len);
    line_add(&c->head, name);
    cells_count(&c->head, type.len);
    line_add(&c->head, type);
}

void cells_free(struct cells *c)
{
    line_free(&c->head);
    line_free(&c->data);
    line_free(&c->ends);
}

/* A backlog takes much that is of no use behind it; but room that was used will be so again. */
static void empty(struct line *l)
{
    if (l->room > KEPT && l->len < l->room / FEW)
        line_free(l);
    l->len = 0;
}

void cells_clear(struct cells *c)
{
    empty(&c->data);
    empty(&c->ends);
    c->items = 0;
    c->rows = c->row = 0;
}

/* What those before that row did not get. */
static void fill(struct cells *c, size_t rows)
{
    size_t more = rows - c->rows;
    if (!more)
        return;
    c->rows = rows;
    if (!chtype_is_list(c->type)) {
        size_t bytes = more * size_of(c->type);
        memset(line_room(&c->data, bytes), 0, bytes);
        c->data.len += bytes;
        return;
    }
    uint8_t *to = line_room(&c->ends, more * sizeof c->items);
    for (size_t i = 0; i < more; i++)
        memcpy(to + i * sizeof c->items, &c->items, sizeof c->items);
    c->ends.len += more * sizeof c->items;
}

static bool begin(struct cells *c, size_t row)
{
    bool list = chtype_is_list(c->type);
    if (c->row == row + 1) {
        c->items += list;
        return list;
    }
    fill(c, row);
    c->before = (struct cells_mark){c->data.len, c->rows, c->items};
    c->row = row + 1;
    c->rows += !list;
    c->items += list;
    return true;
}

bool cells_text(struct cells *c, size_t row, struct slice text)
{
    assert(c->type == CHTYPE_STRING || c->type == CHTYPE_STRINGS);
    if (!begin(c, row))
        return false;
    cells_count(&c->data, text.len);
    line_add(&c->data, text);
    return true;
}

static void add_bytes(struct cells *c, const void *v, size_t size)
{
    memcpy(line_room(&c->data, sizeof(uint64_t)), v, sizeof(uint64_t));
    c->data.len += size;
}

bool cells_number(struct cells *c, size_t row, uint64_t v)
{
    assert(c->type != CHTYPE_STRING && c->type != CHTYPE_STRINGS);
    if (!begin(c, row))
        return false;
    add_bytes(c, &v, size_of(c->type));
    return true;
}

bool cells_real(struct cells *c, size_t row, double v)
{
    assert(c->type == CHTYPE_FLOAT64 || c->type == CHTYPE_FLOAT64S);
    if (!begin(c, row))
        return false;
    add_bytes(c, &v, sizeof v);
    return true;
}

void cells_undo(struct cells *c, size_t row)
{
    if (c->row != row + 1)
        return;
    c->data.len = c->before.data;
    c->rows = c->before.rows;
    c->items = c->before.items;
    c->row = 0;
}

void cells_native(struct cells *c, size_t rows, struct line *out)
{
    fill(c, rows);
    line_add(out, line_slice(&c->head));
    line_add(out, line_slice(&c->ends));
    line_add(out, line_slice(&c->data));
}
