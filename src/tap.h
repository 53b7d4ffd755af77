/* A front on a live input: a thread with a socket on each interface. */
#ifndef TAP_H
#define TAP_H

#include "capture/live.h"
#include "merge.h"
#include "pipeline.h"
#include "record/stats.h"
#include "troop.h"

enum { TAPS_MOST = 64, TAP_INTERFACES = 16 };

struct tap;

struct tap_settings {
    const struct settings *set; /* borrowed, outlives it, as all below */
    struct pipeline_services services;
    struct live *const *sockets; /* one an interface, its own from now on */
    const char *const *interfaces;
    size_t interface_count;
    struct lane *lane;
};

/* A tap without a thread. 0, or -errno with a text; then what is its own from now on is not. */
int tap_new(const struct tap_settings *set, struct tap **ret, struct error *reterr);
/* Their threads, to be started, which the caller frees when they have ended: a connection that came to one of
 * the taps, but belongs to another as its packets came out of tunnels or fragments, is passed on there. */
struct troop *taps_troop(struct tap *const *taps, size_t count);
/* From any thread: it closes and records every connection, and ends. */
void tap_stop(struct tap *t);
/* From any thread: the worker's own block lists and scripts, and the settings, for connections that begin
 * from now on; what was there before is given back by pipeline_services.release once nothing needs it. */
void tap_renew(struct tap *t, const struct settings *set, const struct pipeline_services *services);
/* On its own thread: what its scripts tell, into its lane. */
void tap_tell(void *tap, struct record *rec);
/* From any thread: adds what it has counted a moment ago. */
void tap_count(struct tap *t, struct stats *ret);
/* Bits, one an interface: it is gone, and no packet will come of it. From any thread. */
unsigned tap_gone(const struct tap *t);
/* It cannot read one that is there, as it has said. From any thread. */
bool tap_is_broken(const struct tap *t);
/* Its thread has ended. */
void tap_free(struct tap **t);

#endif
