/* wait.c: flows that wait.
 * In: flows. Out: who has waited longest. Owns: what a flow needs while it waits, which few do. */
#include "flow/wait.h"

#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"

static struct flow_wait *wait_of(struct link *l)
{
    return (struct flow_wait *)((char *)l - offsetof(struct flow_wait, link));
}

struct flow *waiting_longest(const struct queue *q)
{
    return q->oldest ? wait_of(q->oldest)->flow : NULL;
}

void waiting_begin(struct queue *q, struct flow *f, struct timespec now)
{
    if (f->wait)
        return;
    f->wait = malloc(sizeof *f->wait);
    memory_check(f->wait);
    f->wait->flow = f;
    f->wait->since = now;
    queue_append(q, &f->wait->link);
}

void waiting_end(struct queue *q, struct flow *f)
{
    if (!f->wait)
        return;
    queue_remove(q, &f->wait->link);
    free(f->wait);
    f->wait = NULL;
}

void waiting_set_back(struct queue *q, struct timespec now)
{
    for (struct link *l = q->oldest; l; l = l->newer)
        if (seconds_between(now, wait_of(l)->since) > 0)
            wait_of(l)->since = now;
}
