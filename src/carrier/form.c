/* form.c: records to lines in the shape that carry_format says, and back what such a line says of itself.
 * In: records; lines. Out: JSON objects a line; a stream's path and a time. Owns: the trees of its shape.
 * Limits: times from the year 0 to 9999. Knowingly: lines of json and of Zeek's shape have the stream's
 * path and _write_ts in front, as Zeek's own streams do, since many streams go to one place here. Spec: RFC
 * 8259, RFC 3339. */
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

/* As the json sink has it, and when it was complete behind its path: who reads the lines orders by that. */
static void add_json(struct form *f, const struct record *rec, struct line *out)
{
    static const char begin[] = "{\"_path\":\"", written[] = ",\"_write_ts\":";
    enum { BEGIN = sizeof begin - 1 };
    line_clear(&f->one);
    json_record(rec, &f->one);
    struct slice line = line_slice(&f->one);
    size_t path = BEGIN + slice_index(slice_sub(line, BEGIN, line.len), '"') + 1;
    line_add(out, slice_sub(line, 0, path));
    line_str(out, written);
    line_time(out, rec->end);
    line_add(out, slice_sub(line, path, line.len));
}

int form_record(struct form *f, const struct record *rec, struct line *out)
{
    if (!shape_of(f->format))
        return add_json(f, rec, out), 0;
    if (!f->trees[rec->stream->index])
        return 1;
    if (f->format == CARRY_ZEEK_JSON)
        add_zeek(f, rec, out);
    else
        shape_record(f->trees[rec->stream->index], rec, out);
    return 0;
}

enum fact { PATH, DATASET, EPOCH, ISO, UID };

/* Where each shape says what; `inner` NULL: at the top. */
static const struct place {
    const char *outer, *inner;
    enum fact fact;
} places[] = {
    {"_path", NULL, PATH},
    {"uid", NULL, UID},
    {"smtp", "uid", UID},
    {"unmapped", "uid", UID},
    {"mailtap", "uid", UID},
    {"metadata", "uid", UID},
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

static void take_path(struct slice text, enum fact fact, struct form_facts *ret)
{
    static const char module[] = "mailtap.";
    ret->path = text;
    if (fact == DATASET && slice_case_starts(text, module))
        ret->path = slice_sub(text, sizeof module - 1, text.len);
}

/* The first of each kind counts. */
static void take(enum fact fact, struct slice value, struct form_facts *ret)
{
    bool is_text = value.len >= 2 && value.data[0] == '"';
    struct slice text = slice_sub(value, 1, value.len - 1);
    if (fact == EPOCH && !*ret->time)
        take_epoch(value, ret->time);
    if (!is_text)
        return;
    if (fact == ISO && !*ret->time)
        take_iso(value, ret->time);
    if ((fact == PATH || fact == DATASET) && !ret->path.len)
        take_path(text, fact, ret);
    /* The number of a mail may stand behind it. */
    if (fact == UID && !ret->uid.len)
        ret->uid = slice_sub(text, 0, slice_index(text, '-'));
}

struct looking {
    struct scan scan;
    bool uid; /* it alone is wanted */
    struct form_facts *ret;
};

static bool has_all(const struct looking *l)
{
    return l->uid ? l->ret->uid.len > 0 : l->ret->path.len && *l->ret->time;
}

/* What the value of a key tells; NULL: nothing. `outer` is the key of the object around it, empty at the top.
 */
static const struct place *find_place(struct slice outer, struct slice key, bool *retenter)
{
    const struct place *found = NULL;
    *retenter = false;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const struct place *p = &places[i];
        bool is_outer = is_named(outer.len ? outer : key, p->outer);
        if (is_outer && (outer.len ? p->inner && is_named(key, p->inner) : !p->inner))
            found = p;
        *retenter |= !outer.len && is_outer && p->inner;
    }
    return found;
}

/* The members of an object, until all that is wanted is known, which is false too. */
static bool look_in(struct looking *l, struct slice outer)
{
    struct scan *s = &l->scan;
    struct slice key;
    bool enter;
    if (!scan_byte(s, '{') || scan_byte(s, '}'))
        return true;
    do {
        if (!scan_string(s, &key) || !scan_byte(s, ':'))
            return false;
        const struct place *found = find_place(outer, key, &enter);
        enter &= scan_peek(s) == '{';
        const uint8_t *from = s->at;
        if (enter ? !look_in(l, key) : !scan_skip(s, 1))
            return false;
        if (found)
            take(found->fact, (struct slice){from, (size_t)(s->at - from)}, l->ret);
        if (has_all(l))
            return false;
    } while (scan_byte(s, ','));
    return scan_byte(s, '}');
}

void form_look(struct slice line, struct form_facts *ret)
{
    struct looking l = {.scan = {line.data, line.data + line.len}, .ret = ret};
    *ret = (struct form_facts){0};
    look_in(&l, (struct slice){0});
}

struct slice form_uid(struct slice line)
{
    struct form_facts found = {0};
    struct looking l = {.scan = {line.data, line.data + line.len}, .uid = true, .ret = &found};
    look_in(&l, (struct slice){0});
    return found.uid;
}
