/* buf.c: growable bytes.
 * In: slices, text. Out: the bytes added so far. Owns: its memory. Limits: `max`, given at init; what goes
 * over it is cut and the caller told. Knowingly: dies loudly where the system has no memory left. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

static void grow(struct buf *b, size_t need)
{
    if (need <= b->room)
        return;
    size_t room = b->room ? b->room : b->max < 64 ? b->max : 64;
    while (room < need)
        room = room > b->max / 2 ? b->max : room * 2; /* need is at most max */
    b->data = realloc(b->data, room);
    memory_check(b->data);
    b->room = room;
}

bool buf_add_more(struct buf *b, struct slice s)
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

bool buf_add_number(struct buf *b, uint64_t v)
{
    uint8_t digits[20];
    size_t i = sizeof digits;
    do {
        digits[--i] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    return buf_add(b, (struct slice){digits + i, sizeof digits - i});
}

bool buf_printf(struct buf *b, const char *format, ...)
{
    char small[512], *text = small;
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(small, sizeof small, format, args);
    assert(len >= 0);
    if ((size_t)len >= sizeof small && vasprintf(&text, format, again) != len)
        memory_out();
    va_end(again);
    va_end(args);
    bool whole = buf_add(b, (struct slice){(const uint8_t *)text, (size_t)len});
    if (text != small)
        free(text);
    return whole;
}

void buf_consume(struct buf *b, size_t len)
{
    assert(len <= b->len);
    if (!len)
        return;
    memmove(b->data, b->data + len, b->len - len);
    b->len -= len;
}

void buf_free(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}
