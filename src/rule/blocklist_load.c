/* blocklist_load.c: a file of block lists.
 * In: YAML, a list of mappings. Out: rows and patterns in struct blocklists, or file:line:column and what is
 * wrong there. Owns: nothing. Limits: BLOCKLISTS_FILE bytes, BLOCKLISTS_ROWS rows, BLOCKLISTS_PATTERNS
 * patterns. Knowingly: anchors, aliases, tags and second documents are refused, as each could hide what a row
 * says. Spec: YAML 1.1, by libyaml. */
#include "rule/blocklist_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <yaml.h>
#include "base/buf.h"
#include "base/nearest.h"

enum key { NAME, PATTERN, KIND, REMOVAL, RETIRED, KEYS };
static const char *const key_names[KEYS] = {"name", "pattern", "kind", "removal", "retired"};

enum { WHERE = 256, SHOWN = 64 };

struct reader {
    struct blocklists *lists;
    const char *path;
    struct slice bytes;
    yaml_parser_t yaml;
    yaml_event_t event;
    unsigned documents;
    char where[WHERE];
};

/* A pattern waits until its row is complete. */
struct waiting {
    size_t from, to; /* in the row's bytes */
    char where[WHERE];
};

enum { ROW_PATTERNS = 100 };

struct row {
    struct buf text; /* the row's texts, which the YAML parser does not keep */
    bool has[KEYS];
    size_t from[KEYS], to[KEYS];
    enum blocklist_kind kind;
    struct waiting patterns[ROW_PATTERNS];
    size_t patterns_len;
};

static void set_where(struct reader *r, size_t line, size_t column)
{
    size_t len = strlen(r->path), most = WHERE - 64;
    snprintf(r->where, sizeof r->where, "%s%s:%zu:%zu: ", len > most ? "..." : "",
             r->path + (len > most ? len - most : 0), line + 1, column + 1);
}

/* libyaml says where a byte that is no text stands by its offset alone. */
static void set_where_offset(struct reader *r, size_t offset)
{
    struct slice before = slice_sub(r->bytes, 0, offset);
    size_t line = 0, lf;
    while ((lf = slice_index(before, '\n')) < before.len) {
        before = slice_sub(before, lf + 1, before.len);
        line++;
    }
    set_where(r, line, before.len);
}

static int not_yaml(struct reader *r, struct error *reterr)
{
    const char *problem = r->yaml.problem ? r->yaml.problem : "no memory";
    if (r->yaml.error == YAML_READER_ERROR)
        set_where_offset(r, r->yaml.problem_offset);
    else
        set_where(r, r->yaml.problem_mark.line, r->yaml.problem_mark.column);
    return error_set(reterr, -EINVAL, "%snot YAML: %s", r->where, problem);
}

static bool is_marked(const yaml_event_t *ev)
{
    if (ev->type == YAML_SCALAR_EVENT)
        return ev->data.scalar.anchor || ev->data.scalar.tag;
    if (ev->type == YAML_SEQUENCE_START_EVENT)
        return ev->data.sequence_start.anchor || ev->data.sequence_start.tag;
    if (ev->type == YAML_MAPPING_START_EVENT)
        return ev->data.mapping_start.anchor || ev->data.mapping_start.tag;
    return ev->type == YAML_ALIAS_EVENT;
}

static int reader_next(struct reader *r, struct error *reterr)
{
    yaml_event_delete(&r->event);
    if (!yaml_parser_parse(&r->yaml, &r->event)) {
        memset(&r->event, 0, sizeof r->event);
        return not_yaml(r, reterr);
    }
    const yaml_event_t *ev = &r->event;
    set_where(r, ev->start_mark.line, ev->start_mark.column);
    if (is_marked(ev))
        return error_set(reterr, -EINVAL, "%sanchors (&), aliases (*) and tags (!) have no place here",
                         r->where);
    if (ev->type == YAML_DOCUMENT_START_EVENT && r->documents++)
        return error_set(reterr, -EINVAL, "%sa second document; the lists are one", r->where);
    return 0;
}

static struct slice scalar(const struct reader *r)
{
    return (struct slice){r->event.data.scalar.value, r->event.data.scalar.length};
}

static bool is_nothing(const struct reader *r)
{
    return !r->event.data.scalar.length && r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* The start of a text, for a message. */
static const char *shown(struct slice text, char to[static SHOWN])
{
    size_t n = 0;
    for (; n < text.len && n < SHOWN - 4; n++)
        to[n] = text.data[n] < ' ' || text.data[n] >= 0x7f ? '?' : (char)text.data[n];
    snprintf(to + n, SHOWN - n, "%s", n < text.len ? "..." : "");
    return to;
}

static int no_such(struct reader *r, const char *what, struct slice given, const char *nearest,
                   struct error *reterr)
{
    char text[SHOWN];
    if (nearest)
        return error_set(reterr, -EINVAL, "%sno %s '%s'; the nearest is '%s'", r->where, what,
                         shown(given, text), nearest);
    return error_set(reterr, -EINVAL, "%sno %s '%s'", r->where, what, shown(given, text));
}

static int parse_key(struct reader *r, enum key *ret, struct error *reterr)
{
    if (r->event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%swants 'name: value' lines", r->where);
    struct nearest near = nearest_to(scalar(r));
    for (enum key k = 0; k < KEYS; k++) {
        *ret = k;
        if (slice_eq(near.given, slice_str(key_names[k])))
            return 0;
        nearest_try(&near, key_names[k]);
    }
    return no_such(r, "key", near.given, near.name, reterr);
}

static int parse_kind(struct reader *r, struct slice text, enum blocklist_kind *ret, struct error *reterr)
{
    struct nearest near = nearest_to(text);
    for (enum blocklist_kind k = 0; k < BLOCKLIST_KINDS; k++) {
        *ret = k;
        if (slice_eq(text, slice_str(blocklist_kind_name(k))))
            return 0;
        nearest_try(&near, blocklist_kind_name(k));
    }
    return no_such(r, "kind", text, near.name, reterr);
}

static bool is_page(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    }
    return text.len > 10 && (slice_case_starts(text, "https://") || slice_case_starts(text, "http://") ||
                             slice_case_starts(text, "mailto:"));
}

/* YYYY, YYYY-MM or YYYY-MM-DD. */
static bool is_date(struct slice text)
{
    uint64_t part[3] = {0, 1, 1};
    size_t parts = text.len == 4 ? 1 : text.len == 7 ? 2 : text.len == 10 ? 3 : 0;
    for (size_t i = 0; i < parts; i++) {
        size_t from = i ? (size_t)(2 + 3 * i) : 0, len = i ? 2 : 4;
        if ((i && text.data[from - 1] != '-') ||
            slice_number(slice_sub(text, from, from + len), &part[i]) != len)
            return false;
    }
    return parts && part[0] >= 1990 && part[1] >= 1 && part[1] <= 12 && part[2] >= 1 && part[2] <= 31;
}

static bool is_name(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f)
            return false;
    }
    return text.len && text.len <= BLOCKLISTS_NAME;
}

static int check_value(struct reader *r, struct row *row, enum key key, struct slice text,
                       struct error *reterr)
{
    char show[SHOWN];
    if (key == KIND)
        return parse_kind(r, text, &row->kind, reterr);
    if (key == NAME && !is_name(text))
        return error_set(reterr, -EINVAL, "%sname wants 1 to %d bytes of text", r->where, BLOCKLISTS_NAME);
    if (key == REMOVAL && !is_page(text))
        return error_set(reterr, -EINVAL, "%sremoval wants a URL (http, https or mailto), not '%s'", r->where,
                         shown(text, show));
    if (key == RETIRED && !is_date(text))
        return error_set(reterr, -EINVAL, "%sretired wants a date (YYYY-MM-DD, YYYY-MM or YYYY), not '%s'",
                         r->where, shown(text, show));
    return 0;
}

static int keep_pattern(struct reader *r, struct row *row, struct error *reterr)
{
    if (r->event.type != YAML_SCALAR_EVENT || is_nothing(r))
        return error_set(reterr, -EINVAL, "%spattern wants a text, or a list of texts", r->where);
    if (row->patterns_len == ROW_PATTERNS)
        return error_set(reterr, -EINVAL, "%smore than %d patterns in one row", r->where, ROW_PATTERNS);
    struct waiting *w = &row->patterns[row->patterns_len++];
    w->from = row->text.len;
    buf_add(&row->text, scalar(r));
    w->to = row->text.len;
    memcpy(w->where, r->where, sizeof w->where);
    return 0;
}

static int read_patterns(struct reader *r, struct row *row, struct error *reterr)
{
    if (r->event.type != YAML_SEQUENCE_START_EVENT)
        return keep_pattern(r, row, reterr);
    for (;;) {
        int err = reader_next(r, reterr);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = keep_pattern(r, row, reterr);
        if (err)
            return err;
    }
}

static int read_pair(struct reader *r, struct row *row, struct error *reterr)
{
    enum key key;
    int err = parse_key(r, &key, reterr);
    if (err)
        return err;
    if (row->has[key])
        return error_set(reterr, -EINVAL, "%s%s is there twice in this row", r->where, key_names[key]);
    row->has[key] = true;
    err = reader_next(r, reterr);
    if (err)
        return err;
    if (key == PATTERN)
        return read_patterns(r, row, reterr);
    if (r->event.type != YAML_SCALAR_EVENT || is_nothing(r))
        return error_set(reterr, -EINVAL, "%s%s wants a text", r->where, key_names[key]);
    row->from[key] = row->text.len;
    buf_add(&row->text, scalar(r));
    row->to[key] = row->text.len;
    return check_value(r, row, key, scalar(r), reterr);
}

static struct slice row_text(const struct row *row, size_t from, size_t to)
{
    return slice_sub(buf_slice(&row->text), from, to);
}

/* `start`: where the row begins, for what is missing in it. */
static int add_row(struct reader *r, const struct row *row, const char *start, struct error *reterr)
{
    struct error why = {""};
    for (enum key k = 0; k <= KIND; k++) {
        if (!row->has[k] || (k == PATTERN && !row->patterns_len))
            return error_set(reterr, -EINVAL, "%sthis row has no %s", start, key_names[k]);
    }
    struct blocklist one = {
        .name = row_text(row, row->from[NAME], row->to[NAME]),
        .kind = row->kind,
        .removal = row_text(row, row->from[REMOVAL], row->to[REMOVAL]),
        .retired = row_text(row, row->from[RETIRED], row->to[RETIRED]),
    };
    int err = blocklists_add_row(r->lists, &one, &why);
    if (err)
        return error_set(reterr, err, "%s%s", start, why.text);
    for (size_t i = 0; i < row->patterns_len; i++) {
        const struct waiting *w = &row->patterns[i];
        err = blocklists_add_pattern(r->lists, row_text(row, w->from, w->to), &why);
        if (err)
            return error_set(reterr, err, "%s%s", w->where, why.text);
    }
    return 0;
}

static int read_row(struct reader *r, struct row *row, struct error *reterr)
{
    char start[WHERE];
    memcpy(start, r->where, sizeof start);
    if (r->event.type != YAML_MAPPING_START_EVENT)
        return error_set(reterr, -EINVAL, "%swants a row: '- name: ...'", r->where);
    struct buf text = row->text;
    *row = (struct row){.text = text};
    buf_clear(&row->text);
    for (;;) {
        int err = reader_next(r, reterr);
        if (err)
            return err;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return add_row(r, row, start, reterr);
        err = read_pair(r, row, reterr);
        if (err)
            return err;
    }
}

static int read_rows(struct reader *r, struct row *row, struct error *reterr)
{
    for (;;) {
        int err = reader_next(r, reterr);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = read_row(r, row, reterr);
        if (err)
            return err;
    }
}

static int read_document(struct reader *r, struct row *row, struct error *reterr)
{
    for (;;) {
        int err = reader_next(r, reterr);
        if (err || r->event.type == YAML_STREAM_END_EVENT)
            return err;
        if (r->event.type == YAML_SEQUENCE_START_EVENT)
            err = read_rows(r, row, reterr);
        else if (r->event.type == YAML_MAPPING_START_EVENT ||
                 (r->event.type == YAML_SCALAR_EVENT && !is_nothing(r)))
            err = error_set(reterr, -EINVAL, "%swants a list of rows: '- name: ...'", r->where);
        if (err)
            return err;
    }
}

static int read_bytes(const char *path, struct buf *ret, struct error *reterr)
{
    uint8_t part[16384];
    struct stat st;
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    int err = 0;
    bool fits = true;
    size_t n;
    if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode))
        err = error_set(reterr, -EISDIR, "%s: %s", path, strerror(EISDIR));
    while (!err && fits && (n = fread(part, 1, sizeof part, file)) > 0)
        fits = buf_add(ret, (struct slice){part, n});
    if (!err && ferror(file))
        err = error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    if (!err && !fits)
        err = error_set(reterr, -EFBIG, "%s: larger than %d bytes", path, BLOCKLISTS_FILE);
    fclose(file);
    return err;
}

static int read_lists(struct blocklists *lists, const char *path, struct slice bytes, struct error *reterr)
{
    struct reader r = {.lists = lists, .path = path, .bytes = bytes};
    static const uint8_t nothing[1];
    struct row *row = calloc(1, sizeof *row);
    if (!row)
        return error_set(reterr, -ENOMEM, "%s: no memory", path);
    buf_init(&row->text, BLOCKLISTS_FILE);
    yaml_parser_initialize(&r.yaml);
    yaml_parser_set_input_string(&r.yaml, bytes.len ? bytes.data : nothing, bytes.len);
    int err = read_document(&r, row, reterr);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.yaml);
    buf_free(&row->text);
    free(row);
    return err;
}

int blocklists_open(const char *path, struct blocklists **ret, struct error *reterr)
{
    struct buf bytes;
    struct blocklists *lists = blocklists_new();
    if (!lists)
        return error_set(reterr, -ENOMEM, "%s: no memory", path);
    buf_init(&bytes, BLOCKLISTS_FILE);
    int err = read_bytes(path, &bytes, reterr);
    if (!err)
        err = read_lists(lists, path, buf_slice(&bytes), reterr);
    buf_free(&bytes);
    if (err)
        blocklists_close(lists);
    else
        *ret = lists;
    return err;
}
