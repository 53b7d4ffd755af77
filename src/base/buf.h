/* Growable bytes with a compulsory maximum. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
    uint8_t *data;
    size_t len, room, max;
};

/* No memory is taken before the first byte. `max` is the most it will hold. */
void buf_init(struct buf *b, size_t max);
/* Adds as much of `s` as fits under the maximum. True: all of it went in. */
bool buf_add_more(struct buf *b, struct slice s); /* the same, where memory may have to grow */
static inline bool buf_add(struct buf *b, struct slice s)
{
    if (!s.len || s.len > b->room - b->len || s.len > b->max - b->len)
        return buf_add_more(b, s);
    memcpy(b->data + b->len, s.data, s.len);
    b->len += s.len;
    return true;
}
bool buf_add_str(struct buf *b, const char *text);
static inline bool buf_add_byte(struct buf *b, uint8_t c)
{
    if (b->len == b->room)
        return buf_add(b, (struct slice){&c, 1});
    b->data[b->len++] = c;
    return true;
}
/* In decimal. */
bool buf_add_number(struct buf *b, uint64_t v);
bool buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `len` bytes. */
void buf_consume(struct buf *b, size_t len);
/* Empties it and keeps the memory. */
static inline void buf_clear(struct buf *b)
{
    b->len = 0;
}
static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->data, b->len};
}
/* Gives the memory back; the buf may be used again. */
void buf_free(struct buf *b);

#endif
