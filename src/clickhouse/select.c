/* select.c: SELECT by HTTP.
 * In: SQL. Out: rows. Owns: the decoder for the time of an answer. Limits: the time that it has; bytes of a
 * row. Knowingly: a server that fails amid an answer which is not `whole` puts its error behind the last row;
 * as it is text, the decoder mostly finds that it is no row. Spec: the HTTP interface of ClickHouse 18.16. */
#include "clickhouse/select.h"

#include <errno.h>
#include <math.h>
#include "base/now.h"

enum { QUERY_BYTES_USUAL = 200000, MORE = 384, HOUR = 3600 };
/* Of the server's errors. */
enum { UNKNOWN_TABLE = 60, UNKNOWN_DATABASE = 81, TOO_SLOW = 160, TIME_IS_OVER = 159 };

static bool take(void *decoder, struct slice piece)
{
    return binary_take(decoder, piece);
}

static int failed(const struct select *s, double until, struct error *reterr)
{
    unsigned code = chserver_code(s->server);
    struct slice said = chserver_answer(s->server);
    if (code == TIME_IS_OVER || code == TOO_SLOW)
        return error_set(reterr, -ETIMEDOUT, "its time is over");
    if (code == UNKNOWN_TABLE || code == UNKNOWN_DATABASE)
        return error_set(reterr, -ENOENT,
                         "the database %s has not the tables of mailtap; who loads it makes them",
                         chserver_database(s->server));
    if (!said.len && chserver_was_reached(s->server) && now_monotonic() >= until)
        return error_set(reterr, -ETIMEDOUT, "its time is over");
    return chserver_was_refused(s->server) ? -EACCES : -EIO;
}

int select_run(const struct select *s, struct slice sql, struct error *reterr)
{
    char more[MORE];
    struct binary *decoder = binary_new(s->kinds, s->count, s->row_most, s->row, s->ctx);
    double until = s->until > 0 ? s->until : now_monotonic() + HOUR, left = until - now_monotonic();
    int len = snprintf(more, sizeof more, "database=%s&default_format=RowBinary&max_execution_time=%.0f%s",
                       chserver_database(s->server), left > 1 ? ceil(left) : 1,
                       s->whole ? "&wait_end_of_query=1" : "");
    /* What it reads of one otherwise. */
    if (sql.len >= QUERY_BYTES_USUAL)
        snprintf(more + len, sizeof more - (size_t)len, "&max_query_size=%zu", sql.len + 1);
    const struct chserver_request request = {
        .more = more, .body = sql, .take = take, .ctx = decoder, .until = until};
    enum chserver_outcome outcome = chserver_ask(s->server, &request, reterr);
    int err = 0;
    if (outcome == CHSERVER_DONE || outcome == CHSERVER_ENOUGH)
        err = binary_end(decoder, reterr);
    else if (outcome == CHSERVER_LATE)
        err = -ETIMEDOUT;
    else
        err = failed(s, until, reterr);
    binary_free(&decoder);
    return err;
}
