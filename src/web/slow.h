/* Connections whose clients take too long, byte by byte if need be: libmicrohttpd's own time-out begins anew
 * with every byte. Safe from several threads. */
#ifndef WEB_SLOW_H
#define WEB_SLOW_H

#include <microhttpd.h>

struct slow;
struct exchange;

enum slow_phase {
    SLOW_READS, /* a request is awaited or read */
    SLOW_WORKS, /* it is read; nothing is expected of the client */
    SLOW_SENDS, /* a whole answer is on its way */
    SLOW_PHASES
};

/* Seconds that a request may take; a whole answer ten times as many. `left` is called for a request that is
 * held when its connection is closed. */
struct slow *slow_new(double seconds, void (*left)(struct exchange *e));
void slow_free(struct slow *s); /* NULL is fine */
/* For MHD_OPTION_NOTIFY_CONNECTION. */
void slow_notify(void *slow, struct MHD_Connection *connection, void **context,
                 enum MHD_ConnectionNotificationCode code);
/* The connection is in that phase from now on. */
void slow_enter(struct slow *s, struct MHD_Connection *connection, enum slow_phase phase);
/* The connection's request is this one now (NULL: none); returns which one was. libmicrohttpd tells of the
 * end of a request, but not of each that is broken off while it reads its line. */
struct exchange *slow_hold(struct slow *s, struct MHD_Connection *connection, struct exchange *e);
/* Cuts those that are in their phase for too long; to be called every few seconds. */
void slow_cut(struct slow *s);

#endif
