/* fragment.c: IP datagrams from fragments.
 * In: fragments. Out: whole payloads. Owns: their bytes.
 * Limits: fragment_datagrams, fragment_bytes, fragment_timeout_s, and RANGES pieces a datagram; over them the
 * oldest datagram is given up and counted. Knowingly: of bytes sent twice with different content the
 * first copy stands; so does the first length: a fragment that reaches beyond the end, and an end before what
 * is there already, are ignored. Such a datagram is ambiguous. Spec: RFC 791 3.2, RFC 8200 4.5, RFC 5722
 * (whose discarding of all overlaps is not followed: exact repeats are frequent on a tap). */
#include "decode/fragment.h"

#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>
#include "base/memory.h"

enum { RANGES = 64, ROOM_LEAST = 4096, BUCKETS_MAX = 65536 };

struct range {
    uint32_t from, to;
};

struct datagram {
    struct datagram *newer, *older; /* `newer` chains the whole ones too */
    struct datagram *next, **slot;  /* its bucket */
    struct fragment key;
    struct timespec began;
    bool has_first; /* key.protocol is the first fragment's */
    bool ambiguous;
    uint32_t total; /* 0 while the last fragment is missing */
    uint32_t range_count, room;
    struct range ranges[RANGES]; /* sorted, apart */
    uint8_t *bytes;
};

struct fragments {
    const struct decode_settings *set;
    struct decode_stats *stats;
    struct datagram **buckets;
    uint32_t bucket_count; /* a power of two */
    uint64_t seed;
    struct datagram *oldest, *newest, *done;
    uint32_t count;
    size_t bytes;
};

struct fragments *fragments_new(const struct decode_settings *set, struct decode_stats *stats)
{
    struct fragments *f = calloc(1, sizeof *f);
    memory_check(f);
    f->set = set;
    f->stats = stats;
    f->bucket_count = 16;
    while (f->bucket_count < set->fragment_datagrams && f->bucket_count < BUCKETS_MAX)
        f->bucket_count *= 2;
    /* Against made collisions; nothing that comes out depends on it. */
    if (getrandom(&f->seed, sizeof f->seed, GRND_NONBLOCK) < 0)
        f->seed = (uintptr_t)f;
    return f;
}

static void datagram_free(struct fragments *f, struct datagram *d)
{
    f->bytes -= sizeof *d + d->room;
    free(d->bytes);
    free(d);
}

static void unlink_datagram(struct fragments *f, struct datagram *d)
{
    *(d->older ? &d->older->newer : &f->oldest) = d->newer;
    *(d->newer ? &d->newer->older : &f->newest) = d->older;
    *d->slot = d->next;
    if (d->next)
        d->next->slot = d->slot;
    f->count--;
}

static void drop(struct fragments *f, struct datagram *d, uint64_t *counter)
{
    unlink_datagram(f, d);
    datagram_free(f, d);
    ++*counter;
}

/* Packet time may jump back, too; what is far in the future will not get whole any more. */
static bool is_old(const struct fragments *f, const struct datagram *d, struct timespec now)
{
    double age = (double)(now.tv_sec - d->began.tv_sec) + (double)(now.tv_nsec - d->began.tv_nsec) * 1e-9;
    return age >= f->set->fragment_timeout_s || age <= -f->set->fragment_timeout_s;
}

/* IPv6 tells datagrams apart without the protocol, which the first fragment alone has to name. */
static bool same(const struct fragment *a, const struct fragment *b)
{
    return a->id == b->id && address_eq(&a->src, &b->src) && address_eq(&a->dst, &b->dst) &&
           (a->src.family == 6 || a->protocol == b->protocol);
}

static struct datagram **bucket_of(struct fragments *f, const struct fragment *k)
{
    uint8_t text[38] = {(uint8_t)(k->id >> 24),
                        (uint8_t)(k->id >> 16),
                        (uint8_t)(k->id >> 8),
                        (uint8_t)k->id,
                        k->src.family == 6 ? 0 : k->protocol,
                        k->src.family};
    memcpy(text + 6, k->src.bytes, 16);
    memcpy(text + 22, k->dst.bytes, 16);
    return &f->buckets[XXH3_64bits_withSeed(text, sizeof text, f->seed) & (f->bucket_count - 1)];
}

static struct datagram *add(struct fragments *f, struct datagram **bucket, struct timespec now,
                            const struct fragment *k)
{
    while (f->oldest && f->count >= f->set->fragment_datagrams)
        drop(f, f->oldest, &f->stats->fragments_shed);
    struct datagram *d = calloc(1, sizeof *d);
    memory_check(d);
    d->key = *k;
    d->began = now;
    d->older = f->newest;
    *(f->newest ? &f->newest->newer : &f->oldest) = d;
    f->newest = d;
    d->next = *bucket;
    d->slot = bucket;
    if (d->next)
        d->next->slot = &d->next;
    *bucket = d;
    f->count++;
    f->bytes += sizeof *d;
    return d;
}

static struct datagram *find_or_add(struct fragments *f, struct timespec now, const struct fragment *k)
{
    if (!f->buckets) {
        f->buckets = calloc(f->bucket_count, sizeof(struct datagram *));
        memory_check(f->buckets);
    }
    while (f->oldest && is_old(f, f->oldest, now))
        drop(f, f->oldest, &f->stats->fragments_expired);
    struct datagram **bucket = bucket_of(f, k), *d = *bucket;
    while (d && !same(&d->key, k))
        d = d->next;
    if (d && is_old(f, d, now)) {
        drop(f, d, &f->stats->fragments_expired);
        d = NULL;
    }
    return d ? d : add(f, bucket, now, k);
}

static void make_room(struct fragments *f, struct datagram *d, uint32_t need)
{
    if (need <= d->room)
        return;
    uint32_t room = d->room ? d->room : ROOM_LEAST;
    while (room < need)
        room *= 2;
    d->bytes = realloc(d->bytes, room);
    memory_check(d->bytes);
    f->bytes += room - d->room;
    d->room = room;
}

static bool says_the_same(const struct datagram *d, struct range r, uint32_t from, uint32_t to,
                          const uint8_t *bytes)
{
    uint32_t begin = r.from > from ? r.from : from, end = r.to < to ? r.to : to;
    return begin >= end || memcmp(d->bytes + begin, bytes + (begin - from), end - begin) == 0;
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
        d->ambiguous |= !says_the_same(d, r, from, to, bytes);
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

/* Whether the fragment agrees with the length that is known, or with what is there if it is the one that says
 * it. */
static bool agrees(const struct datagram *d, const struct fragment *frag, uint32_t end)
{
    if (d->total)
        return frag->more ? end <= d->total : end == d->total;
    return frag->more || !d->range_count || end >= d->ranges[d->range_count - 1].to;
}

static bool is_whole(const struct datagram *d)
{
    return d->total && d->range_count == 1 && d->ranges[0].from == 0 && d->ranges[0].to == d->total;
}

bool fragments_push(struct fragments *f, struct timespec now, const struct fragment *frag, struct whole *ret)
{
    uint32_t end = frag->offset + (uint32_t)frag->bytes.len;
    struct datagram *d = find_or_add(f, now, frag);
    if (!agrees(d, frag, end)) {
        d->ambiguous = true;
        return false;
    }
    make_room(f, d, end);
    bool fits = fill(d, frag->offset, end, frag->bytes.data);
    if (!frag->more)
        d->total = end;
    if (frag->offset == 0 && !d->has_first) {
        d->key.protocol = frag->protocol;
        d->has_first = true;
    }
    if (is_whole(d)) {
        unlink_datagram(f, d);
        d->newer = f->done;
        f->done = d;
        *ret = (struct whole){{d->bytes, d->total}, d->key.protocol, d->ambiguous};
        return true;
    }
    if (!fits)
        drop(f, d, &f->stats->fragments_shed);
    while (f->oldest && f->bytes > f->set->fragment_bytes)
        drop(f, f->oldest, &f->stats->fragments_shed);
    return false;
}

void fragments_release(struct fragments *f)
{
    while (f->done) {
        struct datagram *d = f->done;
        f->done = d->newer;
        datagram_free(f, d);
    }
}

void fragments_free(struct fragments **pf)
{
    struct fragments *f = *pf;
    *pf = NULL;
    if (!f)
        return;
    fragments_release(f);
    while (f->oldest) {
        struct datagram *d = f->oldest;
        unlink_datagram(f, d);
        datagram_free(f, d);
    }
    free(f->buckets);
    free(f);
}
