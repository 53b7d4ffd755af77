/* fragment.c: IP datagrams from fragments.
 * In: fragments. Out: whole payloads. Owns: their bytes.
 * Limits: fragment_datagrams, fragment_bytes, fragment_timeout_s, and RANGES pieces a datagram; over them the oldest
 * datagram is given up and counted. Knowingly: bytes sent twice with different content are not flagged, the first copy stands.
 * Spec: RFC 791 3.2, RFC 8200 4.5, RFC 5722. */
#include "decode/fragment.h"

#include <assert.h>
#include <stdlib.h>

enum { RANGES = 64, DATAGRAM_MAX = 65535 };

struct range {
    uint32_t from, to;
};

struct datagram {
    struct datagram *newer;
    struct fragment key;
    struct timespec began;
    uint32_t total; /* 0 while the last fragment is missing */
    uint32_t range_count, room;
    struct range ranges[RANGES]; /* sorted, apart */
    uint8_t *bytes;
};

struct fragments {
    const struct decode_settings *set;
    struct decode_stats *stats;
    struct datagram *oldest, *newest, *done;
    uint32_t count;
    size_t bytes;
};

struct fragments *fragments_new(const struct decode_settings *set, struct decode_stats *stats)
{
    struct fragments *f = calloc(1, sizeof *f);
    assert(f);
    f->set = set;
    f->stats = stats;
    return f;
}

static void datagram_free(struct fragments *f, struct datagram *d)
{
    if (!d)
        return;
    f->bytes -= d->room;
    free(d->bytes);
    free(d);
}

static void unlink_datagram(struct fragments *f, struct datagram *d)
{
    struct datagram **slot = &f->oldest, *before = NULL;
    while (*slot != d) {
        before = *slot;
        slot = &(*slot)->newer;
    }
    *slot = d->newer;
    if (f->newest == d)
        f->newest = before;
    f->count--;
}

static void drop_oldest(struct fragments *f)
{
    struct datagram *d = f->oldest;
    unlink_datagram(f, d);
    datagram_free(f, d);
}

static void expire(struct fragments *f, struct timespec now)
{
    while (f->oldest && now.tv_sec - f->oldest->began.tv_sec >= (time_t)f->set->fragment_timeout_s) {
        drop_oldest(f);
        f->stats->fragments_expired++;
    }
}

static struct datagram *find(struct fragments *f, const struct fragment *k)
{
    struct datagram *d = f->oldest;
    while (d && !(d->key.id == k->id && d->key.protocol == k->protocol && address_eq(&d->key.src, &k->src) &&
                  address_eq(&d->key.dst, &k->dst)))
        d = d->newer;
    return d;
}

static struct datagram *add(struct fragments *f, struct timespec now, const struct fragment *k)
{
    while (f->oldest && f->count >= f->set->fragment_datagrams) {
        drop_oldest(f);
        f->stats->fragments_shed++;
    }
    struct datagram *d = calloc(1, sizeof *d);
    assert(d);
    d->key = *k;
    d->began = now;
    *(f->newest ? &f->newest->newer : &f->oldest) = d;
    f->newest = d;
    f->count++;
    return d;
}

static void make_room(struct fragments *f, struct datagram *d, uint32_t need)
{
    if (need <= d->room)
        return;
    uint32_t room = d->room ? d->room : 4096;
    while (room < need)
        room *= 2;
    d->bytes = realloc(d->bytes, room);
    assert(d->bytes);
    f->bytes += room - d->room;
    d->room = room;
}

/* Copies what of [from, to) is in no range yet, then joins the ranges. False: too many pieces. */
static bool fill(struct datagram *d, uint32_t from, uint32_t to, const uint8_t *bytes)
{
    uint32_t at = from;
    struct range joined = {from, to};
    struct range kept[RANGES + 1];
    uint32_t count = 0;
    bool placed = false;
    for (uint32_t i = 0; i < d->range_count; i++) {
        struct range r = d->ranges[i];
        if (r.to < from || r.from > to) {
            if (r.from > to && !placed) {
                kept[count++] = joined;
                placed = true;
            }
            kept[count++] = r;
            continue;
        }
        if (r.from > at)
            memcpy(d->bytes + at, bytes + (at - from), r.from - at);
        if (r.to > at)
            at = r.to;
        joined.from = r.from < joined.from ? r.from : joined.from;
        joined.to = r.to > joined.to ? r.to : joined.to;
        /* Ranges come sorted, so one that starts beyond the joined one has been told apart above. */
    }
    if (at < to)
        memcpy(d->bytes + at, bytes + (at - from), to - at);
    if (!placed)
        kept[count++] = joined;
    if (count > RANGES)
        return false;
    memcpy(d->ranges, kept, count * sizeof *kept);
    d->range_count = count;
    return true;
}

bool fragments_push(struct fragments *f, struct timespec now, const struct fragment *frag, struct slice *ret)
{
    datagram_free(f, f->done);
    f->done = NULL;
    expire(f, now);
    uint32_t end = frag->offset + (uint32_t)frag->bytes.len;
    struct datagram *d = find(f, frag);
    if (!d)
        d = add(f, now, frag);
    make_room(f, d, end);
    bool fits = fill(d, frag->offset, end, frag->bytes.data);
    if (!frag->more && !d->total)
        d->total = end;
    if (d->total && d->range_count == 1 && d->ranges[0].from == 0 && d->ranges[0].to >= d->total) {
        unlink_datagram(f, d);
        f->done = d;
        *ret = (struct slice){d->bytes, d->total};
        return true;
    }
    if (!fits) {
        unlink_datagram(f, d);
        datagram_free(f, d);
        f->stats->fragments_shed++;
    }
    while (f->oldest && f->bytes > f->set->fragment_bytes) {
        drop_oldest(f);
        f->stats->fragments_shed++;
    }
    return false;
}

void fragments_free(struct fragments **pf)
{
    struct fragments *f = *pf;
    *pf = NULL;
    if (!f)
        return;
    datagram_free(f, f->done);
    while (f->oldest)
        drop_oldest(f);
    free(f);
}
