/* steer.c: spreads the segments of one input over workers.
 * In: parcels. Out: batches of them. Owns: the batches that are being filled.
 * Limits: at most PENDING records are on their way behind the workers. All batches go at once, so that every
 * worker knows how far the input has come, and none of them holds up the order of the records. */
#include "steer.h"

#include <stdlib.h>
#include "base/memory.h"

enum { PENDING = 4096 };

struct steer {
    struct merge *merge;
    struct worker *const *workers;
    uint64_t number; /* of the last packet */
    uint64_t rounds;
    size_t count;
    struct batch *batches[];
};

struct steer *steer_new(struct worker *const *workers, size_t count, struct merge *merge)
{
    struct steer *s = calloc(1, sizeof *s + count * sizeof(struct batch *));
    memory_check(s);
    s->merge = merge;
    s->workers = workers;
    s->count = count;
    for (size_t i = 0; i < count; i++)
        s->batches[i] = worker_batch(workers[i]);
    return s;
}

static void send(struct steer *s, bool last)
{
    for (size_t i = 0; i < s->count; i++) {
        s->batches[i]->until = s->number;
        s->batches[i]->last = last;
        worker_push(s->workers[i], s->batches[i]);
        s->batches[i] = NULL;
    }
}

static void send_round(struct steer *s)
{
    send(s, false);
    for (size_t i = 0; i < s->count; i++)
        s->batches[i] = worker_batch(s->workers[i]);
    s->rounds++;
}

void steer_flush(struct steer *s)
{
    send_round(s);
}

uint64_t steer_rounds(const struct steer *s)
{
    return s->rounds;
}

bool steer_has_room(const struct steer *s)
{
    bool room = !merge_is_behind(s->merge, PENDING);
    for (size_t i = 0; i < s->count && room; i++)
        room = worker_has_room(s->workers[i]);
    return room;
}

/* Of a moment at which something is to be done every worker hears. */
static bool have_room_for_moment(const struct steer *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (batch_is_full(s->batches[i]))
            return false;
    return true;
}

static void add(struct steer *s, const struct parcel *p, struct block *block)
{
    size_t chosen = endpoints_hash(&p->seg.src, &p->seg.dst) % s->count;
    if (!batch_fits(s->batches[chosen], p, block) || (p->at.step && !have_room_for_moment(s)))
        send_round(s);
    batch_add(s->batches[chosen], p, block);
    s->number = p->at.number;
    for (size_t i = 0; i < s->count && p->at.step; i++)
        if (i != chosen)
            batch_add_moment(s->batches[i], &p->at);
}

void steer_take(void *ctx, struct parcel *parcels, size_t count, struct block *block)
{
    struct steer *s = ctx;
    for (size_t i = 0; i < count; i++)
        add(s, &parcels[i], block);
}

void steer_finish(struct steer *s)
{
    send(s, true);
}

void steer_free(struct steer **ps)
{
    free(*ps);
    *ps = NULL;
}
