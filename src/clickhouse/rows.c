/* rows.c: lines of the outbox as rows.
 * In: JSON objects, one a line. Out: blocks of the tables' columns. Owns: the rows under construction.
 * Limits: SCAN_DEPTH; a row is little larger than its line. Knowingly: keys that the field tables do not know
 * are left out. A value of another kind than its field's makes the line no row; so nothing that a server
 * could refuse gets into one. */
#include "clickhouse/rows.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#include "base/memory.h"
#include "clickhouse/rows_parts.h"
#include "record/record.h"
#include "view/sums_key.h"

enum { MICROSECONDS = 1000000, HASH_BITS = 10, DAY_SECONDS = 86400 };
/* The last second of the last day that 18.16 has. */
static const int64_t last_second = 4291747199;

/* A line of a batch, by what rows are sorted by. */
struct place {
    uint64_t id, hash;
    struct slice line;
};

struct clickrows {
    struct rowtable tables[STREAMS];
    struct line rooms[ROW_ROOMS];
    struct place *places;    /* of the batch at hand */
    size_t places_room, bad; /* how many of them are no records: they stand first */
};

static int refuse(struct row *row, const char *what, struct slice key)
{
    return error_set(row->err, -EINVAL, "%s: %.*s", what, (int)(key.len < 64 ? key.len : 64),
                     (const char *)key.data);
}

static void begin_table(struct rowtable *t, enum stream_index stream)
{
    t->columns = chtable_of(stream);
    t->cells = calloc(t->columns->count, sizeof *t->cells);
    memory_check(t->cells);
    assert(t->columns->stream->count <= ROW_FIELDS);
    for (size_t i = t->columns->count; i-- > 0;) {
        const struct chcolumn *c = &t->columns->columns[i];
        cells_init(&t->cells[i], c);
        if (c->kind == CHCOLUMN_COMPUTED)
            t->computed[c->computed] = i;
        if (c->kind == CHCOLUMN_FIELD && c->field == 0)
            t->fields = i;
    }
    for (size_t i = 0; i < t->columns->stream->count; i++)
        if (chtable_always(t->columns->stream->fields[i].kind))
            t->always[i / 64] |= UINT64_C(1) << i % 64;
    pick_begin(t);
    keys_begin(t);
}

struct clickrows *clickrows_new(void)
{
    struct clickrows *r = calloc(1, sizeof *r);
    memory_check(r);
    for (size_t i = 0; i < STREAMS; i++)
        begin_table(&r->tables[i], i);
    return r;
}

void clickrows_clear(struct clickrows *r)
{
    for (size_t i = 0; i < STREAMS; i++) {
        struct rowtable *t = &r->tables[i];
        for (size_t k = 0; t->rows && k < t->columns->count; k++)
            cells_clear(&t->cells[k]);
        t->rows = 0;
    }
    r->bad = 0;
}

size_t clickrows_count(const struct clickrows *r, enum stream_index stream)
{
    return r->tables[stream].rows;
}

void clickrows_free(struct clickrows *r)
{
    for (size_t i = 0; i < STREAMS; i++) {
        struct rowtable *t = &r->tables[i];
        for (size_t k = 0; k < t->columns->count; k++)
            cells_free(&t->cells[k]);
        free(t->cells);
        free(t->roots);
        free(t->nodes);
    }
    for (size_t i = 0; i < ROW_ROOMS; i++)
        line_free(&r->rooms[i]);
    free(r->places);
    free(r);
}

/* Others are left out where nothing is in them; a table over a cluster may shard by these. */
static bool is_sent(const struct chcolumn *c, const struct cells *cells)
{
    return c->kind != CHCOLUMN_ALIAS &&
           (c->kind == CHCOLUMN_COMPUTED || cells->rows || cells->items || strcmp(c->name, "uid") == 0);
}

void clickrows_block(struct clickrows *r, enum stream_index stream, const bool *wanted, struct line *out)
{
    struct rowtable *t = &r->tables[stream];
    size_t count = 0;
    for (size_t i = 0; i < t->columns->count; i++)
        count += is_sent(&t->columns->columns[i], &t->cells[i]) && (!wanted || wanted[i]);
    cells_count(out, count);
    cells_count(out, t->rows);
    for (size_t i = 0; i < t->columns->count; i++)
        if (is_sent(&t->columns->columns[i], &t->cells[i]) && (!wanted || wanted[i]))
            cells_native(&t->cells[i], t->rows, out);
}

void row_note_empty(struct row *row, size_t column)
{
    cells_text(row_cells(row, CHCOMPUTED_EMPTIES), row->at, slice_str(row->t->columns->columns[column].name));
}

static void note_missing(struct row *row, size_t field)
{
    char text[CHCOLUMN_NAME + 1];
    int len = snprintf(text, sizeof text, "-%s", row->t->columns->columns[row->t->fields + field].name);
    cells_text(row_cells(row, CHCOMPUTED_EMPTIES), row->at, (struct slice){(uint8_t *)text, (size_t)len});
}

/* Microseconds of a number of seconds; what is beyond some 292000 years is at their end. */
static int64_t micros_of(struct slice token)
{
    static const uint64_t most = INT64_MAX / MICROSECONDS - 1;
    bool before = token.data[0] == '-';
    uint64_t seconds = 0, micros = 0, unit = MICROSECONDS / 10;
    size_t dot = slice_index(token, '.');
    if (!slice_number(slice_sub(token, before, dot), &seconds) || seconds > most)
        seconds = most;
    for (size_t i = dot + 1; i < token.len && unit && byte_is_digit(token.data[i]); i++, unit /= 10)
        micros += (uint64_t)(token.data[i] - '0') * unit;
    int64_t all = (int64_t)(seconds * MICROSECONDS + micros);
    return before ? -all : all;
}

/* That 18.16 has a day for. */
static int64_t second_of(int64_t micros)
{
    int64_t seconds = micros / MICROSECONDS;
    return seconds < 0 ? 0 : seconds > last_second ? last_second : seconds;
}

static bool is_bool(struct slice token)
{
    return slice_eq(token, slice_str("true")) || slice_eq(token, slice_str("false"));
}

/* A number or truth of the field's kind. */
static bool put_word(struct row *row, enum field_kind kind, size_t column, struct slice token)
{
    struct cells *c = &row->t->cells[column];
    uint64_t count = 0;
    double real = 0;
    bool port = kind == FIELD_PORT || kind == FIELD_SOME_PORT;
    if (kind == FIELD_BOOL || kind == FIELD_TRUE || kind == FIELD_MAYBE) {
        if (!is_bool(token))
            return false;
        count = token.data[0] == 't';
    } else if (port || kind == FIELD_COUNT || kind == FIELD_SOME) {
        if (slice_number(token, &count) != token.len || (port && count > UINT16_MAX))
            return false;
    } else if ((!byte_is_digit(token.data[0]) && token.data[0] != '-') || !scan_real(token, &real)) {
        return false;
    } else if (kind == FIELD_TIME) {
        int64_t micros = micros_of(token);
        cells_number(c, row->at, (uint64_t)second_of(micros));
        cells_number(row_cells(row, CHCOMPUTED_MICROS), row->at, (uint64_t)micros);
        return true;
    } else {
        cells_real(c, row->at, real);
        count = real != 0;
        if (!count && !chtable_always(kind))
            row_note_empty(row, column);
        return true;
    }
    cells_number(c, row->at, count);
    if (!count && !chtable_always(kind))
        row_note_empty(row, column);
    return true;
}

static bool add_scalar(struct row *row, struct scan *s, size_t field)
{
    enum field_kind kind = row->t->columns->stream->fields[field].kind;
    size_t column = row->t->fields + field;
    struct slice token;
    if (kind != FIELD_TEXT && kind != FIELD_ADDRESS && kind != FIELD_ANOMALY)
        return scan_peek(s) != '"' && scan_word(s, &token) && put_word(row, kind, column, token);
    if (!scan_string(s, &token))
        return false;
    row->texts[field] = token;
    cells_text(&row->t->cells[column], row->at,
               s->escaped ? scan_text(token, &row->rooms[0]) : slice_sub(token, 1, token.len - 1));
    if (token.len == 2)
        row_note_empty(row, column);
    return true;
}

static bool add_true_keys(struct row *row, struct scan *s, size_t column)
{
    struct slice key, value;
    if (!scan_byte(s, '{'))
        return false;
    if (scan_byte(s, '}'))
        return row_note_empty(row, column), true;
    do {
        if (!scan_string(s, &key) || !scan_byte(s, ':') || !scan_word(s, &value))
            return false;
        if (slice_eq(value, slice_str("true")))
            cells_text(&row->t->cells[column], row->at, scan_text(key, &row->rooms[0]));
    } while (scan_byte(s, ','));
    return scan_byte(s, '}');
}

/* Where it stands, a list of strings must be. */
static bool add_texts(struct row *row, struct scan *s, size_t column, bool recipients)
{
    struct slice token;
    struct sums_key k;
    if (!scan_byte(s, '['))
        return false;
    if (scan_byte(s, ']'))
        return row_note_empty(row, column), true;
    do {
        if (!scan_string(s, &token))
            return false;
        struct slice text = scan_text(token, &row->rooms[0]);
        cells_text(&row->t->cells[column], row->at, text);
        if (!recipients)
            continue;
        sums_key_domain(&k, text);
        cells_text(row_cells(row, CHCOMPUTED_RECIPIENT_KEYS), row->at, sums_key_slice(&k));
    } while (scan_byte(s, ','));
    return scan_byte(s, ']');
}

/* As it stands, but for what stands between tokens: a line of it has no control characters. */
static void add_json(struct row *row, size_t column, struct slice json, bool spread)
{
    struct line *room = &row->rooms[0];
    if (spread) {
        room->len = 0;
        line_add(room, json);
        for (size_t i = 0; i < json.len; i++)
            if (room->data[i] < ' ')
                room->data[i] = ' ';
        json = line_slice(room);
    }
    cells_text(&row->t->cells[column], row->at, json);
}

static bool add_compound(struct row *row, struct scan *s, size_t field)
{
    enum field_kind kind = row->t->columns->stream->fields[field].kind;
    size_t column = row->t->fields + field;
    if (kind == FIELD_FLAGS)
        return add_true_keys(row, s, column);
    if (kind == FIELD_TEXTS || kind == FIELD_ADDRESSES)
        return add_texts(row, s, column,
                         row->t->columns->stream->index == STREAM_SMTP && field == row->t->mail.rcptto);
    struct pick *root = &row->t->roots[field];
    uint8_t first = scan_peek(s);
    const uint8_t *from = s->at;
    s->spread = false;
    if (first != (kind == FIELD_LIST ? '[' : '{') ||
        !(root->first ? pick_walk(row, s, root, 0) : scan_skip(s, 0)))
        return false;
    add_json(row, column, (struct slice){from, (size_t)(s->at - from)}, s->spread);
    return true;
}

static bool is_compound(enum field_kind kind)
{
    return kind == FIELD_TEXTS || kind == FIELD_ADDRESSES || kind == FIELD_FLAGS || kind == FIELD_OBJECT ||
           kind == FIELD_LIST || kind == FIELD_APART;
}

/* The field of a key: those of a record come in the order of the table. */
static bool find(const struct row *row, struct slice key, size_t *next, size_t *ret)
{
    const struct stream *s = row->t->columns->stream;
    for (size_t n = 0; n < s->count; n++) {
        size_t i = *next + n < s->count ? *next + n : *next + n - s->count;
        /* The key as JSON has it: ,"name": */
        const struct slice have = s->fields[i].key;
        if (have.len == key.len + 4 && memcmp(have.data + 2, key.data, key.len) == 0) {
            *next = i + 1 < s->count ? i + 1 : 0;
            *ret = i;
            return true;
        }
    }
    return false;
}

/* A script's own. */
static bool add_own(struct row *row, struct scan *s, struct slice key)
{
    struct pick *n = row->t->roots[row->t->columns->stream->count].first;
    while (n && !slice_eq(n->key, key))
        n = n->next;
    if (scan_peek(s) == '"' && slice_eq(key, slice_str("sensor"))) {
        struct slice token;
        const uint8_t *from = s->at;
        if (!scan_string(s, &token))
            return false;
        cells_text(row_cells(row, CHCOMPUTED_SENSOR), row->at, scan_text(token, &row->rooms[0]));
        s->at = from;
    }
    return n ? pick_walk(row, s, n, 1) : scan_skip(s, 1);
}

/* Behind the first keys. */
static int add_members(struct row *row, struct scan *s)
{
    struct slice key = {0}, word;
    size_t next = 0, field;
    bool own = row->t->columns->stream->index == STREAM_ENTRY;
    while (scan_byte(s, ',')) {
        if (!scan_string(s, &key) || !scan_byte(s, ':'))
            return refuse(row, "the line is no JSON behind", key);
        key = slice_sub(key, 1, key.len - 1);
        if (!scan_peek(s))
            return refuse(row, "the line ends behind", key);
        bool known = !(own && row->seen[0]) && find(row, key, &next, &field);
        if (!known || *s->at == 'n') {
            if (known ? !scan_word(s, &word) : own ? !add_own(row, s, key) : !scan_skip(s, 1))
                return refuse(row, "the line is no JSON behind", key);
            continue;
        }
        if (row_has(row, field))
            return refuse(row, "the line has it twice", key);
        row->seen[field / 64] |= UINT64_C(1) << field % 64;
        if (is_compound(row->t->columns->stream->fields[field].kind) ? !add_compound(row, s, field)
                                                                     : !add_scalar(row, s, field))
            return refuse(row, "the line has no value of its kind", key);
    }
    if (!scan_byte(s, '}') || scan_peek(s) || s->at != s->end)
        return refuse(row, "the line is no JSON behind", key);
    return 0;
}

static enum stream_index stream_of(struct slice path)
{
    size_t i = 0;
    while (i < STREAM_ENTRY && !slice_eq(slice_str(stream_table[i]->path), path))
        i++;
    return i;
}

/* The parts of a line. */
struct parts {
    struct slice line, path, before; /* up to the path's end */
    struct slice written, rest;      /* when it was complete, or none; what stands behind */
};

/* Where the line says when it was complete: behind _path. */
static void take_written(struct scan *s, struct slice *ret)
{
    struct scan ahead = *s;
    struct slice key, word;
    if (!scan_byte(&ahead, ',') || !scan_string(&ahead, &key) || !slice_eq(key, slice_str("\"_write_ts\"")) ||
        !scan_byte(&ahead, ':') || scan_peek(&ahead) == '"' || !scan_word(&ahead, &word) ||
        (word.data[0] != '-' && !byte_is_digit(word.data[0])))
        return;
    *ret = word;
    *s = ahead;
}

static bool split(struct slice line, struct scan *s, struct parts *ret)
{
    struct slice key;
    *ret = (struct parts){.line = line};
    if (!scan_byte(s, '{') || !scan_string(s, &key) || !slice_eq(key, slice_str("\"_path\"")) ||
        !scan_byte(s, ':') || !scan_string(s, &ret->path))
        return false;
    ret->before = (struct slice){line.data, (size_t)(s->at - line.data)};
    take_written(s, &ret->written);
    ret->rest = (struct slice){s->at, (size_t)(s->end - s->at)};
    return true;
}

/* A script's line, whole. */
static void end_entry(struct row *row, const struct parts *parts)
{
    struct line *room = &row->rooms[0];
    cells_text(row_cells(row, CHCOMPUTED_PATH), row->at, scan_text(parts->path, room));
    room->len = 0;
    line_add(room, parts->before);
    line_add(room, parts->rest);
    for (size_t i = 0; i < room->len; i++)
        if (room->data[i] < ' ')
            room->data[i] = ' ';
    cells_text(row_cells(row, CHCOMPUTED_RECORD), row->at, line_slice(room));
}

/* When it was complete; where that is not said, its own time. */
static int64_t end_of(const struct row *row, struct slice written)
{
    const struct cells *micros = row_cells(row, CHCOMPUTED_MICROS);
    int64_t own = 0;
    if (written.len)
        return micros_of(written);
    if (micros->row == row->at + 1)
        memcpy(&own, micros->data.data + micros->data.len - sizeof own, sizeof own);
    return own;
}

/* Where it stands among the others. */
static uint64_t id_of(int64_t micros, uint64_t hash)
{
    static const int64_t most = (INT64_C(1) << (63 - HASH_BITS)) - 1;
    uint64_t place = (uint64_t)(micros < 0 ? 0 : micros > most ? most : micros);
    return place << HASH_BITS | (hash & ((1 << HASH_BITS) - 1));
}

static void end_row(struct row *row, const struct parts *parts, uint64_t hash)
{
    const struct stream *stream = row->t->columns->stream;
    int64_t at = end_of(row, parts->written);
    for (size_t i = 0; i < stream->count; i++)
        if (row->t->always[i / 64] & ~row->seen[i / 64] & UINT64_C(1) << i % 64)
            note_missing(row, i);
    cells_number(row_cells(row, CHCOMPUTED_DAY), row->at, (uint64_t)(second_of(at) / DAY_SECONDS));
    cells_number(row_cells(row, CHCOMPUTED_ID), row->at, id_of(at, hash));
    cells_number(row_cells(row, CHCOMPUTED_HASH), row->at, hash);
    if (stream->index == STREAM_SMTP)
        keys_end(row);
    if (stream->index == STREAM_ENTRY)
        end_entry(row, parts);
}

static int add_line(struct clickrows *r, struct slice line, uint64_t hash, struct error *reterr)
{
    struct scan s = {line.data, line.data + line.len, false, false};
    struct parts parts;
    if (!split(line, &s, &parts))
        return error_set(reterr, -EINVAL, "the line is no record: it does not begin with _path");
    struct row row;
    row.t = &r->tables[stream_of(slice_sub(parts.path, 1, parts.path.len - 1))];
    row.at = row.t->rows;
    memset(row.seen, 0, sizeof row.seen);
    row.edges = 0;
    row.newest = (struct slice){0};
    row.rooms = r->rooms;
    row.err = reterr;
    int err = add_members(&row, &s);
    if (!err && !row.seen[0] && !row.seen[1])
        err = error_set(reterr, -EINVAL, "the line is no record: nothing is in it");
    for (size_t i = 0; err && i < row.t->columns->count; i++)
        cells_undo(&row.t->cells[i], row.at);
    if (err)
        return err;
    end_row(&row, &parts, hash);
    row.t->rows++;
    return 0;
}

int clickrows_add(struct clickrows *r, struct slice line, struct error *reterr)
{
    return add_line(r, line, XXH3_64bits(line.data, line.len), reterr);
}

/* Lines that do not say when they were complete stay among those around them. */
static struct place place_of_line(struct slice line, uint64_t before)
{
    struct scan s = {line.data, line.data + line.len, false, false};
    struct parts parts;
    uint64_t hash = XXH3_64bits(line.data, line.len);
    bool known = split(line, &s, &parts) && parts.written.len;
    return (struct place){known ? id_of(micros_of(parts.written), hash) : before, hash, line};
}

static int compare(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->id != y->id ? (x->id > y->id) - (x->id < y->id) : (x->hash > y->hash) - (x->hash < y->hash);
}

static size_t split_lines(struct clickrows *r, struct slice lines, bool *ret_sorted)
{
    size_t count = 0;
    *ret_sorted = true;
    for (; lines.len; count++) {
        size_t end = slice_index(lines, '\n');
        if (count == r->places_room) {
            r->places_room = count ? 2 * count : 1024;
            r->places = reallocarray(r->places, r->places_room, sizeof *r->places);
            memory_check(r->places);
        }
        struct place *p = &r->places[count];
        *p = place_of_line(slice_sub(lines, 0, end), count ? p[-1].id : 0);
        *ret_sorted &= !count || compare(p - 1, p) <= 0;
        lines = slice_sub(lines, end + 1, lines.len);
    }
    return count;
}

void clickrows_take(struct clickrows *r, struct slice lines)
{
    bool sorted;
    size_t count = split_lines(r, lines, &sorted);
    struct error err;
    if (!sorted)
        qsort(r->places, count, sizeof *r->places, compare);
    r->bad = 0;
    for (size_t i = 0; i < count; i++)
        if (add_line(r, r->places[i].line, r->places[i].hash, &err) < 0)
            r->places[r->bad++] = r->places[i];
}

bool clickrows_bad(struct clickrows *r, size_t i, struct slice *ret, struct error *reterr)
{
    if (i >= r->bad)
        return false;
    *ret = r->places[i].line;
    return clickrows_add(r, *ret, reterr) < 0;
}
