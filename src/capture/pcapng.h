/* The pcapng format, read from a stream: several sections and interfaces, of different link types too, which
 * libpcap refuses. */
#ifndef CAPTURE_PCAPNG_H
#define CAPTURE_PCAPNG_H

#include <stdbool.h>
#include "capture/source.h"

struct pcapng;

/* `stream` is borrowed. */
struct pcapng *pcapng_new(FILE *stream);
/* As source_next; the reason of an error goes to *ret_reason, a constant. */
int pcapng_next(struct pcapng *p, struct packet *ret, struct source_stats *stats, const char **ret_reason);
void pcapng_free(struct pcapng **p);

#endif
