/* parts.c: the parts of a mail as files of its record.
 * In: MIME events. Out: rows of `files`. Owns: of each open part its first bytes and its hashes; texts go to
 * the draft's arena. Limits: head_bytes, list_items, the arena's budget. Knowingly: a part with a gap or
 * without a byte has no hash. Spec: RFC 2045, RFC 2183. */
#include "record/parts.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/disguise.h"
#include "mail/sniff.h"
#include "record/digest.h"
#include "record/inside.h"
#include "record/spare.h"

struct open_part {
    uint32_t depth;
    bool hashed, lacks; /* bytes are missing */
    int fd;             /* in the store, or -1 */
    uint64_t stored;    /* its number there */
    uint64_t bytes;     /* told so far */
    uint64_t at;        /* place of its first byte in the mail */
    struct buf head;
    struct digest *digest; /* made when one is first needed */
    struct attached attached;
};

/* Attached mails in one another, and a leaf in them: what is open stands in what is open before it. */
struct parts {
    struct inside *inside; /* made when the first part begins */
    struct open_part *open;
    uint32_t len, room;
    const struct part_store *store; /* of what is open; may be NULL */
    bool disguised;                 /* type_disguised was told of this mail */
    bool lost;                      /* what the next part begins with may be missing too */
};

enum { KEPT = 2, HASHED_AT_ONCE = 4 };

struct parts *parts_new(void)
{
    struct parts *p = calloc(1, sizeof *p);
    memory_check(p);
    return p;
}

static void shrink(struct parts *p, uint32_t room)
{
    for (; p->room > room; p->room--) {
        buf_free(&p->open[p->room - 1].head);
        digest_free(&p->open[p->room - 1].digest);
    }
}

void parts_free(struct parts **pp)
{
    struct parts *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    parts_reset(p);
    shrink(p, 0);
    inside_free(&p->inside);
    free(p->open);
    free(p);
}

/* Of no more use: the file is gone. */
static void drop_file(struct parts *p, struct open_part *o)
{
    if (o->fd >= 0)
        p->store->close(p->store->ctx, o->fd, o->stored, false);
    o->fd = -1;
}

void parts_reset(struct parts *p)
{
    for (uint32_t i = 0; i < p->len; i++)
        drop_file(p, &p->open[i]);
    p->len = 0;
    p->disguised = p->lost = false;
    shrink(p, KEPT);
    if (p->inside)
        inside_reset(p->inside);
}

static struct open_part *push(struct parts *p, const struct builder_settings *set)
{
    if (p->len == p->room) {
        p->open = realloc(p->open, (p->room + 1) * sizeof *p->open);
        memory_check(p->open);
        p->open[p->room] = (struct open_part){0};
        buf_init(&p->open[p->room].head, set->mime.head_bytes);
        p->room++;
    }
    return &p->open[p->len++];
}

static struct open_part *find(struct parts *p, uint32_t depth)
{
    for (uint32_t i = p->len; i-- > 0;)
        if (p->open[i].depth == depth)
            return &p->open[i];
    return NULL;
}

/* Each byte is in all attached mails that are open. */
static bool is_mail(struct slice type)
{
    return slice_case_starts(type, "message/");
}

/* The texts that a mail program shows are no files. */
static bool is_kept(const struct mime_event *ev)
{
    return ev->filename.data || ev->disposition.len ||
           !(slice_case_starts(ev->type, "text/") || slice_case_starts(ev->type, "multipart/"));
}

/* The next bytes of its file. */
static void store(struct parts *p, struct open_part *o, struct slice bytes)
{
    const struct part_store *to = p->store;
    o->bytes += bytes.len;
    if (o->fd < 0)
        return;
    bool fits = o->bytes <= to->most;
    if (!fits)
        to->over(to->ctx);
    if (!fits || !to->add(to->ctx, o->fd, bytes))
        drop_file(p, o);
}

static void begin(struct parts *p, struct draft *d, struct spares *with, struct mime *m,
                  const struct mime_event *ev)
{
    struct open_part *o = push(p, with->set);
    o->depth = ev->depth;
    o->at = ev->at;
    o->lacks = ev->cut || p->lost;
    p->lost = false;
    o->hashed = with->set->hash != HASH_NONE && !o->lacks && (p->len <= HASHED_AT_ONCE || !is_mail(ev->type));
    o->attached = (struct attached){0};
    o->fd = -1;
    o->bytes = 0;
    p->store = with->set->store;
    if (p->store && p->store->parts && o->hashed && is_kept(ev))
        o->fd = p->store->open(p->store->ctx, &o->stored);
    buf_clear(&o->head);
    if (o->hashed && !o->digest)
        o->digest = digest_new();
    if (o->hashed)
        digest_begin(o->digest, with->methods, true);
    if (!p->inside)
        p->inside = inside_new(with->set);
    enum mime_want inside = inside_begin(p->inside, d, with, ev);
    mime_bodies(m, o->hashed || inside == WANT_ALL ? WANT_ALL : WANT_HEAD);
}

static void lack(struct parts *p, struct open_part *o)
{
    o->hashed = false;
    o->lacks = true;
    drop_file(p, o);
}

void parts_lack(struct parts *p)
{
    p->lost = true;
    for (uint32_t i = 0; i < p->len; i++)
        lack(p, &p->open[i]);
}

static void body(struct parts *p, struct open_part *o, struct mime *m, const struct mime_event *ev)
{
    if (ev->cut) {
        lack(p, o);
        mime_bodies(m, WANT_NONE);
        return;
    }
    if (!o->lacks && o->head.len < o->head.max)
        buf_add(&o->head, ev->value);
    if (o->hashed)
        digest_add(o->digest, ev->value);
    store(p, o, ev->value);
}

/* What is in them, whatever became of the rest. */
static void look_inside(struct parts *p, const struct open_part *o, struct draft *d, struct spares *with,
                        struct mime *m, const struct mime_event *ev)
{
    if (inside_body(p->inside, d, with, ev) == WANT_ALL)
        mime_bodies(m, WANT_ALL);
    else if (!o->hashed && !o->lacks)
        mime_bodies(m, WANT_HEAD);
}

/* Those that a record has of its own mail too; of each the first counts. */
static void attached_header(struct open_part *o, struct draft *d, struct spares *with,
                            const struct mime_event *ev)
{
    struct slice *to = NULL;
    if (slice_case_eq(ev->name, slice_str("from")))
        to = &o->attached.from;
    else if (slice_case_eq(ev->name, slice_str("subject")))
        to = &o->attached.subject;
    else if (slice_case_eq(ev->name, slice_str("message-id")))
        to = &o->attached.msg_id;
    if (to && !to->data)
        *to = draft_readable(d, with->cs, ev->value, &with->scratch);
}

static void take_hashes(struct file *file, struct open_part *o, struct draft *d)
{
    struct slice *to[DIGESTS] = {&file->md5, &file->sha1, &file->sha256};
    digest_end(o->digest);
    for (int i = 0; i < DIGESTS; i++) {
        struct slice hex = digest_hex(o->digest, (enum digest_index)i);
        if (hex.len)
            *to[i] = arena_copy(&d->mem, hex);
    }
    file->entropy = (struct interval){digest_entropy(o->digest), true};
}

static struct slice text_of(struct draft *d, struct slice text, struct buf *scratch)
{
    return text.len ? draft_text(d, text, scratch) : (struct slice){0};
}

static void take_anomalies(struct draft *d, struct file *file, anomaly_set odd)
{
    size_t count = (size_t)__builtin_popcountll(odd);
    struct slice *items = count ? arena_alloc(&d->mem, count * sizeof *items) : NULL;
    if (!items)
        return;
    file->anomalies = (struct text_list){items, 0, count};
    for (unsigned i = 0; i < ANOMALY_COUNT; i++)
        if (odd & anomaly_bit((enum anomaly)i))
            items[file->anomalies.len++] = slice_str(anomaly_name((enum anomaly)i));
}

/* What only its bytes show. */
static anomaly_set judge(struct parts *p, const struct open_part *o, struct draft *d, struct spares *with,
                         const struct mime_event *ev, const char *seen)
{
    if (o->lacks || !disguise_type(ev->filename, ev->type, seen))
        return 0;
    if (!p->disguised)
        draft_add_anomaly(d, with->set,
                          &(struct found_anomaly){ANOMALY_type_disguised, o->at, slice_str(seen)},
                          &with->scratch);
    p->disguised = true;
    return anomaly_bit(ANOMALY_type_disguised);
}

static void end(struct parts *p, struct open_part *o, struct draft *d, struct spares *with,
                const struct mime_event *ev)
{
    struct buf *scratch = &with->scratch;
    struct file file = {.size = ev->size,
                        .part = d->t.files.len + d->t.parts.len,
                        .depth = ev->depth,
                        .attached = o->attached};
    const char *seen = sniff_type(buf_slice(&o->head));
    if (ev->filename.data)
        file.name = draft_text(d, ev->filename, scratch);
    if (ev->raw_filename.len && !slice_eq(ev->raw_filename, ev->filename))
        file.name_raw = draft_text(d, ev->raw_filename, scratch);
    file.type = draft_text(d, ev->type, scratch);
    file.mime_type = seen ? slice_str(seen) : (struct slice){0};
    file.disposition = text_of(d, ev->disposition, scratch);
    file.encoding = text_of(d, ev->encoding, scratch);
    if (o->hashed && ev->size)
        take_hashes(&file, o, d);
    if (o->fd >= 0 && ev->size) {
        p->store->close(p->store->ctx, o->fd, o->stored, true);
        file.stored = o->stored;
        o->fd = -1;
    }
    drop_file(p, o);
    take_anomalies(d, &file, ev->anomalies | judge(p, o, d, with, ev, seen));
    inside_end(p->inside, d, with, &file);
    draft_add_file(d, with->set, &file);
}

void parts_mime(struct parts *p, struct draft *d, struct spares *with, struct mime *m,
                const struct mime_event *ev)
{
    struct open_part *o = ev->kind == MIME_PART_BEGIN ? NULL : find(p, ev->depth);
    if (ev->kind == MIME_PART_BEGIN)
        begin(p, d, with, m, ev);
    else if (o && ev->kind == MIME_BODY) {
        body(p, o, m, ev);
        look_inside(p, o, d, with, m, ev);
    } else if (o && ev->kind == MIME_ATTACHED_HEADER)
        attached_header(o, d, with, ev);
    if (!o || ev->kind != MIME_PART)
        return;
    end(p, o, d, with, ev);
    p->len = (uint32_t)(o - p->open);
}
