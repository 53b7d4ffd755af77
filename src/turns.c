/* turns.c: who reads next.
 * In: what workers have to do. Out: turns. Owns: a lock, under which all of it is decided; it is taken once a
 * batch. */
#include "turns.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    unsigned waiting;
    bool reading; /* somebody does, or nobody will any more */
};

struct turns *turns_new(void)
{
    struct turns *t = calloc(1, sizeof *t);
    memory_check(t);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->moved, NULL);
    return t;
}

enum turn turns_next(struct turns *t, const struct worker *w, const struct steer *s)
{
    pthread_mutex_lock(&t->lock);
    while (!worker_has_batch(w) && (t->reading || !steer_has_room(s))) {
        t->waiting++;
        pthread_cond_wait(&t->moved, &t->lock);
        t->waiting--;
    }
    enum turn turn = worker_has_batch(w) ? TURN_WORK : TURN_READ;
    t->reading |= turn == TURN_READ;
    pthread_mutex_unlock(&t->lock);
    return turn;
}

void turns_tell(struct turns *t)
{
    pthread_mutex_lock(&t->lock);
    if (t->waiting)
        pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}

void turns_end_reading(struct turns *t, bool over)
{
    pthread_mutex_lock(&t->lock);
    t->reading = over;
    if (t->waiting)
        pthread_cond_broadcast(&t->moved);
    pthread_mutex_unlock(&t->lock);
}

void turns_free(struct turns **pt)
{
    struct turns *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    pthread_cond_destroy(&t->moved);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
