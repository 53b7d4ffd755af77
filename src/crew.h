/* The fronts of a run over files: one on this thread, or several on threads of their own, whose records come
 * out in the same order. */
#ifndef CREW_H
#define CREW_H

#include "pipeline.h"
#include "record/stats.h"

struct crew;

enum { SUPPLY_MOST = 32 };

enum supply {
    SUPPLY_OVER,
    SUPPLY_PACKETS,
    SUPPLY_LATER, /* nothing is there yet; the next call waits for it */
};

struct crew_settings {
    const struct settings *set;     /* borrowed, outlives it, as all below */
    size_t workers;                 /* 1: no thread */
    struct scripts *scripts;        /* that hear events; with one worker only */
    const struct part_store *store; /* see pipeline.h */
    struct pipeline_output out;     /* with several workers `record` is called on another thread, `event` and
                                       `mime` never */
    /* The input: what is next of it, up to SUPPLY_MOST packets that are valid until the next call. Called by
     * one thread at a time, not always by the same, with out.ctx. */
    enum supply (*supply)(void *ctx, struct packet *ret, int *ret_count);
    void (*idle)(void *ctx); /* called now and then where `record` is called, with out.ctx */
};

/* -errno with a text: the block lists cannot be read, or the machine gives no more descriptors. */
int crew_new(const struct crew_settings *set, struct crew **ret, struct error *reterr);
/* Takes all packets, and returns when every connection is closed and recorded. -errno with a text: the
 * machine gives too few threads, and no packet was taken. */
int crew_run(struct crew *c, struct error *reterr);
/* After crew_run: adds what was counted. */
void crew_count(const struct crew *c, struct stats *ret);
void crew_free(struct crew **c);

#endif
