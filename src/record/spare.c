/* spare.c: drafts and MIME parsers between two mails, talks between two sessions.
 * In: those that a mail or session is done with. Out: the same ones, empty. Owns: up to SPARES_MOST of each,
 * with the memory that usual mails need. Limits: SPARES_MOST, DRAFT_KEPT, MIME_KEPT; what is over goes back
 * to the system. */
#include "record/spare.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/talk.h"
#include "record/keeping.h"

enum { DRAFT_KEPT = 2048, MIME_KEPT = 16384 }; /* bytes: of each kept reply, of a parser */

struct spares *spares_new(const struct builder_settings *set, struct charsets *cs)
{
    struct spares *s = calloc(1, sizeof *s);
    memory_check(s);
    s->set = set;
    s->cs = cs;
    s->methods = digest_methods_new(set->hash);
    if (set->store && set->store->mails)
        s->mail_methods = digest_methods_new(HASH_SHA256);
    buf_init(&s->scratch, set->transaction_bytes);
    buf_init(&s->line, set->transaction_bytes);
    arena_init(&s->mem, set->session_bytes);
    arena_init(&s->keywords, set->session_bytes);
    return s;
}

static void draft_free(struct draft *d)
{
    arena_free(&d->mem);
    text_free(&d->last_reply);
    text_free(&d->last_error);
    text_free(&d->decision);
    keeping_free(&d->keeping);
    free(d);
}

void spares_free(struct spares **ps)
{
    struct spares *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    while (s->draft_count)
        draft_free(s->drafts[--s->draft_count]);
    while (s->mime_count)
        mime_free(&s->mimes[--s->mime_count]);
    while (s->parts_count)
        parts_free(&s->parts[--s->parts_count]);
    while (s->talk_count)
        talk_free(&s->talks[--s->talk_count]);
    digest_methods_free(&s->methods);
    if (s->mail_methods)
        digest_methods_free(&s->mail_methods);
    buf_free(&s->scratch);
    buf_free(&s->line);
    arena_free(&s->mem);
    arena_free(&s->keywords);
    free(s);
}

struct draft *spares_take_draft(struct spares *s)
{
    if (s->draft_count)
        return s->drafts[--s->draft_count];
    struct draft *d = calloc(1, sizeof *d);
    memory_check(d);
    arena_init(&d->mem, s->set->transaction_bytes);
    return d;
}

void spares_give_draft(struct spares *s, struct draft *d)
{
    if (s->draft_count == SPARES_MOST) {
        draft_free(d);
        return;
    }
    arena_reset(&d->mem);
    if (d->keeping)
        keeping_drop(d->keeping);
    if (text_slice(d->last_reply).len > DRAFT_KEPT)
        text_free(&d->last_reply);
    if (text_slice(d->last_error).len > DRAFT_KEPT)
        text_free(&d->last_error);
    if (text_slice(d->decision).len > DRAFT_KEPT)
        text_free(&d->decision);
    d->next = NULL;
    d->path_done = false;
    d->names_room = 0;
    s->drafts[s->draft_count++] = d;
}

struct mime *spares_take_mime(struct spares *s, mime_fn *fn, void *ctx)
{
    if (!s->mime_count)
        return mime_new(&s->set->mime, s->cs, fn, ctx);
    struct mime *m = s->mimes[--s->mime_count];
    mime_reset(m);
    mime_tell(m, fn, ctx);
    return m;
}

void spares_give_mime(struct spares *s, struct mime *m)
{
    if (s->mime_count == SPARES_MOST || mime_memory(m) > MIME_KEPT)
        mime_free(&m);
    else
        s->mimes[s->mime_count++] = m;
}

struct parts *spares_take_parts(struct spares *s)
{
    return s->parts_count ? s->parts[--s->parts_count] : parts_new();
}

void spares_give_parts(struct spares *s, struct parts *p)
{
    parts_reset(p);
    if (s->parts_count == SPARES_MOST)
        parts_free(&p);
    else
        s->parts[s->parts_count++] = p;
}

struct talk *spares_take_talk(struct spares *s, size_t most)
{
    return s->talk_count ? s->talks[--s->talk_count] : talk_new(most);
}

void spares_give_talk(struct spares *s, struct talk **pt)
{
    struct talk *t = *pt;
    *pt = NULL;
    talk_clear(t);
    if (s->talk_count == SPARES_MOST)
        talk_free(&t);
    else
        s->talks[s->talk_count++] = t;
}
