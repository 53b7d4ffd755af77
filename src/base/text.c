/* text.c: one text in memory of its size.
 * In: slices. Out: the text. Owns: it. Limits: the caller's; 4 GiB. Knowingly: a shorter text stays in the
 * memory of the one before it unless that is much too large; dies loudly where the system has no memory left.
 */
#include "base/text.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

enum { STEP = 16, SPARE = 256 };

struct text {
    uint32_t len, room;
    uint8_t bytes[];
};

void text_set(struct text **pt, struct slice s)
{
    struct text *t = *pt;
    if (!t || t->room < s.len || t->room / 8 > s.len + SPARE / 8) {
        size_t room = s.len ? (s.len + STEP - 1) / STEP * STEP : STEP;
        assert(room <= UINT32_MAX);
        free(t);
        t = *pt = malloc(sizeof *t + room);
        memory_check(t);
        t->room = (uint32_t)room;
    }
    t->len = (uint32_t)s.len;
    if (s.len)
        memcpy(t->bytes, s.data, s.len);
}

struct slice text_slice(const struct text *t)
{
    return t ? (struct slice){t->bytes, t->len} : (struct slice){0};
}

void text_free(struct text **pt)
{
    free(*pt);
    *pt = NULL;
}
