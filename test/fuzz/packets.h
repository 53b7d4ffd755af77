/* Packets through the whole pipeline: what comes out, as counts. */
#ifndef TEST_FUZZ_PACKETS_H
#define TEST_FUZZ_PACKETS_H

#include "capture/source.h"

enum { PACKETS_MOST = 4096 };

struct packets_outcome {
    uint64_t mails, promised; /* records of mails, and how many the session records speak of */
    uint64_t bad_lines;       /* that are not one line of valid text */
};

/* `small`: under limits that a few packets reach. */
struct packets_outcome packets_run(const struct packet *packets, size_t count, bool small);

#endif
