/* line_row.c: a line of JSON as a row.
 * In: lines that anybody may have written. Out: values of fields. Owns: texts that had escapes, until the
 * next line. Limits: TEXT_BYTES of such texts. Knowingly: lists and objects are not looked into, their text
 * is the value; a count above 2^63 is read as that, as a store would. Spec: RFC 8259. */
#include "view/line_row.h"

#include <math.h>
#include <stdlib.h>
#include "base/memory.h"
#include "view/text_in.h"
#include "view/kind.h"

enum { TEXT_BYTES = 256 << 20, NUMBER_TEXT = 40, SECONDS_DIGITS = 12, MICROSECONDS = 1000000 };

struct line_row {
    struct reader_row row; /* first, as row.value gets it */
    struct columns columns[STREAM_ENTRY];
    struct reader_value values[COLUMNS_MOST];
    struct arena mem;
};

/* Seconds with up to nine digits behind the point; false: it is no such number. */
static bool time_of(struct slice text, struct timespec *ret)
{
    bool before = text.len && text.data[0] == '-';
    struct slice s = slice_sub(text, before, text.len);
    size_t point = slice_index(s, '.');
    uint64_t whole = 0, part = 0, unit = 1000000000;
    if (!point || point > SECONDS_DIGITS || slice_number(slice_sub(s, 0, point), &whole) != point)
        return false;
    for (size_t i = point + 1; i < s.len; i++) {
        if (!byte_is_digit(s.data[i]))
            return false;
        unit /= 10;
        part += (uint64_t)(s.data[i] - '0') * unit;
    }
    *ret = (struct timespec){(time_t)whole, (long)part};
    if (before)
        *ret = part ? (struct timespec){-(time_t)whole - 1, 1000000000 - (long)part}
                    : (struct timespec){-(time_t)whole, 0};
    return true;
}

static bool starts(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && memcmp(s.data, prefix, len) == 0;
}

static enum stream_index stream_of(struct slice path)
{
    enum stream_index i = 0;
    while (i < STREAM_ENTRY && !slice_eq(path, slice_str(stream_table[i]->path)))
        i++;
    return i;
}

bool line_head_of(struct slice line, struct line_head *ret)
{
    static const char path[] = "{\"_path\":\"", written[] = "\",\"_write_ts\":", ts[] = "\",\"ts\":";
    *ret = (struct line_head){.stream = STREAM_ENTRY};
    if (!starts(line, path))
        return false;
    struct slice rest = slice_sub(line, sizeof path - 1, line.len);
    size_t end = slice_index(rest, '"');
    if (end == rest.len)
        return false;
    ret->stream = stream_of(slice_sub(rest, 0, end));
    rest = slice_sub(rest, end, rest.len);
    ret->written = starts(rest, written);
    if (!ret->written && !starts(rest, ts))
        return true;
    rest = slice_sub(rest, ret->written ? sizeof written - 1 : sizeof ts - 1, rest.len);
    size_t len = 0;
    while (len < rest.len && rest.data[len] != ',' && rest.data[len] != '}')
        len++;
    ret->timed = time_of(slice_sub(rest, 0, len), &ret->time);
    ret->written = ret->written && ret->timed;
    return true;
}

static struct reader_value value_of(const struct reader_row *row, size_t field)
{
    return ((const struct line_row *)row)->values[field];
}

struct line_row *line_row_new(void)
{
    struct line_row *r = calloc(1, sizeof *r);
    memory_check(r);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &r->columns[i]);
    arena_init(&r->mem, TEXT_BYTES);
    r->row.value = value_of;
    return r;
}

void line_row_free(struct line_row **pr)
{
    struct line_row *r = *pr;
    *pr = NULL;
    if (!r)
        return;
    line_free(&r->row.line);
    arena_free(&r->mem);
    free(r);
}

static int64_t micros_of(struct timespec t)
{
    return (int64_t)t.tv_sec * MICROSECONDS + t.tv_nsec / 1000;
}

static bool real_of(struct slice text, double *ret)
{
    char copy[NUMBER_TEXT], *end;
    if (!text.len || text.len >= sizeof copy || !(byte_is_digit(text.data[0]) || text.data[0] == '-'))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    *ret = strtod(copy, &end);
    return !*end && isfinite(*ret);
}

/* A number, true or false. */
static bool read_plain(struct slice text, enum field_kind kind, struct reader_value *ret)
{
    struct timespec t;
    uint64_t count;
    *ret = (struct reader_value){.kind = READER_INTEGER};
    switch ((int)kind) {
    case FIELD_TIME:
        ret->integer = time_of(text, &t) ? micros_of(t) : INT64_MIN;
        return ret->integer != INT64_MIN;
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
        ret->integer = slice_eq(text, slice_str("true"));
        return ret->integer || slice_eq(text, slice_str("false"));
    case FIELD_DOUBLE:
    case FIELD_SPAN:
        ret->kind = READER_REAL;
        return real_of(text, &ret->real);
    case FIELD_PORT:
    case FIELD_SOME_PORT:
    case FIELD_COUNT:
    case FIELD_SOME:
        if (!text.len || slice_number(text, &count) != text.len)
            return false;
        ret->integer = count > INT64_MAX ? INT64_MAX : (int64_t)count;
        return true;
    }
    return false;
}

static bool read_value(struct text_in *in, enum field_kind kind, struct reader_value *ret)
{
    uint8_t c = text_in_next(in);
    bool text = kind == FIELD_TEXT || kind == FIELD_ADDRESS || kind == FIELD_ANOMALY;
    *ret = (struct reader_value){.kind = READER_TEXT};
    if (c == 'n') {
        ret->kind = READER_ABSENT;
        return slice_eq(text_in_plain(in), slice_str("null"));
    }
    if (c == '"') {
        ret->text = text_in_string(in);
        return text && !in->bad;
    }
    if (c != '{' && c != '[')
        return read_plain(text_in_plain(in), kind, ret);
    struct slice from = in->rest;
    text_in_skip(in);
    ret->text = slice_sub(from, 0, from.len - in->rest.len);
    bool list = kind == FIELD_TEXTS || kind == FIELD_ADDRESSES || kind == FIELD_LIST;
    return c == '[' ? list : kind == FIELD_FLAGS || kind == FIELD_OBJECT || kind == FIELD_APART;
}

/* The field of that name; they mostly come in their order, so it is looked for from `from` on. */
static size_t field_of(const struct columns *cols, struct slice name, size_t from)
{
    for (size_t i = 0; i < cols->count; i++) {
        size_t at = from + i < cols->count ? from + i : from + i - cols->count;
        if (slice_eq(slice_str(cols->items[at].field->name), name))
            return at;
    }
    return SIZE_MAX;
}

static void read_members(struct line_row *r, struct text_in *in)
{
    const struct columns *cols = r->row.columns;
    size_t next = 0;
    while (!in->bad && !text_in_take(in, '}')) {
        struct slice name = text_in_string(in);
        text_in_want(in, ':');
        size_t i = field_of(cols, name, next);
        if (i == SIZE_MAX) {
            text_in_skip(in);
        } else {
            in->bad = !read_value(in, cols->items[i].field->kind, &r->values[i]) || in->bad;
            next = i + 1 < cols->count ? i + 1 : 0;
        }
        if (!in->bad && text_in_next(in) != '}')
            text_in_want(in, ',');
    }
}

const struct reader_row *line_row_take(struct line_row *r, struct slice line)
{
    struct line_head head;
    if (!line_head_of(line, &head) || head.stream == STREAM_ENTRY || !head.timed)
        return NULL;
    arena_reset(&r->mem);
    memset(r->values, 0, sizeof r->values);
    r->row.columns = &r->columns[head.stream];
    r->row.count = r->row.columns->count;
    r->row.micros = micros_of(head.time);
    r->row.id = (uint64_t)r->row.micros;
    struct text_in in = {.rest = line, .mem = &r->mem, .borrow = true};
    text_in_want(&in, '{');
    read_members(r, &in);
    return in.bad || text_in_next(&in) ? NULL : &r->row;
}
