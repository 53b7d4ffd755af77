/* software.c: what software hosts show.
 * In: complete records, in one order. Out: a record of each program, the first time. Owns: hashes of what is
 * known, in the order in which it was told. Limits: the caller's in programs; over it the oldest goes, and is
 * counted where it had not expired. Knowingly: each version of a program counts for itself, where Zeek keeps
 * the last one only: hosts behind one address with two versions are told of once, not at every turn. A
 * program whose hash is that of another one on the same host, one in 2^64, is not told of. Spec: Zeek's
 * policy/protocols/smtp/software.zeek says whose a client's software is. */
#include "rule/software.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>
#include "base/memory.h"

struct known {
    uint64_t hash;
    double at;
    uint32_t next; /* in its bucket: place, plus 1 */
    bool gone;     /* out of its bucket, as it was told anew */
};

struct software_table {
    void (*tell)(void *ctx, struct software *s);
    void *ctx;
    struct known *items; /* a ring */
    uint32_t *buckets;   /* place of the first, plus 1 */
    size_t most, first, count, mask;
    uint64_t shed;
};

struct software_table *software_table_new(size_t most, void (*tell)(void *ctx, struct software *s), void *ctx)
{
    struct software_table *t = calloc(1, sizeof *t);
    memory_check(t);
    assert(most && most < UINT32_MAX);
    *t = (struct software_table){.tell = tell, .ctx = ctx, .most = most};
    size_t buckets = 1;
    while (buckets < most)
        buckets *= 2;
    t->mask = buckets - 1;
    /* What is not used yet takes no memory. */
    t->items = calloc(most, sizeof *t->items);
    t->buckets = calloc(buckets, sizeof *t->buckets);
    memory_check(t->items);
    memory_check(t->buckets);
    return t;
}

void software_table_free(struct software_table **pt)
{
    struct software_table *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    free(t->items);
    free(t->buckets);
    free(t);
}

uint64_t software_shed(const struct software_table *t)
{
    return t->shed;
}

static double seconds(struct timespec t)
{
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Where the entry of that hash hangs; *slot is 0: nowhere. */
static uint32_t *find(struct software_table *t, uint64_t hash)
{
    uint32_t *slot = &t->buckets[hash & t->mask];
    while (*slot && t->items[*slot - 1].hash != hash)
        slot = &t->items[*slot - 1].next;
    return slot;
}

static void take_out(struct software_table *t, struct known *k)
{
    uint32_t *slot = find(t, k->hash);
    assert(*slot && &t->items[*slot - 1] == k);
    *slot = k->next;
    k->gone = true;
}

/* Lets go of the oldest while they have expired, and of one more where there is no room. */
static void make_room(struct software_table *t, double now, double expires)
{
    while (t->count) {
        struct known *oldest = &t->items[t->first];
        bool over = oldest->gone || oldest->at + expires <= now;
        if (!over && t->count < t->most)
            return;
        t->shed += !over;
        if (!oldest->gone)
            take_out(t, oldest);
        t->first = (t->first + 1) % t->most;
        t->count--;
    }
}

static bool is_new(struct software_table *t, uint64_t hash, double now, double expires)
{
    uint32_t *slot = find(t, hash);
    struct known *known = *slot ? &t->items[*slot - 1] : NULL;
    /* Captures may be read in any order: what lies long before says nothing of now. */
    if (known && now < known->at + expires && now > known->at - expires)
        return false;
    if (known)
        take_out(t, known);
    make_room(t, now, expires);
    size_t place = (t->first + t->count++) % t->most;
    t->items[place] = (struct known){.hash = hash, .at = now};
    *find(t, hash) = (uint32_t)place + 1;
    return true;
}

static size_t add(uint8_t *key, size_t len, const void *bytes, size_t more)
{
    if (more)
        memcpy(key + len, bytes, more);
    return len + more;
}

static uint64_t hash_of(const struct software_table *t, const struct software *s)
{
    uint8_t key[sizeof s->host.bytes + 4 + PRODUCT_NAME + PRODUCT_VERSION];
    struct slice name = slice_sub(s->product.name, 0, PRODUCT_NAME);
    struct slice version = slice_sub(s->product.version, 0, PRODUCT_VERSION);
    const uint8_t head[3] = {s->host.family, (uint8_t)(s->host_p >> 8), (uint8_t)s->host_p};
    const uint8_t between = '\n';
    size_t len = add(key, 0, head, sizeof head);
    len = add(key, len, s->host.bytes, sizeof s->host.bytes);
    len = add(key, len, name.data, name.len);
    len = add(key, len, &between, 1);
    len = add(key, len, version.data, version.len);
    /* Seeded, as names hold what strangers write; a server's port tells it from a client. */
    return XXH3_64bits_withSeed(key, len, (uintptr_t)t);
}

static bool is_ours(const struct software_settings *set, const struct address *a)
{
    return set->scope == SOFTWARE_ALL || address_is_private(a) || networks_have(set->local_nets, a);
}

static void found(struct software_table *t, const struct software_settings *set, struct software *s)
{
    if (s->product.name.len && is_ours(set, &s->host) &&
        is_new(t, hash_of(t, s), seconds(s->ts), set->expires))
        t->tell(t->ctx, s);
}

/* Did the oldest hop hand the mail to a web site? */
static bool came_by_web(const struct transaction *t)
{
    const struct slice with =
        t->hops.len ? t->hops.items[t->hops.len - 1].line.with : (struct slice){NULL, 0};
    return slice_case_starts(with, "HTTP") ||
           slice_find(t->first_received, "via HTTP") < t->first_received.len;
}

static void client_of(struct software_table *table, const struct software_settings *set,
                      const struct transaction *t, struct timespec end)
{
    size_t oldest = t->path.len - 1;
    if (!t->agent || !t->path.len || !is_ours(set, &t->id.orig.addr))
        return;
    /* The browser is the oldest hop then, and the path's first two are the connection's ends. */
    if (t->is_webmail && t->path.len > 2 && !t->flags.path_cut && came_by_web(t))
        oldest--;
    struct software s = {.ts = end,
                         .uid = t->id.uid,
                         .host = t->path.items[oldest],
                         .software_type =
                             slice_str(t->is_webmail ? "SMTP::WEBMAIL_SERVER" : "SMTP::MAIL_CLIENT"),
                         .product = *t->agent,
                         .unparsed_version = t->user_agent};
    found(table, set, &s);
}

static void server_of(struct software_table *table, const struct software_settings *set,
                      const struct session *from, struct timespec end)
{
    struct software s = {.ts = end,
                         .uid = from->id.uid,
                         .host = from->id.resp.addr,
                         .host_p = from->id.resp.port,
                         .software_type = slice_str("SMTP::MAIL_SERVER"),
                         .product = from->server,
                         .unparsed_version = from->banner};
    found(table, set, &s);
}

void software_record(struct software_table *t, const struct software_settings *set, const struct record *rec)
{
    if (set->scope == SOFTWARE_NONE)
        return;
    if (rec->stream == &stream_smtp)
        client_of(t, set, rec->body, rec->end);
    else if (rec->stream == &stream_session)
        server_of(t, set, rec->body, rec->end);
}
