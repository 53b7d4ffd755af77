/* api_rows.c: records as rows of answers.
 * In: rows of the store. Out: cells, objects. Owns: a cell. Limits: TABLE_COLUMNS fields, each once. */
#include "web/api_rows.h"

#include <assert.h>
#include "base/nearest.h"
#include "base/shown.h"
#include "view/columns.h"
#include "web/say.h"

const char rows_mail[] =
    "ts,uid,id.orig_h,id.resp_h,mailfrom,rcptto,subject,disposition,reply,message_bytes,tls,"
    "origin,files,anomalies,tags,from";

static bool refuse(struct answer *a, const struct stream *s, struct slice name)
{
    struct nearest near = nearest_to(name);
    for (size_t i = 0; i < s->count; i++)
        nearest_try(&near, s->fields[i].name);
    answer_error(a, 400, "fields: %s has no field '%s'%s%s", s->path, shown(name).text,
                 near.name ? "; the nearest is " : "", near.name ? near.name : "");
    return false;
}

static bool add(struct rows *rows, const struct stream *s, struct slice name)
{
    size_t at = 0;
    while (at < s->count && !slice_eq(slice_str(s->fields[at].name), name))
        at++;
    for (size_t i = 0; i < rows->count; i++)
        if (rows->fields[i] == at)
            return true;
    if (at == s->count)
        return false;
    rows->fields[rows->count++] = at;
    rows->columns[rows->count] = s->fields[at].name;
    return true;
}

bool rows_init(struct rows *rows, const struct request *r, struct answer *a, enum stream_index stream,
               const char *usual)
{
    const struct stream *s = stream_table[stream];
    struct slice list = request_has(r, PARAM_fields) ? request_text(r, PARAM_fields) : slice_str(usual), name;
    size_t at = 0;
    rows->stream = stream;
    rows->count = 0;
    rows->columns[0] = "id";
    buf_init(&rows->cell, API_LINE);
    while (request_name(list, &at, &name)) {
        if (slice_eq(name, slice_str("all")))
            for (size_t i = 0; i < s->count; i++)
                add(rows, s, slice_str(s->fields[i].name));
        else if (!slice_eq(name, slice_str("id")) && !add(rows, s, name))
            return refuse(a, s, name);
    }
    return true;
}

void rows_free(struct rows *rows)
{
    buf_free(&rows->cell);
}

void rows_ask(const struct rows *rows, struct reader_question *q)
{
    q->stream = rows->stream;
    q->fields = rows->fields;
    q->field_count = rows->count;
}

/* data is NULL where it is absent. */
static struct slice cell(struct rows *rows, const struct reader_row *row, size_t i)
{
    buf_clear(&rows->cell);
    if (!reader_row_json(row, rows->fields[i], &rows->cell))
        return (struct slice){0};
    return buf_slice(&rows->cell);
}

bool rows_add(struct rows *rows, struct table *t, const struct reader_row *row)
{
    if (!table_row(t))
        return false;
    table_id(t, reader_row_id(row));
    for (size_t i = 0; i < rows->count; i++)
        table_raw(t, cell(rows, row, i));
    return true;
}

void rows_object(struct rows *rows, struct answer *a, const struct reader_row *row)
{
    say_object(a);
    say_key(a, "id");
    say_id(a, reader_row_id(row));
    for (size_t i = 0; i < rows->count; i++) {
        struct slice value = cell(rows, row, i);
        if (!value.data)
            continue;
        say_key(a, rows->columns[i + 1]);
        say_raw(a, stream_table[rows->stream]->path, rows->columns[i + 1], value);
    }
}
