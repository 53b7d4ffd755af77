/* rows.c: lines of the outbox as rows.
 * In: JSON objects, one a line. Out: others of the tables' columns, by table. Owns: the rows under
 * construction. Limits: SCAN_DEPTH; a row is at most twice its line. Knowingly: keys that the field tables do
 * not know are left out; a time before 1970 or after 2106 becomes the nearest that the tables can hold. A
 * value of another kind than its field's makes the line no row. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <xxhash.h>
#include "base/memory.h"
#include "clickhouse/rows.h"
#include "clickhouse/scan.h"
#include "clickhouse/schema.h"
#include "record/record.h"

enum { MASK = 32 };

struct column {
    const struct field *field;
    size_t key_len;
    char head[FIELD_KEY + 8]; /* ,"name": */
    size_t head_len;
    uint32_t taken; /* those that are taken out of it, as bits of taken_table */
};

struct part {
    struct slice keys[TAKEN_PATH];
    size_t count;
};

struct clickrows {
    struct slice sensor; /* as JSON has it */
    struct line sensor_text;
    struct column *columns[STREAMS];
    struct part parts[MASK];
    struct line out[STREAMS];
    struct line taken[MASK];
};

/* One row. */
struct row {
    struct clickrows *rows;
    const struct stream *stream;
    struct line *out;
    bool has_sensor;
    struct error *err;
};

static int refuse(struct row *row, const char *what, struct slice key)
{
    return error_set(row->err, -EINVAL, "%s: %.*s", what, (int)(key.len < 64 ? key.len : 64),
                     (const char *)key.data);
}

static void split_path(struct part *part, const char *path)
{
    struct slice rest = slice_str(path);
    while (rest.len && part->count < TAKEN_PATH) {
        size_t n = slice_index(rest, '/');
        part->keys[part->count++] = slice_sub(rest, 0, n);
        rest = slice_sub(rest, n + 1, rest.len);
    }
}

static struct column *columns_of(const struct stream *s, const struct part *parts)
{
    struct column *all = calloc(s->count, sizeof *all);
    char name[FIELD_KEY + 1];
    memory_check(all);
    for (size_t i = 0; i < s->count; i++) {
        struct column *c = &all[i];
        c->field = &s->fields[i];
        c->key_len = strlen(c->field->name);
        clickhouse_column(c->field->name, name);
        c->head_len = (size_t)snprintf(c->head, sizeof c->head, ",\"%s\":", name);
        for (size_t k = 0; taken_table[k].column; k++)
            if (taken_table[k].stream == s->index && slice_eq(parts[k].keys[0], slice_str(c->field->name)))
                c->taken |= 1u << k;
    }
    return all;
}

struct clickrows *clickrows_new(const char *sensor)
{
    struct clickrows *r = calloc(1, sizeof *r);
    memory_check(r);
    static_assert(sizeof r->parts / sizeof *r->parts >= 18, "a bit for each");
    for (size_t k = 0; taken_table[k].column; k++)
        split_path(&r->parts[k], taken_table[k].path);
    for (size_t i = 0; i < STREAMS; i++)
        r->columns[i] = columns_of(stream_table[i], r->parts);
    line_byte(&r->sensor_text, '"');
    for (; sensor && *sensor; sensor++) {
        bool odd = *sensor == '"' || *sensor == '\\';
        if (odd)
            line_byte(&r->sensor_text, '\\');
        if ((uint8_t)*sensor >= ' ')
            line_byte(&r->sensor_text, (uint8_t)*sensor);
    }
    line_byte(&r->sensor_text, '"');
    r->sensor = line_slice(&r->sensor_text);
    return r;
}

void clickrows_clear(struct clickrows *r)
{
    for (size_t i = 0; i < STREAMS; i++)
        line_clear(&r->out[i]);
}

struct slice clickrows_of(const struct clickrows *r, enum stream_index stream)
{
    return line_slice(&r->out[stream]);
}

void clickrows_drop(struct clickrows *r, enum stream_index stream)
{
    r->out[stream].len = 0;
}

void clickrows_free(struct clickrows *r)
{
    for (size_t i = 0; i < STREAMS; i++) {
        line_free(&r->out[i]);
        free(r->columns[i]);
    }
    for (size_t k = 0; k < MASK; k++)
        line_free(&r->taken[k]);
    line_free(&r->sensor_text);
    free(r);
}

/* The domain of a string's token, as one. */
static void add_domain(struct line *out, struct slice token)
{
    size_t at = token.len - 1;
    while (at > 0 && token.data[at - 1] != '@')
        at--;
    line_byte(out, '"');
    for (; at && at + 1 < token.len; at++)
        line_byte(out, byte_lower(token.data[at]));
    line_byte(out, '"');
}

static bool is_count(struct slice token)
{
    size_t i = 0;
    while (i < token.len && byte_is_digit(token.data[i]))
        i++;
    return i && i == token.len && i <= 20;
}

static void take(struct clickrows *r, size_t k, struct slice token)
{
    struct line *out = &r->taken[k];
    bool text = token.data[0] == '"';
    enum taken_kind kind = taken_table[k].kind;
    bool many = kind == TAKEN_TEXTS || kind == TAKEN_DOMAINS;
    if (text != (kind != TAKEN_NUMBER) || (!many && out->len) ||
        (!text && (!is_count(token) || token.len > 10)))
        return;
    if (many)
        line_byte(out, out->len ? ',' : '[');
    if (kind == TAKEN_DOMAIN || kind == TAKEN_DOMAINS)
        add_domain(out, token);
    else
        line_add(out, token);
}

static bool walk(struct row *row, struct scan *s, uint32_t mask, size_t level, unsigned depth);

static bool walk_members(struct row *row, struct scan *s, uint32_t mask, size_t level, unsigned depth)
{
    const struct clickrows *r = row->rows;
    bool object = *s->at++ == '{';
    uint8_t last = object ? '}' : ']';
    if (scan_byte(s, last))
        return true;
    do {
        uint32_t inside = object ? 0 : mask;
        struct slice key;
        if (object && (!scan_string(s, &key) || !scan_byte(s, ':')))
            return false;
        for (uint32_t rest = object ? mask : 0; rest; rest &= rest - 1) {
            const struct part *p = &r->parts[__builtin_ctz(rest)];
            if (level < p->count && slice_eq(p->keys[level], slice_sub(key, 1, key.len - 1)))
                inside |= rest & -rest;
        }
        if (!walk(row, s, inside, level + object, depth + 1))
            return false;
    } while (scan_byte(s, ','));
    return scan_byte(s, last);
}

/* As scan_skip, and takes out what `mask` wants, whose paths have led here by `level` keys. */
static bool walk(struct row *row, struct scan *s, uint32_t mask, size_t level, unsigned depth)
{
    struct slice token;
    if (!mask)
        return scan_skip(s, depth);
    uint8_t c = scan_peek(s);
    if (c == '{' || c == '[')
        return depth < SCAN_DEPTH && walk_members(row, s, mask, level, depth);
    if (c == '"' ? !scan_string(s, &token) : !scan_word(s, &token))
        return false;
    for (; mask; mask &= mask - 1) {
        size_t k = (size_t)__builtin_ctz(mask);
        if (row->rows->parts[k].count == level)
            take(row->rows, k, token);
    }
    return true;
}

/* JSON as a string of JSON. */
static void add_quoted(struct line *out, struct slice s)
{
    uint8_t *to = line_room(out, 2 * s.len + 2), *start = to;
    *to++ = '"';
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '"' || s.data[i] == '\\')
            *to++ = '\\';
        *to++ = s.data[i] >= ' ' ? s.data[i] : ' '; /* blanks between tokens */
    }
    *to++ = '"';
    out->len += (size_t)(to - start);
}

static bool add_true_keys(struct line *out, struct scan *s)
{
    struct slice key, value;
    const char *between = "";
    line_byte(out, '[');
    if (!scan_byte(s, '{'))
        return false;
    if (!scan_byte(s, '}')) {
        do {
            if (!scan_string(s, &key) || !scan_byte(s, ':') || !scan_word(s, &value))
                return false;
            if (!slice_eq(value, slice_str("true")))
                continue;
            line_str(out, between);
            line_add(out, key);
            between = ",";
        } while (scan_byte(s, ','));
        if (!scan_byte(s, '}'))
            return false;
    }
    line_byte(out, ']');
    return true;
}

/* Where it stands, a list of strings must be. */
static bool walk_texts(struct row *row, struct scan *s, uint32_t mask)
{
    if (!scan_byte(s, '['))
        return false;
    if (scan_byte(s, ']'))
        return true;
    do
        if (scan_peek(s) != '"' || !walk(row, s, mask, 1, 1))
            return false;
    while (scan_byte(s, ','));
    return scan_byte(s, ']');
}

static void add_time(struct line *out, struct slice token)
{
    bool before = token.data[0] == '-';
    uint64_t seconds = 0, micros = 0;
    size_t dot = slice_index(token, '.');
    if (!before && !slice_number(slice_sub(token, 0, dot), &seconds))
        seconds = UINT32_MAX;
    uint64_t unit = 100000;
    for (size_t i = dot + 1; i < token.len && unit && byte_is_digit(token.data[i]); i++, unit /= 10)
        micros += (uint64_t)(token.data[i] - '0') * unit;
    /* The last day that 18.16 has is in 2105. */
    static const uint64_t most = 4291747199;
    if (before || seconds > most) {
        seconds = before ? 0 : most;
        micros = before ? 0 : 999999;
    }
    time_t day = (time_t)seconds;
    struct tm tm;
    gmtime_r(&day, &tm);
    line_printf(out, ",\"day\":\"%04d-%02d-%02d\",\"ts\":%llu,\"ts_us\":%llu", tm.tm_year + 1900,
                tm.tm_mon + 1, tm.tm_mday, (unsigned long long)seconds, (unsigned long long)micros);
}

static bool is_bool(struct slice token)
{
    return slice_eq(token, slice_str("true")) || slice_eq(token, slice_str("false"));
}

/* The scalar at hand, if it is one of the field's kind. */
static bool add_scalar(struct row *row, struct scan *s, const struct column *c)
{
    enum field_kind kind = c->field->kind;
    bool text = kind == FIELD_TEXT || kind == FIELD_ADDRESS || kind == FIELD_ANOMALY;
    const uint8_t *from = s->at;
    if (text != (*from == '"') || *from == '{' || *from == '[' || !walk(row, s, c->taken, 1, 0))
        return false;
    struct slice token = {from, (size_t)(s->at - from)};
    bool number = byte_is_digit(*from) || *from == '-';
    if (kind == FIELD_BOOL || kind == FIELD_TRUE || kind == FIELD_MAYBE ? !is_bool(token) : !text && !number)
        return false;
    bool port = kind == FIELD_PORT || kind == FIELD_SOME_PORT;
    uint64_t count;
    if ((port || kind == FIELD_COUNT || kind == FIELD_SOME) &&
        (slice_number(token, &count) != token.len || (port && count > UINT16_MAX)))
        return false;
    if (kind == FIELD_TIME) {
        add_time(row->out, token);
        return true;
    }
    line_add(row->out, (struct slice){(const uint8_t *)c->head, c->head_len});
    line_add(row->out, token);
    return true;
}

static bool add_compound(struct row *row, struct scan *s, const struct column *c)
{
    const uint8_t *from = s->at;
    uint8_t first = c->field->kind == FIELD_LIST ? '[' : '{';
    line_add(row->out, (struct slice){(const uint8_t *)c->head, c->head_len});
    if (c->field->kind == FIELD_FLAGS)
        return add_true_keys(row->out, s);
    bool texts = c->field->kind == FIELD_TEXTS || c->field->kind == FIELD_ADDRESSES;
    if (texts ? !walk_texts(row, s, c->taken) : *from != first || !walk(row, s, c->taken, 1, 0))
        return false;
    const struct slice span = {from, (size_t)(s->at - from)};
    if (texts)
        line_add(row->out, span);
    else
        add_quoted(row->out, span);
    return true;
}

static bool is_compound(enum field_kind kind)
{
    return kind == FIELD_TEXTS || kind == FIELD_ADDRESSES || kind == FIELD_FLAGS || kind == FIELD_OBJECT ||
           kind == FIELD_LIST || kind == FIELD_APART;
}

/* The column of a key: those of a record come in the order of the table. */
static const struct column *find(const struct row *row, struct slice key, size_t *next)
{
    const struct column *all = row->rows->columns[row->stream->index];
    size_t count = row->stream->count;
    for (size_t n = 0; n < count; n++) {
        const struct column *c = &all[(*next + n) % count];
        if (c->key_len == key.len && memcmp(c->field->name, key.data, key.len) == 0) {
            *next = (*next + n + 1) % count;
            return c;
        }
    }
    return NULL;
}

/* Behind the first key. */
static int add_members(struct row *row, struct scan *s)
{
    struct slice key = {0}, word;
    size_t next = 0;
    uint64_t seen[4] = {0};
    while (scan_byte(s, ',')) {
        if (!scan_string(s, &key) || !scan_byte(s, ':'))
            return refuse(row, "the line is no JSON behind", key);
        key = slice_sub(key, 1, key.len - 1);
        if (!scan_peek(s))
            return refuse(row, "the line ends behind", key);
        const struct column *c = find(row, key, &next);
        if (row->stream->index == STREAM_ENTRY && seen[0])
            c = NULL; /* a script's own, of any name */
        if (!c || scan_peek(s) == 'n') {
            if (c ? !scan_word(s, &word) : !scan_skip(s, 1))
                return refuse(row, "the line is no JSON behind", key);
            continue;
        }
        size_t index = (size_t)(c - row->rows->columns[row->stream->index]);
        if (index < 256 && seen[index / 64] & 1ull << index % 64)
            return refuse(row, "the line has it twice", key);
        if (index < 256)
            seen[index / 64] |= 1ull << index % 64;
        row->has_sensor |= slice_eq(key, slice_str("sensor"));
        if (is_compound(c->field->kind) ? !add_compound(row, s, c) : !add_scalar(row, s, c))
            return refuse(row, "the line has no value of its kind", key);
    }
    if (!scan_byte(s, '}') || scan_peek(s) || s->at != s->end)
        return refuse(row, "the line is no JSON behind", key);
    return 0;
}

static const struct stream *stream_of(struct slice path)
{
    size_t i = 0;
    while (i < STREAM_ENTRY && !slice_eq(slice_str(stream_table[i]->path), path))
        i++;
    return stream_table[i];
}

static void end_row(struct row *row, struct slice line, struct slice path)
{
    struct clickrows *r = row->rows;
    enum stream_index index = row->stream->index;
    if (!row->has_sensor) {
        line_str(row->out, ",\"sensor\":");
        line_add(row->out, r->sensor);
    }
    for (size_t k = 0; taken_table[k].column; k++) {
        if (taken_table[k].stream != index || !r->taken[k].len)
            continue;
        line_printf(row->out, ",\"%s\":", taken_table[k].column);
        line_add(row->out, line_slice(&r->taken[k]));
        if (r->taken[k].data[0] == '[')
            line_byte(row->out, ']');
    }
    if (index == STREAM_ENTRY) {
        line_str(row->out, ",\"path\":");
        line_add(row->out, path);
        line_str(row->out, ",\"record\":");
        add_quoted(row->out, line);
    }
    line_printf(row->out, ",\"record_hash\":%llu", (unsigned long long)XXH3_64bits(line.data, line.len));
    line_str(row->out, "}\n");
}

int clickrows_add(struct clickrows *r, struct slice line, struct error *reterr)
{
    struct scan s = {line.data, line.data + line.len};
    struct slice key, path;
    if (!scan_byte(&s, '{') || !scan_string(&s, &key) || !slice_eq(key, slice_str("\"_path\"")) ||
        !scan_byte(&s, ':') || !scan_string(&s, &path))
        return error_set(reterr, -EINVAL, "the line is no record: it does not begin with _path");
    struct row row = {.rows = r, .stream = stream_of(slice_sub(path, 1, path.len - 1)), .err = reterr};
    row.out = &r->out[row.stream->index];
    for (size_t k = 0; taken_table[k].column; k++)
        r->taken[k].len = 0;
    size_t before = row.out->len;
    int err = add_members(&row, &s);
    if (err) {
        row.out->len = before;
        return err;
    }
    if (row.out->len == before)
        return row.out->len = before, error_set(reterr, -EINVAL, "the line is no record: nothing is in it");
    end_row(&row, line, path);
    row.out->data[before] = '{'; /* in place of the first comma */
    return 0;
}
