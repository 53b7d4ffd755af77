/* api.c: what the handlers of the API have in common.
 * In: requests. Out: spans of time, queries, parts of answers. Owns: nothing. */
#include "web/api.h"

#include <assert.h>
#include <math.h>
#include "base/now.h"
#include "view/columns.h"
#include "web/say.h"
#include "web/route.h"

enum { QUERY_TEXT = 4096 };

static int64_t microseconds(double seconds)
{
    return (int64_t)llround(seconds * 1e6);
}

bool api_span(const struct request *r, struct answer *a, int64_t usual, struct api_span *ret)
{
    struct reader_span all;
    struct error err;
    if (reader_span(r->reader, &all, &err) < 0) {
        api_failed(a, &err);
        return false;
    }
    int64_t now = (int64_t)now_wall().tv_sec * API_SECOND;
    int64_t until = all.last && all.last < now ? all.last : now;
    if (request_has(r, PARAM_until))
        until = microseconds(r->values[PARAM_until].seconds);
    int64_t since = until - usual * API_SECOND;
    if (request_has(r, PARAM_since))
        since = microseconds(r->values[PARAM_since].seconds);
    if (!request_has(r, PARAM_until) && since >= until)
        until = now; /* nothing came since then, which is no error */
    *ret = (struct api_span){since > 0 ? since : 0, until};
    if (ret->since < ret->until)
        return true;
    answer_error(a, 400, "since has to be before until; they are %.0f and %.0f", (double)since * 1e-6,
                 (double)until * 1e-6);
    return false;
}

void api_bounds(const struct request *r, struct reader_question *q)
{
    if (request_has(r, PARAM_since))
        q->since = microseconds(r->values[PARAM_since].seconds);
    if (request_has(r, PARAM_until))
        q->until = microseconds(r->values[PARAM_until].seconds);
    q->before = request_number(r, PARAM_before, 0);
}

bool api_is_personal(enum query_field_index field)
{
    static const enum query_field_index personal[] = {
        QUERY_FIELD_ANY,  QUERY_FIELD_FROM, QUERY_FIELD_RCPT,      QUERY_FIELD_SUBJECT,
        QUERY_FIELD_FILE, QUERY_FIELD_URL,  QUERY_FIELD_MSGID,     QUERY_FIELD_REASON,
        QUERY_FIELD_USER, QUERY_FIELD_MSG,  QUERY_FIELD_IDENTIFIER};
    for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
        if (personal[i] == field)
            return true;
    return false;
}

/* "*@example.org": a domain and no more; "***@" is how a redacted address begins. */
static bool is_domain_pattern(struct slice text)
{
    size_t stars = 0;
    while (stars < text.len && text.data[stars] == '*')
        stars++;
    bool good = stars && stars + 1 < text.len && text.data[stars] == '@';
    for (size_t i = stars + 1; i < text.len && good; i++)
        good = byte_is_digit(text.data[i]) || text.data[i] == '.' || text.data[i] == '-' ||
               text.data[i] >= 0x80 || (byte_lower(text.data[i]) >= 'a' && byte_lower(text.data[i]) <= 'z');
    return good;
}

/* The first term that asks for a person, or NULL; as deep as QUERY_DEPTH. */
static const struct query_node *personal_term(const struct query_node *node)
{
    if (!node)
        return NULL;
    if (node->kind == QUERY_TERM) {
        const struct query_term *t = &node->term;
        bool open = !api_is_personal(t->field) || t->match == QUERY_IS_THERE ||
                    ((t->field == QUERY_FIELD_FROM || t->field == QUERY_FIELD_RCPT) &&
                     t->match == QUERY_LIKE && is_domain_pattern(t->text));
        return open ? NULL : node;
    }
    const struct query_node *found = NULL;
    for (const struct query_node *part = node->first; part && !found; part = part->next)
        found = personal_term(part);
    return found;
}

/* True: it is answered that this is not for the asker. */
static bool is_refused(const struct request *r, struct answer *a, const struct query *q)
{
    const struct query_node *n = r->role == ROLE_REDACTED ? personal_term(q->root) : NULL;
    if (!n)
        return false;
    answer_query_error(
        a,
        slice_str("what tells of persons is not shown to you, and so cannot be searched; from: and "
                  "rcpt: take a domain, as from:*@example.com"),
        n->at, n->len, (struct slice){0});
    a->status = 403;
    return true;
}

bool api_query(const struct request *r, struct answer *a, unsigned streams, struct query **ret)
{
    struct query_error err;
    *ret = NULL;
    if (!request_has(r, PARAM_q))
        return true;
    const struct query_options opt = {streams, now_wall()};
    if (query_parse(request_text(r, PARAM_q), &opt, ret, &err) == 0) {
        if (!is_refused(r, a, *ret))
            return true;
        query_free(ret);
        return false;
    }
    answer_query_error(a, slice_str(err.text), err.at, err.len,
                       *err.nearest ? slice_str(err.nearest) : (struct slice){0});
    return false;
}

void api_term(struct buf *text, const char *field, struct slice value)
{
    buf_add_str(text, field);
    buf_add_str(text, ":");
    query_value_print(value, text);
    buf_add_str(text, " ");
}

/* A value of a damaged store may be no text that a query can have: then nothing is found. */
struct query *api_ask(const struct buf *text)
{
    static const char nothing[] = "id:9223372036854775807";
    struct query *q = NULL;
    struct query_error err;
    const struct query_options opt = {QUERY_ALL, now_wall()};
    if (query_parse(buf_slice(text), &opt, &q, &err) == 0)
        return q;
    int code = query_parse(slice_str(nothing), &opt, &q, &err);
    assert(code == 0);
    return q;
}

size_t api_field(enum stream_index stream, const char *name)
{
    const struct stream *s = stream_table[stream];
    size_t i = 0;
    while (i < s->count && strcmp(s->fields[i].name, name) != 0)
        i++;
    assert(i < s->count);
    return i;
}

void api_failed(struct answer *a, const struct error *err)
{
    answer_error(a, 503, "the store cannot be read now: %s", err->text);
}

void api_key_seconds(struct answer *a, const char *name, int64_t seconds)
{
    say_key(a, name);
    say_count(a, seconds > 0 ? (uint64_t)seconds : 0);
}

struct table_end api_end(const struct request *r)
{
    uint64_t to = reader_searched_to(r->reader);
    return (struct table_end){.searches = true,
                              .complete = reader_complete(r->reader),
                              .searched_to = to ? (double)reader_micros(r->reader, to) * 1e-6 : NAN};
}

void api_searched(const struct request *r, struct answer *a)
{
    uint64_t to = reader_searched_to(r->reader);
    say_key(a, "complete");
    say_flag(a, reader_complete(r->reader));
    say_key(a, "searched_to");
    say_seconds(a, to ? (double)reader_micros(r->reader, to) * 1e-6 : NAN);
}

void api_sums(struct answer *a, const struct sums *s)
{
    const struct {
        const char *name;
        uint64_t v;
    } members[] = {{"mails", s->mails},       {"accepted", s->accepted}, {"rejected", s->rejected},
                   {"deferred", s->deferred}, {"tls", s->tls},           {"recipients", s->recipients},
                   {"bytes", s->bytes}};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        say_key(a, members[i].name);
        say_count(a, members[i].v);
    }
}

void api_times(struct answer *a, const struct timeline *t)
{
    api_key_seconds(a, "step", t->step);
    api_key_seconds(a, "since", t->since);
    api_key_seconds(a, "until", t->until);
    say_key(a, "times");
    say_list(a);
    for (size_t i = 0; i < t->count; i++)
        say_count(a, (uint64_t)(t->since + (int64_t)i * t->step));
    say_end(a);
    say_key(a, "series");
    say_object(a);
}

void api_series(struct answer *a, const struct timeline *t, const char *name, enum timeline_series which)
{
    say_key(a, name);
    say_list(a);
    for (size_t i = 0; i < t->count; i++)
        say_count(a, t->series[which][i]);
    say_end(a);
}
