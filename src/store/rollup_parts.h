/* The parts of sums under way, for the files that make and write them. */
#ifndef STORE_ROLLUP_PARTS_H
#define STORE_ROLLUP_PARTS_H

#include "sink/line.h"
#include "store/keyset.h"
#include "store/rollup.h"

enum { ROLLUP_MINUTES = 1440, ROLLUP_HOURS = 24, ROLLUP_RECENT = 2 /* hours whose keys are known */ };
enum { ROLLUP_NO_HOUR = -1 };

/* The columns of `minute`. */
enum count {
    MAILS,
    ACCEPTED,
    REJECTED,
    DEFERRED,
    ABORTED,
    UNKNOWN,
    TLS,
    RECIPIENTS,
    BYTES,
    SESSIONS,
    NOTICES,
    COUNTS
};

struct minute {
    bool dirty;
    int64_t counts[COUNTS];
};

/* A row of `hourly` under way. */
struct sum {
    uint64_t hash, last; /* of the key; the last record that counted here */
    size_t key_at;
    uint16_t key_len;
    uint8_t dimension, hour;
    int64_t mails, accepted, rejected, deferred, tls, recipients, bytes, delays;
    double delay;
};

/* The keys of an hour that have rows. */
struct known {
    int hour; /* ROLLUP_NO_HOUR: of none */
    uint64_t used;
    struct keyset keys;
    struct sum others; /* what counts under "" in this transaction */
};

struct rollup {
    sqlite3 *db;
    sqlite3_stmt *minute_stmt, *update, *insert, *keys;
    int32_t day;
    uint64_t most, seed, serial, uses;
    struct known known[ROLLUP_DIMENSIONS][ROLLUP_RECENT];
    struct minute minutes[ROLLUP_MINUTES];
    size_t dirty_count;
    uint16_t dirty[ROLLUP_MINUTES];
    struct sum *sums;
    size_t sum_count, sum_room;
    uint32_t *slots; /* place in sums + 1 */
    size_t slot_count;
    struct line texts;
};

/* Of a key, within this file and run. */
uint64_t rollup_hash(const struct rollup *r, size_t dimension, size_t hour, struct slice key);
int rollup_prepare(struct rollup *r, struct error *reterr);
/* Nothing is under way any more. */
void rollup_clear(struct rollup *r);

#endif
