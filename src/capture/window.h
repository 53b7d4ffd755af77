/* The plain bytes of a file in order, looked at where they were read to. */
#ifndef CAPTURE_WINDOW_H
#define CAPTURE_WINDOW_H

#include "capture/inflate.h"

struct window {
    struct inflate *from;
    uint8_t *bytes;
    size_t room, begin, end; /* what was read and not passed: [begin, end) */
    bool over;               /* nothing follows `end` */
};

/* `from` is borrowed. */
void window_open(struct window *w, struct inflate *from);
void window_close(struct window *w);
/* window_look's way where what was read does not suffice. */
void window_fill(struct window *w, size_t len);
/* Passes bytes that need not have been read; false where the file ends before. */
bool window_skip(struct window *w, size_t len);

/* The next `len` bytes, fewer where the file ends before. They stay valid until the next call of any function
 * of the window but window_pass. */
static inline struct slice window_look(struct window *w, size_t len)
{
    if (w->end - w->begin < len)
        window_fill(w, len);
    size_t there = w->end - w->begin;
    return (struct slice){w->bytes + w->begin, there < len ? there : len};
}

/* Passes bytes that window_look gave. */
static inline void window_pass(struct window *w, size_t len)
{
    w->begin += len;
}

#endif
