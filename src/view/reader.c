/* reader.c: what all kinds of stores have in common.
 * In: questions. Out: the answers of the kind. Owns: nothing. Limits: the deadline. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/now.h"
#include "record/record.h"
#include "view/kind.h"

#define MICROSECONDS INT64_C(1000000)

void reader_begin(struct reader *r, const struct reader_kind *kind)
{
    *r = (struct reader){.kind = kind, .complete = true};
}

void reader_close(struct reader **pr)
{
    struct reader *r = *pr;
    *pr = NULL;
    if (r)
        r->kind->close(r);
}

void reader_deadline(struct reader *r, double seconds)
{
    r->deadline = seconds > 0 ? now_monotonic() + seconds : 0;
    r->complete = true;
    r->searched_to = 0;
}

bool reader_over(const struct reader *r)
{
    return r->deadline > 0 && now_monotonic() > r->deadline;
}

bool reader_complete(const struct reader *r)
{
    return r->complete;
}

uint64_t reader_searched_to(const struct reader *r)
{
    return r->searched_to;
}

int64_t reader_micros(const struct reader *r, uint64_t id)
{
    return r->kind->micros(id);
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

void reader_stopped(struct reader *r, uint64_t place, bool oldest_first)
{
    r->complete = false;
    if (!r->searched_to || (oldest_first ? place < r->searched_to : place > r->searched_to))
        r->searched_to = place;
}

int reader_find(struct reader *r, const struct reader_question *question, reader_take_fn *take, void *ctx,
                struct reader_result *ret, struct error *reterr)
{
    return r->kind->find(r, question, take, ctx, ret, reterr);
}

int reader_count(struct reader *r, const struct reader_question *question, struct reader_result *ret,
                 struct error *reterr)
{
    return r->kind->count(r, question, ret, reterr);
}

int reader_facets(struct reader *r, const struct reader_question *question,
                  const enum query_field_index *fields, size_t field_count, size_t most,
                  reader_facet_fn *take, void *ctx, struct reader_result *ret, struct error *reterr)
{
    return r->kind->facets(r, question, fields, field_count, most, take, ctx, ret, reterr);
}

int reader_span(struct reader *r, struct reader_span *ret, struct error *reterr)
{
    return r->kind->span(r, ret, reterr);
}

void reader_explain(struct reader *r, enum stream_index stream, const struct query *query, struct buf *out)
{
    struct line text = {0};
    buf_add_str(out, "query: ");
    query_print(query, out);
    buf_add_byte(out, '\n');
    r->kind->explain(r, stream, query, &text);
    buf_add(out, line_slice(&text));
    line_free(&text);
}

int top_collect(struct reader *r, enum top_by by, struct hours span, struct keyed *keys, struct error *reterr)
{
    return r->kind->collect(r, by, span, keys, reterr);
}

int top_key_hours(struct reader *r, enum top_by by, struct slice key, struct hours span, top_hour_fn *each,
                  void *ctx, struct error *reterr)
{
    return r->kind->key_hours(r, by, key, span, each, ctx, reterr);
}

/* Mails that a query finds, one by one. */
static int count_mail(void *timeline, const struct reader_row *row)
{
    struct timeline *t = timeline;
    int64_t seconds = reader_row_micros(row) / MICROSECONDS;
    struct slice what = reader_row_value(row, row->fields[0]).text;
    timeline_add(t, TIMELINE_MAILS, seconds, 1);
    for (enum timeline_series s = TIMELINE_ACCEPTED; s <= TIMELINE_DEFERRED; s++)
        if (slice_eq(what, slice_str(timeline_name(s))))
            timeline_add(t, s, seconds, 1);
    return 0;
}

int timeline_find(struct timeline *t, struct reader *r, const struct query *query, struct error *reterr)
{
    struct reader_result result;
    size_t disposition = 0;
    int err = r->kind->timeline(r, t, query, reterr);
    if (err != -ENOTSUP)
        return err;
    while (strcmp(stream_smtp.fields[disposition].name, "disposition") != 0)
        disposition++;
    const struct reader_question q = {.stream = STREAM_SMTP,
                                      .query = query,
                                      .since = t->since * MICROSECONDS,
                                      .until = t->until * MICROSECONDS,
                                      .fields = &disposition,
                                      .field_count = 1};
    return reader_find(r, &q, count_mail, t, &result, reterr);
}

int timeline_fill(struct timeline *t, struct reader *r, struct error *reterr)
{
    return r->kind->timeline(r, t, NULL, reterr);
}
