/* Lines that nobody takes, kept for a person: refused.ndjson in a folder, an object
 * {"error": ..., "record": ...} a line. */
#ifndef CARRIER_ASIDE_H
#define CARRIER_ASIDE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/slice.h"

struct aside {
    int folder;      /* borrowed */
    uint64_t most;   /* bytes of the file */
    bool sync;       /* what is put there must be on the disk */
    const char *url; /* what texts name; borrowed */
    double tell_at;  /* when it may be spoken of again; 0 at first */
};

/* `line` is without LF. `record`: it is JSON, else it is written as a text. `before`: how many there were.
 * Says it on standard error, once a minute at most. False: the file takes no more, so the line is lost. */
bool aside_put(struct aside *a, struct slice line, bool record, const char *why, uint64_t before);

#endif
