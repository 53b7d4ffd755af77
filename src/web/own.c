/* own.c: what the server says of itself.
 * In: requests. Out: answers. Owns: nothing. */
#include "web/say.h"
#include "web/openapi.h"
#include "web/route.h"
#include "web/web.h"

void handle_me(const struct request *r, struct answer *a)
{
    static const char *const roles[] = {NULL, "redacted", "full"};
    say_object(a);
    say_key(a, "user");
    say_str(a, r->user);
    say_key(a, "role");
    say_str(a, roles[r->role]);
    say_key(a, "log_in");
    say_flag(a, *r->set->users != '\0');
    say_key(a, "csrf");
    say_str(a, r->csrf);
    say_key(a, "version");
    say_str(a, r->set->version);
    say_end(a);
}

void handle_openapi(const struct request *r, struct answer *a)
{
    openapi_write(a, r->set->version);
}
