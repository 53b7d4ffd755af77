/* buf.c: growable bytes.
 * Owns: its memory. Limits: `max`, given at init; what goes over it is cut and the caller told.
 * Knowingly: dies loudly where the system has no memory left. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

static void grow(struct buf *b, size_t need)
{
    if (need <= b->room)
        return;
    size_t room = b->room ? b->room : 64;
    while (room < need)
        room *= 2;
    if (room > b->max && need <= b->max)
        room = b->max;
    b->data = realloc(b->data, room);
    assert(b->data);
    b->room = room;
}

bool buf_add(struct buf *b, struct slice s)
{
    size_t fits = b->max - b->len;
    bool whole = s.len <= fits;
    if (!whole)
        s.len = fits;
    if (s.len) {
        grow(b, b->len + s.len);
        memcpy(b->data + b->len, s.data, s.len);
        b->len += s.len;
    }
    return whole;
}

bool buf_add_str(struct buf *b, const char *text)
{
    return buf_add(b, slice_str(text));
}

bool buf_add_byte(struct buf *b, uint8_t c)
{
    return buf_add(b, (struct slice){&c, 1});
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < sizeof text);
    return buf_add(b, (struct slice){(const uint8_t *)text, (size_t)len});
}

void buf_consume(struct buf *b, size_t len)
{
    assert(len <= b->len);
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

void buf_free(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}
