/* people.c: address lists into the record.
 * In: MIME_HEADER events of fields that name people. Out: mailboxes, anomalies. Owns: nothing; texts go to
 * the draft's arena. Limits: list_items, the arena's budget. Knowingly: a name that is an address by
 * accident, as lists write them ("a@b via List"), is told of too. Spec: RFC 5322 3.4, RFC 6532, RFC 5891. */
#include "record/people.h"

#include "mail/domain.h"
#include "mail/mailbox.h"
#include "mail/odd.h"

struct field_reader {
    struct draft *d;
    const struct builder_settings *set;
    struct charsets *cs;
    const struct mime_event *ev;
    struct buf *scratch;
};

static void tell(const struct field_reader *f, enum anomaly which, struct slice evidence)
{
    evidence = slice_sub(evidence, 0, EVIDENCE_MOST);
    draft_note_anomaly(f->d, f->set, &(struct found_anomaly){which, f->ev->size, utf8_whole(evidence)},
                       f->scratch);
}

/* The field was decoded as a whole already, for what else looks at it: of that the name is the beginning,
 * where nothing behind it is encoded. Empty: it is to be decoded. */
static struct slice decoded_name(const struct mime_event *ev, struct slice name)
{
    if (!ev->decoded.len || name.data != ev->value.data)
        return (struct slice){0};
    struct slice behind = slice_sub(ev->value, name.len, ev->value.len);
    size_t end = ev->decoded.len - behind.len;
    if (behind.len > ev->decoded.len || slice_index(behind, '=') < behind.len ||
        !slice_eq(slice_sub(ev->decoded, end, ev->decoded.len), behind))
        return (struct slice){0};
    return slice_sub(ev->decoded, 0, end);
}

static struct slice name_of(const struct field_reader *f, const struct mailbox_parts *parts)
{
    if (!parts->name.len)
        return (struct slice){0};
    struct slice decoded = parts->plain_name ? decoded_name(f->ev, parts->name) : (struct slice){0};
    if (decoded.len)
        return draft_utf8(f->d, decoded);
    if (parts->plain_name)
        return draft_readable(f->d, f->cs, parts->name, f->scratch);
    buf_clear(f->scratch);
    mailbox_name(f->cs, parts, f->scratch);
    return f->scratch->len ? draft_utf8(f->d, buf_slice(f->scratch)) : (struct slice){0};
}

static struct slice phrase_of(const struct field_reader *f, struct slice phrase)
{
    buf_clear(f->scratch);
    mailbox_phrase(f->cs, phrase, f->scratch);
    return draft_utf8(f->d, buf_slice(f->scratch));
}

/* The end of `addr` that is its domain, which has `len` bytes; less where the arena had no room. */
static struct slice tail(struct slice addr, size_t whole, size_t len)
{
    return addr.len == whole ? slice_sub(addr, whole - len, whole) : (struct slice){0};
}

/* f->scratch: the local part with its '@', then the domain from `at` on. */
static void take_idn(const struct field_reader *f, size_t at, struct mailbox *m)
{
    struct buf *addr = f->scratch;
    struct buf ascii, unicode;
    buf_init(&ascii, addr->max);
    buf_init(&unicode, addr->max);
    struct slice domain = slice_sub(buf_slice(addr), at, addr->len);
    enum domain_kind kind = domain_forms(domain, &ascii, &unicode);
    if (kind == DOMAIN_IDN) {
        addr->len = at;
        buf_add(addr, buf_slice(&ascii));
        m->domain_unicode = draft_utf8(f->d, buf_slice(&unicode));
    }
    m->addr = draft_utf8(f->d, buf_slice(addr));
    m->domain = tail(m->addr, addr->len, addr->len - at);
    if (kind == DOMAIN_BROKEN)
        tell(f, ANOMALY_idn_broken, m->domain);
    buf_free(&ascii);
    buf_free(&unicode);
}

/* Bytes without a charset are read as in all texts. */
static void make_valid(struct buf *text, size_t *at)
{
    struct buf valid;
    if (utf8_valid(buf_slice(text)))
        return;
    buf_init(&valid, text->max);
    utf8_read(slice_sub(buf_slice(text), 0, *at), &valid);
    size_t begin = valid.len;
    utf8_read(slice_sub(buf_slice(text), *at, text->len), &valid);
    buf_clear(text);
    buf_add(text, buf_slice(&valid));
    *at = begin;
    buf_free(&valid);
}

static void take_odd_addr(const struct field_reader *f, const struct mailbox_parts *parts, struct mailbox *m)
{
    struct buf *addr = f->scratch;
    buf_clear(addr);
    mailbox_local(parts, addr);
    if (parts->domain.len)
        buf_add_byte(addr, '@');
    size_t at = addr->len;
    if (parts->domain.len)
        mailbox_domain(parts, addr);
    make_valid(addr, &at);
    if (at < addr->len)
        take_idn(f, at, m);
    else if (addr->len)
        m->addr = draft_utf8(f->d, buf_slice(addr));
}

static void take_addr(const struct field_reader *f, const struct mailbox_parts *parts, struct mailbox *m)
{
    if (!parts->plain_addr || parts->upper ||
        (parts->dash && slice_find(parts->domain, "--") < parts->domain.len)) {
        take_odd_addr(f, parts, m);
        return;
    }
    m->addr = draft_utf8(f->d, parts->addr);
    m->domain = tail(m->addr, parts->addr.len, parts->domain.len);
}

static bool is_word(uint8_t c)
{
    static const uint8_t ends[] = " \t\r\n\"'(),:;<>[]\\`";
    return !memchr(ends, c, sizeof ends - 1);
}

/* Takes the next word of `text` that looks like an address: local@domain.tld. */
static bool next_address(struct slice *text, struct slice *ret)
{
    for (;;) {
        size_t at = slice_index(*text, '@'), from = at, to = at + 1;
        if (at == text->len)
            return false;
        while (from && is_word(text->data[from - 1]))
            from--;
        while (to < text->len && is_word(text->data[to]) && text->data[to] != '@')
            to++;
        while (to > at + 1 && text->data[to - 1] == '.')
            to--;
        struct slice domain = slice_sub(*text, at + 1, to);
        *ret = slice_sub(*text, from, to);
        *text = slice_sub(*text, to, text->len);
        if (from < at && slice_index(domain, '.') < domain.len)
            return true;
    }
}

/* A program that shows names alone shows another address than the mail is from. */
static void judge_name(const struct field_reader *f, const struct mailbox *m)
{
    struct slice text = m->name, found;
    while (next_address(&text, &found))
        if (!slice_case_eq(found, m->addr)) {
            tell(f, ANOMALY_name_is_address, m->name);
            return;
        }
}

void people_take(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                 const struct mime_event *ev, struct mailbox_list *list, struct text_list *texts, bool writes,
                 struct buf *scratch)
{
    const struct field_reader f = {d, set, cs, ev, scratch};
    struct mailbox_reader r = {.rest = ev->value};
    struct slice element, group = {0}, shown = {0};
    bool full = false;
    while ((texts || !full) && mailbox_next(&r, &element)) {
        if (texts && element.len && !draft_add_text(d, set, texts, draft_readable(d, cs, element, scratch)))
            break;
        /* The room of the mail's texts is not for these alone. */
        full = full || !draft_list_room(d, set->address_items, (void **)&list->items, list->len, &list->room,
                                        sizeof *list->items);
        if (full)
            continue;
        if (r.group.data && r.group.data != group.data)
            shown = phrase_of(&f, r.group);
        group = r.group;
        struct mailbox m = {.group = group.len ? shown : (struct slice){0}};
        struct mailbox_parts parts;
        mailbox_parse(element, &parts);
        m.name = name_of(&f, &parts);
        take_addr(&f, &parts, &m);
        if (!m.name.data && !m.addr.data && !m.group.data)
            continue;
        list->items[list->len++] = m;
        if (writes && m.name.data && !ev->cut)
            judge_name(&f, &m);
    }
}
