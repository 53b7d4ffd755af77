/* window.c: reads a file in large blocks.
 * In: plain bytes. Out: views of them. Owns: one block. Limits: WINDOW_BYTES, more only where a caller looks
 * at more at once; so that limit is the caller's. */
#include "capture/window.h"

#include <assert.h>
#include <stdlib.h>

/* Few calls of the system, and still in the processor's cache when it is looked at. */
enum { WINDOW_BYTES = 128 * 1024 };

void window_open(struct window *w, struct inflate *from)
{
    *w = (struct window){.from = from, .bytes = malloc(WINDOW_BYTES), .room = WINDOW_BYTES};
    assert(w->bytes);
}

void window_close(struct window *w)
{
    free(w->bytes);
    *w = (struct window){0};
}

/* Reads until `len` bytes are there, and takes what comes along: a pipe's last packet must not wait for the
 * one after. */
void window_fill(struct window *w, size_t len)
{
    size_t have = w->end - w->begin;
    if (w->begin && have)
        memmove(w->bytes, w->bytes + w->begin, have);
    w->begin = 0;
    w->end = have;
    if (len > w->room) {
        w->bytes = realloc(w->bytes, len);
        assert(w->bytes);
        w->room = len;
    }
    while (w->end < len && !w->over) {
        size_t n = inflate_read(w->from, w->bytes + w->end, w->room - w->end);
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
