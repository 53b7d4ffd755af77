/* The way out of an answer that leaves in pieces: a handler's thread puts them in and waits where the client
 * is slow, the server's thread takes them out. */
#ifndef WEB_OUTLET_H
#define WEB_OUTLET_H

#include <stdatomic.h>
#include <sys/types.h>
#include "web/answer.h"

struct MHD_Connection;
struct outlet;

struct outlet_settings {
    struct MHD_Connection *connection; /* suspended; goes on with the first piece */
    bool gzip;
    double patience;           /* seconds that a client may take for one piece */
    const atomic_bool *ending; /* of the server */
    /* Called once, by the handler's thread, before the connection goes on: the response is to be made. */
    void (*begin)(void *ctx);
    void *ctx;
};

/* Two have it: the handler's thread until outlet_end, the server until outlet_drop. */
struct outlet *outlet_new(const struct outlet_settings *set);

/* Moves what the answer's body has behind what waits, once that is little enough; a small body stays until
 * more of it comes.
 * False: nobody wants more. */
bool outlet_take(struct outlet *out, struct answer *a);
bool outlet_has_begun(const struct outlet *out);
/* What comes is to look cut off to the client. */
void outlet_break(struct outlet *out);
/* The handler is done. True: the rest is on its way; false: nothing had left yet, and the answer may leave as
 * a whole. The outlet is not the handler's any more. */
bool outlet_end(struct outlet *out, struct answer *a);

/* As libmicrohttpd's callback for content wants it: bytes into `ret`, or a negative number of its own. */
ssize_t outlet_read(void *outlet, uint64_t at, char *ret, size_t room);
/* The server has no use for it any more. */
void outlet_drop(void *outlet);

#endif
