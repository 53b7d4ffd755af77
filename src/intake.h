/* Packets of files to parcels, a few at a time, so that who takes them can load ahead what belongs to them.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "capture/source.h"
#include "decode/decode.h"
#include "flow/table.h"
#include "settings.h"

struct intake;

/* Takes parcels in order; their bytes are in `block`, or valid until it returns. */
typedef void intake_take(void *ctx, struct parcel *parcels, size_t count, struct block *block);

struct intake *intake_new(const struct settings *set, intake_take *take, void *ctx);
void intake_packet(struct intake *in, const struct packet *pkt);
/* Hands on what it has. To be called where the next packet may be long in coming, and at the end. */
void intake_flush(struct intake *in);
const struct decode_stats *intake_decoded(const struct intake *in);
void intake_free(struct intake **in);

#endif
