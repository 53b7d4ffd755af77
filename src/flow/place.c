/* place.c: flows in the order of the last packet, by kind, and which is worth least.
 * In: flows. Out: the oldest of a kind. Owns: nothing; the links lie in the flows. Knowingly: a flood of SYNs
 * is not told from many that connect at once; who is quiet for HANDSHAKE_SECONDS amid the handshake goes
 * first. */
#include "flow/place.h"

#include <stdlib.h>
#include "base/now.h"
#include "flow/flow.h"

static const double HANDSHAKE_SECONDS = 3; /* the first repetitions of a SYN come within (RFC 6298) */

static enum place place_for(const struct flow *f)
{
    static const enum place places[FLOW_STATES] = {
        [FLOW_WATCHED] = PLACE_WATCHED, [FLOW_IGNORED] = PLACE_IGNORED, [FLOW_CLOSED] = PLACE_CLOSED};
    if (f->state != FLOW_LIVE)
        return places[f->state];
    if (f->spoke)
        return f->known ? PLACE_LIVE : PLACE_UNKNOWN;
    return f->answered ? PLACE_SILENT : PLACE_HALF_OPEN;
}

static struct flow *flow_of(struct link *place)
{
    return place ? (struct flow *)((char *)place - offsetof(struct flow, place)) : NULL;
}

void places_add(struct places *p, struct flow *f)
{
    f->stands = place_for(f);
    queue_append(&p->at[f->stands], &f->place);
}

void places_remove(struct places *p, struct flow *f)
{
    queue_remove(&p->at[f->stands], &f->place);
}

void places_renew(struct places *p, struct flow *f)
{
    places_remove(p, f);
    places_add(p, f);
}

struct flow *places_oldest(const struct places *p, enum place at)
{
    return flow_of(p->at[at].oldest);
}

struct flow *places_newer(const struct flow *f)
{
    return flow_of(f->place.newer);
}

struct flow *places_least(const struct places *p, struct timespec now)
{
    static const enum place order[] = {PLACE_CLOSED,  PLACE_IGNORED, PLACE_HALF_OPEN, PLACE_SILENT,
                                       PLACE_UNKNOWN, PLACE_WATCHED, PLACE_LIVE};
    struct flow *f = places_oldest(p, PLACE_HALF_OPEN);
    if (f && seconds_between(f->queued_at, now) >= HANDSHAKE_SECONDS)
        return f;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if ((f = places_oldest(p, order[i])))
            return f;
    return NULL;
}
