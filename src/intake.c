/* intake.c: decodes packets ahead of those who follow the connections.
 * In: packets. Out: parcels. Owns: decoder, clock, FEW parcels. Limits: FEW. Bytes outside of a block do not
 * last, so that such a parcel is handed on at once, with those before it. */
#include "intake.h"

#include <stdlib.h>
#include "base/memory.h"
#include "pipeline.h"

enum { FEW = 32 };

struct intake {
    struct decoder *decoder;
    struct flow_clock clock;
    intake_take *take;
    void *ctx;
    struct block *block; /* held */
    size_t count;
    struct parcel parcels[FEW];
};

struct intake *intake_new(const struct settings *set, intake_take *take, void *ctx)
{
    struct intake *in = calloc(1, sizeof *in);
    memory_check(in);
    in->decoder = pipeline_decoder(set);
    in->clock.back_after = set->flow_timeout;
    in->take = take;
    in->ctx = ctx;
    return in;
}

void intake_flush(struct intake *in)
{
    if (in->count)
        in->take(in->ctx, in->parcels, in->count, in->block);
    in->count = 0;
}

static void change_block(struct intake *in, struct block *block)
{
    intake_flush(in);
    block_release(&in->block);
    in->block = block;
    if (block)
        block_hold(block);
}

void intake_packet(struct intake *in, const struct packet *pkt)
{
    if (pkt->block != in->block)
        change_block(in, pkt->block);
    struct parcel *p = &in->parcels[in->count];
    if (decode_packet(in->decoder, pkt, &p->seg) != DECODED_TCP)
        return;
    p->at = flow_clock_advance(&in->clock, p->seg.ts);
    p->has_segment = true;
    bool lasts = in->block && (!p->seg.payload.len || block_has(in->block, p->seg.payload));
    if (++in->count == FEW || !lasts)
        intake_flush(in);
}

const struct decode_stats *intake_decoded(const struct intake *in)
{
    return decoder_stats(in->decoder);
}

void intake_free(struct intake **pin)
{
    struct intake *in = *pin;
    *pin = NULL;
    if (!in)
        return;
    block_release(&in->block);
    decoder_free(&in->decoder);
    free(in);
}
