/* folder.c: questions to a folder of day files.
 * In: questions. Out: rows, counts, sums. Owns: open day files. Limits: the deadline; what the question says.
 */
#include "store/open.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "store/walk.h"

enum { DAY_SECONDS = 86400, MICROSECONDS = 1000000, RETURNED = 1 };
#define DAY_IDS ((int64_t)DAY_SECONDS * MICROSECONDS)

static int is_over(void *ctx)
{
    return reader_over(ctx);
}

static void close_folder(struct reader *r)
{
    volumes_close(&folder_of(r)->volumes);
    free(r);
}

static int64_t micros_of(uint64_t id)
{
    return (int64_t)id;
}

static int count(struct reader *r, const struct reader_question *question, struct reader_result *ret,
                 struct error *reterr)
{
    const struct walk walk = {.question = question, .ids_only = true};
    return walk_run(folder_of(r), &walk, ret, reterr);
}

static int bind_values(sqlite3_stmt *stmt, const struct folder_sql *sql)
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
static int sum_day(struct folder *f, const struct folder_sql *sql, int32_t day, folder_row_fn *each,
                   void *ctx)
{
    struct volume *v = NULL;
    struct error why;
    sqlite3_stmt *stmt = NULL;
    if (volumes_day(f->volumes, day, &v, &why)) {
        reader_leave_out(&f->reader, NULL, &why);
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
    f->reader.complete = false;
    if (code != SQLITE_INTERRUPT)
        volumes_drop(f->volumes, v);
    return 0;
}

int folder_each_day(struct folder *f, const struct folder_sql *sql, folder_row_fn *each, void *ctx,
                    struct error *reterr)
{
    struct day_list days;
    int err = volumes_list(f->volumes, &days, reterr);
    for (size_t i = 0; i < days.count && !err; i++) {
        int32_t day = days.items[days.count - 1 - i];
        int64_t first = (int64_t)day * DAY_IDS;
        if (first >= sql->until || first + DAY_IDS <= sql->since)
            continue;
        if (reader_over(&f->reader)) {
            f->reader.complete = false;
            if (!f->reader.searched_to)
                f->reader.searched_to = (uint64_t)first;
            break;
        }
        err = sum_day(f, sql, day, each, ctx);
    }
    free(days.items);
    return err < 0 ? err : 0;
}

static int span_of(struct reader *r, struct reader_span *ret, struct error *reterr)
{
    struct day_list days;
    *ret = (struct reader_span){0};
    int err = volumes_list(folder_of(r)->volumes, &days, reterr);
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

static void explain(struct reader *r, enum stream_index stream, const struct query *query, struct line *text)
{
    struct columns *cols = malloc(sizeof *cols);
    struct line match = {0};
    struct binds binds = {0};
    memory_check(cols);
    if (stream != STREAM_ENTRY)
        columns_of(stream_table[stream], cols);
    const struct ask_table table = {stream, stream == STREAM_ENTRY ? NULL : cols, NULL, true};
    enum ask_narrow how = ask_match(volumes_compare(folder_of(r)->volumes), stream, query->root, &match);
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

static const struct reader_kind kind = {.close = close_folder,
                                        .micros = micros_of,
                                        .find = folder_find,
                                        .count = count,
                                        .facets = folder_facets,
                                        .span = span_of,
                                        .collect = folder_collect,
                                        .key_hours = folder_key_hours,
                                        .timeline = folder_timeline,
                                        .explain = explain};

int store_open(const struct store_settings *set, struct reader **ret, struct error *reterr)
{
    struct folder *f = calloc(1, sizeof *f);
    memory_check(f);
    reader_begin(&f->reader, &kind);
    f->past = set->past;
    *ret = &f->reader;
    int err = volumes_open(set->directory, set->files, set->cache_bytes, &f->volumes, reterr);
    if (err)
        reader_close(ret);
    else
        volumes_watch(f->volumes, is_over, f);
    return err;
}
