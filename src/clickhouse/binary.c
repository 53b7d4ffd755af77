/* binary.c: RowBinary to rows.
 * In: pieces of an answer. Out: rows. Owns: what of a row is there already. Limits: `row_most` bytes of a
 * row. A row that lacks bytes is looked at again once a quarter more is there, so that one of many pieces
 * costs linear time. Spec: the format RowBinary of ClickHouse. */
#include "clickhouse/binary.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"

enum { NUMBER_BITS = 64 };

struct binary {
    size_t row_most, count;
    binary_row_fn *row;
    void *ctx;
    struct buf rest; /* begins with a row that is not whole */
    size_t try_at;   /* bytes of it at which that is looked at again */
    bool enough, bad;
    struct binary_value *values;
    enum binary_kind kinds[];
};

struct binary *binary_new(const enum binary_kind *kinds, size_t count, size_t row_most, binary_row_fn *row,
                          void *ctx)
{
    assert(count && row_most);
    struct binary *b = calloc(1, sizeof *b + count * sizeof *kinds);
    memory_check(b);
    b->values = calloc(count, sizeof *b->values);
    memory_check(b->values);
    b->row_most = row_most;
    b->count = count;
    b->row = row;
    b->ctx = ctx;
    /* A whole piece may stand behind it. */
    buf_init(&b->rest, SIZE_MAX / 2);
    memcpy(b->kinds, kinds, count * sizeof *kinds);
    return b;
}

void binary_free(struct binary **pb)
{
    struct binary *b = *pb;
    *pb = NULL;
    if (!b)
        return;
    buf_free(&b->rest);
    free(b->values);
    free(b);
}

/* What is left of the bytes at hand. */
struct left {
    struct slice bytes;
    uint64_t lacks; /* at least so many; 0: nothing was found to lack */
    bool bad;
};

/* NULL: it lacks bytes. */
static const uint8_t *take(struct left *l, uint64_t len)
{
    if (len > l->bytes.len) {
        l->lacks = len - l->bytes.len;
        return NULL;
    }
    const uint8_t *at = l->bytes.data;
    l->bytes = slice_sub(l->bytes, (size_t)len, l->bytes.len);
    return at;
}

static bool take_number(struct left *l, size_t bytes, uint64_t *ret)
{
    const uint8_t *at = take(l, bytes);
    *ret = 0;
    for (size_t i = 0; at && i < bytes; i++)
        *ret |= (uint64_t)at[i] << (8 * i);
    return at != NULL;
}

/* Seven bits a byte, the lowest first; all but the last have the eighth. */
static bool take_length(struct left *l, uint64_t *ret)
{
    *ret = 0;
    for (unsigned shift = 0; shift < NUMBER_BITS; shift += 7) {
        const uint8_t *at = take(l, 1);
        if (!at)
            return false;
        *ret |= (uint64_t)(*at & 0x7f) << shift;
        if (*at < 0x80)
            return true;
    }
    l->bad = true;
    return false;
}

static bool take_text(struct left *l, struct slice *ret)
{
    uint64_t len;
    if (!take_length(l, &len))
        return false;
    const uint8_t *at = take(l, len);
    *ret = (struct slice){at, at ? (size_t)len : 0};
    return at != NULL;
}

static double real_of(uint64_t bits)
{
    double ret;
    memcpy(&ret, &bits, sizeof ret);
    return ret;
}

/* Each text of a list is walked over, so that who takes from it has them whole. */
static bool take_list(struct left *l, bool texts, struct binary_value *v)
{
    uint64_t count;
    struct slice text;
    if (!take_length(l, &count))
        return false;
    const uint8_t *from = l->bytes.data;
    if (!texts && count > SIZE_MAX / sizeof(double))
        return !(l->bad = true);
    if (!texts && !take(l, count * sizeof(double)))
        return false;
    for (uint64_t i = 0; i < count && texts; i++)
        if (!take_text(l, &text))
            return false;
    v->count = (size_t)count;
    v->text = (struct slice){from, (size_t)(l->bytes.data - from)};
    return true;
}

static bool take_value(struct left *l, enum binary_kind kind, struct binary_value *v)
{
    uint64_t number;
    *v = (struct binary_value){0};
    switch (kind) {
    case BINARY_U8:
        return take_number(l, 1, &v->number);
    case BINARY_U16:
        return take_number(l, 2, &v->number);
    case BINARY_U32:
        return take_number(l, 4, &v->number);
    case BINARY_U64:
        return take_number(l, 8, &v->number);
    case BINARY_F64:
        if (!take_number(l, 8, &number))
            return false;
        v->real = real_of(number);
        return true;
    case BINARY_TEXT:
        return take_text(l, &v->text);
    case BINARY_TEXTS:
    case BINARY_REALS:
        return take_list(l, kind == BINARY_TEXTS, v);
    case BINARY_MAYBE:
        if (!take_number(l, 1, &number))
            return false;
        v->null = number != 0;
        return v->null || take_number(l, 1, &v->number);
    }
    return false;
}

/* Gives the rows that are whole. How many bytes they had. */
static size_t give(struct binary *b, struct slice bytes)
{
    struct left l = {.bytes = bytes};
    size_t used = 0;
    b->try_at = 0;
    while (l.bytes.len && !b->enough) {
        for (size_t i = 0; i < b->count; i++)
            if (!take_value(&l, b->kinds[i], &b->values[i])) {
                size_t have = bytes.len - used;
                b->bad = l.bad || l.lacks > b->row_most || have + l.lacks > b->row_most;
                b->try_at = have + (l.lacks > have / 4 ? (size_t)l.lacks : have / 4);
                return used;
            }
        used = bytes.len - l.bytes.len;
        b->enough = !b->row(b->ctx, b->values);
    }
    return used;
}

bool binary_take(struct binary *b, struct slice piece)
{
    if (b->bad || b->enough)
        return false;
    if (!b->rest.len) {
        size_t used = give(b, piece);
        buf_add(&b->rest, slice_sub(piece, used, piece.len));
    } else {
        buf_add(&b->rest, piece);
        if (b->rest.len >= b->try_at)
            buf_consume(&b->rest, give(b, buf_slice(&b->rest)));
    }
    return !b->bad && !b->enough;
}

int binary_end(struct binary *b, struct error *reterr)
{
    if (!b->bad && !b->enough && b->rest.len)
        buf_consume(&b->rest, give(b, buf_slice(&b->rest)));
    if (b->enough)
        return 0;
    if (b->bad)
        return error_set(reterr, -EPROTO, "the answer is no rows, or has one of more than %zu bytes",
                         b->row_most);
    return b->rest.len ? error_set(reterr, -EPROTO, "the answer ends amid a row") : 0;
}

bool binary_next_text(struct binary_value *list, struct slice *ret)
{
    struct left l = {.bytes = list->text};
    if (!list->count || !take_text(&l, ret))
        return false;
    list->text = l.bytes;
    list->count--;
    return true;
}

bool binary_next_real(struct binary_value *list, double *ret)
{
    struct left l = {.bytes = list->text};
    uint64_t bits;
    if (!list->count || !take_number(&l, sizeof bits, &bits))
        return false;
    *ret = real_of(bits);
    list->text = l.bytes;
    list->count--;
    return true;
}
