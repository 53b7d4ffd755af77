/* The plain bytes of a file in order, looked at where they were read to. */
#ifndef CAPTURE_WINDOW_H
#define CAPTURE_WINDOW_H

#include "base/block.h"
#include "capture/inflate.h"

struct window {
    struct inflate *from;
    struct block *block;
    size_t begin, end; /* of the block's bytes, what was read and not passed */
    bool over;         /* nothing follows `end` */
    struct block_pool pool;
};

/* `from` is borrowed. */
void window_open(struct window *w, struct inflate *from);
void window_close(struct window *w);
/* window_look's way where what was read does not suffice. */
void window_fill(struct window *w, size_t len);
/* Passes bytes that need not have been read; false where the file ends before. */
bool window_skip(struct window *w, size_t len);

/* The block of what window_look gave last: who holds it has those bytes for longer. NULL: it is one of
 * unusual size, which is not lent, so that what is lent is bounded by the number of blocks. */
struct block *window_lend(const struct window *w);

/* The next `len` bytes, fewer where the file ends before. They stay valid until the next call of any function
 * of the window but window_pass and window_lend. */
static inline struct slice window_look(struct window *w, size_t len)
{
    if (w->end - w->begin < len)
        window_fill(w, len);
    size_t there = w->end - w->begin;
    return (struct slice){w->block->bytes + w->begin, there < len ? there : len};
}

/* What was read and not passed. */
static inline struct slice window_there(const struct window *w)
{
    return (struct slice){w->block->bytes + w->begin, w->end - w->begin};
}

/* Passes bytes that window_look gave. */
static inline void window_pass(struct window *w, size_t len)
{
    w->begin += len;
}

#endif
