/* One line under construction. Unlike struct buf it has no maximum, as half a line is worse than none: what
 * goes into it is a record, whose texts have theirs (transaction_bytes), and escaping makes at most six bytes
 * of one. */
#ifndef SINK_LINE_H
#define SINK_LINE_H

#include <time.h>
#include "base/net.h"

struct line {
    uint8_t *data; /* NULL until the first byte */
    size_t len, room;
};

static inline bool line_has_room(const struct line *l, size_t more)
{
    return l->room - l->len >= more;
}
/* Where `more` bytes may be written; dies loudly where the system has no memory left. */
uint8_t *line_grow(struct line *l, size_t more);
static inline uint8_t *line_room(struct line *l, size_t more)
{
    return line_has_room(l, more) ? l->data + l->len : line_grow(l, more);
}
static inline void line_byte(struct line *l, uint8_t c)
{
    *line_room(l, 1) = c;
    l->len++;
}
static inline void line_add(struct line *l, struct slice s)
{
    if (!s.len)
        return;
    memcpy(line_room(l, s.len), s.data, s.len);
    l->len += s.len;
}
static inline void line_str(struct line *l, const char *text)
{
    line_add(l, slice_str(text));
}
static inline struct slice line_slice(const struct line *l)
{
    return (struct slice){l->data, l->len};
}
void line_number(struct line *l, uint64_t v);
/* Seconds with six digits behind the point. */
void line_time(struct line *l, struct timespec t);
/* The same of a number. */
void line_seconds(struct line *l, double v);
/* Returns the length. */
size_t line_address(struct line *l, const struct address *a);
/* \xNN */
void line_hex(struct line *l, uint8_t c);
void line_printf(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Empties it; gives memory back that only a giant needed. */
void line_clear(struct line *l);
void line_free(struct line *l);

/* How many bytes at the start of `s` are printable ASCII and neither `a` nor `b`. */
size_t line_plain(struct slice s, uint8_t a, uint8_t b);
/* Length of the valid UTF-8 character at the start of `s`, which is not empty; 0: none. */
size_t line_utf8(struct slice s);
/* The code point of a valid character. */
uint32_t line_code(struct slice c);

#endif
