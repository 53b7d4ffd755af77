/* urls.c: URLs of a mail, each once.
 * In: struct url_event. Out: the record's urls. Owns: a table of hashes; texts go to the draft's arena.
 * Limits: url_items, url_bytes, the arena's budget. Knowingly: of those that stand in several parts the first
 * counts. */
#include "record/urls.h"

#include <stdlib.h>
#include "base/memory.h"
#include "record/spare.h"

enum { SLOTS_FIRST = 64, SLOTS_KEPT = 1024, HOST_BYTES = 4096 };

void urls_reset(struct urls *u)
{
    if (u->room > SLOTS_KEPT) {
        free(u->slots);
        u->slots = NULL;
        u->room = 0;
    }
    if (u->slots)
        memset(u->slots, 0, u->room * sizeof *u->slots);
    u->last = u->labels = 0;
    u->full = u->label_told = false;
}

void urls_free(struct urls *u)
{
    free(u->slots);
    buf_free(&u->ascii);
    buf_free(&u->unicode);
    buf_free(&u->inner);
}

static uint32_t hash_of(struct slice text)
{
    uint32_t h = 0x811c9dc5;
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ text.data[i]) * 0x01000193;
    return h ^ h >> 15;
}

/* The place where it is, or where it belongs. */
static uint32_t *slot_of(const struct urls *u, const struct url_list *list, struct slice url)
{
    size_t at = hash_of(url);
    for (;; at++) {
        uint32_t *slot = &u->slots[at & (u->room - 1)];
        if (!*slot || slice_eq(list->items[*slot - 1].url, url))
            return slot;
    }
}

/* At most half of them are in use. */
static void make_room(struct urls *u, const struct url_list *list)
{
    if (u->room && list->len < u->room / 2)
        return;
    size_t room = u->room ? u->room * 2 : SLOTS_FIRST;
    free(u->slots);
    u->slots = calloc(room, sizeof *u->slots);
    memory_check(u->slots);
    u->room = room;
    for (size_t i = 0; i < list->len; i++)
        *slot_of(u, list, list->items[i].url) = (uint32_t)i + 1;
}

static struct slice text_of(struct draft *d, struct slice text, struct buf *scratch)
{
    return text.len ? draft_text(d, text, scratch) : (struct slice){0};
}

/* What it leads to, where it is wrapped. */
static void take_target(struct urls *u, struct draft *d, struct spares *with, struct slice raw,
                        struct url *to)
{
    u->inner.max = with->set->url_bytes;
    if (!url_unwrap(raw, &u->inner))
        return;
    to->unwrapped = draft_text(d, buf_slice(&u->inner), &with->scratch);
    if (url_host(buf_slice(&u->inner), &u->ascii, &u->unicode))
        to->unwrapped_host = text_of(d, buf_slice(&u->ascii), &with->scratch);
}

/* A row for it; 0: there is no room. Its host is in the bufs. */
static uint32_t add(struct urls *u, struct draft *d, struct spares *with, const struct url_event *ev)
{
    struct url_list *list = &d->t.urls;
    struct url *to = draft_add_row(d, with->set->url_items, (struct object_list *)list, sizeof *to);
    if (!to) {
        u->full = true;
        return 0;
    }
    d->t.flags.truncated |= ev->cut;
    to->url = draft_text(d, ev->text, &with->scratch);
    to->host = text_of(d, buf_slice(&u->ascii), &with->scratch);
    to->host_unicode = text_of(d, buf_slice(&u->unicode), &with->scratch);
    to->source = slice_str(ev->source == URL_OF_HTML ? "html" : "text");
    to->part = u->part;
    take_target(u, d, with, ev->text, to);
    return (uint32_t)list->len;
}

static void found(struct urls *u, struct draft *d, struct spares *with, const struct url_event *ev)
{
    struct slice text = ev->text;
    if (ev->source == URL_OF_HTML)
        u->last = 0;
    if (u->full)
        return;
    if (!utf8_valid(text)) {
        buf_clear(&u->inner);
        utf8_read(text, &u->inner);
        text = buf_slice(&u->inner);
    }
    make_room(u, &d->t.urls);
    uint32_t *slot = slot_of(u, &d->t.urls, text);
    /* Its host is looked at once, however often it comes. */
    if (!*slot && url_host(ev->text, &u->ascii, &u->unicode))
        *slot = add(u, d, with, ev);
    if (ev->source == URL_OF_HTML)
        u->last = *slot;
}

/* As many are compared as URLs are kept: it takes long with names that are no ASCII. */
static void label(struct urls *u, struct draft *d, struct spares *with, struct slice text, uint64_t at)
{
    if (!u->last || d->t.urls.items[u->last - 1].text.data)
        return;
    if (u->labels++ >= with->set->url_items) {
        d->t.flags.truncated = true;
        return;
    }
    struct url *link = &d->t.urls.items[u->last - 1];
    if (!url_label_other(text, link->host, link->unwrapped_host, &u->ascii, &u->unicode))
        return;
    link->text = draft_text(d, text, &with->scratch);
    if (!u->label_told)
        draft_add_anomaly(d, with->set, &(struct found_anomaly){ANOMALY_link_text_other, at, link->text},
                          &with->scratch);
    u->label_told = true;
}

void urls_take(struct urls *u, struct draft *d, struct spares *with, const struct url_event *ev, uint64_t at)
{
    u->ascii.max = u->unicode.max = HOST_BYTES;
    u->inner.max = with->set->url_bytes * 3; /* a byte may become one of three */
    if (ev->kind == URL_FOUND)
        found(u, d, with, ev);
    else
        label(u, d, with, ev->text, at);
}
