/* steer.c: spreads the packets of one input over workers.
 * In: packets. Out: batches of segments. Owns: the decoder, the clock, the batches that are being filled.
 * Limits: at most PENDING records are on their way behind the workers. All batches go at once, so that every
 * worker knows how far the input has come, and none of them holds up the order of the records. */
#include "steer.h"

#include <assert.h>
#include <stdlib.h>

enum { PENDING = 4096 };

struct steer {
    struct decoder *decoder;
    struct flow_clock clock;
    struct merge *merge;
    struct worker *const *workers;
    size_t count;
    struct batch *batches[];
};

struct steer *steer_new(const struct settings *set, struct worker *const *workers, size_t count,
                        struct merge *merge)
{
    struct steer *s = calloc(1, sizeof *s + count * sizeof(struct batch *));
    assert(s);
    s->decoder = pipeline_decoder(set);
    s->clock.back_after = set->flow_timeout;
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
        s->batches[i]->until = s->clock.number;
        s->batches[i]->last = last;
        worker_push(s->workers[i], s->batches[i]);
        s->batches[i] = NULL;
    }
}

static void send_round(struct steer *s)
{
    send(s, false);
    merge_wait(s->merge, PENDING);
    for (size_t i = 0; i < s->count; i++)
        s->batches[i] = worker_batch(s->workers[i]);
}

/* Has every batch room for a moment, and the chosen one for its payload? */
static bool fits(const struct steer *s, size_t chosen, size_t payload)
{
    for (size_t i = 0; i < s->count; i++)
        if (!batch_fits(s->batches[i], i == chosen ? payload : 0))
            return false;
    return true;
}

void steer_packet(struct steer *s, const struct packet *pkt)
{
    struct segment seg;
    if (decode_packet(s->decoder, pkt, &seg) != DECODED_TCP)
        return;
    size_t chosen = endpoints_hash(&seg.src, &seg.dst) % s->count;
    if (!fits(s, chosen, seg.payload.len))
        send_round(s);
    const struct flow_moment at = flow_clock_advance(&s->clock, seg.ts);
    batch_add(s->batches[chosen], &at, &seg);
    for (size_t i = 0; i < s->count && at.step; i++)
        if (i != chosen)
            batch_add(s->batches[i], &at, NULL);
}

void steer_finish(struct steer *s)
{
    send(s, true);
}

const struct decode_stats *steer_decoded(const struct steer *s)
{
    return decoder_stats(s->decoder);
}

void steer_free(struct steer **ps)
{
    struct steer *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    decoder_free(&s->decoder);
    free(s);
}
