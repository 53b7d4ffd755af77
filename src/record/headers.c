/* headers.c: header fields into the record.
 * In: MIME_HEADER events. Out: fields of struct transaction. Owns: nothing; texts go to the draft's arena.
 * Limits: the arena's budget, list_items. Knowingly: of repeated single fields the last wins, as in the ancestor and Zeek.
 * Spec: RFC 5322 3.6, RFC 2047. */
#include "record/headers.h"

#include "mail/header.h"

struct slice draft_text(struct draft *d, struct slice text, struct buf *scratch)
{
    if (!utf8_valid(text)) {
        buf_clear(scratch);
        utf8_clean(text, scratch);
        text = buf_slice(scratch);
    }
    return arena_copy(&d->mem, text);
}

/* Doubles a list in the arena; false where a limit is reached. */
static bool list_room(struct draft *d, const struct builder_settings *set, void **items, size_t len, size_t *room, size_t size)
{
    if (len < *room)
        return true;
    size_t more = *room ? *room * 2 : 4;
    if (more > set->list_items)
        more = set->list_items;
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

void draft_add_text(struct draft *d, const struct builder_settings *set, struct text_list *list, struct slice text)
{
    if (list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        list->items[list->len++] = text;
}

void draft_add_address(struct draft *d, const struct builder_settings *set, const struct address *a)
{
    struct address_list *list = &d->t.path;
    if (list->len && address_eq(&list->items[list->len - 1], a))
        return;
    if (list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        list->items[list->len++] = *a;
}

void draft_add_file(struct draft *d, const struct builder_settings *set, const struct file *file)
{
    struct file_list *list = &d->t.files;
    if (list_room(d, set, (void **)&list->items, list->len, &list->room, sizeof *list->items))
        list->items[list->len++] = *file;
}

static void take_addresses(struct draft *d, const struct builder_settings *set, struct charsets *cs, struct text_list *list,
                           struct slice value, struct buf *scratch)
{
    struct slice element;
    while (header_address_next(&value, &element)) {
        buf_clear(scratch);
        header_text(cs, element, scratch);
        draft_add_text(d, set, list, arena_copy(&d->mem, buf_slice(scratch)));
        if (list->len >= set->list_items)
            break;
    }
}

static void take_received(struct draft *d, const struct builder_settings *set, struct slice raw, struct slice text)
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
    if (hop.family == 4 && address_is_loopback(&hop) && hop.bytes[3] == 1 && !hop.bytes[1] && !hop.bytes[2])
        return;
    t->received_from_originating_ip = arena_copy(&d->mem, written);
    draft_add_address(d, set, &hop);
    if (!path_goes_on(&set->path, &hop))
        d->path_done = t->flags.path_cut = true;
}

static bool is_webmail(struct slice agent)
{
    static const char *const starts[] = {"iPlanet Messenger", "Sun Java(tm) System Messenger Express", "SquirrelMail", "NeoMail",
                                         "Roundcube", "RainLoop", "SnappyMail", "SOGoMail", "Open-Xchange Mailer", "Horde"};
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

void headers_take(struct draft *d, const struct builder_settings *set, struct charsets *cs, const struct mime_event *ev,
                  struct buf *scratch)
{
    struct transaction *t = &d->t;
    const struct {
        const char *name;
        struct slice *single;
        struct text_list *list;
    } table[] = {
        {"date", &t->date, NULL},         {"from", &t->from, NULL},
        {"to", NULL, &t->to},             {"cc", NULL, &t->cc},
        {"reply-to", &t->reply_to, NULL}, {"message-id", &t->msg_id, NULL},
        {"subject", &t->subject, NULL},   {"in-reply-to", &t->in_reply_to, NULL},
        {"received", NULL, NULL},         {"x-originating-ip", NULL, NULL},
        {"user-agent", NULL, NULL},       {"x-mailer", NULL, NULL},
    };
    size_t i = 0, count = sizeof table / sizeof *table;
    while (i < count && !slice_case_eq(ev->name, slice_str(table[i].name)))
        i++;
    if (i == count)
        return;
    t->flags.truncated |= ev->cut;
    if (table[i].list) {
        take_addresses(d, set, cs, table[i].list, ev->value, scratch);
        return;
    }
    struct address a;
    struct slice written;
    if (slice_str(table[i].name).len == 16) {
        if (path_first_address(ev->value, &a, &written))
            t->x_originating_ip = arena_copy(&d->mem, written);
        return;
    }
    buf_clear(scratch);
    header_text(cs, ev->value, scratch);
    struct slice text = arena_copy(&d->mem, buf_slice(scratch));
    if (table[i].single)
        *table[i].single = text;
    else if (table[i].name[0] == 'r')
        take_received(d, set, ev->value, text);
    else
        take_agent(d, text);
}
