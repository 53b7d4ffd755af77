/* The pcapng format: several sections and interfaces, of different link types too, which
 * libpcap refuses. */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include "capture/source.h"
#include "capture/window.h"

struct pcapng;

/* `window` is borrowed, and stands at the file's beginning. */
struct pcapng *pcapng_new(struct window *window);
/* As source_next; the reason of an error goes to *ret_reason, a constant. */
int pcapng_next(struct pcapng *p, struct packet *ret, struct source_stats *stats, const char **ret_reason);
/* The next block is there. */
bool pcapng_is_ready(const struct pcapng *p);
void pcapng_free(struct pcapng **p);

#endif
