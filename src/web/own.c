/* own.c: what the server says of itself.
 * In: requests. Out: answers. Owns: nothing. */
#include <math.h>
#include "store/reader.h"
#include "web/say.h"
#include "web/openapi.h"
#include "web/route.h"
#include "web/web.h"

static bool take_end(void *ctx, sqlite3_stmt *row)
{
    double *ret = ctx;
    if (sqlite3_column_type(row, 0) == SQLITE_NULL)
        return true;
    *ret = (double)sqlite3_column_int64(row, 0) / 1e6;
    return false;
}

/* The time of the oldest or the newest mail, null where nobody may know it. */
static void say_end_of_store(const struct request *r, struct answer *a, const char *key, bool oldest)
{
    const struct reader_sql sql = {.text = oldest ? "SELECT min(id) FROM smtp" : "SELECT max(id) FROM smtp",
                                   .until = INT64_MAX,
                                   .oldest_first = oldest};
    double at = NAN;
    struct error err;
    if (r->reader && r->role != ROLE_NOBODY)
        reader_each_day(r->reader, &sql, take_end, &at, &err);
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
