/* own.c: what the server says of itself.
 * In: requests. Out: answers. Owns: nothing. */
#include <math.h>
#include "view/reader.h"
#include "web/say.h"
#include "web/openapi.h"
#include "web/route.h"
#include "web/web.h"

static int take_end(void *ctx, const struct reader_row *row)
{
    *(double *)ctx = (double)reader_row_micros(row) / 1e6;
    return 0;
}

/* The time of the oldest or the newest mail, null where nobody may know it. */
static void say_end_of_store(const struct request *r, struct answer *a, const char *key, bool oldest)
{
    const size_t none = 0;
    const struct reader_question q = {
        .stream = STREAM_SMTP, .oldest_first = oldest, .limit = 1, .fields = &none};
    struct reader_result result;
    double at = NAN;
    struct error err;
    if (r->reader && r->role != ROLE_NOBODY)
        reader_find(r->reader, &q, take_end, &at, &result, &err);
    say_key(a, key);
    say_seconds(a, at);
}

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
    say_end_of_store(r, a, "first", true);
    say_end_of_store(r, a, "last", false);
    say_end(a);
}

void handle_openapi(const struct request *r, struct answer *a)
{
    openapi_write(a, r->set->version);
}
