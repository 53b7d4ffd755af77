/* sessions.c: who has logged in.
 * In: users, cookies. Out: users. Owns: the table, which dies with the process. Limits: SESSIONS_MOST. */
#include "web/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"

struct row {
    bool used;
    uint8_t hash[TOKEN_HASH];
    struct session session;
    double began, last;
};

struct sessions {
    pthread_mutex_t lock;
    double idle, most;
    struct row rows[SESSIONS_MOST];
};

struct sessions *sessions_new(double idle, double most)
{
    struct sessions *s = calloc(1, sizeof *s);
    memory_check(s);
    pthread_mutex_init(&s->lock, NULL);
    s->idle = idle;
    s->most = most;
    return s;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool has_ended(const struct sessions *s, const struct row *r, double now)
{
    return now - r->last > s->idle || now - r->began > s->most;
}

/* A free one, else the one that was not used for longest. */
static struct row *choose(struct sessions *s, double now)
{
    struct row *oldest = &s->rows[0];
    for (size_t i = 0; i < SESSIONS_MOST; i++) {
        struct row *r = &s->rows[i];
        if (!r->used || has_ended(s, r, now))
            return r;
        if (r->last < oldest->last)
            oldest = r;
    }
    return oldest;
}

void sessions_begin(struct sessions *s, const struct user *user, double now,
                    char retcookie[static TOKEN_TEXT])
{
    token_make(retcookie);
    pthread_mutex_lock(&s->lock);
    struct row *r = choose(s, now);
    *r = (struct row){.used = true, .began = now, .last = now};
    token_hash(slice_str(retcookie), r->hash);
    memcpy(r->session.user, user->name, sizeof r->session.user);
    memcpy(r->session.mark, user->mark, sizeof r->session.mark);
    token_make(r->session.csrf);
    pthread_mutex_unlock(&s->lock);
}

/* With the lock. */
static struct row *find(struct sessions *s, struct slice cookie)
{
    uint8_t hash[TOKEN_HASH];
    struct row *found = NULL;
    token_hash(cookie, hash);
    for (size_t i = 0; i < SESSIONS_MOST; i++)
        if (s->rows[i].used && token_same(hash, s->rows[i].hash))
            found = &s->rows[i];
    return found;
}

bool sessions_find(struct sessions *s, struct slice cookie, double now, struct session *ret)
{
    pthread_mutex_lock(&s->lock);
    struct row *r = find(s, cookie);
    bool good = r && !has_ended(s, r, now);
    if (good) {
        r->last = now;
        *ret = r->session;
    } else if (r) {
        *r = (struct row){0};
    }
    pthread_mutex_unlock(&s->lock);
    return good;
}

void sessions_end(struct sessions *s, struct slice cookie)
{
    pthread_mutex_lock(&s->lock);
    struct row *r = find(s, cookie);
    if (r)
        *r = (struct row){0};
    pthread_mutex_unlock(&s->lock);
}
