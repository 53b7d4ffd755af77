/* door.c: who somebody is.
 * In: cookies, tokens, passwords. Out: users and what they may see. Owns: users, sessions, tries. Limits:
 * those of its parts. Knowingly: sessions end with the process. */
#include "web/door.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"

struct door {
    const struct web_settings *set;
    pthread_rwlock_t lock; /* of users */
    struct users *users;   /* NULL: nobody logs in */
    struct sessions *sessions;
    struct throttle *throttle;
    char csrf[TOKEN_TEXT]; /* of those who have not logged in */
};

int door_open(const struct web_settings *set, struct door **ret, struct error *reterr)
{
    struct users *users = NULL;
    int err = *set->users ? users_open(set->users, &users, reterr) : 0;
    if (err)
        return err;
    struct door *d = calloc(1, sizeof *d);
    memory_check(d);
    d->set = set;
    d->users = users;
    pthread_rwlock_init(&d->lock, NULL);
    d->sessions = sessions_new(set->session_idle, set->session_most);
    d->throttle = throttle_new(set->log_ins);
    token_make(d->csrf);
    *ret = d;
    return 0;
}

void door_close(struct door *d)
{
    if (!d)
        return;
    users_close(d->users);
    sessions_free(d->sessions);
    throttle_free(d->throttle);
    pthread_rwlock_destroy(&d->lock);
    free(d);
}

/* Over TLS the prefix keeps other hosts and clear text from setting it. */
const char *door_cookie(const struct door *d)
{
    return *d->set->certificate ? "__Host-mailtap" : "mailtap";
}

static bool by_token(struct door *d, const struct heads *h, struct visitor *ret)
{
    static const char scheme[] = "Bearer ";
    if (!slice_case_starts(h->authorization, scheme))
        return false;
    struct slice token = slice_trim(slice_sub(h->authorization, sizeof scheme - 1, h->authorization.len));
    pthread_rwlock_rdlock(&d->lock);
    const struct user *u = users_by_token(d->users, token);
    if (u) {
        memcpy(ret->user, u->name, sizeof ret->user);
        ret->role = u->role;
        ret->by_token = true;
    }
    pthread_rwlock_unlock(&d->lock);
    return true;
}

static void by_cookie(struct door *d, const struct heads *h, struct visitor *ret)
{
    struct session s;
    struct slice cookie = heads_cookie(h, door_cookie(d));
    if (!cookie.data || !sessions_find(d->sessions, cookie, now_monotonic(), &s))
        return;
    pthread_rwlock_rdlock(&d->lock);
    const struct user *u = users_find(d->users, slice_str(s.user));
    bool same = u && token_same(u->mark, s.mark);
    if (same) {
        memcpy(ret->user, s.user, sizeof ret->user);
        memcpy(ret->csrf, s.csrf, sizeof ret->csrf);
        ret->role = u->role;
    }
    pthread_rwlock_unlock(&d->lock);
    if (!same)
        sessions_end(d->sessions, cookie);
}

void door_visitor(struct door *d, const struct heads *h, struct visitor *ret)
{
    *ret = (struct visitor){.role = d->users ? ROLE_NOBODY : ROLE_FULL};
    memcpy(ret->csrf, d->csrf, sizeof ret->csrf);
    /* Whoever shows a token means to be known by it. */
    if (d->users && !by_token(d, h, ret))
        by_cookie(d, h, ret);
}

unsigned door_try(struct door *d, const struct address *from, struct slice user)
{
    return throttle_try(d->throttle, from, user, now_monotonic());
}

bool door_log_in(struct door *d, const struct address *from, struct slice user, struct slice password,
                 char retcookie[static TOKEN_TEXT])
{
    struct user copy = {.name = ""};
    char line[PASSWORD_LINE];
    pthread_rwlock_rdlock(&d->lock);
    const struct user *u = d->users ? users_find(d->users, user) : NULL;
    bool known = u && *u->password;
    if (known)
        copy = *u;
    snprintf(line, sizeof line, "%s", known ? copy.password : d->users ? users_nobody(d->users) : "");
    pthread_rwlock_unlock(&d->lock);
    if (!password_check(password, slice_str(line)) || !known)
        return false;
    throttle_forgive(d->throttle, from, user);
    sessions_begin(d->sessions, &copy, now_monotonic(), retcookie);
    return true;
}

void door_log_out(struct door *d, struct slice cookie)
{
    sessions_end(d->sessions, cookie);
}

void door_reload(struct door *d)
{
    struct users *users;
    struct error err;
    if (!d->users)
        return;
    if (users_open(d->set->users, &users, &err) < 0) {
        fprintf(stderr, "mailtap: web: %s; the users stay as they were\n", err.text);
        return;
    }
    pthread_rwlock_wrlock(&d->lock);
    struct users *old = d->users;
    d->users = users;
    pthread_rwlock_unlock(&d->lock);
    users_close(old);
}
