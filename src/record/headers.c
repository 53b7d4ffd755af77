/* headers.c: header fields into the record.
 * In: MIME_HEADER events. Out: fields of struct transaction. Owns: nothing; texts go to the draft's arena.
 * Limits: the arena's budget, list_items. Knowingly: of repeated single fields the last wins, as in the
 * ancestor and Zeek. Spec: RFC 5322 3.6, RFC 2047. */
#include "record/headers.h"

#include "mail/header.h"
#include "record/hops.h"

/* `text` is valid. */
static struct slice draft_utf8(struct draft *d, struct slice text)
{
    return utf8_whole(arena_copy(&d->mem, text));
}

struct slice draft_text(struct draft *d, struct slice text, struct buf *scratch)
{
    if (!utf8_valid(text)) {
        buf_clear(scratch);
        utf8_read(text, scratch);
        text = buf_slice(scratch);
    }
    return draft_utf8(d, text);
}

struct slice headers_text(struct draft *d, struct charsets *cs, struct slice value, struct buf *scratch)
{
    bool words = slice_index(value, '=') < value.len;
    if (!words && utf8_valid(value))
        return draft_utf8(d, value);
    buf_clear(scratch);
    header_text(cs, value, scratch);
    return draft_utf8(d, buf_slice(scratch));
}

/* Doubles a list of up to `most` in the arena; false where a limit is reached. */
static bool list_grow(struct draft *d, size_t most, void **items, size_t len, size_t *room, size_t size)
{
    if (len < *room)
        return true;
    size_t more = *room ? *room * 2 : size > 64 ? 1 : 4; /* most mails have one recipient */
    if (more > most)
        more = most;
    void *grown = more > len ? arena_alloc(&d->mem, more * size) : NULL;
    if (!grown) {
        d->t.flags.truncated = true;
        return false;
    }
    if (len)
        memcpy(grown, *items, len * size);
    *items = grown;
    *room = more;
    return true;
}

static bool list_room(struct draft *d, const struct builder_settings *set, void **items, size_t len,
                      size_t *room, size_t size)
{
    return list_grow(d, set->list_items, items, len, room, size);
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
    struct file_list *list = &d->t.files;
    if (list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        list->items[list->len++] = *file;
}

void *draft_add_row(struct draft *d, size_t most, struct object_list *list, size_t size)
{
    if (!list_grow(d, most, (void **)&list->items, list->len, &list->room, size))
        return NULL;
    return (char *)list->items + list->len++ * size;
}

struct hop *draft_add_hop(struct draft *d, const struct builder_settings *set)
{
    struct hop_list *list = &d->t.hops;
    if (!list_grow(d, set->hop_items, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        return NULL;
    return &list->items[list->len++];
}

static void take_addresses(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                           struct text_list *list, struct slice value, struct buf *scratch)
{
    struct slice element;
    while (header_address_next(&value, &element)) {
        if (!draft_add_text(d, set, list, headers_text(d, cs, element, scratch)))
            break;
    }
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

static bool is_webmail(struct slice agent)
{
    static const char *const starts[] = {"iPlanet Messenger",   "Sun Java(tm) System Messenger Express",
                                         "SquirrelMail",        "NeoMail",
                                         "Roundcube",           "RainLoop",
                                         "SnappyMail",          "SOGoMail",
                                         "Open-Xchange Mailer", "Horde"};
    static const char *const parts[] = {"(IMP)", "ZimbraWebClient", "Internet Messaging Program"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (slice_case_starts(agent, starts[i]))
            return true;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (slice_find(agent, parts[i]) < agent.len)
            return true;
    return false;
}

static void take_agent(struct draft *d, struct slice text)
{
    d->t.user_agent = text;
    d->t.is_webmail = is_webmail(text);
}

enum place { TEXT, LIST, RECEIVED, ORIGINATING, AGENT };

#define NAME(text)                                                                                           \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }
static const struct {
    struct slice name;
    enum place place;
    size_t offset; /* TEXT, LIST: in struct transaction */
} fields[] = {
    {NAME("date"), TEXT, offsetof(struct transaction, date)},
    {NAME("from"), TEXT, offsetof(struct transaction, from)},
    {NAME("to"), LIST, offsetof(struct transaction, to)},
    {NAME("cc"), LIST, offsetof(struct transaction, cc)},
    {NAME("reply-to"), TEXT, offsetof(struct transaction, reply_to)},
    {NAME("message-id"), TEXT, offsetof(struct transaction, msg_id)},
    {NAME("in-reply-to"), TEXT, offsetof(struct transaction, in_reply_to)},
    {NAME("subject"), TEXT, offsetof(struct transaction, subject)},
    {NAME("received"), RECEIVED, 0},
    {NAME("x-originating-ip"), ORIGINATING, 0},
    {NAME("user-agent"), AGENT, 0},
    {NAME("x-mailer"), AGENT, 0},
};

static void take_originating(struct draft *d, struct slice value)
{
    struct address a;
    struct slice written;
    if (path_first_address(value, &a, &written))
        d->t.x_originating_ip = arena_copy(&d->mem, written);
}

void headers_take(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                  const struct mime_event *ev, struct buf *scratch)
{
    size_t i = 0, count = sizeof fields / sizeof *fields;
    while (i < count && !slice_case_eq(ev->name, fields[i].name))
        i++;
    if (i == count)
        return;
    void *member = (char *)&d->t + fields[i].offset;
    switch (fields[i].place) {
    case TEXT:
        *(struct slice *)member =
            ev->decoded.len ? draft_utf8(d, ev->decoded) : headers_text(d, cs, ev->value, scratch);
        break;
    case LIST:
        take_addresses(d, set, cs, member, ev->value, scratch);
        break;
    case RECEIVED: {
        struct slice text = headers_text(d, cs, ev->value, scratch);
        take_received(d, set, ev->value, text);
        hops_take(d, set, ev->value, text, scratch);
        break;
    }
    case ORIGINATING:
        take_originating(d, ev->value);
        break;
    case AGENT:
        take_agent(d, headers_text(d, cs, ev->value, scratch));
        break;
    }
}
