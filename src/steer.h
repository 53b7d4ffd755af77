/* Files on many cores: one thread reads and decodes, and hands both directions of a connection to one worker.
 */
#ifndef STEER_H
#define STEER_H

#include "worker.h"

struct steer;

/* The workers are borrowed, and fed by it alone from now on; `merge` has their lanes. */
struct steer *steer_new(const struct settings *set, struct worker *const *workers, size_t count,
                        struct merge *merge);
void steer_packet(struct steer *s, const struct packet *pkt);
/* The input is over: all that is on its way is handed over, and the workers told that nothing follows. */
void steer_finish(struct steer *s);
const struct decode_stats *steer_decoded(const struct steer *s);
void steer_free(struct steer **s);

#endif
