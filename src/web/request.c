/* request.c: parameters by the table.
 * In: what stands behind a '?', in a body, in a path. Out: values, or what is wrong and with which status.
 * Owns: what is decoded. Limits: REQUEST_URI and REQUEST_BODY, which the server holds; each parameter once.
 * Spec: RFC 3986, and application/x-www-form-urlencoded for '+'. */
#include "web/request.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "base/utf8.h"
#include "web/json_read.h"
#include "web/moment.h"
#include "web/route.h"
#include "web/web.h"

const struct param_row param_table[PARAM_COUNT] = {
#define PARAMETER(name, kind, choices, doc) {#name, PARAM_IS_##kind, choices, doc},
#include "web/route.def"
};

enum { TEXTS = 2 * (REQUEST_URI + REQUEST_BODY) };

void request_init(struct request *r)
{
    *r = (struct request){0};
    buf_init(&r->texts, TEXTS);
}

void request_free(struct request *r)
{
    buf_free(&r->texts);
}

static bool refuse(struct refusal *reterr, const char *format, const char *name, const char *more)
{
    reterr->status = 400;
    error_set(&reterr->text, 0, format, name, more);
    return false;
}

static int hex(uint8_t c)
{
    c = byte_lower(c);
    return byte_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool request_decode(struct slice text, bool plus_is_blank, struct buf *out)
{
    size_t from = out->len;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '%') {
            int high = i + 2 < text.len ? hex(text.data[i + 1]) : -1;
            int low = i + 2 < text.len ? hex(text.data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        if (!c || !buf_add_byte(out, c))
            return false;
    }
    return utf8_is_valid(slice_sub(buf_slice(out), from, out->len));
}

/* One of `choices`, which stand between blanks. */
static bool choose(const struct param_row *row, struct slice text, uint64_t *ret, struct refusal *reterr)
{
    char word[64], known[512] = "";
    struct nearest near = nearest_to(text);
    static const char blank[] = " ";
    uint64_t at = 0;
    snprintf(known, sizeof known, "%s", row->choices);
    char *rest = NULL;
    for (char *p = strtok_r(known, blank, &rest); p; p = strtok_r(NULL, blank, &rest), at++) {
        if (slice_eq(text, slice_str(p))) {
            *ret = at;
            return true;
        }
        nearest_try(&near, p);
    }
    snprintf(word, sizeof word, "%s%s", near.name ? "; the nearest is " : "", near.name ? near.name : "");
    reterr->status = 400;
    error_set(&reterr->text, 0, "%s: no '%s'%s; there are: %s", row->name, shown(text).text, word,
              row->choices);
    return false;
}

static bool set_value(struct request *r, enum param which, struct slice text, double now,
                      struct refusal *reterr)
{
    const struct param_row *row = &param_table[which];
    struct param_value *v = &r->values[which];
    if (v->given)
        return refuse(reterr, "%s is there twice%s", row->name, "");
    v->given = true;
    v->text = text;
    switch (row->kind) {
    case PARAM_IS_NUMBER:
    case PARAM_IS_ID:
        if (!text.len || slice_number(text, &v->number) != text.len || v->number > INT64_MAX)
            return refuse(reterr, "%s wants a number, not '%s'", row->name, shown(text).text);
        /* No rows would mean none to some, and all to others. */
        return which != PARAM_limit || v->number ||
               refuse(reterr, "%s wants at least 1, not %s", row->name, "0");
    case PARAM_IS_TIME:
        return moment_parse(text, now, &v->seconds) ||
               refuse(reterr, "%s wants a time, as 2026-11-30T06:30:00Z, seconds since 1970, or 7d, not '%s'",
                      row->name, shown(text).text);
    case PARAM_IS_CHOICE:
        return choose(row, text, &v->number, reterr);
    case PARAM_IS_TEXT:
    case PARAM_IS_NAMES:
        break;
    }
    return true;
}

/* The parameter of that name, of `mask`. */
static bool find(const struct route *route, uint64_t mask, struct slice name, enum param *ret,
                 struct refusal *reterr)
{
    struct nearest near = nearest_to(name);
    for (enum param p = 0; p < PARAM_COUNT; p++) {
        if (!(mask >> p & 1))
            continue;
        if (slice_eq(name, slice_str(param_table[p].name))) {
            *ret = p;
            return true;
        }
        nearest_try(&near, param_table[p].name);
    }
    reterr->status = 400;
    error_set(&reterr->text, 0, "%s takes no '%s'%s%s", route->path, shown(name).text,
              near.name ? "; the nearest is " : "", near.name ? near.name : "");
    return false;
}

/* A decoded piece of `texts`, which has all the room from the beginning so that it does not move. */
static bool decode(struct request *r, struct slice text, struct slice *ret)
{
    size_t from = r->texts.len;
    bool good = request_decode(text, true, &r->texts);
    *ret = slice_sub(buf_slice(&r->texts), from, r->texts.len);
    if (!ret->data)
        ret->data = (const uint8_t *)"";
    return good;
}

static void reserve(struct request *r)
{
    if (r->texts.room)
        return;
    r->texts.data = malloc(TEXTS);
    memory_check(r->texts.data);
    r->texts.room = TEXTS;
}

bool request_take_query(struct request *r, struct slice query, double now, struct refusal *reterr)
{
    reserve(r);
    while (query.len) {
        size_t end = slice_index(query, '&');
        struct slice pair = slice_sub(query, 0, end), name, value;
        query = slice_sub(query, end + 1, query.len);
        size_t equals = slice_index(pair, '=');
        enum param which;
        if (!pair.len)
            continue;
        if (!decode(r, slice_sub(pair, 0, equals), &name))
            return refuse(reterr, "a parameter's name is no UTF-8 with whole percent codes%s%s", "", "");
        if (!find(r->route, r->route->takes, name, &which, reterr))
            return false;
        if (!decode(r, slice_sub(pair, equals + 1, pair.len), &value))
            return refuse(reterr, "%s is no UTF-8 with whole percent codes%s", param_table[which].name, "");
        if (!set_value(r, which, value, now, reterr))
            return false;
    }
    return true;
}

bool request_take_path(struct request *r, enum param which, struct slice text, double now,
                       struct refusal *reterr)
{
    struct slice value;
    reserve(r);
    size_t from = r->texts.len;
    if (!request_decode(text, false, &r->texts))
        return refuse(reterr, "the path is no UTF-8 with whole percent codes%s%s", "", "");
    value = slice_sub(buf_slice(&r->texts), from, r->texts.len);
    return set_value(r, which, value, now, reterr);
}

static bool bad_body(struct refusal *reterr)
{
    return refuse(reterr, "the body wants to be a JSON object of texts and numbers%s%s", "", "");
}

static bool take_member(struct request *r, struct json_reader *j, enum param which, double now,
                        struct refusal *reterr)
{
    enum json_token t = json_read(j);
    size_t from = r->texts.len;
    if (t == JSON_NULL)
        return true;
    if (t == JSON_NUMBER)
        buf_add(&r->texts, j->raw);
    else if (t != JSON_TEXT || !json_unescape(j->raw, &r->texts))
        return bad_body(reterr);
    struct slice value = slice_sub(buf_slice(&r->texts), from, r->texts.len);
    if (slice_index(value, 0) < value.len)
        return refuse(reterr, "%s has a NUL in it%s", param_table[which].name, "");
    if (!value.data)
        value.data = (const uint8_t *)"";
    return set_value(r, which, value, now, reterr);
}

bool request_take_body(struct request *r, struct slice body, double now, struct refusal *reterr)
{
    struct json_reader j = json_reader_of(body);
    reserve(r);
    if (!r->route->body && !slice_trim(body).len)
        return true;
    if (json_read(&j) != JSON_OBJECT)
        return bad_body(reterr);
    for (;;) {
        enum json_token t = json_read(&j);
        enum param which;
        if (t == JSON_CLOSE)
            break;
        struct slice name = j.raw;
        if (t != JSON_KEY)
            return bad_body(reterr);
        if (!find(r->route, r->route->body, name, &which, reterr) || !take_member(r, &j, which, now, reterr))
            return false;
    }
    return json_read(&j) == JSON_END || bad_body(reterr);
}

uint64_t request_limit(const struct request *r, uint64_t otherwise)
{
    uint64_t limit = request_number(r, PARAM_limit, otherwise);
    return limit < r->set->page_rows ? limit : r->set->page_rows;
}

bool request_name(struct slice list, size_t *at, struct slice *ret)
{
    while (*at < list.len) {
        struct slice rest = slice_sub(list, *at, list.len);
        size_t comma = slice_index(rest, ',');
        *at += comma + 1;
        *ret = slice_trim(slice_sub(rest, 0, comma));
        if (ret->len)
            return true;
    }
    return false;
}
