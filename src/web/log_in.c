/* log_in.c: log-in and log-out.
 * In: requests. Out: answers with cookies. Owns: nothing. */
#include "web/door.h"
#include "web/route.h"
#include "web/server.h"

static void set_cookie(const struct request *r, struct answer *a, const char *value, double seconds)
{
    const struct web *w = r->web;
    answer_header(a, "Set-Cookie", "%s=%s; Path=/; Max-Age=%.0f; HttpOnly; SameSite=Strict%s",
                  door_cookie(w->door), value, seconds, web_is_secure(w) ? "; Secure" : "");
}

void handle_log_in(const struct request *r, struct answer *a)
{
    char cookie[TOKEN_TEXT];
    struct slice user = request_text(r, PARAM_user), password = request_text(r, PARAM_password);
    if (!*r->set->users) {
        answer_error(a, 400, "nobody logs in here");
        return;
    }
    if (!user.data || !password.data) {
        answer_error(a, 400, "a log-in has a user and a password");
        return;
    }
    if (!door_log_in(r->web->door, &r->from, user, password, cookie)) {
        answer_error(a, 401, "no such user with that password");
        return;
    }
    answer_nothing(a);
    set_cookie(r, a, cookie, r->set->session_most);
}

void handle_log_out(const struct request *r, struct answer *a)
{
    door_log_out(r->web->door, r->cookie);
    answer_nothing(a);
    set_cookie(r, a, "", 0);
}
