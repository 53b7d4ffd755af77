/* hops.c: Received lines as hops.
 * In: unfolded values, newest first. Out: the record's hops. Owns: nothing; their texts lie in the draft's
 * arena. Limits: hop_items, the arena's budget. Knowingly: behind a line without an address, as programs on
 * one host write them, no hop is trusted. Spec: RFC 5321 4.4. */
#include "record/hops.h"

static bool is_relay(const struct builder_settings *set, const struct address *a)
{
    for (size_t i = 0; i < set->trusted_relay_count; i++)
        if (network_has(&set->trusted_relays[i], a))
            return true;
    return false;
}

/* Whose word this line is: it came from the client, or from the host that the one above it names. */
static bool is_trusted(const struct draft *d, const struct builder_settings *set, const struct hop *above)
{
    if (!set->trusted_relay_count)
        return false;
    return above ? above->trusted && is_relay(set, &above->line.from_ip) : is_relay(set, &d->t.id.orig.addr);
}

void hops_take(struct draft *d, const struct builder_settings *set, struct slice raw,
               const struct received_head *head, struct buf *scratch)
{
    struct received_head own;
    struct hop *hop = draft_add_hop(d, set);
    if (!hop)
        return;
    struct hop *above = d->t.hops.len > 1 ? hop - 1 : NULL;
    /* Encoded words have no place in it, and what they hide is not read. */
    if (!head)
        received_head(draft_text(d, raw, scratch), &own);
    received_parse(head ? head : &own, &hop->line);
    hop->private = hop->line.from_ip.family && !address_is_public(&hop->line.from_ip);
    hop->trusted = is_trusted(d, set, above);
    if (above && above->line.time && hop->line.time)
        above->delay = (struct interval){(double)above->line.time - (double)hop->line.time, true};
}
