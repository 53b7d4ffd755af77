/* group.c: batches of the outbox that go together.
 * In: batches. Out: their lines, one behind the other. Owns: these. Limits: the caller's. */
#include "carrier/group.h"

#include <stdlib.h>
#include "carrier/halves.h"

enum { KEPT = 1 << 20 };

size_t group_whole(struct slice bytes)
{
    const uint8_t *zero = bytes.len ? memchr(bytes.data, 0, bytes.len) : NULL;
    size_t len = zero ? (size_t)(zero - bytes.data) : bytes.len;
    while (len && bytes.data[len - 1] != '\n')
        len--;
    return len;
}

static bool add(struct group *g, int folder, const struct outbox_batch *batch)
{
    struct error err;
    uint8_t *bytes;
    if (outbox_read(folder, batch, &bytes, &err) < 0)
        return false;
    const struct slice all = {bytes, batch->bytes};
    bool whole = all.len && group_whole(all) == all.len && halves_count(all) == batch->lines;
    if (whole) {
        line_add(&g->lines, all);
        g->count++;
        g->records += batch->lines;
    }
    free(bytes);
    return whole;
}

void group_take(struct group *g, int folder, const struct outbox_batch *list, size_t count, uint64_t most)
{
    /* The memory of a backlog is given back once that is gone. */
    if (g->lines.room > KEPT && g->lines.len < g->lines.room / 8)
        line_free(&g->lines);
    g->lines.len = 0;
    g->count = g->records = 0;
    while (g->count < count && (!g->count || g->lines.len + list[g->count].bytes <= most))
        if (!add(g, folder, &list[g->count]))
            return;
}

void group_free(struct group *g)
{
    line_free(&g->lines);
}
