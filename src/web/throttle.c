/* throttle.c: how often somebody may try to log in.
 * In: tries. Out: how long to wait. Owns: a table. Limits: ROWS addresses and users; over it the one goes
 * that has most left. Knowingly: who knows a user's name can keep that user from logging in, as long as he
 * goes on, but no session that is open. An IPv6 client counts by its /64, which is what one household has. */
#include "web/throttle.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"
#include "web/token.h"

enum { ROWS = 2048, KEY = 16, ALL = 10 };

struct bucket {
    uint8_t key[KEY];
    double left, at; /* tries, as of then */
};

struct throttle {
    pthread_mutex_t lock;
    double most;
    struct bucket all;
    size_t count;
    struct bucket rows[ROWS];
};

struct throttle *throttle_new(uint64_t a_minute)
{
    struct throttle *t = calloc(1, sizeof *t);
    memory_check(t);
    pthread_mutex_init(&t->lock, NULL);
    t->most = (double)a_minute;
    t->all.left = ALL * t->most;
    return t;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static void make_key(uint8_t kind, struct slice what, uint8_t ret[static KEY])
{
    uint8_t in[1 + TOKEN_HASH] = {kind}, hash[TOKEN_HASH];
    token_hash(what, in + 1);
    token_hash((struct slice){in, sizeof in}, hash);
    memcpy(ret, hash, KEY);
}

static void key_of_address(const struct address *from, uint8_t ret[static KEY])
{
    make_key(from->family, (struct slice){from->bytes, from->family == 6 ? 8 : 4}, ret);
}

static void refill(struct bucket *b, double most, double now)
{
    b->left = fmin(most, b->left + (now - b->at) * most / 60);
    b->at = now;
}

static struct bucket *find(struct throttle *t, const uint8_t key[static KEY], double now)
{
    struct bucket *fullest = NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct bucket *b = &t->rows[i];
        refill(b, t->most, now);
        if (memcmp(b->key, key, KEY) == 0)
            return b;
        if (!fullest || b->left > fullest->left)
            fullest = b;
    }
    struct bucket *b = t->count < ROWS ? &t->rows[t->count++] : fullest;
    *b = (struct bucket){.left = t->most, .at = now};
    memcpy(b->key, key, KEY);
    return b;
}

/* Seconds until one is left. */
static double wait_of(const struct bucket *b, double most)
{
    return b->left >= 1 ? 0 : (1 - b->left) * 60 / most;
}

unsigned throttle_try(struct throttle *t, const struct address *from, struct slice user, double now)
{
    uint8_t keys[2][KEY];
    key_of_address(from, keys[0]);
    make_key('u', user, keys[1]);
    pthread_mutex_lock(&t->lock);
    refill(&t->all, ALL * t->most, now);
    double wait = wait_of(&t->all, ALL * t->most);
    wait = fmax(wait, wait_of(find(t, keys[0], now), t->most));
    wait = fmax(wait, wait_of(find(t, keys[1], now), t->most));
    if (wait <= 0) {
        t->all.left--;
        find(t, keys[0], now)->left--;
        find(t, keys[1], now)->left--;
    }
    pthread_mutex_unlock(&t->lock);
    return (unsigned)ceil(wait);
}

void throttle_forgive(struct throttle *t, const struct address *from, struct slice user)
{
    uint8_t keys[2][KEY];
    key_of_address(from, keys[0]);
    make_key('u', user, keys[1]);
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->count; i++)
        for (size_t k = 0; k < 2; k++)
            if (memcmp(t->rows[i].key, keys[k], KEY) == 0)
                t->rows[i].left = fmin(t->most, t->rows[i].left + 1);
    pthread_mutex_unlock(&t->lock);
}
