/* syslog_line.c: a record as a message of syslog.
 * In: JSON in a line. Out: HEADER, STRUCTURED-DATA, MSG. Owns: the sequence. Limits: syslog_bytes.
 * Knowingly: no BOM stands before MSG, so that by the grammar it is MSG-ANY: RFC 8259 8.1 wants none before
 * JSON, and who parses MSG as JSON stumbles over it. Spec: RFC 5424 6 and 7 (origin, meta: registered, so no
 * enterprise number is needed). */
#include "carrier/syslog_line.h"

#include <unistd.h>
#include "carrier/form.h"
#include "carrier/shorten.h"

enum { MSGID_MOST = 32, HOST_MOST = 255, SEQUENCE_MOST = 2147483647, HEAD_ROOM = 700 };

/* PRINTUSASCII, and '-' where nothing is left. */
static size_t add_name(struct slice name, size_t most, char *ret)
{
    size_t n = 0;
    for (; n < name.len && n < most; n++)
        ret[n] = name.data[n] > ' ' && name.data[n] < 127 ? (char)name.data[n] : '_';
    if (!n)
        ret[n++] = '-';
    ret[n] = '\0';
    return n;
}

void syslog_head_init(struct syslog_head *head, const struct carrier_syslog *set, size_t most,
                      const char *sensor)
{
    *head = (struct syslog_head){.set = set, .most = most < set->bytes ? most : (size_t)set->bytes};
    add_name(slice_str(sensor), HOST_MOST, head->host);
    snprintf(head->process, sizeof head->process, "%d", (int)getpid());
}

enum syslog_fit syslog_message(struct syslog_head *head, struct slice json, struct line *out,
                               struct error *retwhy)
{
    struct form_facts facts;
    char start[HEAD_ROOM], id[MSGID_MOST + 1];
    size_t at = out->len;
    form_look(json, &facts);
    add_name(facts.path, MSGID_MOST, id);
    bool notice = slice_eq(facts.path, slice_str("notice"));
    unsigned severity = notice ? head->set->notice_severity : head->set->severity;
    head->sequence = head->sequence < SEQUENCE_MOST ? head->sequence + 1 : 1;
    int len = snprintf(start, sizeof start,
                       "<%u>1 %s %s mailtap %s %s [origin software=\"mailtap\" swVersion=\"" MAILTAP_VERSION
                       "\"][meta sequenceId=\"%u\"] ",
                       head->set->facility * 8 + severity, *facts.time ? facts.time : "-", head->host,
                       head->process, id, head->sequence);
    line_add(out, (struct slice){(const uint8_t *)start, (size_t)len});
    if ((size_t)len + json.len <= head->most) {
        line_add(out, json);
        return SYSLOG_WHOLE;
    }
    size_t room = (size_t)len < head->most ? head->most - (size_t)len : 0;
    if (shorten(json, room, out, retwhy))
        return SYSLOG_SHORT;
    error_set(retwhy, 0, "it does not fit into a message of %zu bytes, however short", head->most);
    out->len = at;
    head->sequence--;
    return SYSLOG_NONE;
}
