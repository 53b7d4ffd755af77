/* passage.c: segments from one worker to another.
 * In: segments. Out: batches. Owns: the batches, but for those that the receiver has. Limits: MOST batches on
 * the way, and one that is filled meanwhile; what is over is dropped and counted, as a worker that waits for
 * another one would lose packets of its own. */
#include "passage.h"

#include <unistd.h>
#include "base/ring.h"

enum { MOST = 8 };

void passage_init(struct passage *p, int wake)
{
    *p = (struct passage){.full = ring_new(MOST), .empty = ring_new(2 * MOST), .wake = wake};
}

bool passage_send(struct passage *p)
{
    struct batch *b = p->filling;
    if (!b || !b->count)
        return true;
    if (!ring_try_push(p->full, b))
        return false;
    p->passed += b->count;
    p->filling = NULL;
    (void)!write(p->wake, &(uint64_t){1}, sizeof(uint64_t));
    return true;
}

void passage_end(struct passage *p)
{
    if (!p->filling)
        return;
    p->dropped += p->filling->count;
    batch_clear(p->filling);
}

/* One with room for this parcel; NULL: all of them are on the way. */
static struct batch *batch_for(struct passage *p, const struct parcel *parcel)
{
    if (p->filling && !batch_fits(p->filling, parcel, NULL) && !passage_send(p))
        return NULL;
    if (!p->filling && (p->filling = ring_try_pop(p->empty)))
        batch_clear(p->filling);
    if (!p->filling && p->made <= MOST) {
        p->filling = batch_new();
        p->made++;
    }
    return p->filling;
}

void passage_add(struct passage *p, const struct segment *seg)
{
    const struct parcel parcel = {.has_segment = true, .seg = *seg};
    struct batch *b = batch_for(p, &parcel);
    if (b)
        batch_add(b, &parcel, NULL);
    p->dropped += b == NULL;
}

struct batch *passage_next(struct passage *p)
{
    return ring_try_pop(p->full);
}

void passage_done(struct passage *p, struct batch *b)
{
    if (!ring_try_push(p->empty, b)) /* there is room for all that are made */
        batch_free(&b);
}

void passage_free(struct passage *p)
{
    struct batch *b;
    while (p->full && (b = ring_try_pop(p->full)))
        batch_free(&b);
    while (p->empty && (b = ring_try_pop(p->empty)))
        batch_free(&b);
    batch_free(&p->filling);
    ring_free(&p->full);
    ring_free(&p->empty);
}
