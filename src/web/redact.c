/* redact.c: records without persons.
 * In: JSON. Out: the same JSON, but for texts, as redact.def says. Owns: nothing. Limits: JSON_READ_DEPTH of
 * nesting, PATH bytes of a path. What is beyond them is not shown. Knowingly: a domain of one person names
 * that person. */
#include "web/redact.h"

#include "web/json_read.h"
#include "web/say.h"

enum { PATH = 256, TEXT_MOST = 32 << 20 };

static const struct {
    const char *stream, *path;
    enum redact_how how;
} rows[] = {
#define REDACT(stream, path, how) {#stream, path, REDACT_##how},
#include "web/redact.def"
};

static const char *const own_notes[] = {
#define REDACT_NOTE(name) name,
#include "web/redact.def"
};

/* `path` is the row's, or below it. */
static bool is_below(struct slice path, struct slice row)
{
    return path.len >= row.len && slice_eq(slice_sub(path, 0, row.len), row) &&
           (path.len == row.len || path.data[row.len] == '.');
}

enum redact_how redact_field(struct slice stream, struct slice path)
{
    enum redact_how how = REDACT_TEXT;
    if (!stream.len)
        return how;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!is_below(path, slice_str(rows[i].path)))
            continue;
        if (slice_eq(stream, slice_str(rows[i].stream)))
            return rows[i].how;
        if (strcmp(rows[i].stream, "smtp") == 0)
            how = rows[i].how;
    }
    return how;
}

struct walk {
    struct slice stream;
    struct json_reader reader;
    struct buf *out, text, shown;
    char path[PATH];
    size_t path_len;
    size_t back[JSON_READ_DEPTH]; /* path_len where each open object or list ends */
    unsigned hidden; /* depth from which on the path is too long, so that all is hidden; 0: none */
    bool comma, own_note;
};

static void put_text(struct walk *w, struct slice raw, enum redact_how how)
{
    buf_clear(&w->text);
    buf_clear(&w->shown);
    json_unescape(raw, &w->text);
    redact_text(how, buf_slice(&w->text), &w->shown);
    say_quote(w->out, buf_slice(&w->shown));
}

/* The key becomes the end of the path. */
static void enter(struct walk *w, struct slice key)
{
    size_t from = w->back[w->reader.depth - 1];
    w->path_len = from;
    if (w->hidden && w->reader.depth > w->hidden)
        return;
    w->hidden = from + key.len + 2 > PATH ? w->reader.depth : 0;
    if (w->hidden)
        return;
    if (from)
        w->path[w->path_len++] = '.';
    if (key.len)
        memcpy(w->path + w->path_len, key.data, key.len);
    w->path_len += key.len;
}

bool redact_is_own_note(struct slice name)
{
    for (size_t i = 0; i < sizeof own_notes / sizeof *own_notes; i++)
        if (slice_eq(name, slice_str(own_notes[i])))
            return true;
    return false;
}

static void note(struct walk *w, struct slice raw)
{
    if (!slice_eq((struct slice){(const uint8_t *)w->path, w->path_len}, slice_str("note")))
        return;
    w->own_note = redact_is_own_note(raw);
}

static void value_text(struct walk *w, struct slice raw)
{
    const struct slice path = {(const uint8_t *)w->path, w->path_len};
    enum redact_how how = w->hidden ? REDACT_WHOLE : redact_field(w->stream, path);
    note(w, raw);
    if (w->own_note && slice_eq(path, slice_str("msg")))
        how = REDACT_TEXT;
    put_text(w, raw, how);
}

static void separate(struct walk *w, enum json_token t)
{
    if (w->comma && t != JSON_CLOSE)
        buf_add_byte(w->out, ',');
    w->comma = t != JSON_OBJECT && t != JSON_LIST && t != JSON_KEY;
}

/* False: no JSON. */
static bool step(struct walk *w, enum json_token t)
{
    if (t != JSON_END && t != JSON_WRONG)
        separate(w, t);
    switch (t) {
    case JSON_OBJECT:
    case JSON_LIST:
        /* Depth counts it already. */
        w->back[w->reader.depth - 1] = w->path_len;
        break;
    case JSON_CLOSE:
        w->path_len = w->back[w->reader.depth];
        break;
    case JSON_KEY:
        put_text(w, w->reader.raw, REDACT_TEXT);
        enter(w, buf_slice(&w->text));
        buf_add_byte(w->out, ':');
        return true;
    case JSON_TEXT:
        value_text(w, w->reader.raw);
        return true;
    case JSON_NUMBER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        break;
    case JSON_END:
    case JSON_WRONG:
        return false;
    }
    return buf_add(w->out, w->reader.raw);
}

bool redact_json(struct slice stream, struct slice path, struct slice json, struct buf *out)
{
    struct walk w = {.stream = stream, .reader = json_reader_of(json), .out = out};
    size_t from = out->len;
    enum json_token t;
    if (path.len >= PATH)
        return false;
    memcpy(w.path, path.data ? (const char *)path.data : "", path.len);
    w.path_len = path.len;
    buf_init(&w.text, TEXT_MOST);
    buf_init(&w.shown, 2 * TEXT_MOST);
    do
        t = json_read(&w.reader);
    while (step(&w, t));
    bool good = t == JSON_END && out->len < out->max;
    if (!good)
        out->len = from;
    buf_free(&w.text);
    buf_free(&w.shown);
    return good;
}
