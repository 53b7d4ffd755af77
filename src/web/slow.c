/* slow.c: connections whose clients take too long.
 * In: phases. Out: sockets that are shut down, which libmicrohttpd then closes. Owns: a row a connection.
 * Limits: `most`, seconds in each phase. */
#include "web/slow.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include "base/memory.h"
#include "base/now.h"

struct row {
    struct row *next, **here; /* *here is this row */
    int fd;
    enum slow_phase phase;
    double since;
    struct exchange *held;
};

struct slow {
    pthread_mutex_t lock;
    double most[SLOW_PHASES];
    void (*left)(struct exchange *e);
    struct row *first;
};

struct slow *slow_new(double seconds, void (*left)(struct exchange *e))
{
    struct slow *s = calloc(1, sizeof *s);
    memory_check(s);
    pthread_mutex_init(&s->lock, NULL);
    s->left = left;
    s->most[SLOW_READS] = seconds;
    s->most[SLOW_WORKS] = INFINITY;
    s->most[SLOW_SENDS] = 10 * seconds;
    return s;
}

void slow_free(struct slow *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static void add(struct slow *s, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct row *r = calloc(1, sizeof *r);
    memory_check(r);
    r->fd = info ? info->connect_fd : -1;
    r->since = now_monotonic();
    pthread_mutex_lock(&s->lock);
    r->next = s->first;
    r->here = &s->first;
    if (r->next)
        r->next->here = &r->next;
    s->first = r;
    pthread_mutex_unlock(&s->lock);
    *context = r;
}

/* Before its socket is closed, so that slow_cut never has the number of another one. */
static void drop(struct slow *s, void **context)
{
    struct row *r = *context;
    if (!r)
        return;
    pthread_mutex_lock(&s->lock);
    *r->here = r->next;
    if (r->next)
        r->next->here = r->here;
    pthread_mutex_unlock(&s->lock);
    if (r->held)
        s->left(r->held);
    free(r);
    *context = NULL;
}

void slow_notify(void *slow, struct MHD_Connection *connection, void **context,
                 enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        add(slow, connection, context);
    else
        drop(slow, context);
}

static struct row *row_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Only the connection's own thread looks at what is held. */
struct exchange *slow_hold(struct slow *s, struct MHD_Connection *connection, struct exchange *e)
{
    struct row *r = row_of(connection);
    (void)s;
    if (!r)
        return NULL;
    struct exchange *old = r->held;
    r->held = e;
    return old;
}

void slow_enter(struct slow *s, struct MHD_Connection *connection, enum slow_phase phase)
{
    struct row *r = row_of(connection);
    if (!r)
        return;
    pthread_mutex_lock(&s->lock);
    r->phase = phase;
    r->since = now_monotonic();
    pthread_mutex_unlock(&s->lock);
}

void slow_cut(struct slow *s)
{
    double now = now_monotonic();
    pthread_mutex_lock(&s->lock);
    for (struct row *r = s->first; r; r = r->next)
        if (now - r->since > s->most[r->phase])
            shutdown(r->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}
