/* rule.c: the table of detections, and who calls them.
 * In: replies, records. Out: notices, by struct rules. Owns: working room of the rules. */
#include "rule/rule.h"

const struct rule *const rule_table[] = {&rule_refusal, &rule_origin, &rule_smuggling, NULL};

void rules_init(struct rules *r)
{
    buf_init(&r->text, BLOCKLISTS_TEXT + 1);
    buf_init(&r->clean, (size_t)4 * BLOCKLISTS_TEXT);
    buf_init(&r->said, (size_t)4 * BLOCKLISTS_TEXT);
}

void rules_free(struct rules *r)
{
    buf_free(&r->text);
    buf_free(&r->clean);
    buf_free(&r->said);
}

void rules_reply(struct rules *r, const struct connection *id, const struct transaction *mail,
                 const struct smtp_event *ev)
{
    for (size_t i = 0; rule_table[i]; i++)
        if (rule_table[i]->reply)
            rule_table[i]->reply(r, id, mail, ev);
}

void rules_record(struct rules *r, struct record *rec)
{
    for (size_t i = 0; rule_table[i]; i++)
        if (rule_table[i]->record)
            rule_table[i]->record(r, rec);
}

bool networks_have(struct networks nets, const struct address *a)
{
    for (size_t i = 0; i < nets.count; i++)
        if (network_has(&nets.items[i], a))
            return true;
    return false;
}
