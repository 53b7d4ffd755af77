/* origin.c: where a mail comes from, and whether that is suspicious.
 * In: records of stream smtp. Out: their field origin; notices SMTP::Suspicious_Origination. Owns: nothing.
 * Knowingly: what X-Originating-IP and Received lines say can be forged by whoever wrote them, so with
 * trusted_relays the origin is whom the last of these took the mail from. Of those two, and of that origin,
 * each that is suspicious is a notice of its own, as in the ancestor; the same address twice is one. */
#include <stdio.h>
#include "mail/charset.h"
#include "rule/rule.h"

static const char suspicious[] = "SMTP::Suspicious_Origination";

/* Whom the relays that are trusted took the mail from, as far back as their lines go without a break. No
 * family: all of the way is theirs, so what they wrote of its beginning is as good as they are; or none are
 * named. */
static struct address boundary(const struct rules *r, const struct transaction *t)
{
    struct address none = {0}, from = t->id.orig.addr;
    size_t i = 0;
    if (!r->set->trusted_relays.count)
        return none;
    for (; i < t->hops.len && t->hops.items[i].trusted && t->hops.items[i].line.from_ip.family; i++)
        from = t->hops.items[i].line.from_ip;
    bool all = i == t->hops.len && networks_have(r->set->trusted_relays, &from);
    return all ? none : from;
}

static void set_origin(struct rules *r, struct record *rec, struct transaction *t, const struct address *seen,
                       size_t count)
{
    struct country_info info;
    size_t i = 0;
    while (i < count && !address_is_public(&seen[i]))
        i++;
    /* None is public: then the first that is known. */
    for (size_t k = 0; i == count && k < count; k++)
        if (seen[k].family)
            i = k;
    if (i == count)
        return;
    t->origin = arena_alloc(rec->mem, sizeof *t->origin);
    if (!t->origin) {
        t->flags.truncated = true;
        return;
    }
    t->origin->ip = seen[i];
    if (!countries_lookup(r->countries, &seen[i], &info))
        return;
    t->origin->asn = info.asn;
    if (info.country[0])
        t->origin->country = arena_copy(rec->mem, slice_str(info.country));
    if (info.as_name.len)
        t->origin->as_name = arena_copy(rec->mem, info.as_name);
}

static bool is_suspicious(const struct rules *r, const struct address *a, const char *country)
{
    for (size_t i = 0; country[0] && i < r->set->country_count; i++)
        if (strcmp(r->set->countries[i], country) == 0)
            return true;
    return networks_have(r->set->origin_nets, a);
}

static void judge(struct rules *r, const struct record *rec, const struct address *a)
{
    const struct transaction *t = rec->body;
    struct country_info info;
    if (!r->set->country_count && !r->set->origin_nets.count)
        return;
    countries_lookup(r->countries, a, &info);
    if (!is_suspicious(r, a, info.country))
        return;
    char host[ADDRESS_TEXT], msg[ADDRESS_TEXT + 64];
    address_text(a, host);
    snprintf(msg, sizeof msg,
             info.country[0] ? "An email originated from %s (%s)." : "An email originated from %.0s%s.",
             info.country, host);
    buf_clear(&r->text);
    buf_add_str(&r->text, "Subject: ");
    buf_add(&r->text, t->subject);
    struct notice n = {.ts = rec->end,
                       .id = t->id,
                       .trans_depth = t->trans_depth,
                       .note = slice_str(suspicious),
                       .msg = slice_str(msg),
                       .sub = utf8_whole(buf_slice(&r->text)),
                       .host = *a,
                       .mailfrom = t->mailfrom,
                       .msg_id = t->msg_id,
                       .asn = info.asn,
                       .suppress_for = -1,
                       .identifier = slice_str(host)};
    if (info.country[0])
        n.country = slice_str(info.country);
    r->raise(r->ctx, &n);
}

static void on_record(struct rules *r, struct record *rec)
{
    if (rec->stream != &stream_smtp)
        return;
    struct transaction *t = rec->body;
    struct address seen[3] = {0}, foreign = boundary(r, t);
    address_parse(t->x_originating_ip, &seen[0]);
    address_parse(t->received_from_originating_ip, &seen[1]);
    seen[2] = t->id.orig.addr;
    set_origin(r, rec, t, foreign.family ? &foreign : seen, foreign.family ? 1 : 3);
    if (seen[0].family)
        judge(r, rec, &seen[0]);
    if (seen[1].family && !address_eq(&seen[0], &seen[1]))
        judge(r, rec, &seen[1]);
    if (foreign.family && !address_eq(&seen[0], &foreign) && !address_eq(&seen[1], &foreign))
        judge(r, rec, &foreign);
}

static const char *const notes[] = {suspicious, NULL};
const struct rule rule_origin = {"origin", notes, NULL, on_record};
