/* reader.c: questions to the tables of ClickHouse.
 * In: questions. Out: rows, counts, sums. Owns: the connection, the tables of letters. Limits: the deadline;
 * what the question says; the time that the server may take for each part of it. */
#include "clickhouse/reader.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "clickhouse/table.h"
#include "clickhouse/sums.h"
#include "clickhouse/walk.h"
#include "record/record.h"

#define DAY_MICROS (INT64_C(86400) * 1000000)
enum { SHORT_ROW = 1 << 12 };
#define CONNECT 5.0 /* seconds */

double chreader_until(const struct chreader *r)
{
    double until = now_monotonic() + r->timeout;
    return r->reader.deadline > 0 && r->reader.deadline < until ? r->reader.deadline : until;
}

static void close_reader(struct reader *reader)
{
    struct chreader *r = chreader_of(reader);
    chserver_close(&r->server);
    tables_free(&r->tables);
    folds_free(&r->folds);
    for (size_t i = 0; i < STREAMS; i++)
        free(r->columns[i]);
    free(r);
}

static int64_t micros_of(uint64_t id)
{
    return (int64_t)(id >> CLICKHOUSE_ID_BITS);
}

static int count(struct reader *r, const struct reader_question *question, struct reader_result *ret,
                 struct error *reterr)
{
    const struct chwalk walk = {.question = question};
    return chwalk_run(chreader_of(r), &walk, ret, reterr);
}

static bool take_span(void *ctx, const struct binary_value *v)
{
    struct reader_span *span = ctx;
    if (!v[2].number)
        return true;
    span->files = (size_t)v[2].number;
    span->first = (int64_t)v[0].number * DAY_MICROS;
    span->last = ((int64_t)v[1].number + 1) * DAY_MICROS;
    return true;
}

/* Of all tables together. Of one over several servers its rows have to tell. */
static int span_of(struct reader *reader, struct reader_span *ret, struct error *reterr)
{
    static const enum binary_kind kinds[] = {BINARY_U16, BINARY_U16, BINARY_U64};
    struct chreader *r = chreader_of(reader);
    struct line sql = {0};
    struct error why;
    *ret = (struct reader_span){0};
    int err = tables_refresh(r->tables, r->server, chreader_until(r), &why);
    line_str(&sql, "SELECT toUInt16(min(d)), toUInt16(max(d)), uniqExact(d) FROM (");
    const char *between = "";
    for (size_t i = 0; i < STREAMS && !err; i++) {
        const char *table = chtable_of(i)->name;
        if (!tables_has(r->tables, i))
            continue;
        line_str(&sql, between);
        if (tables_is_over(r->tables, i))
            line_printf(&sql, "SELECT day AS d FROM `%s` GROUP BY d", table);
        else
            line_printf(
                &sql,
                "SELECT min_date AS d FROM system.parts WHERE active AND database = currentDatabase() "
                "AND table = '%s' GROUP BY d",
                table);
        between = " UNION ALL ";
    }
    line_byte(&sql, ')');
    const struct select s = {.server = r->server,
                             .until = chreader_until(r),
                             .kinds = kinds,
                             .count = 3,
                             .row_most = SHORT_ROW,
                             .whole = true,
                             .row = take_span,
                             .ctx = ret};
    if (!err)
        err = select_run(&s, line_slice(&sql), &why);
    line_free(&sql);
    return err < 0 ? error_set(reterr, err, "%s: %.350s", r->name, why.text) : 0;
}

static void explain(struct reader *reader, enum stream_index stream, const struct query *query,
                    struct line *out)
{
    struct chreader *r = chreader_of(reader);
    struct line where = {0};
    struct error why;
    struct chask_bounds b = chask_bounds(query->root);
    if (tables_refresh(r->tables, r->server, chreader_until(r), &why) < 0) {
        line_printf(out, "%s: %s; with tables as we make them:\n", r->name, why.text);
        tables_assume(r->tables);
    }
    if (!r->folds && chask_has_words(query->root) && folds_new(&r->folds, &why) < 0) {
        line_printf(out, "%s\n", why.text);
        return;
    }
    struct chask ask = {.stream = stream, .tables = r->tables, .folds = r->folds, .last_day = UINT16_MAX};
    chask_begin(&ask);
    chask_where(&ask, query->root, &where);
    line_printf(out, "ids: %" PRIu64 " to %" PRIu64 "\nasked, day by day: ", b.from, b.to);
    line_add(out, line_slice(&ask.with));
    line_printf(out, "SELECT id, record_hash FROM `%s` PREWHERE ", chtable_of(stream)->name);
    line_add(out, line_slice(&where));
    line_byte(out, '\n');
    chask_free(&ask);
    line_free(&where);
}

static const struct reader_kind kind = {.close = close_reader,
                                        .micros = micros_of,
                                        .find = chfound_find,
                                        .count = count,
                                        .facets = chfacets_facets,
                                        .span = span_of,
                                        .collect = chsums_collect,
                                        .key_hours = chsums_key_hours,
                                        .timeline = chsums_timeline,
                                        .explain = explain};

int chreader_open(const struct chreader_settings *set, struct reader **ret, struct error *reterr)
{
    struct chserver *server = NULL;
    struct chserver_settings to = set->server;
    int err = chserver_check(&to, set->password != NULL, reterr);
    if (to.connect <= 0)
        to.connect = set->timeout < CONNECT ? set->timeout : CONNECT;
    if (!err)
        err = chserver_open(&to, set->password, &server, reterr);
    if (err < 0)
        return err;
    struct chreader *r = calloc(1, sizeof *r);
    memory_check(r);
    reader_begin(&r->reader, &kind);
    r->server = server;
    r->timeout = set->timeout;
    r->past = set->past;
    r->window = set->window;
    r->tables = tables_new();
    snprintf(r->name, sizeof r->name, "%s", set->server.url);
    for (size_t i = 0; i < STREAMS; i++) {
        if (i == STREAM_ENTRY)
            continue;
        r->columns[i] = malloc(sizeof *r->columns[i]);
        memory_check(r->columns[i]);
        columns_of(stream_table[i], r->columns[i]);
    }
    *ret = &r->reader;
    return 0;
}
