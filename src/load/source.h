/* Where a loader takes lines from: a bus that keeps each message until it is told that it has arrived for
 * good. What was taken is held until source_ops.taken or give_back; all functions but open are called under
 * one lock, by two threads. */
#ifndef LOAD_SOURCE_H
#define LOAD_SOURCE_H

#include "carrier/carrier.h"

struct source_settings {
    struct carrier_settings link; /* url, user, password_file, ca_file, timeout */
    const char *group;            /* loaders of one name share the work */
    double redeliver; /* seconds of silence after which the bus gives to others what one of them holds */
};

struct source_message {
    struct slice bytes;  /* NDJSON, or one line without LF */
    struct slice origin; /* the sensor that the bus names beside it; none: it does not */
    bool again;          /* the bus has handed it out before */
};
/* Borrowed until it returns. */
typedef void source_fn(void *ctx, const struct source_message *message);

/* A kind of bus. */
struct source_ops {
    const char *scheme, *summary;
    /* 0, or -EINVAL with what is wrong with the URL, or with the log-in that goes with it. */
    int (*check)(const struct source_settings *set, struct error *reterr);
    /* Whether the bus can be reached is no matter. 0 or -errno. */
    int (*open)(const struct source_settings *set, const char *password, void **ret, struct error *reterr);
    /* Waits up to `seconds` for messages, and takes what is there then, of about `room` bytes. How many they
     * are; 0: none came; -errno: the bus cannot be reached now. */
    int (*take)(void *ctx, double seconds, uint64_t room, source_fn *each, void *each_ctx,
                struct error *reterr);
    /* What is held has arrived for good. 0; or -errno: the bus may not know, and hand it out again. */
    int (*taken)(void *ctx, struct error *reterr);
    /* What is held has not arrived; nothing is taken any more before close. */
    void (*give_back)(void *ctx);
    /* What is held is being worked on. To be called several times a second while nothing is taken; it looks
     * by itself whether the bus has to hear of it. */
    void (*hold)(void *ctx);
    /* How many messages the bus has that have not arrived, or does not know to have arrived. -errno: it
     * cannot be asked now. */
    int (*left)(void *ctx, uint64_t *ret, struct error *reterr);
    /* False: threads of it still run, so the process has to end by _exit(). */
    bool (*close)(void *ctx);
    uint16_t port; /* as that of carrier_ops */
    bool rereads;
};
extern const struct source_ops *const source_table[]; /* ends with NULL */
extern const struct source_ops source_nats, source_nats_tls, source_kafka, source_kafka_tls;
/* The row whose scheme stands before "://" in the URL, or NULL. */
const struct source_ops *source_find(const char *url);

#endif
