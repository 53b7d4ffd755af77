/* reader.c: questions to a store.
 * In: questions. Out: rows, counts, sums. Owns: open day files. Limits: the deadline; what the question says.
 */
#include "store/reader.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "store/walk.h"

enum { DAY_SECONDS = 86400, MICROSECONDS = 1000000, RETURNED = 1 };
#define DAY_IDS ((int64_t)DAY_SECONDS * MICROSECONDS)

bool reader_over(const struct reader *r)
{
    return r->deadline > 0 && now_monotonic() > r->deadline;
}

static int is_over(void *ctx)
{
    return reader_over(ctx);
}

int reader_open(const struct reader_settings *set, struct reader **ret, struct error *reterr)
{
    struct reader *r = calloc(1, sizeof *r);
    memory_check(r);
    r->complete = true;
    int err = volumes_open(set->directory, set->files, set->cache_bytes, &r->volumes, reterr);
    if (err)
        reader_close(&r);
    else
        volumes_watch(r->volumes, is_over, r);
    *ret = r;
    return err;
}

void reader_close(struct reader **pr)
{
    struct reader *r = *pr;
    *pr = NULL;
    if (!r)
        return;
    volumes_close(&r->volumes);
    free(r);
}

void reader_deadline(struct reader *r, double seconds)
{
    r->deadline = seconds > 0 ? now_monotonic() + seconds : 0;
    r->complete = true;
    r->searched_to = 0;
}

bool reader_complete(const struct reader *r)
{
    return r->complete;
}

uint64_t reader_searched_to(const struct reader *r)
{
    return r->searched_to;
}

void reader_leave_out(struct reader *r, struct reader_result *ret, const struct error *why)
{
    r->complete = false;
    if (!ret)
        return;
    ret->complete = false;
    if (!ret->left_out++)
        snprintf(ret->problem, sizeof ret->problem, "%s", why->text);
}

int reader_count(struct reader *r, const struct reader_question *question, struct reader_result *ret,
                 struct error *reterr)
{
    const struct walk walk = {.question = question, .ids_only = true};
    return walk_run(r, &walk, ret, reterr);
}

static int bind_values(sqlite3_stmt *stmt, const struct reader_sql *sql)
{
    int count = sqlite3_bind_parameter_count(stmt), code = SQLITE_OK;
    for (int i = 0; i < count && (size_t)i < sql->value_count && code == SQLITE_OK; i++) {
        const struct reader_value *v = &sql->values[i];
        if (v->kind == READER_INTEGER)
            code = sqlite3_bind_int64(stmt, i + 1, v->integer);
        else if (v->kind == READER_REAL)
            code = sqlite3_bind_double(stmt, i + 1, v->real);
        else if (v->kind == READER_TEXT)
            code = sqlite3_bind_text64(stmt, i + 1, v->text.len ? (const char *)v->text.data : "",
                                       v->text.len, SQLITE_STATIC, SQLITE_UTF8);
    }
    return code;
}

/* 0: the next day; RETURNED: at an end. */
static int sum_day(struct reader *r, const struct reader_sql *sql, int32_t day, reader_row_fn *each,
                   void *ctx)
{
    struct volume *v = NULL;
    struct error why;
    sqlite3_stmt *stmt = NULL;
    if (volumes_day(r->volumes, day, &v, &why)) {
        reader_leave_out(r, NULL, &why);
        return 0;
    }
    int code = sqlite3_prepare_v2(v->db, sql->text, -1, &stmt, NULL);
    if (code == SQLITE_ERROR)
        return 0; /* what it asks for is not in this file */
    code = code == SQLITE_OK ? bind_values(stmt, sql) : code;
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(stmt);
        if (code == SQLITE_ROW && !each(ctx, stmt)) {
            sqlite3_finalize(stmt);
            return RETURNED;
        }
    }
    sqlite3_finalize(stmt);
    if (code == SQLITE_DONE)
        return 0;
    r->complete = false;
    if (code != SQLITE_INTERRUPT)
        volumes_drop(r->volumes, v);
    return 0;
}

int reader_each_day(struct reader *r, const struct reader_sql *sql, reader_row_fn *each, void *ctx,
                    struct error *reterr)
{
    struct day_list days;
    int err = volumes_list(r->volumes, &days, reterr);
    for (size_t i = 0; i < days.count && !err; i++) {
        int32_t day = days.items[sql->oldest_first ? days.count - 1 - i : i];
        int64_t first = (int64_t)day * DAY_IDS;
        if (first >= sql->until || first + DAY_IDS <= sql->since)
            continue;
        if (reader_over(r)) {
            r->complete = false;
            if (!r->searched_to)
                r->searched_to = (uint64_t)(sql->oldest_first ? first : first + DAY_IDS);
            break;
        }
        err = sum_day(r, sql, day, each, ctx);
    }
    free(days.items);
    return err < 0 ? err : 0;
}

int reader_span(struct reader *r, struct reader_span *ret, struct error *reterr)
{
    struct day_list days;
    *ret = (struct reader_span){0};
    int err = volumes_list(r->volumes, &days, reterr);
    if (err)
        return err;
    ret->files = days.count;
    if (days.count) {
        ret->first = days.items[days.count - 1] * DAY_IDS;
        ret->last = (days.items[0] + 1) * DAY_IDS;
    }
    free(days.items);
    return 0;
}

static void explain(struct compare *c, enum stream_index stream, const struct query *query, struct line *text)
{
    struct columns *cols = malloc(sizeof *cols);
    struct line match = {0};
    struct binds binds = {0};
    memory_check(cols);
    if (stream != STREAM_ENTRY)
        columns_of(stream_table[stream], cols);
    const struct ask_table table = {stream, stream == STREAM_ENTRY ? NULL : cols, NULL, true};
    enum ask_narrow how = ask_match(c, stream, query->root, &match);
    struct ask_bounds bounds = ask_bounds(query->root);
    line_printf(text, "ids: %lld to %lld\nindex: ", (long long)bounds.from, (long long)bounds.to);
    line_add(text, how == ASK_ALL ? slice_str("is of no help, all rows are looked at") : line_slice(&match));
    line_str(text, how == ASK_EXACTLY ? " (which decides)\nrows: " : "\nrows: ");
    ask_where(&table, query->root, text, &binds);
    line_str(text, "\nvalues: ");
    binds_print(&binds, text);
    line_byte(text, '\n');
    binds_free(&binds);
    line_free(&match);
    free(cols);
}

void reader_explain(enum stream_index stream, const struct query *query, struct buf *out)
{
    struct compare *c = NULL;
    struct line text = {0};
    struct error err;
    buf_add_str(out, "query: ");
    query_print(query, out);
    buf_add_byte(out, '\n');
    if (compare_open(&c, &err)) {
        buf_add_str(out, err.text);
        return;
    }
    explain(c, stream, query, &text);
    buf_add(out, line_slice(&text));
    line_free(&text);
    compare_close(&c);
}
