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

/* Servers repeat what the client gave them: mail addresses in brackets are blanked, so that nobody is taken
 * for listed, and no list for named, by what a client chose to write there. */
static struct slice said_by_server(struct rules *r, struct slice text)
{
    buf_clear(&r->said);
    buf_add(&r->said, text);
    for (size_t i = 0; i < r->said.len; i++) {
        if (r->said.data[i] != '<')
            continue;
        struct slice rest = slice_sub(buf_slice(&r->said), i, r->said.len);
        size_t end = slice_index(rest, '>');
        if (end == rest.len)
            break; /* no later one is closed either */
        if (slice_index(slice_sub(rest, 0, end), '@') < end)
            memset(r->said.data + i + 1, ' ', end - 1);
        i += end;
    }
    return buf_slice(&r->said);
}

static bool is_ours(const struct rules *r, const struct address *a)
{
    return address_is_private(a) || networks_have(r->set->local_nets, a);
}

/* The client, or else an address of ours, by which a NAT shows it outside. The server's own does not count,
 * nor do others of ours where a stranger talks to a server of ours. */
static bool names_us(const struct rules *r, const struct connection *id, struct slice text,
                     struct address *ret)
{
    struct address a;
    bool inbound = !is_ours(r, &id->orig.addr) && is_ours(r, &id->resp.addr), ours = inbound;
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
    return ours && !inbound;
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
    struct slice said = said_by_server(r, text);
    const struct blocklist *row = blocklists_match(r->lists, said);
    if (!row || !(r->set->blocklist_kinds & 1u << row->kind))
        return;
    struct notice n = {.ts = ev->ts,
                       .id = *id,
                       .trans_depth = ev->mail,
                       .sub = text,
                       .list = row->name,
                       .code = ev->code,
                       .suppress_for = -1};
    bool us = row->kind == BLOCKLIST_LISTED && !row->domains && names_us(r, id, said, &n.host);
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
    if (row->removal.len)
        n.removal = row->removal;
    if (row->retired.len)
        n.retired = row->retired;
    if (mail) {
        n.mailfrom = mail->mailfrom;
        n.msg_id = mail->msg_id;
    }
    reply_enhanced(text, &n.enhanced);
    r->raise(r->ctx, &n);
}

static const char *const notes[] = {blocked_host, error_message, NULL};
const struct rule rule_refusal = {"refusal", notes, on_reply, NULL};
