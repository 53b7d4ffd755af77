/* fragment.c: fragments of a few datagrams, held to a model.
 *
 * First byte: bit 0 small limits, under which the model is silent. Then fragments of 5 bytes each: datagram
 * and protocol; offset; length; more and seconds that pass; what its bytes are. Of bytes that came twice the
 * first copy wins, and a datagram is given out once all of it is there, not before. */
#include "decode/fragment.h"
#include "fuzz.h"

enum { DATAGRAMS = 4, LONGEST = 256 * 8 + 256, GRAIN = 5 };

struct model {
    bool there[LONGEST];
    uint8_t bytes[LONGEST];
    uint32_t end; /* 0: not known */
    uint32_t most;
    bool begun;
    time_t since;
};

static const struct decode_settings usual = {
    .fragment_datagrams = 64, .fragment_bytes = 1 << 20, .fragment_timeout_s = 30};
static const struct decode_settings small = {
    .fragment_datagrams = 2, .fragment_bytes = 9000, .fragment_timeout_s = 3};

/* True: the datagram is whole now. */
static bool model_take(struct model *m, time_t now, const struct fragment *f)
{
    uint32_t end = f->offset + (uint32_t)f->bytes.len;
    if (m->begun && now - m->since >= 30)
        *m = (struct model){0};
    if (!m->begun)
        m->since = now;
    m->begun = true;
    /* The first length stands. */
    if (m->end ? (f->more ? end > m->end : end != m->end) : !f->more && end < m->most)
        return false;
    for (uint32_t i = f->offset; i < end; i++) {
        if (!m->there[i])
            m->bytes[i] = f->bytes.data[i - f->offset];
        m->there[i] = true;
    }
    m->most = end > m->most ? end : m->most;
    if (!f->more)
        m->end = end;
    for (uint32_t i = 0; i < m->end; i++)
        if (!m->there[i])
            return false;
    return m->end;
}

static struct fragment fragment_of(const uint8_t *d, uint8_t bytes[256])
{
    struct fragment f = {.src = {4, {10, 0, 0, 1}},
                         .dst = {4, {10, 0, 0, 2}},
                         .id = d[0] % DATAGRAMS,
                         .protocol = 6,
                         .offset = d[1] * 8u,
                         .more = d[3] & 1,
                         .bytes = {bytes, d[2]}};
    if (f.more)
        f.bytes.len &= ~(size_t)7;
    memset(bytes, d[4], 256);
    for (size_t i = 0; i < f.bytes.len; i++)
        bytes[i] ^= (uint8_t)(i * 167);
    return f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model models[DATAGRAMS];
    struct decode_stats stats = {0};
    if (!size)
        return 0;
    bool judged = !(*data & 1);
    const struct decode_settings *set = judged ? &usual : &small;
    struct fragments *f = fragments_new(set, &stats);
    struct timespec now = {1000, 0};
    memset(models, 0, sizeof models);
    for (const uint8_t *d = data + 1; d + GRAIN <= data + size; d += GRAIN) {
        uint8_t bytes[256];
        struct fragment frag = fragment_of(d, bytes);
        struct whole got = {0};
        now.tv_sec += d[3] >> 4;
        uint8_t *copy = exact_copy(frag.bytes);
        frag.bytes.data = copy;
        bool whole = fragments_push(f, now, &frag, &got);
        struct model *m = &models[frag.id];
        judged &= !stats.fragments_shed; /* too many pieces */
        if (judged) {
            assert(whole == model_take(m, now.tv_sec, &frag));
            assert(!whole || (got.payload.len == m->end && memcmp(got.payload.data, m->bytes, m->end) == 0));
        }
        if (whole) {
            assert(got.protocol == 6 && got.payload.len && got.payload.len < LONGEST);
            *m = (struct model){0};
        }
        free(copy);
        fragments_release(f);
    }
    fragments_free(&f);
    return 0;
}
