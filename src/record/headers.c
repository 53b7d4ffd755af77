/* headers.c: header fields into the record.
 * In: MIME_HEADER events. Out: fields of struct transaction. Owns: nothing; texts go to the draft's arena.
 * Limits: the arena's budget, list_items. Knowingly: of repeated single fields the last wins, as in the
 * ancestor and Zeek. Spec: RFC 5322 3.6, RFC 2047. */
#include "record/headers.h"

#include "mail/header.h"
#include "record/authentication.h"
#include "record/heading_take.h"
#include "record/hops.h"
#include "record/people.h"

/* `text` is valid. */
struct slice draft_utf8(struct draft *d, struct slice text)
{
    return utf8_whole(arena_copy(&d->mem, text));
}

struct slice draft_text(struct draft *d, struct slice text, struct buf *scratch)
{
    return utf8_copy(&d->mem, text, scratch);
}

struct slice draft_readable(struct draft *d, struct charsets *cs, struct slice value, struct buf *scratch)
{
    struct slice ascii;
    bool words = slice_index(value, '=') < value.len;
    if (!words && arena_copy_ascii(&d->mem, value, &ascii))
        return ascii;
    if (!words && utf8_valid(value))
        return draft_utf8(d, value);
    buf_clear(scratch);
    header_text(cs, value, scratch);
    return draft_utf8(d, buf_slice(scratch));
}

bool draft_list_grow(struct draft *d, size_t most, void **items, size_t len, size_t *room, size_t size)
{
    size_t more = *room ? *room * 2 : size > 64 ? 1 : 2; /* most mails have one recipient */
    if (more > most)
        more = most;
    void *grown = NULL;
    if (more > len)
        grown = *room ? arena_grow(&d->mem, *items, *room * size, more * size)
                      : arena_alloc(&d->mem, more * size);
    if (!grown) {
        d->t.flags.truncated = true;
        return false;
    }
    *items = grown;
    *room = more;
    return true;
}

static bool list_room(struct draft *d, const struct builder_settings *set, void **items, size_t len,
                      size_t *room, size_t size)
{
    return draft_list_room(d, set->list_items, items, len, room, size);
}

bool draft_add_text(struct draft *d, const struct builder_settings *set, struct text_list *list,
                    struct slice text)
{
    if (!list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        return false;
    list->items[list->len++] = text;
    return true;
}

void draft_add_address(struct draft *d, const struct builder_settings *set, const struct address *a)
{
    struct address_list *list = &d->t.path;
    if (list->len && address_eq(&list->items[list->len - 1], a))
        return;
    if (list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        list->items[list->len++] = *a;
}

void draft_add_anomaly(struct draft *d, const struct builder_settings *set, const struct found_anomaly *a,
                       struct buf *scratch)
{
    struct anomaly_list *list = &d->t.anomalies;
    if (!list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        return;
    struct found_anomaly *kept = &list->items[list->len++];
    *kept = *a;
    kept->text = a->text.len ? draft_text(d, a->text, scratch) : (struct slice){0};
}

void draft_note_anomaly(struct draft *d, const struct builder_settings *set, const struct found_anomaly *a,
                        struct buf *scratch)
{
    bool told = d->t.flags.gap;
    for (size_t i = 0; i < d->t.anomalies.len; i++)
        told |= d->t.anomalies.items[i].which == a->which;
    if (!told)
        draft_add_anomaly(d, set, a, scratch);
}

struct recipient *draft_add_recipient(struct draft *d, const struct builder_settings *set, struct slice addr)
{
    struct recipient_list *list = &d->t.rcpt;
    if (!list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        return NULL;
    list->items[list->len] = (struct recipient){.addr = addr};
    return &list->items[list->len++];
}

void draft_add_file(struct draft *d, const struct builder_settings *set, const struct file *file)
{
    struct file_list *list = file->name.data ? &d->t.files : &d->t.parts;
    if (list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        list->items[list->len++] = *file;
}

void *draft_add_row(struct draft *d, size_t most, struct object_list *list, size_t size)
{
    if (!draft_list_room(d, most, (void **)&list->items, list->len, &list->room, size))
        return NULL;
    return (char *)list->items + list->len++ * size;
}

struct hop *draft_add_hop(struct draft *d, const struct builder_settings *set)
{
    struct hop_list *list = &d->t.hops;
    if (!draft_list_room(d, set->hop_items, (void **)&list->items, list->len, &list->room,
                         sizeof *list->items))
        return NULL;
    return &list->items[list->len++];
}

/* Mail that goes round inside of one host has not moved: 127.0.0.1, as in the ancestor, and ::1. */
static bool is_localhost(const struct address *a)
{
    static const struct address v4 = {4, {127, 0, 0, 1}}, v6 = {6, {[15] = 1}};
    return address_eq(a, &v4) || address_eq(a, &v6);
}

static void take_received(struct draft *d, const struct builder_settings *set, struct slice raw,
                          struct slice text)
{
    struct transaction *t = &d->t;
    t->second_received = t->first_received;
    t->first_received = text;
    if (!t->second_received.data)
        t->second_received = text;
    struct address hop;
    struct slice written;
    if (d->path_done || !path_received_address(raw, &hop, &written))
        return;
    if (is_localhost(&hop))
        return;
    t->received_from_originating_ip = arena_copy(&d->mem, written);
    draft_add_address(d, set, &hop);
    if (!path_goes_on(&set->path, &hop))
        d->path_done = t->flags.path_cut = true;
}

static void take_agent(struct draft *d, const struct builder_settings *set, struct slice text)
{
    d->t.user_agent = text;
    struct product found = {0};
    d->t.is_webmail = agents_of_mail(set->agents, text, &found) == AGENT_WEBMAIL;
    if (found.name.len)
        d->t.agent = arena_alloc(&d->mem, sizeof found);
    if (found.name.len && d->t.agent)
        *d->t.agent = found;
}

enum place {
    NOWHERE,
    TEXT,      /* one text */
    BRACKETED, /* what stands in angle brackets */
    WRITERS,   /* mailboxes: who the mail is from */
    READERS,   /* and who it is to */
    TO,        /* the same, and as texts */
    IDS,       /* message ids */
    URIS,
    RECEIVED,
    ORIGINATING,
    AGENT,
    AUTHENTICATION,
};

struct known {
    enum place place;
    size_t apart;  /* of the pointer to the object that the next is in; 0: that is struct transaction */
    size_t offset; /* AUTHENTICATION: enum auth_field */
    size_t beside; /* in struct transaction, a second one; 0: none */
};

#define AT(member)        0, offsetof(struct transaction, member)
#define ADDRESSES(member) offsetof(struct transaction, addresses), offsetof(struct addresses, member)
#define LIST(member)      offsetof(struct transaction, list), offsetof(struct mailing_list, member)
#define BESIDE(member)    offsetof(struct transaction, member)
static const struct known known[HEADING_COUNT] = {
    [HEADING_to] = {TO, ADDRESSES(to), BESIDE(to)},
    [HEADING_cc] = {TO, ADDRESSES(cc), BESIDE(cc)},
    [HEADING_bcc] = {READERS, ADDRESSES(bcc), 0},
    [HEADING_date] = {TEXT, AT(date), 0},
    [HEADING_from] = {WRITERS, ADDRESSES(from), BESIDE(from)},
    [HEADING_sender] = {WRITERS, ADDRESSES(sender), BESIDE(sender)},
    [HEADING_subject] = {TEXT, AT(subject), 0},
    [HEADING_list_id] = {BRACKETED, LIST(id), 0},
    [HEADING_arc_seal] = {AUTHENTICATION, 0, AUTH_ARC_SEAL, 0},
    [HEADING_reply_to] = {WRITERS, ADDRESSES(reply_to), BESIDE(reply_to)},
    [HEADING_received] = {RECEIVED, 0, 0, 0},
    [HEADING_x_mailer] = {AGENT, 0, 0, 0},
    [HEADING_list_help] = {URIS, LIST(help), 0},
    [HEADING_list_post] = {URIS, LIST(post), 0},
    [HEADING_message_id] = {TEXT, AT(msg_id), 0},
    [HEADING_user_agent] = {AGENT, 0, 0, 0},
    [HEADING_references] = {IDS, AT(references), 0},
    [HEADING_precedence] = {TEXT, LIST(precedence), 0},
    [HEADING_list_owner] = {URIS, LIST(owner), 0},
    [HEADING_in_reply_to] = {TEXT, AT(in_reply_to), 0},
    [HEADING_return_path] = {BRACKETED, AT(return_path), 0},
    [HEADING_received_spf] = {AUTHENTICATION, 0, AUTH_SPF, 0},
    [HEADING_list_archive] = {URIS, LIST(archive), 0},
    [HEADING_dkim_signature] = {AUTHENTICATION, 0, AUTH_DKIM, 0},
    [HEADING_auto_submitted] = {TEXT, AT(auto_submitted), 0},
    [HEADING_list_subscribe] = {URIS, LIST(subscribe), 0},
    [HEADING_x_originating_ip] = {ORIGINATING, 0, 0, 0},
    [HEADING_list_unsubscribe] = {URIS, LIST(unsubscribe), 0},
    [HEADING_arc_message_signature] = {AUTHENTICATION, 0, AUTH_ARC_SIGNATURE, 0},
    [HEADING_list_unsubscribe_post] = {TEXT, LIST(unsubscribe_post), 0},
    [HEADING_authentication_results] = {AUTHENTICATION, 0, AUTH_RESULTS, 0},
    [HEADING_arc_authentication_results] = {AUTHENTICATION, 0, AUTH_ARC_RESULTS, 0},
};

static void take_originating(struct draft *d, struct slice value)
{
    struct address a;
    struct slice written;
    if (path_first_address(value, &a, &written))
        d->t.x_originating_ip = arena_copy(&d->mem, written);
}

static struct slice decoded_text(struct draft *d, struct charsets *cs, const struct mime_event *ev,
                                 struct buf *scratch)
{
    return ev->decoded.len ? draft_utf8(d, ev->decoded) : draft_readable(d, cs, ev->value, scratch);
}

void *draft_apart(struct draft *d, size_t offset, size_t size)
{
    void *place = (char *)&d->t + offset, *object;
    memcpy(&object, place, sizeof object);
    if (!object) {
        object = arena_alloc(&d->mem, size);
        memcpy(place, &object, sizeof object);
    }
    return object;
}

/* NULL where there is no room for it. */
static void *member_of(struct draft *d, const struct known *k)
{
    if (!k->apart)
        return (char *)&d->t + k->offset;
    bool list = k->apart == offsetof(struct transaction, list);
    char *object = draft_apart(d, k->apart, list ? sizeof *d->t.list : sizeof *d->t.addresses);
    return object ? object + k->offset : NULL;
}

void headers_take(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                  const struct mime_event *ev, struct buf *scratch)
{
    heading_take_name(d, set, cs, ev, scratch);
    const struct known *k = &known[ev->heading];
    if (!k->place)
        return;
    void *member = member_of(d, k), *beside = (char *)&d->t + k->beside;
    struct slice text;
    if (!member)
        return;
    switch (k->place) {
    case NOWHERE:
        break;
    case TEXT:
        *(struct slice *)member = decoded_text(d, cs, ev, scratch);
        break;
    case BRACKETED:
        *(struct slice *)member = heading_bracketed(d, cs, ev, scratch);
        break;
    case WRITERS:
        *(struct slice *)beside = decoded_text(d, cs, ev, scratch);
        *(struct mailbox_list *)member = (struct mailbox_list){0}; /* like that text, the last one counts */
        people_take(d, set, cs, ev, member, NULL, true, scratch);
        break;
    case TO:
    case READERS:
        people_take(d, set, cs, ev, member, k->place == TO ? beside : NULL, false, scratch);
        break;
    case IDS:
        heading_take_ids(d, set, ev, member, scratch);
        break;
    case URIS:
        heading_take_uris(d, set, ev, member, scratch);
        break;
    case RECEIVED:
        text = draft_readable(d, cs, ev->value, scratch);
        take_received(d, set, ev->value, text);
        hops_take(d, set, ev->value, text, scratch);
        break;
    case ORIGINATING:
        take_originating(d, ev->value);
        break;
    case AGENT:
        take_agent(d, set, draft_readable(d, cs, ev->value, scratch));
        break;
    case AUTHENTICATION:
        authentication_take(d, set, (enum auth_field)k->offset, ev->value, scratch);
        break;
    }
}
