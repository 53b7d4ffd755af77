/* rollup.c: sums by minute and by hour, as they are counted.
 * In: records with their ids. Out: sums under way. Owns: the sums of a transaction. Limits: SUMS_KEY_EDGES
 * of a mail's way; keys of SUMS_KEY bytes. */
#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>
#include "base/memory.h"
#include "record/notice.h"
#include "store/rollup_parts.h"
#include "view/sums_key.h"

enum { LEAST_SLOTS = 1024 };
static const int64_t minute_us = 60000000, hour_us = 3600000000;

const char *const rollup_names[ROLLUP_DIMENSIONS] = {
#define DIMENSION(index, name, doc) name,
#include "store/dimensions.def"
#undef DIMENSION
};

uint64_t rollup_hash(const struct rollup *r, size_t dimension, size_t hour, struct slice key)
{
    return XXH3_64bits_withSeed(key.data, key.len, r->seed + dimension * ROLLUP_HOURS + hour);
}

int rollup_open(sqlite3 *db, int32_t day, uint64_t keys, struct rollup **ret, struct error *reterr)
{
    struct rollup *r = calloc(1, sizeof *r);
    memory_check(r);
    *ret = r;
    r->db = db;
    r->day = day;
    r->most = keys;
    r->slot_count = LEAST_SLOTS;
    r->slots = calloc(r->slot_count, sizeof *r->slots);
    memory_check(r->slots);
    if (getrandom(&r->seed, sizeof r->seed, GRND_NONBLOCK) < 0)
        r->seed = (uintptr_t)r;
    rollup_forget(r);
    return rollup_prepare(r, reterr);
}

void rollup_free(struct rollup **pr)
{
    struct rollup *r = *pr;
    *pr = NULL;
    if (!r)
        return;
    sqlite3_finalize(r->minute_stmt);
    sqlite3_finalize(r->update);
    sqlite3_finalize(r->insert);
    sqlite3_finalize(r->keys);
    rollup_forget(r);
    line_free(&r->texts);
    free(r->sums);
    free(r->slots);
    free(r);
}

void rollup_clear(struct rollup *r)
{
    for (size_t i = 0; i < r->dirty_count; i++)
        r->minutes[r->dirty[i]] = (struct minute){0};
    r->dirty_count = 0;
    if (r->sum_count)
        memset(r->slots, 0, r->slot_count * sizeof *r->slots);
    r->sum_count = 0;
    line_clear(&r->texts);
}

static void forget(struct known *k)
{
    keyset_free(&k->keys);
    *k = (struct known){.hour = ROLLUP_NO_HOUR};
}

void rollup_forget(struct rollup *r)
{
    rollup_clear(r);
    for (size_t d = 0; d < ROLLUP_DIMENSIONS; d++)
        for (size_t i = 0; i < ROLLUP_RECENT; i++)
            forget(&r->known[d][i]);
}

static struct minute *minute_of(struct rollup *r, int64_t id)
{
    size_t at = (size_t)(id / minute_us - (int64_t)r->day * ROLLUP_MINUTES);
    assert(at < ROLLUP_MINUTES);
    struct minute *m = &r->minutes[at];
    if (!m->dirty)
        r->dirty[r->dirty_count++] = (uint16_t)at;
    m->dirty = true;
    return m;
}

static void grow_slots(struct rollup *r)
{
    r->slot_count *= 2;
    free(r->slots);
    r->slots = calloc(r->slot_count, sizeof *r->slots);
    memory_check(r->slots);
    for (size_t i = 0; i < r->sum_count; i++) {
        size_t at = r->sums[i].hash & (r->slot_count - 1);
        while (r->slots[at])
            at = (at + 1) & (r->slot_count - 1);
        r->slots[at] = (uint32_t)i + 1;
    }
}

static bool is_key(const struct rollup *r, const struct sum *s, struct slice key)
{
    return s->key_len == key.len && memcmp(r->texts.data + s->key_at, key.data, key.len) == 0;
}

/* The row of a key, which is made where there is none. `key` must not be in `texts`. */
static struct sum *sum_of(struct rollup *r, enum rollup_dimension dimension, size_t hour, struct slice key)
{
    uint64_t hash = rollup_hash(r, dimension, hour, key);
    size_t at = hash & (r->slot_count - 1);
    for (; r->slots[at]; at = (at + 1) & (r->slot_count - 1)) {
        struct sum *s = &r->sums[r->slots[at] - 1];
        if (s->hash == hash && s->dimension == dimension && s->hour == hour && is_key(r, s, key))
            return s;
    }
    if (r->sum_count == r->sum_room) {
        r->sum_room = r->sum_room ? 2 * r->sum_room : LEAST_SLOTS;
        r->sums = reallocarray(r->sums, r->sum_room, sizeof *r->sums);
        memory_check(r->sums);
    }
    struct sum *s = &r->sums[r->sum_count++];
    *s = (struct sum){.hash = hash,
                      .key_at = r->texts.len,
                      .key_len = (uint16_t)key.len,
                      .dimension = (uint8_t)dimension,
                      .hour = (uint8_t)hour};
    line_add(&r->texts, key);
    r->slots[at] = (uint32_t)r->sum_count;
    if (r->sum_count * 2 > r->slot_count)
        grow_slots(r);
    return s;
}

/* What a record adds to each of its rows. */
struct share {
    struct rollup *r;
    size_t hour;
    const struct transaction *mail; /* NULL: it is none */
};

/* Sums of a day stay within 64 bits. */
static int64_t bytes_of(const struct transaction *mail)
{
    const uint64_t most = UINT64_C(1) << 38;
    return (int64_t)(mail->message_bytes < most ? mail->message_bytes : most);
}

static struct sum *add(const struct share *s, enum rollup_dimension dimension, const struct sums_key *k)
{
    if (!k->len)
        return NULL;
    struct sum *sum = sum_of(s->r, dimension, s->hour, (struct slice){k->bytes, k->len});
    if (sum->last == s->r->serial)
        return sum;
    sum->last = s->r->serial;
    sum->mails++;
    if (!s->mail)
        return sum;
    sum->accepted += slice_eq(s->mail->disposition, slice_str("accepted"));
    sum->rejected += slice_eq(s->mail->disposition, slice_str("rejected"));
    sum->deferred += slice_eq(s->mail->disposition, slice_str("deferred"));
    sum->tls += s->mail->tls;
    sum->bytes += bytes_of(s->mail);
    if (dimension != ROLLUP_RECIPIENT)
        sum->recipients += (int64_t)s->mail->rcptto.len;
    return sum;
}

static void add_text(const struct share *s, enum rollup_dimension dimension, struct slice text)
{
    struct sums_key k;
    k.len = 0;
    sums_key_add(&k, text);
    add(s, dimension, &k);
}

static struct slice text_of(const struct address *a, char text[static ADDRESS_TEXT])
{
    size_t len = address_text(a, text);
    return (struct slice){(const uint8_t *)text, len};
}

static void add_address(const struct share *s, enum rollup_dimension dimension, const struct address *a)
{
    char text[ADDRESS_TEXT];
    add_text(s, dimension, text_of(a, text));
}

static void add_recipients(const struct share *s)
{
    for (size_t i = 0; i < s->mail->rcptto.len; i++) {
        struct sums_key k;
        sums_key_domain(&k, s->mail->rcptto.items[i]);
        struct sum *sum = add(s, ROLLUP_RECIPIENT, &k);
        if (sum)
            sum->recipients++;
    }
}

static void add_reason(const struct share *s)
{
    const struct decision *d = &s->mail->reply;
    struct sums_key k;
    sums_key_reason(&k, s->mail->disposition, d->enhanced, d->code, d->stage);
    add(s, ROLLUP_REASON, &k);
}

static void add_edge(const struct share *s, const struct sums_key *k, const struct interval *delay)
{
    struct sum *sum = add(s, ROLLUP_RELAY, k);
    if (!sum || !delay || !delay->known || !(delay->seconds >= 0))
        return;
    sum->delay += delay->seconds;
    sum->delays++;
}

/* The hops are the newest first; the last edge is what was captured. */
static void add_way(const struct share *s)
{
    const struct hop_list *hops = &s->mail->hops;
    const struct slice none = {0};
    char from[ADDRESS_TEXT], to[ADDRESS_TEXT];
    struct sums_key k;
    for (size_t i = 0; i < hops->len && i < SUMS_KEY_EDGES; i++) {
        const struct received *line = &hops->items[i].line;
        const struct sums_key_end a = {line->from_rdns, line->from_helo, text_of(&line->from_ip, from)};
        const struct sums_key_end b = {line->by, none, text_of(&line->by_ip, to)};
        if (sums_key_edge(&k, &a, &b))
            add_edge(s, &k, &hops->items[i].delay);
    }
    const struct sums_key_end a = {hops->len ? hops->items[0].line.by : none, s->mail->helo,
                                   text_of(&s->mail->id.orig.addr, from)};
    const struct sums_key_end b = {none, none, text_of(&s->mail->id.resp.addr, to)};
    sums_key_edge(&k, &a, &b);
    add_edge(s, &k, NULL);
}

static void count_mail(struct minute *m, const struct transaction *mail)
{
    static const char *const names[] = {"accepted", "rejected", "deferred", "aborted"};
    size_t what = 0;
    while (what < 4 && !slice_eq(mail->disposition, slice_str(names[what])))
        what++;
    m->counts[MAILS]++;
    m->counts[ACCEPTED + what]++;
    m->counts[TLS] += mail->tls;
    m->counts[RECIPIENTS] += (int64_t)mail->rcptto.len;
    m->counts[BYTES] += bytes_of(mail);
}

static void add_mail(const struct share *s)
{
    const struct transaction *mail = s->mail;
    char asn[24];
    add_address(s, ROLLUP_CLIENT, &mail->id.orig.addr);
    add_address(s, ROLLUP_SERVER, &mail->id.resp.addr);
    struct sums_key sender;
    sums_key_domain(&sender, mail->mailfrom);
    add(s, ROLLUP_SENDER, &sender);
    add_recipients(s);
    if (mail->origin) {
        snprintf(asn, sizeof asn, "%llu", (unsigned long long)mail->origin->asn);
        add_text(s, ROLLUP_COUNTRY, mail->origin->country);
        add_text(s, ROLLUP_ASN, mail->origin->asn ? slice_str(asn) : (struct slice){0});
    }
    add_reason(s);
    if (mail->agent)
        add_text(s, ROLLUP_AGENT, mail->agent->name);
    add_text(s, ROLLUP_SENSOR, mail->sensor);
    add_way(s);
}

static void add_session(const struct share *s, const struct session *session)
{
    struct slice version = session->ssl.version;
    add_text(s, ROLLUP_TLS_VERSION, version.len ? version : slice_str(session->tls ? "unknown" : "none"));
}

void rollup_add(struct rollup *r, const struct record *rec, int64_t id)
{
    struct share s = {r, (size_t)(id / hour_us - (int64_t)r->day * ROLLUP_HOURS), NULL};
    assert(s.hour < ROLLUP_HOURS);
    r->serial++;
    if (rec->stream == &stream_smtp) {
        s.mail = rec->body;
        count_mail(minute_of(r, id), s.mail);
        add_mail(&s);
    } else if (rec->stream == &stream_session) {
        minute_of(r, id)->counts[SESSIONS]++;
        add_session(&s, rec->body);
    } else if (rec->stream == &stream_notice) {
        const struct notice *n = rec->body;
        minute_of(r, id)->counts[NOTICES]++;
        add_text(&s, ROLLUP_LIST, n->list);
        add_text(&s, ROLLUP_NOTE, n->note);
    }
}
