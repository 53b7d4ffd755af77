/* own.c: what the server says of itself.
 * In: requests. Out: answers. Owns: nothing. */
#include "web/json.h"
#include "web/openapi.h"
#include "web/route.h"
#include "web/web.h"

void handle_me(const struct request *r, struct answer *a)
{
    static const char *const roles[] = {NULL, "redacted", "full"};
    json_object(a);
    json_key(a, "user");
    json_str(a, r->user);
    json_key(a, "role");
    json_str(a, roles[r->role]);
    json_key(a, "log_in");
    json_flag(a, *r->set->users != '\0');
    json_key(a, "csrf");
    json_str(a, r->csrf);
    json_key(a, "version");
    json_str(a, r->set->version);
    json_end(a);
}

void handle_openapi(const struct request *r, struct answer *a)
{
    openapi_write(a, r->set->version);
}
