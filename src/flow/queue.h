/* Flows in the order of their last change; a flow can stand in several queues, with a link for each. */
#ifndef FLOW_QUEUE_H
#define FLOW_QUEUE_H

/* It lies inside of what stands in the queue. */
struct link {
    struct link *older, *newer;
};

struct queue {
    struct link *oldest, *newest;
};

/* The link, which stands in no queue, becomes the newest. */
static inline void queue_append(struct queue *q, struct link *l)
{
    *l = (struct link){.older = q->newest};
    *(q->newest ? &q->newest->newer : &q->oldest) = l;
    q->newest = l;
}

/* The link stands in this queue. */
static inline void queue_remove(struct queue *q, struct link *l)
{
    *(l->older ? &l->older->newer : &q->oldest) = l->newer;
    *(l->newer ? &l->newer->older : &q->newest) = l->older;
}

#endif
