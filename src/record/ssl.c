/* ssl.c: facts of a TLS handshake to the record's object.
 * In: struct tls_facts. Out: struct ssl, in one piece of memory, as a session may last long. Owns: nothing.
 * Limits: session_bytes, list_items. Knowingly: that a certificate is its own issuer's is told by the names,
 * not by its signature. */
#include "record/ssl.h"

#include "mail/certificate.h"
#include "mail/charset.h"
#include "mail/tls_names.h"
#include "record/copy.h"
#include "record/spare.h"

/* Valid UTF-8 in the spares' arena. */
static struct slice text_of(struct spares *with, struct slice text)
{
    return text.data ? utf8_copy(&with->mem, text, &with->scratch) : (struct slice){NULL, 0};
}

/* The same of one that lies there already. */
static struct slice cleaned(struct spares *with, struct slice text)
{
    return text.data && utf8_valid(text) ? text : text_of(with, text);
}

static struct slice word_of(struct spares *with, const char *word)
{
    return *word ? text_of(with, slice_str(word)) : (struct slice){NULL, 0};
}

static struct text_list list_new(struct spares *with, size_t count)
{
    struct text_list list = {.items = arena_alloc(&with->mem, count * sizeof *list.items)};
    list.room = list.items ? count : 0;
    return list;
}

static struct text_list protocols(struct spares *with, struct slice rest, bool *ret_cut)
{
    struct slice all = rest, one;
    size_t count = 0;
    while (tls_protocol_next(&rest, &one))
        count++;
    *ret_cut |= count > with->set->list_items;
    struct text_list list = list_new(with, count > with->set->list_items ? with->set->list_items : count);
    while (list.len < list.room && tls_protocol_next(&all, &one))
        list.items[list.len++] = text_of(with, one);
    return list;
}

static uint64_t since_epoch(int64_t time)
{
    return time > 0 ? (uint64_t)time : 0;
}

static struct ssl_certificate certificate_of(struct spares *with, struct slice der, bool *ret_cut)
{
    struct certificate c;
    certificate_read(der, with->set->list_items, &with->mem, &c);
    struct ssl_certificate ret = {.subject = cleaned(with, c.subject),
                                  .issuer = cleaned(with, c.issuer),
                                  .not_valid_before = since_epoch(c.not_before),
                                  .not_valid_after = since_epoch(c.not_after),
                                  .serial = c.serial,
                                  .sha256 = c.sha256,
                                  .self_signed = c.self_issued};
    *ret_cut |= c.cut;
    ret.san = list_new(with, c.name_count);
    while (ret.san.len < ret.san.room) {
        ret.san.items[ret.san.len] = cleaned(with, c.names[ret.san.len]);
        ret.san.len++;
    }
    return ret;
}

struct ssl *ssl_new(struct spares *with, const struct tls_facts *facts, bool *ret_cut)
{
    static const enum maybe established[] = {
        [TLS_UNKNOWN] = MAYBE, [TLS_FAILED] = MAYBE_NO, [TLS_ESTABLISHED] = MAYBE_YES};
    char room[TLS_NAME];
    struct ssl s = {.established = established[facts->outcome], .hello_retry = facts->retry};
    arena_reset(&with->mem);
    if (facts->server) {
        s.version = word_of(with, tls_version_name(facts->version, room));
        s.cipher = word_of(with, tls_cipher_name(facts->cipher, room));
    }
    if (facts->group)
        s.curve = word_of(with, tls_group_name(facts->group, room));
    s.server_name = text_of(with, facts->server_name);
    s.next_protocol = text_of(with, facts->protocol);
    s.alpn = protocols(with, facts->offered, ret_cut);
    if (facts->alerted)
        s.last_alert = word_of(with, tls_alert_name(facts->alert, room));
    if (facts->certificate.data)
        s.certificate = certificate_of(with, facts->certificate, ret_cut);
    s.cert_chain = facts->chain;
    s.ja3 = word_of(with, facts->ja3);
    s.ja3s = word_of(with, facts->ja3s);
    s.ja4 = word_of(with, facts->ja4);
    *ret_cut |= facts->cut || with->mem.over;
    const struct field whole = {.kind = FIELD_OBJECT, .of = &shape_ssl};
    return field_is_absent(&whole, &s) ? NULL : record_object_copy(&shape_ssl, &s);
}
