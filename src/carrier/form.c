/* form.c: records to lines in the shape that carry_format says, and back what such a line says of itself.
 * In: records; lines. Out: JSON objects a line; a stream's path and a time. Owns: the trees of its shape.
 * Limits: times from the year 0 to 9999. Knowingly: a line of Zeek's shape has the stream's path and
 * _write_ts in front, as Zeek's own streams do, since many streams go to one place here. Spec: RFC 8259, RFC
 * 3339. */
#include "carrier/form.h"

#include <stdlib.h>
#include "base/memory.h"
#include "clickhouse/scan.h"
#include "record/entry.h"
#include "sink/json.h"
#include "sink/shape.h"

const char *const carry_format_names[CARRY_FORMS] = {
#define CARRY_FORM(id, name) name,
#include "carrier/format.def"
#undef CARRY_FORM
};

struct form {
    enum carry_format format;
    struct shape_tree *trees[STREAMS]; /* NULL: the shape has no place for it */
    struct line one;
};

static const struct table_of_shape *shape_of(enum carry_format format)
{
    switch (format) {
    case CARRY_ECS:
        return &shape_ecs;
    case CARRY_OCSF:
        return &shape_ocsf;
    case CARRY_EVE:
        return &shape_eve;
    case CARRY_ZEEK_JSON:
        return &shape_zeek_json;
    case CARRY_AUTO:
    case CARRY_JSON:
    case CARRY_FORMS:
        break;
    }
    return NULL;
}

struct form *form_new(enum carry_format format)
{
    struct form *f = calloc(1, sizeof *f);
    memory_check(f);
    f->format = format;
    for (size_t i = 0; shape_of(format) && i < STREAMS; i++)
        f->trees[i] = shape_tree_new(shape_of(format), stream_table[i]);
    return f;
}

void form_free(struct form **pf)
{
    struct form *f = *pf;
    *pf = NULL;
    for (size_t i = 0; f && i < STREAMS; i++)
        shape_tree_free(&f->trees[i]);
    if (f)
        line_free(&f->one);
    free(f);
}

static void add_zeek(struct form *f, const struct record *rec, struct line *out)
{
    line_clear(&f->one);
    shape_record(f->trees[rec->stream->index], rec, &f->one);
    line_printf(out, "{\"_path\":\"%s\",\"_write_ts\":", rec->stream->path);
    line_time(out, rec->end);
    line_byte(out, ',');
    line_add(out, slice_sub(line_slice(&f->one), 1, f->one.len));
}

int form_record(struct form *f, const struct record *rec, struct line *out)
{
    if (!shape_of(f->format))
        return json_record(rec, out), 0;
    if (!f->trees[rec->stream->index])
        return 1;
    if (f->format == CARRY_ZEEK_JSON)
        add_zeek(f, rec, out);
    else
        shape_record(f->trees[rec->stream->index], rec, out);
    return 0;
}

enum fact { PATH, DATASET, EPOCH, ISO };

/* Where each shape says what; `inner` NULL: at the top. */
static const struct place {
    const char *outer, *inner;
    enum fact fact;
} places[] = {
    {"_path", NULL, PATH},
    {"ts", NULL, EPOCH},
    {"@timestamp", NULL, ISO},
    {"event", "dataset", DATASET},
    {"metadata", "original_time", ISO},
    {"metadata", "log_name", PATH},
    {"timestamp", NULL, ISO},
    {"mailtap", "_path", PATH},
};

static bool is_named(struct slice quoted, const char *name)
{
    return slice_eq(slice_sub(quoted, 1, quoted.len - 1), slice_str(name));
}

static void take_epoch(struct slice text, char ret[static FORM_TIME])
{
    uint64_t seconds;
    struct tm tm;
    size_t n = slice_number(text, &seconds);
    if (!n || seconds > INT64_C(253402300799))
        return;
    const time_t t = (time_t)seconds;
    char digits[7] = "000000";
    struct slice rest = slice_sub(text, n, text.len);
    for (size_t i = 1; i < rest.len && i <= 6 && rest.data[0] == '.' && byte_is_digit(rest.data[i]); i++)
        digits[i - 1] = (char)rest.data[i];
    gmtime_r(&t, &tm);
    snprintf(ret, FORM_TIME, "%04u-%02u-%02uT%02u:%02u:%02u.%sZ", (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, digits);
}

/* With microseconds and in UTC, as our shapes write it, whether with Z or +0000 behind. */
static void take_iso(struct slice quoted, char ret[static FORM_TIME])
{
    static const char form[] = "0000-00-00T00:00:00.000000";
    struct slice text = slice_sub(quoted, 1, quoted.len - 1);
    size_t len = sizeof form - 1;
    for (size_t i = 0; i < len; i++)
        if (i >= text.len ||
            (form[i] == '0' ? !byte_is_digit(text.data[i]) : text.data[i] != (uint8_t)form[i]))
            return;
    memcpy(ret, text.data, len);
    strcpy(ret + len, "Z");
}

static void take(enum fact fact, struct slice value, struct form_facts *ret)
{
    static const char module[] = "mailtap.";
    bool is_text = value.len >= 2 && value.data[0] == '"';
    if (fact == EPOCH && !*ret->time)
        take_epoch(value, ret->time);
    if (fact == ISO && is_text && !*ret->time)
        take_iso(value, ret->time);
    if ((fact != PATH && fact != DATASET) || !is_text || ret->path.len)
        return;
    ret->path = slice_sub(value, 1, value.len - 1);
    if (fact == DATASET && slice_case_starts(ret->path, module))
        ret->path = slice_sub(ret->path, sizeof module - 1, ret->path.len);
}

/* The members of the object at `s`. `outer` is its own key, empty at the top. */
static bool look_in(struct scan *s, struct slice outer, struct form_facts *ret)
{
    struct slice key;
    if (!scan_byte(s, '{') || scan_byte(s, '}'))
        return true;
    do {
        if (!scan_string(s, &key) || !scan_byte(s, ':'))
            return false;
        const struct place *found = NULL;
        bool enter = false;
        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            const struct place *p = &places[i];
            if (outer.len ? p->inner && is_named(outer, p->outer) && is_named(key, p->inner)
                          : !p->inner && is_named(key, p->outer))
                found = p;
            enter |= !outer.len && p->inner && is_named(key, p->outer);
        }
        const uint8_t *from = (scan_peek(s), s->at);
        if (enter && scan_peek(s) == '{') {
            if (!look_in(s, key, ret))
                return false;
        } else if (!scan_skip(s, 1)) {
            return false;
        }
        if (found)
            take(found->fact, (struct slice){from, (size_t)(s->at - from)}, ret);
        if (ret->path.len && *ret->time)
            return false;
    } while (scan_byte(s, ','));
    return scan_byte(s, '}');
}

void form_look(struct slice line, struct form_facts *ret)
{
    struct scan s = {line.data, line.data + line.len};
    *ret = (struct form_facts){0};
    look_in(&s, (struct slice){0}, ret);
}
