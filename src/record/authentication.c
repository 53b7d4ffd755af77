/* authentication.c: results and signatures of the header into the record.
 * In: unfolded values of the fields about authentication. Out: d->t.authentication. Owns: nothing; texts go
 * to the draft's arena. Limits: list_items, the arena's budget. Knowingly: nothing is looked up or verified;
 * of several authors the first one's domain counts; the domain of DMARC's own record is not known, so relaxed
 * and strict are told, not which of them is asked for. Spec: RFC 8601, RFC 8617, RFC 7208 9.1, RFC 6376 3.5,
 * RFC 7489 3.1. */
#include "record/authentication.h"

#include "mail/authres.h"
#include "mail/domain.h"

/* A text of the draft; none where there is nothing. */
static struct slice keep(struct draft *d, struct slice text, struct buf *scratch)
{
    return text.len ? draft_text(d, text, scratch) : (struct slice){0};
}

/* In small letters and without blanks, which folding brings. */
static struct slice keep_word(struct draft *d, struct slice text, struct buf *scratch)
{
    struct buf word;
    buf_init(&word, text.len);
    for (size_t i = 0; i < text.len; i++)
        if (!byte_is_blank(text.data[i]))
            buf_add_byte(&word, byte_lower(text.data[i]));
    struct slice kept = keep(d, buf_slice(&word), scratch);
    buf_free(&word);
    return kept;
}

static struct slice keep_property(struct draft *d, struct slice key, struct slice value, struct buf *scratch)
{
    struct buf pair;
    buf_init(&pair, key.len + 1 + value.len);
    for (size_t i = 0; i < key.len; i++)
        buf_add_byte(&pair, byte_lower(key.data[i]));
    buf_add_byte(&pair, '=');
    buf_add(&pair, value);
    struct slice kept = keep(d, buf_slice(&pair), scratch);
    buf_free(&pair);
    return kept;
}

static bool is_ours(const struct builder_settings *set, struct slice authserv_id)
{
    for (size_t i = 0; i < set->trusted_authserv_count; i++)
        if (slice_case_eq(set->trusted_authserv[i], authserv_id))
            return true;
    return false;
}

/* NULL: there is no room. */
static struct authentication *own(struct draft *d)
{
    return draft_apart(d, offsetof(struct transaction, authentication), sizeof(struct authentication));
}

static void take_results(struct draft *d, const struct builder_settings *set, bool arc, struct slice value,
                         struct buf *scratch)
{
    struct auth_result_list *list = &d->t.authentication->results;
    struct authres a;
    struct authres_result r;
    struct slice key, text;
    authres_open(value, &a);
    bool trusted = !arc && a.authserv_id.len && is_ours(set, a.authserv_id);
    struct slice who = keep(d, a.authserv_id, scratch);
    while (authres_next(&a, &r)) {
        if (!draft_list_room(d, set->list_items, (void **)&list->items, list->len, &list->room,
                             sizeof *list->items))
            return;
        struct auth_result kept = {.authserv_id = who,
                                   .method = keep_word(d, r.method, scratch),
                                   .result = keep_word(d, r.result, scratch),
                                   .reason = keep(d, r.reason, scratch),
                                   .comment = keep(d, r.comment, scratch),
                                   .arc_instance = arc ? a.instance : 0,
                                   .trusted = trusted};
        while (authres_property(&r.properties, &key, &text))
            if (!draft_add_text(d, set, &kept.properties, keep_property(d, key, text, scratch)))
                break;
        list->items[list->len++] = kept;
    }
}

static void take_spf(struct draft *d, const struct builder_settings *set, struct slice value,
                     struct buf *scratch)
{
    struct received_spf_list *list = &d->t.authentication->spf;
    struct spf_parts parts;
    struct slice key, text;
    if (!draft_list_room(d, set->list_items, (void **)&list->items, list->len, &list->room,
                         sizeof *list->items))
        return;
    spf_parse(value, &parts);
    struct received_spf spf = {.result = keep_word(d, parts.result, scratch),
                               .comment = keep(d, parts.comment, scratch)};
    const struct {
        const char *key;
        struct slice *member;
    } keys[] = {{"envelope-from", &spf.envelope_from}, {"helo", &spf.helo},
                {"receiver", &spf.receiver},           {"identity", &spf.identity},
                {"mechanism", &spf.mechanism},         {"problem", &spf.problem}};
    while (authres_property(&parts.pairs, &key, &text)) {
        if (slice_case_eq(key, slice_str("client-ip")) && !spf.client_ip.family)
            (void)address_parse(text, &spf.client_ip);
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (slice_case_eq(key, slice_str(keys[i].key)) && !keys[i].member->data)
                *keys[i].member = keep(d, text, scratch);
    }
    list->items[list->len++] = spf;
}

static void take_dkim(struct draft *d, const struct builder_settings *set, struct slice value,
                      struct buf *scratch)
{
    struct dkim_signature_list *list = &d->t.authentication->dkim;
    struct dkim_signature sig = {0};
    struct slice name, text;
    if (!draft_list_room(d, set->list_items, (void **)&list->items, list->len, &list->room,
                         sizeof *list->items))
        return;
    while (tag_next(&value, &name, &text)) {
        /* All that are told have one letter. */
        switch (name.len == 1 ? name.data[0] : 0) {
        case 'd':
            sig.domain = keep_word(d, text, scratch);
            break;
        case 's':
            sig.selector = keep_word(d, text, scratch);
            break;
        case 'a':
            sig.algorithm = keep_word(d, text, scratch);
            break;
        case 'i':
            sig.identity = keep(d, text, scratch);
            break;
        case 't':
            slice_number(text, &sig.time);
            break;
        case 'x':
            slice_number(text, &sig.expires);
            break;
        case 'l':
            sig.length_limited = true;
            break;
        default:
            break;
        }
    }
    list->items[list->len++] = sig;
}

/* That of the instance, a new one where there is none. NULL: there is no room. */
static struct arc_set *arc_set_of(struct draft *d, const struct builder_settings *set, uint64_t instance)
{
    struct arc_set_list *list = &d->t.authentication->arc;
    enum { NEAR = 64 }; /* RFC 8617 4.2.1 ends a chain at 50 */
    for (size_t i = list->len; i-- > 0 && list->len - i <= NEAR;)
        if (list->items[i].instance == instance)
            return &list->items[i];
    if (!draft_list_room(d, set->list_items, (void **)&list->items, list->len, &list->room,
                         sizeof *list->items))
        return NULL;
    list->items[list->len] = (struct arc_set){.instance = instance};
    return &list->items[list->len++];
}

static void take_arc(struct draft *d, const struct builder_settings *set, bool seal, struct slice value,
                     struct buf *scratch)
{
    struct arc_set found = {0};
    struct slice name, text;
    while (tag_next(&value, &name, &text)) {
        if (slice_eq(name, slice_str("i")))
            slice_number(text, &found.instance);
        else if (slice_eq(name, slice_str("cv")))
            found.cv = text;
        else if (slice_eq(name, slice_str("d")))
            found.domain = text;
        else if (slice_eq(name, slice_str("s")))
            found.selector = text;
    }
    struct arc_set *kept = arc_set_of(d, set, found.instance);
    if (!kept)
        return;
    if (!seal) {
        kept->message_domain = keep_word(d, found.domain, scratch);
        return;
    }
    kept->cv = keep_word(d, found.cv, scratch);
    kept->domain = keep_word(d, found.domain, scratch);
    kept->selector = keep_word(d, found.selector, scratch);
}

void authentication_take(struct draft *d, const struct builder_settings *set, enum auth_field which,
                         struct slice value, struct buf *scratch)
{
    if (!own(d))
        return;
    switch (which) {
    case AUTH_RESULTS:
    case AUTH_ARC_RESULTS:
        take_results(d, set, which == AUTH_ARC_RESULTS, value, scratch);
        break;
    case AUTH_SPF:
        take_spf(d, set, value, scratch);
        break;
    case AUTH_DKIM:
        take_dkim(d, set, value, scratch);
        break;
    case AUTH_ARC_SEAL:
    case AUTH_ARC_SIGNATURE:
        take_arc(d, set, which == AUTH_ARC_SEAL, value, scratch);
        break;
    }
}

static struct slice likeness_name(enum domain_likeness is)
{
    static const char *const names[] = {
        [DOMAIN_APART] = "no", [DOMAIN_RELATED] = "relaxed", [DOMAIN_SAME] = "strict"};
    return slice_str(names[is]);
}

/* What SPF goes by: the domain of the envelope's sender, or the client's own name where that is nobody. */
static struct slice spf_domain(const struct transaction *t)
{
    if (slice_eq(t->mailfrom, slice_str("<>")))
        return t->helo;
    const uint8_t *at = t->mailfrom.data ? memrchr(t->mailfrom.data, '@', t->mailfrom.len) : NULL;
    return at ? slice_sub(t->mailfrom, (size_t)(at + 1 - t->mailfrom.data), t->mailfrom.len)
              : (struct slice){0};
}

/* As addresses have theirs. */
static enum domain_likeness compare(struct slice from, struct slice other)
{
    struct buf ascii, unicode;
    if (ascii_only(other))
        return domain_compare(from, other);
    buf_init(&ascii, 1024);
    buf_init(&unicode, 1024);
    if (domain_forms(other, &ascii, &unicode) == DOMAIN_IDN)
        other = buf_slice(&ascii);
    enum domain_likeness is = domain_compare(from, other);
    buf_free(&ascii);
    buf_free(&unicode);
    return is;
}

void authentication_end(struct draft *d)
{
    const struct mailbox_list *from = d->t.addresses ? &d->t.addresses->from : NULL;
    struct slice domain = from && from->len ? from->items[0].domain : (struct slice){0};
    struct slice sender = spf_domain(&d->t);
    struct authentication *a = domain.len ? own(d) : NULL;
    if (!a)
        return;
    if (sender.len)
        a->aligned_spf = likeness_name(compare(domain, sender));
    enum domain_likeness nearest = DOMAIN_APART;
    for (size_t i = 0; i < a->dkim.len && nearest != DOMAIN_SAME; i++) {
        enum domain_likeness is = compare(domain, a->dkim.items[i].domain);
        nearest = is > nearest ? is : nearest;
    }
    if (a->dkim.len)
        a->aligned_dkim = likeness_name(nearest);
}
