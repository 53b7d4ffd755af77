/* A server of ClickHouse by its HTTP interface: one request at a time, by one thread. */
#ifndef CLICKHOUSE_SERVER_H
#define CLICKHOUSE_SERVER_H

#include "base/error.h"
#include "base/slice.h"

/* Where the URL has none. */
enum { CHSERVER_PORT = 8123, CHSERVER_PORT_TLS = 8443 };

struct chserver_settings {
    const char *url;     /* clickhouse://HOST[:8123]/DATABASE, clickhouses://HOST[:8443]/DATABASE */
    const char *user;    /* or NULL */
    const char *ca_file; /* who is believed beside the system's authorities; NULL: nobody */
    double connect;      /* seconds that a connection may take to be made; 0: as long as the request has */
    bool discreet;       /* errors tell its numbers, and its words go to standard error: the words may have
                            SQL and values in them, and whoever is told of errors may be a stranger */
};

/* 0, or -EINVAL with what is wrong: the URL, the user, or a password (`password`: there is one) that would go
 * over a network as it is. The URL itself is not repeated where a password may stand in it. */
int chserver_check(const struct chserver_settings *set, bool password, struct error *reterr);

struct chserver_target {
    uint16_t port;
    bool named; /* the host is no number but a name, which is to be looked up */
};
/* Where requests to that URL go. As chserver_check. */
int chserver_target(const char *url, struct chserver_target *ret, struct error *reterr);

struct chserver;

/* Whether the server can be reached is no matter. `password` may be NULL; all is copied. 0 or -errno. */
int chserver_open(const struct chserver_settings *set, const char *password, struct chserver **ret,
                  struct error *reterr);
void chserver_close(struct chserver **s);
const char *chserver_database(const struct chserver *s);
/* It is on this machine, where packing costs a core and saves nothing. */
bool chserver_is_here(const struct chserver *s);

struct chserver_request {
    const char *more;  /* behind the '?' of the URL */
    struct slice body; /* the query, unless it is in `more`; or rows */
    /* Takes a piece of the answer to a good request; false: no more is wanted, and the connection is closed.
     * NULL: the answer is kept for chserver_answer. */
    bool (*take)(void *ctx, struct slice piece);
    void *ctx;
    double until; /* by now_monotonic */
};

enum chserver_outcome {
    CHSERVER_DONE,
    CHSERVER_LATE,   /* nothing was asked, as its time was over */
    CHSERVER_FAILED, /* it is not there, too slow, or refuses: *reterr says why */
    CHSERVER_ROW,    /* a row that was sent is at fault, however often it is sent */
    CHSERVER_ENOUGH  /* `take` wanted no more */
};

enum chserver_outcome chserver_ask(struct chserver *s, const struct chserver_request *request,
                                   struct error *reterr);
/* What was answered last, where no `take` had it, or what was said of an error; up to CHSERVER_ANSWER bytes;
 * lives until the next request. */
enum { CHSERVER_ANSWER = 1 << 20 };
struct slice chserver_answer(const struct chserver *s);
/* The number of the error that it said last; 0: none. */
unsigned chserver_code(const struct chserver *s);
/* Of the last request: there was a connection that it could go over; the user or the password were no good.
 */
bool chserver_was_reached(const struct chserver *s);
bool chserver_was_refused(const struct chserver *s);

#endif
