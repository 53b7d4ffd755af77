/* find.c: what a mail is found by.
 * In: a mail's record. Out: the texts of its row in the index. Owns: nothing. Limits: so many bytes of words,
 * and so many of keys; ONCE domains are known not to be told twice.
 * Knowingly: it narrows a search, which then looks at the columns themselves. */
#include "store/find.h"

#include "record/notice.h"

enum { ONCE = 16 };

/* What is under way. */
struct finder {
    struct line *out;
    size_t end; /* what would go beyond it is left out */
    bool cut;
    size_t told; /* domains that are known */
    struct slice domains[ONCE];
    enum find_kind kinds[ONCE];
};

static bool has_room(struct finder *f, size_t len)
{
    bool room = f->out->len + len < f->end;
    f->cut |= !room;
    return room;
}

static void add_word(struct finder *f, struct slice s)
{
    if (!s.len || !has_room(f, s.len))
        return;
    line_add(f->out, s);
    line_byte(f->out, ' ');
}

static bool is_wordy(uint8_t c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c >= 0x80;
}

/* With its words whole. */
static bool is_in(struct slice part, struct slice text)
{
    const uint8_t *at = text.len ? memmem(text.data, text.len, part.data, part.len) : NULL;
    const uint8_t *end = at ? at + part.len : NULL;
    return at && (at == text.data || !is_wordy(at[-1])) && (end == text.data + text.len || !is_wordy(*end));
}

/* What is a part of a text that is there gives no other words. */
static void add_unless_in(struct finder *f, struct slice s, struct slice text)
{
    if (s.len && !is_in(s, text))
        add_word(f, s);
}

static void add_words(struct finder *f, const struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        add_word(f, list->items[i]);
}

bool find_key_text(enum find_kind kind, struct slice text, struct line *out)
{
    uint8_t *to = line_room(out, 2 + FIND_VALUE);
    size_t len = 2;
    for (size_t i = 0; i < text.len && len < 2 + FIND_VALUE; i++) {
        uint8_t c = byte_lower(text.data[i]);
        if ((c >= 'a' && c <= 'z') || byte_is_digit(c))
            to[len++] = c;
    }
    if (len == 2)
        return false;
    to[0] = 'k';
    to[1] = (uint8_t)kind;
    out->len += len;
    return true;
}

void find_key_address(enum find_kind kind, const struct address *a, unsigned bits, struct line *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t most = a->family == 4 ? 8 : 32, told = bits / 4 < most ? bits / 4 : most;
    uint8_t *to = line_room(out, 2 + told);
    *to++ = 'k';
    *to++ = (uint8_t)kind;
    for (size_t i = 0; i < told; i++)
        *to++ = (uint8_t)digits[i % 2 ? a->bytes[i / 2] & 15 : a->bytes[i / 2] >> 4];
    out->len += 2 + told;
}

bool find_key_domains(enum find_kind kind, struct slice domain, struct line *out)
{
    struct slice rest = domain, ends[FIND_LABELS];
    size_t count = 0;
    /* A ring of the last ones. */
    do {
        ends[count++ % FIND_LABELS] = rest;
        rest = slice_sub(rest, slice_index(rest, '.') + 1, rest.len);
    } while (slice_index(rest, '.') < rest.len);
    size_t first = count > FIND_LABELS ? count - FIND_LABELS : 0;
    for (size_t i = first; i < count; i++)
        if (find_key_text(kind, ends[i % FIND_LABELS], out))
            line_byte(out, ' ');
    return !first;
}

bool find_key_at(enum find_kind kind, struct slice domain, struct line *out)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *to = line_room(out, 2 + FIND_VALUE);
    size_t len = 2;
    for (size_t i = 0; i < domain.len; i++) {
        uint8_t c = byte_lower(domain.data[i]);
        bool plain = (c >= 'a' && c < 'z') || byte_is_digit(c);
        if (len + (plain ? 1 : 3) > 2 + FIND_VALUE)
            return false;
        to[len++] = plain ? c : 'z';
        if (!plain) {
            to[len++] = (uint8_t)digits[c >> 4];
            to[len++] = (uint8_t)digits[c & 15];
        }
    }
    to[0] = 'k';
    to[1] = (uint8_t)kind;
    out->len += len > 2 ? len : 0;
    return len > 2;
}

struct slice find_domain(struct slice address)
{
    const uint8_t *at = address.data ? memrchr(address.data, '@', address.len) : NULL;
    return at ? slice_sub(address, (size_t)(at + 1 - address.data), address.len) : (struct slice){0};
}

static void add_key_text(struct finder *f, enum find_kind kind, struct slice text)
{
    if (text.len && has_room(f, 3 + FIND_VALUE) && find_key_text(kind, text, f->out))
        line_byte(f->out, ' ');
}

static void add_key_number(struct finder *f, enum find_kind kind, uint64_t v)
{
    if (!v || !has_room(f, 3 + FIND_VALUE))
        return;
    line_byte(f->out, 'k');
    line_byte(f->out, (uint8_t)kind);
    line_number(f->out, v);
    line_byte(f->out, ' ');
}

static void add_key_address(struct finder *f, enum find_kind kind, const struct address *a)
{
    if (!a->family || !has_room(f, 3 + FIND_VALUE))
        return;
    find_key_address(kind, a, 128, f->out);
    line_byte(f->out, ' ');
}

static bool is_told(struct finder *f, enum find_kind kind, struct slice domain)
{
    for (size_t i = 0; i < f->told && i < ONCE; i++)
        if (f->kinds[i] == kind && slice_case_eq(f->domains[i], domain))
            return true;
    f->kinds[f->told % ONCE] = kind;
    f->domains[f->told++ % ONCE] = domain;
    return false;
}

static void add_key_domain(struct finder *f, enum find_kind kind, struct slice domain)
{
    if (!domain.len || is_told(f, kind, domain) || !has_room(f, FIND_LABELS * (3 + FIND_VALUE)))
        return;
    f->cut |= !find_key_domains(kind, domain, f->out);
}

/* Those that the header's text does not have as they are: of internationalized domains, or with comments. */
static void add_mailboxes(struct finder *f, const struct mailbox_list *list, struct slice text)
{
    for (size_t i = 0; i < list->len; i++)
        add_unless_in(f, list->items[i].addr, text);
}

static void add_mailboxes_in(struct finder *f, const struct mailbox_list *list, const struct text_list *texts)
{
    /* As a rule a text is a mailbox; where it is not, the address is there twice. */
    for (size_t i = 0; i < list->len; i++)
        add_unless_in(f, list->items[i].addr, i < texts->len ? texts->items[i] : (struct slice){0});
}

static void add_sender(struct finder *f, const struct transaction *mail)
{
    add_word(f, mail->mailfrom);
    add_word(f, mail->from);
    add_word(f, mail->sender);
    add_word(f, mail->reply_to);
    if (!mail->addresses)
        return;
    add_mailboxes(f, &mail->addresses->from, mail->from);
    add_mailboxes(f, &mail->addresses->sender, mail->sender);
    add_mailboxes(f, &mail->addresses->reply_to, mail->reply_to);
}

static void add_recipient(struct finder *f, const struct transaction *mail)
{
    add_words(f, &mail->rcptto);
    add_words(f, &mail->to);
    add_words(f, &mail->cc);
    if (!mail->addresses)
        return;
    add_mailboxes_in(f, &mail->addresses->to, &mail->to);
    add_mailboxes_in(f, &mail->addresses->cc, &mail->cc);
    add_mailboxes(f, &mail->addresses->bcc, (struct slice){0});
}

static void add_files(struct finder *f, const struct file_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        add_word(f, list->items[i].name);
        for (size_t m = 0; m < list->items[i].members.len; m++)
            add_word(f, list->items[i].members.items[m].name);
    }
}

static void add_urls(struct finder *f, const struct url_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct url *u = &list->items[i];
        add_word(f, u->url);
        add_unless_in(f, u->host, u->url);
        add_word(f, u->host_unicode);
        add_word(f, u->unwrapped);
        add_unless_in(f, u->unwrapped_host, u->unwrapped);
    }
}

static void add_hosts(struct finder *f, const struct transaction *mail)
{
    add_word(f, mail->helo);
    for (size_t i = 0; i < mail->hops.len; i++) {
        const struct received *line = &mail->hops.items[i].line;
        add_word(f, line->from_helo);
        if (!slice_eq(line->from_helo, line->from_rdns))
            add_word(f, line->from_rdns);
        add_word(f, line->by);
    }
}

static void add_text(struct finder *f, const struct transaction *mail)
{
    add_word(f, mail->last_reply);
    add_unless_in(f, mail->last_error, mail->last_reply);
    add_unless_in(f, mail->reply.text, mail->last_reply);
    add_unless_in(f, mail->queue_id, mail->last_reply);
    add_word(f, mail->msg_id);
    add_word(f, mail->user_agent);
    if (mail->agent)
        add_word(f, mail->agent->name);
    add_words(f, &mail->tags);
    if (mail->list)
        add_word(f, mail->list->id);
    for (size_t i = 0; mail->authentication && i < mail->authentication->dkim.len; i++)
        add_word(f, mail->authentication->dkim.items[i].domain);
}

static void add_file_keys(struct finder *f, const struct file_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        const struct file *file = &list->items[i];
        add_key_text(f, FIND_HASH, file->md5);
        add_key_text(f, FIND_HASH, file->sha1);
        add_key_text(f, FIND_HASH, file->sha256);
        add_key_text(f, FIND_TYPE, file->type);
        if (!slice_eq(file->type, file->mime_type))
            add_key_text(f, FIND_TYPE, file->mime_type);
    }
}

static void add_hop_keys(struct finder *f, const struct transaction *mail)
{
    add_key_address(f, FIND_HOP, &mail->id.orig.addr);
    add_key_address(f, FIND_HOP, &mail->id.resp.addr);
    for (size_t i = 0; i < mail->path.len; i++) {
        const struct address *a = &mail->path.items[i];
        /* It begins with these two. */
        if (i > 1 || (!address_eq(a, &mail->id.orig.addr) && !address_eq(a, &mail->id.resp.addr)))
            add_key_address(f, FIND_HOP, a);
    }
    for (size_t i = 0; i < mail->hops.len; i++) {
        add_key_address(f, FIND_HOP, &mail->hops.items[i].line.from_ip);
        add_key_address(f, FIND_HOP, &mail->hops.items[i].line.by_ip);
    }
    if (mail->origin)
        add_key_address(f, FIND_HOP, &mail->origin->ip);
}

static void add_mailbox_domains(struct finder *f, enum find_kind kind, const struct mailbox_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        add_key_domain(f, kind, list->items[i].domain);
}

static void add_at(struct finder *f, enum find_kind kind, struct slice address)
{
    struct slice domain = find_domain(address);
    if (!domain.len || is_told(f, kind, domain) || !has_room(f, 3 + FIND_VALUE))
        return;
    if (find_key_at(kind, domain, f->out))
        line_byte(f->out, ' ');
}

static void add_mailbox_ats(struct finder *f, enum find_kind kind, const struct mailbox_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        add_at(f, kind, list->items[i].addr);
}

static void add_at_keys(struct finder *f, const struct transaction *mail)
{
    add_at(f, FIND_SENDER_AT, mail->mailfrom);
    for (size_t i = 0; i < mail->rcptto.len; i++)
        add_at(f, FIND_RECIPIENT_AT, mail->rcptto.items[i]);
    if (!mail->addresses)
        return;
    const struct addresses *a = mail->addresses;
    add_mailbox_ats(f, FIND_SENDER_AT, &a->from);
    add_mailbox_ats(f, FIND_SENDER_AT, &a->sender);
    add_mailbox_ats(f, FIND_SENDER_AT, &a->reply_to);
    add_mailbox_ats(f, FIND_RECIPIENT_AT, &a->to);
    add_mailbox_ats(f, FIND_RECIPIENT_AT, &a->cc);
    add_mailbox_ats(f, FIND_RECIPIENT_AT, &a->bcc);
}

static bool has_name(const struct file *file)
{
    bool any = file->name.data;
    for (size_t i = 0; i < file->members.len && !any; i++)
        any = file->members.items[i].name.data;
    return any;
}

static void look_at_files(const struct file_list *list, bool *named, bool *encrypted)
{
    for (size_t i = 0; i < list->len; i++) {
        *named |= has_name(&list->items[i]);
        *encrypted |= list->items[i].encrypted;
    }
}

/* As the query language has it: a value is there. */
static void add_has_keys(struct finder *f, const struct transaction *mail)
{
    bool file = false, encrypted = false, signer = false;
    look_at_files(&mail->files, &file, &encrypted);
    look_at_files(&mail->parts, &file, &encrypted);
    for (size_t i = 0; mail->authentication && i < mail->authentication->dkim.len; i++)
        signer |= mail->authentication->dkim.items[i].domain.data != NULL;
    const struct {
        bool has;
        const char *name;
    } told[] = {{file, "file"},
                {encrypted, "encrypted"},
                {signer, "dkim"},
                {mail->urls.len, "url"},
                {mail->anomalies.len, "anomaly"},
                {mail->tags.len, "tag"},
                {mail->list && mail->list->id.data, "list"}};
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        if (told[i].has)
            add_key_text(f, FIND_HAS, slice_str(told[i].name));
}

static void add_domain_keys(struct finder *f, const struct transaction *mail)
{
    add_key_domain(f, FIND_SENDER_DOMAIN, find_domain(mail->mailfrom));
    for (size_t i = 0; i < mail->rcptto.len; i++)
        add_key_domain(f, FIND_RECIPIENT_DOMAIN, find_domain(mail->rcptto.items[i]));
    if (mail->addresses) {
        const struct addresses *a = mail->addresses;
        add_mailbox_domains(f, FIND_SENDER_DOMAIN, &a->from);
        add_mailbox_domains(f, FIND_SENDER_DOMAIN, &a->sender);
        add_mailbox_domains(f, FIND_SENDER_DOMAIN, &a->reply_to);
        add_mailbox_domains(f, FIND_RECIPIENT_DOMAIN, &a->to);
        add_mailbox_domains(f, FIND_RECIPIENT_DOMAIN, &a->cc);
        add_mailbox_domains(f, FIND_RECIPIENT_DOMAIN, &a->bcc);
    }
    for (size_t i = 0; i < mail->urls.len; i++) {
        add_key_domain(f, FIND_URL_DOMAIN, mail->urls.items[i].host);
        add_key_domain(f, FIND_URL_DOMAIN, mail->urls.items[i].unwrapped_host);
    }
    for (size_t i = 0; mail->authentication && i < mail->authentication->dkim.len; i++)
        add_key_domain(f, FIND_SIGNER, mail->authentication->dkim.items[i].domain);
}

static void add_keys(struct finder *f, const struct transaction *mail)
{
    add_key_text(f, FIND_DISPOSITION, mail->disposition);
    add_key_text(f, FIND_SENSOR, mail->sensor);
    add_key_text(f, FIND_TLS, slice_str(mail->tls ? "1" : "0"));
    add_key_text(f, FIND_UID, mail->id.uid);
    add_key_number(f, FIND_CODE, mail->reply.code);
    add_key_text(f, FIND_ENHANCED, mail->reply.enhanced);
    add_key_address(f, FIND_CLIENT, &mail->id.orig.addr);
    add_key_address(f, FIND_SERVER, &mail->id.resp.addr);
    if (mail->origin) {
        add_key_text(f, FIND_COUNTRY, mail->origin->country);
        add_key_number(f, FIND_ASN, mail->origin->asn);
    }
    for (size_t i = 0; i < mail->anomalies.len; i++)
        add_key_text(f, FIND_ANOMALY, slice_str(anomaly_name(mail->anomalies.items[i].which)));
    add_has_keys(f, mail);
    add_hop_keys(f, mail);
    add_at_keys(f, mail);
    add_domain_keys(f, mail);
    add_file_keys(f, &mail->files);
    add_file_keys(f, &mail->parts);
}

void find_texts(const struct transaction *mail, size_t most, struct line *out,
                size_t ends[static FIND_COLUMNS])
{
    struct finder f = {.out = out, .end = most};
    line_clear(out);
    add_word(&f, mail->subject);
    ends[FIND_SUBJECT] = out->len;
    add_sender(&f, mail);
    ends[FIND_SENDER] = out->len;
    add_recipient(&f, mail);
    ends[FIND_RECIPIENT] = out->len;
    add_files(&f, &mail->files);
    add_files(&f, &mail->parts);
    ends[FIND_FILE] = out->len;
    add_urls(&f, &mail->urls);
    ends[FIND_URL] = out->len;
    add_hosts(&f, mail);
    ends[FIND_HOST] = out->len;
    add_text(&f, mail);
    ends[FIND_TEXT] = out->len;
    f.end = out->len + most;
    add_keys(&f, mail);
    if (f.cut)
        line_str(out, "kzcut ");
    ends[FIND_KEY] = out->len;
}

bool find_keys(const struct record *rec, struct line *out)
{
    struct finder f = {.out = out, .end = SIZE_MAX};
    line_clear(out);
    if (rec->stream == &stream_session) {
        const struct session *s = rec->body;
        add_key_text(&f, FIND_SESSION_UID, s->id.uid);
        add_key_address(&f, FIND_SESSION_CLIENT, &s->id.orig.addr);
    } else if (rec->stream == &stream_notice) {
        add_key_text(&f, FIND_NOTICE_UID, ((const struct notice *)rec->body)->id.uid);
    }
    return out->len;
}
