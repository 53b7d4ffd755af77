/* smuggling.c: a message with another one hidden in it, for a server that sees its end where no end is.
 * In: records of stream smtp. Out: notices SMTP::Smuggling_Attempt. Owns: nothing. Knowingly: a dot alone
 * between bare LFs happens to clumsy senders, so it takes a command behind it; between bare CRs it does not
 * happen by accident. Spec: RFC 5321 2.3.8, 4.1.1.4; CVE-2023-51764, -51765, -51766. */
#include <stdio.h>
#include "rule/rule.h"

static const char smuggling[] = "SMTP::Smuggling_Attempt";

static const struct found_anomaly *find(const struct transaction *t, enum anomaly which)
{
    for (size_t i = 0; i < t->anomalies.len; i++)
        if (t->anomalies.items[i].which == which)
            return &t->anomalies.items[i];
    return NULL;
}

static void on_record(struct rules *r, struct record *rec)
{
    if (rec->stream != &stream_smtp)
        return;
    const struct transaction *t = rec->body;
    const struct found_anomaly *end = find(t, ANOMALY_end_lookalike),
                               *command = find(t, ANOMALY_smuggled_command);
    if (!end || (!(command && command->text.len) && !slice_case_starts(end->text, "<CR>")))
        return;
    char msg[200], host[ADDRESS_TEXT];
    address_text(&t->id.orig.addr, host);
    snprintf(msg, sizeof msg,
             "%s sent a message with %.*s in it (byte %llu): a server that takes this for the end takes what "
             "follows for %s.",
             host, (int)end->text.len, (const char *)end->text.data, (unsigned long long)end->offset,
             command ? "another mail" : "commands");
    struct notice n = {.ts = rec->end,
                       .id = t->id,
                       .trans_depth = t->trans_depth,
                       .note = slice_str(smuggling),
                       .msg = slice_str(msg),
                       .sub = command && command->text.len ? command->text : t->subject,
                       .host = t->id.orig.addr,
                       .mailfrom = t->mailfrom,
                       .msg_id = t->msg_id,
                       .suppress_for = -1,
                       .identifier = slice_str(host)};
    r->raise(r->ctx, &n);
}

static const char *const notes[] = {smuggling, NULL};
const struct rule rule_smuggling = {"smuggling", notes, NULL, on_record};
