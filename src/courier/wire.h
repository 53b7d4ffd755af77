/* What the two sides of the courier's socket agree on: the sensor writes frames, the courier process counts
 * in a page that both map. Nobody outside of courier/ includes this. */
#ifndef COURIER_WIRE_H
#define COURIER_WIRE_H

#include <stdatomic.h>
#include <stdint.h>

/* Bit 1 << target is the action. */
enum { WIRE_EMAIL, WIRE_WEBHOOK, WIRE_TARGETS };
/* A longer json, subject or text is no notice. */
enum { WIRE_PART_MOST = 1024 * 1024 };

/* Before the bytes of json, subject and text, in this order. No actions: the sensor closes, and `json` is how
 * many milliseconds it still waits. */
struct wire_head {
    uint32_t actions, json, subject, text;
};

/* The courier process writes, the sensor reads; it outlives the process, however that ends. */
struct wire_page {
    _Atomic uint64_t received[WIRE_TARGETS], found[WIRE_TARGETS], delivered[WIRE_TARGETS], lost[WIRE_TARGETS];
    _Atomic uint32_t ended; /* the process ended as it should: the counts are final */
};

#endif
