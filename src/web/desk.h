/* A few threads, and the requests that wait for one of them. */
#ifndef WEB_DESK_H
#define WEB_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include "base/error.h"

struct desk;
struct exchange;
struct reader;

struct desk_settings {
    size_t threads, most; /* most requests that wait */
    const char *name;     /* of its threads */
    /* Whom a thread asks, its own from its start to its end; NULL: nobody. */
    struct reader *(*open_reader)(void *ctx);
    void (*close_reader)(struct reader *r);
    void *ctx;
    void (*serve)(struct exchange *e, struct reader *r);
    void (*refuse)(struct exchange *e); /* one that waited when the desk closed */
};

/* Starts its threads. Returns 0 or -errno. */
int desk_open(const struct desk_settings *set, struct desk **ret, struct error *reterr);
/* False: as many wait as may, or it is closing; the request is still the caller's. */
bool desk_take(struct desk *d, struct exchange *e);
/* Takes no more, refuses those that wait, and returns when the others are served. False: one is not, after so
 * many seconds, and nothing was freed. NULL is fine. */
bool desk_close(struct desk *d, double seconds);

#endif
