/* The fronts of a run over files: one on this thread, or several on threads of their own, whose records come
 * out in the same order. */
#ifndef CREW_H
#define CREW_H

#include "pipeline.h"
#include "record/stats.h"

struct crew;

struct crew_settings {
    const struct settings *set; /* borrowed, outlives it, as all below */
    size_t workers;             /* 1: no thread */
    struct scripts *scripts;    /* that hear events; with one worker only */
    struct pipeline_output out; /* with several workers `record` is called on another thread, `event` and
                                   `mime` never */
    void (*idle)(void *ctx);    /* called now and then where `record` is called, with out.ctx */
};

/* -errno: the block lists cannot be read. */
int crew_new(const struct crew_settings *set, struct crew **ret, struct error *reterr);
void crew_packet(struct crew *c, const struct packet *pkt);
/* The input is over: returns when every connection is closed and recorded. */
void crew_finish(struct crew *c);
/* After crew_finish: adds what was counted. */
void crew_count(const struct crew *c, struct stats *ret);
void crew_free(struct crew **c);

#endif
