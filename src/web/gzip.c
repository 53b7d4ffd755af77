/* gzip.c: gzip, by zlib.
 * In: bytes. Out: bytes. Owns: zlib's state, a quarter of a MiB. Spec: RFC 1952. */
#include "web/gzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/memory.h"

/* Quick: what is compressed here is read once. */
enum { LEVEL = 4, GZIP_WINDOW = 15 + 16, MEMORY = 8, STEP = 16 << 10 };

struct gzip {
    z_stream z;
};

struct gzip *gzip_new(void)
{
    struct gzip *g = calloc(1, sizeof *g);
    memory_check(g);
    if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        memory_out();
    return g;
}

void gzip_free(struct gzip *g)
{
    if (!g)
        return;
    deflateEnd(&g->z);
    free(g);
}

bool gzip_add(struct gzip *g, struct slice bytes, bool last, struct buf *out)
{
    uint8_t step[STEP];
    bool good = bytes.len <= UINT_MAX;
    g->z.next_in = (Bytef *)(uintptr_t)bytes.data;
    g->z.avail_in = (uInt)bytes.len;
    do {
        g->z.next_out = step;
        g->z.avail_out = sizeof step;
        deflate(&g->z, last ? Z_FINISH : Z_NO_FLUSH);
        good &= buf_add(out, (struct slice){step, sizeof step - g->z.avail_out});
    } while (good && g->z.avail_out == 0);
    return good;
}

bool gzip_whole(struct slice bytes, struct buf *out)
{
    struct gzip *g = gzip_new();
    bool good = gzip_add(g, bytes, true, out) && out->len < bytes.len;
    gzip_free(g);
    return good;
}
