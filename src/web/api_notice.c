/* api_notice.c: /notices/ID and what is decided of notices: acknowledgements and mutes.
 * In: requests. Out: answers, marks. Owns: nothing. Limits: those of store/marks.h.
 * Knowingly: whoever may see notices may decide of them, also where records are redacted to them. */
#include <errno.h>
#include <math.h>
#include "base/now.h"
#include "store/marks.h"
#include "web/api_rows.h"
#include "web/redact.h"
#include "web/say.h"
#include "web/route.h"
#include "web/web.h"

struct found {
    uint64_t id, depth;
    int64_t micros;
    struct buf line, uid, sensor, note, identifier, host;
};

static void found_init(struct found *f)
{
    *f = (struct found){0};
    struct buf *all[] = {&f->line, &f->uid, &f->sensor, &f->note, &f->identifier, &f->host};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_init(all[i], API_LINE);
}

static void found_free(struct found *f)
{
    struct buf *all[] = {&f->line, &f->uid, &f->sensor, &f->note, &f->identifier, &f->host};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_free(all[i]);
}

static void keep(struct buf *out, const struct reader_row *row, const char *field)
{
    buf_add(out, reader_row_value(row, api_field(STREAM_NOTICE, field)).text);
}

static int take_notice(void *ctx, const struct reader_row *row)
{
    struct found *f = ctx;
    f->id = reader_row_id(row);
    f->micros = reader_row_micros(row);
    f->depth = (uint64_t)reader_row_value(row, api_field(STREAM_NOTICE, "trans_depth")).integer;
    reader_row_line(row, &f->line);
    keep(&f->uid, row, "uid");
    keep(&f->sensor, row, "sensor");
    keep(&f->note, row, "note");
    keep(&f->identifier, row, "identifier");
    keep(&f->host, row, "host");
    return 0;
}

/* The notice that the path names. False: it is answered that there is none. */
static bool find_notice(const struct request *r, struct answer *a, struct found *f)
{
    struct reader_result result;
    struct error err;
    uint64_t id = request_number(r, PARAM_id, 0);
    const struct reader_question q = {
        .stream = STREAM_NOTICE, .before = id + 1, .after = id ? id - 1 : 0, .limit = 1};
    if (id && reader_find(r->reader, &q, take_notice, f, &result, &err) < 0) {
        api_failed(a, &err);
        return false;
    }
    if (!f->id)
        answer_error(a, 404, "there is no notice %llu; it may be gone by retention", (unsigned long long)id);
    return f->id;
}

static int take_id(void *ctx, const struct reader_row *row)
{
    *(uint64_t *)ctx = reader_row_id(row);
    return 0;
}

/* The mail that it is about, or 0. */
static uint64_t mail_of(const struct request *r, const struct found *f)
{
    char depth[24];
    uint64_t id = 0;
    struct reader_result result;
    struct error err;
    struct buf text;
    if (!f->uid.len || !f->depth)
        return 0;
    buf_init(&text, QUERY_BYTES);
    snprintf(depth, sizeof depth, "%llu", (unsigned long long)f->depth);
    api_term(&text, "uid", buf_slice(&f->uid));
    api_term(&text, "depth", slice_str(depth));
    if (f->sensor.len)
        api_term(&text, "sensor", buf_slice(&f->sensor));
    struct query *query = api_ask(&text);
    const int64_t around = API_DAY * API_SECOND, at = reader_micros(r->reader, f->id);
    const struct reader_question q = {
        .stream = STREAM_SMTP, .query = query, .since = at - around, .until = at + around, .limit = 1};
    reader_find(r->reader, &q, take_id, &id, &result, &err);
    query_free(&query);
    buf_free(&text);
    return id;
}

static void write_seconds(struct answer *a, const char *name, int64_t at)
{
    say_key(a, name);
    say_seconds(a, at ? (double)at * 1e-6 : NAN);
}

static void write_text(struct answer *a, const char *name, struct slice text)
{
    say_key(a, name);
    if (text.data)
        say_text(a, text);
    else
        say_null(a);
}

static void write_event(void *ctx, const char *what, const struct mark_act *act)
{
    struct answer *a = ctx;
    say_object(a);
    say_key(a, "what");
    say_str(a, what);
    write_text(a, "by", act->by);
    write_seconds(a, "at", act->at);
    write_text(a, "remark", act->remark);
    say_end(a);
}

static void write_notice(const struct request *r, struct answer *a, const struct found *f, struct marks *m)
{
    struct error err;
    struct mark mark;
    const struct marked notice = {(int64_t)f->id, f->micros, buf_slice(&f->note), buf_slice(&f->identifier),
                                  buf_slice(&f->host)};
    int code = marks_state(m, &notice, &mark, &err);
    if (code < 0) {
        api_failed(a, &err);
        return;
    }
    say_object(a);
    say_key(a, "id");
    say_id(a, f->id);
    say_key(a, "record");
    say_record(a, "notice", 0, buf_slice(&f->line));
    say_key(a, "state");
    say_object(a);
    say_key(a, "state");
    say_str(a, mark_state_name(mark.state));
    write_text(a, "by", mark.by);
    write_seconds(a, "at", mark.at);
    write_text(a, "remark", mark.remark);
    say_key(a, "mute");
    if (mark.mute)
        say_id(a, (uint64_t)mark.mute);
    else
        say_null(a);
    say_end(a);
    uint64_t mail = mail_of(r, f);
    say_key(a, "mail");
    if (mail)
        say_id(a, mail);
    else
        say_null(a);
    say_key(a, "history");
    say_list(a);
    code = marks_history(m, &notice, write_event, a, &err);
    say_end(a);
    say_end(a);
    if (code < 0)
        api_failed(a, &err);
}

void handle_notice(const struct request *r, struct answer *a)
{
    struct found f;
    struct marks *m = NULL;
    struct error err;
    found_init(&f);
    if (marks_open(r->set->directory, false, &m, &err) < 0)
        api_failed(a, &err);
    else if (find_notice(r, a, &f))
        write_notice(r, a, &f, m);
    marks_close(&m);
    found_free(&f);
}

/* What went wrong with a mark, as a status. */
static void refused(struct answer *a, int code, const struct error *err)
{
    if (code == -ENOENT)
        answer_error(a, 404, "%s", err->text);
    else if (code == -ENOSPC)
        answer_error(a, 503, "%s", err->text);
    else
        answer_error(a, 503, "what is decided of notices cannot be kept: %s. All else works.", err->text);
}

static struct mark_act act_of(const struct request *r)
{
    struct timespec now = now_wall();
    struct slice remark = request_text(r, PARAM_remark);
    return (struct mark_act){r->user ? slice_str(r->user) : (struct slice){0},
                             remark.len ? remark : (struct slice){0},
                             (int64_t)now.tv_sec * API_SECOND + now.tv_nsec / 1000};
}

/* False: it is answered which text is too long. */
static bool texts_fit(const struct request *r, struct answer *a)
{
    static const struct {
        enum param param;
        const char *name;
        size_t most;
    } texts[] = {{PARAM_remark, "remark", MARKS_REMARK},
                 {PARAM_note, "note", MARKS_TEXT},
                 {PARAM_identifier, "identifier", MARKS_TEXT},
                 {PARAM_host, "host", MARKS_TEXT}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (request_text(r, texts[i].param).len > texts[i].most) {
            answer_error(a, 400, "%s has more than %zu bytes", texts[i].name, texts[i].most);
            return false;
        }
    return true;
}

void handle_acknowledge(const struct request *r, struct answer *a)
{
    struct found f;
    struct marks *m = NULL;
    struct error err;
    const struct mark_act act = act_of(r);
    found_init(&f);
    if (texts_fit(r, a) && find_notice(r, a, &f)) {
        int code = marks_open(r->set->directory, true, &m, &err);
        code = code ? code : marks_acknowledge(m, (int64_t)f.id, &act, &err);
        if (code < 0)
            refused(a, code, &err);
        else
            answer_nothing(a);
    }
    marks_close(&m);
    found_free(&f);
}

void handle_reopen(const struct request *r, struct answer *a)
{
    struct marks *m = NULL;
    struct error err;
    const struct mark_act act = act_of(r);
    int code = marks_open(r->set->directory, true, &m, &err);
    code = code ? code : marks_reopen(m, (int64_t)request_number(r, PARAM_id, 0), &act, &err);
    if (code < 0)
        refused(a, code, &err);
    else
        answer_nothing(a);
    marks_close(&m);
}

/* Whether a notice becomes muted would tell whether the identifier was guessed. What is shown of an address
 * fits no notice anyway. */
static bool may_name(const struct request *r, struct answer *a, struct slice identifier)
{
    struct buf shown;
    buf_init(&shown, SIZE_MAX);
    redact_text(REDACT_TEXT, identifier, &shown);
    bool good = r->role != ROLE_REDACTED || slice_eq(identifier, buf_slice(&shown));
    buf_free(&shown);
    if (!good)
        answer_error(a, 403, "identifier: addresses of persons are not shown to you, and so cannot be muted");
    return good;
}

void handle_mute(const struct request *r, struct answer *a)
{
    struct marks *m = NULL;
    struct error err;
    int64_t id = 0;
    struct slice identifier = request_text(r, PARAM_identifier), host = request_text(r, PARAM_host);
    struct slice note = request_text(r, PARAM_note);
    const struct mute mute = {.note = note.len ? note : (struct slice){0},
                              .identifier = identifier.len ? identifier : (struct slice){0},
                              .host = host.len ? host : (struct slice){0},
                              .until = llround(request_time(r, PARAM_until, 0) * 1e6),
                              .act = act_of(r)};
    if (!texts_fit(r, a) || !may_name(r, a, identifier))
        return;
    if (!mute.note.len) {
        answer_error(a, 400,
                     "note is missing: the kind of notice that is to be muted, as SMTP::Blocked_Host");
        return;
    }
    if (mute.until && mute.until <= mute.act.at) {
        answer_error(a, 400, "until lies in the past; a mute without it is for good");
        return;
    }
    int code = marks_open(r->set->directory, true, &m, &err);
    code = code ? code : marks_mute(m, &mute, &id, &err);
    if (code < 0) {
        refused(a, code, &err);
    } else {
        say_object(a);
        say_key(a, "id");
        say_id(a, (uint64_t)id);
        say_end(a);
    }
    marks_close(&m);
}

void handle_unmute(const struct request *r, struct answer *a)
{
    struct marks *m = NULL;
    struct error err;
    const struct mark_act act = act_of(r);
    int code = marks_open(r->set->directory, true, &m, &err);
    code = code ? code : marks_unmute(m, (int64_t)request_number(r, PARAM_id, 0), &act, &err);
    if (code < 0)
        refused(a, code, &err);
    else
        answer_nothing(a);
    marks_close(&m);
}

static void write_mute(void *ctx, const struct mute *mute)
{
    struct table *t = ctx;
    if (!table_row(t))
        return;
    table_id(t, (uint64_t)mute->id);
    table_text(t, mute->note);
    table_text(t, mute->identifier);
    table_text(t, mute->host);
    table_seconds(t, mute->until ? (double)mute->until * 1e-6 : NAN);
    table_text(t, mute->act.by);
    table_seconds(t, (double)mute->act.at * 1e-6);
    table_text(t, mute->act.remark);
}

void handle_mutes(const struct request *r, struct answer *a)
{
    static const char *const columns[] = {"id", "note", "identifier", "host", "until", "by", "at", "remark"};
    struct marks *m = NULL;
    struct error err;
    struct table t;
    if (marks_open(r->set->directory, false, &m, &err) < 0) {
        api_failed(a, &err);
        return;
    }
    table_open(&t, a, r, NULL, "mutes", columns, sizeof columns / sizeof *columns);
    if (marks_mutes(m, write_mute, &t, &err) < 0)
        api_failed(a, &err);
    else
        table_close(&t, &(struct table_end){0}, false);
    marks_close(&m);
}
