/* policy.c: which row of the owner's policy is about a notice.
 * In: a notice. Out: a row, or none. Owns: nothing. */
#include "rule/policy.h"

static bool note_fits(const char *pattern, struct slice note)
{
    size_t len = strlen(pattern);
    if (len && pattern[len - 1] == '*')
        return note.len >= len - 1 && memcmp(note.data, pattern, len - 1) == 0;
    return slice_eq(note, slice_str(pattern));
}

static bool country_fits(const struct policy_row *row, struct slice country)
{
    for (size_t i = 0; i < row->country_count; i++)
        if (slice_eq(country, slice_str(row->countries[i])))
            return true;
    return !row->country_count;
}

const struct policy_row *policy_find(const struct policy *p, const struct notice *n,
                                     struct networks local_nets)
{
    /* The host too: that of a client behind a NAT is the address outside. */
    bool local = networks_have(local_nets, &n->src) || networks_have(local_nets, &n->host);
    for (size_t i = 0; i < p->count; i++) {
        const struct policy_row *row = &p->rows[i];
        if (!note_fits(row->note, n->note) || !country_fits(row, n->country))
            continue;
        if (row->local_host != POLICY_ANY && local != (row->local_host == POLICY_YES))
            continue;
        if (!row->network_count ||
            networks_have((struct networks){row->networks, row->network_count}, &n->host))
            return row;
    }
    return NULL;
}
