/* window.c: reads a file in large blocks.
 * In: plain bytes. Out: views of them. Owns: its blocks. Limits: WINDOW_BYTES a block, more only where a
 * caller looks at more at once, so that limit is the caller's; as many blocks as others hold, and one. */
#include "capture/window.h"

#include <assert.h>

/* Few calls of the system, and still in the processor's cache when it is looked at. */
enum { WINDOW_BYTES = 128 * 1024 };

void window_open(struct window *w, struct inflate *from)
{
    *w = (struct window){.from = from, .pool.size = WINDOW_BYTES, .block = block_new(WINDOW_BYTES)};
}

void window_close(struct window *w)
{
    block_release(&w->block);
    block_pool_free(&w->pool);
    *w = (struct window){0};
}

/* Moves what was not passed to a place with room for `len` bytes behind its begin. */
static void move(struct window *w, size_t len)
{
    struct block *from = w->block;
    size_t room = len > WINDOW_BYTES ? len : WINDOW_BYTES;
    bool stays = block_is_alone(from) && room == from->room;
    if (!stays)
        w->block = room > WINDOW_BYTES ? block_new(room) : block_pool_take(&w->pool);
    memmove(w->block->bytes, from->bytes + w->begin, w->end - w->begin);
    w->end -= w->begin;
    w->begin = 0;
    if (!stays)
        block_pool_put(&w->pool, from);
}

/* Reads until `len` bytes are there, and takes what comes along: a pipe's last packet must not wait for the
 * one after. */
void window_fill(struct window *w, size_t len)
{
    if (len > w->block->room - w->begin)
        move(w, len);
    while (w->end - w->begin < len && !w->over) {
        size_t n = inflate_read(w->from, w->block->bytes + w->end, w->block->room - w->end);
        w->over = !n;
        w->end += n;
    }
}

bool window_skip(struct window *w, size_t len)
{
    while (len) {
        size_t there = window_look(w, len < WINDOW_BYTES ? len : WINDOW_BYTES).len;
        if (!there)
            return false;
        window_pass(w, there);
        len -= there;
    }
    return true;
}

struct block *window_lend(const struct window *w)
{
    return w->block->room == WINDOW_BYTES ? w->block : NULL;
}
