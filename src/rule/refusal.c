/* refusal.c: a server refuses and names a block list.
 * In: replies. Out: notices SMTP::Blocklist_Blocked_Host, where one of our addresses is named beside the
 * list, and SMTP::Blocklist_Error_Message. Owns: nothing. Limits: BLOCKLISTS_TEXT bytes of a reply.
 * Knowingly: 421 raises nothing, as in the ancestor, since it closes the connection rather than refuses the
 * mail; a list of which the server could not ask (query_failed) lists nobody. Spec: RFC 5321 4.2, RFC 3463.
 */
#include <stdio.h>
#include "mail/charset.h"
#include "mail/reply.h"
#include "rule/mention.h"
#include "rule/rule.h"

static const char blocked_host[] = "SMTP::Blocklist_Blocked_Host",
                  error_message[] = "SMTP::Blocklist_Error_Message";

/* The lines of a reply joined by blanks, as valid UTF-8. */
static struct slice joined(struct rules *r, struct slice text)
{
    buf_clear(&r->text);
    buf_add(&r->text, text);
    for (size_t i = 0; i < r->text.len; i++)
        if (r->text.data[i] == '\n')
            r->text.data[i] = ' ';
    if (utf8_valid(buf_slice(&r->text)))
        return buf_slice(&r->text);
    buf_clear(&r->clean);
    utf8_read(buf_slice(&r->text), &r->clean);
    return buf_slice(&r->clean);
}

/* The client, or else an address of ours, by which a NAT shows it outside. The server's own does not count.
 */
static bool names_us(const struct rules *r, const struct connection *id, struct slice text,
                     struct address *ret)
{
    struct address a;
    bool ours = false;
    while (mention_next(&text, &a)) {
        if (address_eq(&a, &id->orig.addr)) {
            *ret = a;
            return true;
        }
        if (ours || address_eq(&a, &id->resp.addr) || !networks_have(r->set->local_nets, &a))
            continue;
        *ret = a;
        ours = true;
    }
    return ours;
}

static const char *says(enum blocklist_kind kind)
{
    switch (kind) {
    case BLOCKLIST_QUERY_FAILED:
        return "was refused by a server that could not ask an SMTP block list";
    case BLOCKLIST_POLICY:
        return "was refused by a policy of the server's";
    case BLOCKLIST_RATE_LIMIT:
        return "was refused for sending too much";
    case BLOCKLIST_AUTHENTICATION:
        return "was refused for want of authentication (SPF, DKIM, DMARC)";
    case BLOCKLIST_LISTED:
    case BLOCKLIST_KINDS:
        break;
    }
    return "received an error message mentioning an SMTP block list";
}

static void on_reply(struct rules *r, const struct connection *id, const struct transaction *mail,
                     const struct smtp_event *ev)
{
    if (ev->code < 400 || ev->code == 421 || !r->lists)
        return;
    struct slice text = joined(r, ev->text);
    const struct blocklist *row = blocklists_match(r->lists, text);
    if (!row || !(r->set->blocklist_kinds & 1u << row->kind))
        return;
    struct notice n = {.ts = ev->ts,
                       .id = *id,
                       .trans_depth = ev->mail,
                       .sub = text,
                       .list = row->name,
                       .removal = row->removal,
                       .code = ev->code};
    bool us = row->kind == BLOCKLIST_LISTED && names_us(r, id, text, &n.host);
    if (!us)
        n.host = id->orig.addr;
    char host[ADDRESS_TEXT], msg[ADDRESS_TEXT + 100], identifier[ADDRESS_TEXT + BLOCKLISTS_NAME + 2];
    address_text(&n.host, host);
    snprintf(msg, sizeof msg, "%s %s", host, us ? "is on an SMTP block list" : says(row->kind));
    snprintf(identifier, sizeof identifier, "%s %.*s", host, (int)row->name.len,
             (const char *)row->name.data);
    n.note = slice_str(us ? blocked_host : error_message);
    n.msg = slice_str(msg);
    n.kind = slice_str(blocklist_kind_name(row->kind));
    n.identifier = slice_str(identifier);
    n.mailfrom = mail ? mail->mailfrom : (struct slice){NULL, 0};
    reply_enhanced(text, &n.enhanced);
    r->raise(r->ctx, &n);
}

static const char *const notes[] = {blocked_host, error_message, NULL};
const struct rule rule_refusal = {"refusal", notes, on_reply, NULL};
