/* A bounds-checked big-endian reader with a sticky error: reads past the end give zeros and set `broken`,
 * so that a header decoder is straight-line code with one check at its end. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/slice.h"

struct cursor {
    struct slice rest;
    bool broken;
};

static inline struct cursor cursor_of(struct slice s)
{
    return (struct cursor){s, false};
}

/* The next `len` bytes, or an empty slice and `broken`. */
static inline struct slice cursor_take(struct cursor *c, size_t len)
{
    if (c->broken || c->rest.len < len) {
        c->broken = true;
        return (struct slice){NULL, 0};
    }
    struct slice got = {c->rest.data, len};
    if (len) /* an empty slice may have no data at all */
        c->rest.data += len;
    c->rest.len -= len;
    return got;
}

static inline void cursor_skip(struct cursor *c, size_t len)
{
    (void)cursor_take(c, len);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
    struct slice s = cursor_take(c, 1);
    return s.len ? s.data[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
    struct slice s = cursor_take(c, 2);
    return s.len ? (uint16_t)(s.data[0] << 8 | s.data[1]) : 0;
}

static inline uint32_t cursor_u32(struct cursor *c)
{
    uint32_t high = cursor_u16(c);
    return high << 16 | cursor_u16(c);
}

#endif
