/* blocklist_load.c: a file of block lists.
 * In: YAML, a list of mappings. Out: rows and patterns in struct blocklists, or file:line:column and what is
 * wrong there. Owns: nothing. Limits: BLOCKLISTS_FILE bytes, BLOCKLISTS_ROWS rows, BLOCKLISTS_PATTERNS
 * patterns. Spec: data/blocklists.yaml says what a row is. */
#include "rule/blocklist_rows.h"

#include <errno.h>
#include <stdlib.h>
#include "base/nearest.h"
#include "base/shown.h"
#include "base/yaml_file.h"

enum key { NAME, PATTERN, KIND, LISTS, REMOVAL, RETIRED, KEYS };
static const char *const key_names[KEYS] = {"name", "pattern", "kind", "lists", "removal", "retired"};

struct reader {
    struct blocklists *lists;
    struct yaml_file file;
};

/* A pattern waits until its row is complete. */
struct waiting {
    size_t from, to; /* in the row's bytes */
    char where[YAML_WHERE];
};

enum { ROW_PATTERNS = 100 };

struct row {
    struct buf text; /* the row's texts, which the YAML parser does not keep */
    bool has[KEYS];
    size_t from[KEYS], to[KEYS];
    enum blocklist_kind kind;
    bool domains;
    struct waiting patterns[ROW_PATTERNS];
    size_t patterns_len;
};

static int no_such(struct reader *r, const char *what, struct slice given, const char *nearest,
                   struct error *reterr)
{
    if (nearest)
        return error_set(reterr, -EINVAL, "%sno %s '%s'; the nearest is '%s'", r->file.where, what,
                         shown(given).text, nearest);
    return error_set(reterr, -EINVAL, "%sno %s '%s'", r->file.where, what, shown(given).text);
}

static int parse_key(struct reader *r, enum key *ret, struct error *reterr)
{
    if (r->file.event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%swants 'name: value' lines", r->file.where);
    struct nearest near = nearest_to(yaml_file_scalar(&r->file));
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
    if (key == KIND)
        return parse_kind(r, text, &row->kind, reterr);
    bool domains = slice_eq(text, slice_str("domains"));
    if (key == LISTS && !domains && !slice_eq(text, slice_str("addresses")))
        return error_set(reterr, -EINVAL, "%slists wants addresses or domains, not '%s'", r->file.where,
                         shown(text).text);
    row->domains |= key == LISTS && domains;
    if (key == NAME && !is_name(text))
        return error_set(reterr, -EINVAL, "%sname wants 1 to %d bytes of text", r->file.where,
                         BLOCKLISTS_NAME);
    if (key == REMOVAL && !is_page(text))
        return error_set(reterr, -EINVAL, "%sremoval wants a URL (http, https or mailto), not '%s'",
                         r->file.where, shown(text).text);
    if (key == RETIRED && !is_date(text))
        return error_set(reterr, -EINVAL, "%sretired wants a date (YYYY-MM-DD, YYYY-MM or YYYY), not '%s'",
                         r->file.where, shown(text).text);
    return 0;
}

static int keep_pattern(struct reader *r, struct row *row, struct error *reterr)
{
    if (r->file.event.type != YAML_SCALAR_EVENT || yaml_file_is_nothing(&r->file))
        return error_set(reterr, -EINVAL, "%spattern wants a text, or a list of texts", r->file.where);
    if (row->patterns_len == ROW_PATTERNS)
        return error_set(reterr, -EINVAL, "%smore than %d patterns in one row", r->file.where, ROW_PATTERNS);
    struct waiting *w = &row->patterns[row->patterns_len++];
    w->from = row->text.len;
    buf_add(&row->text, yaml_file_scalar(&r->file));
    w->to = row->text.len;
    memcpy(w->where, r->file.where, sizeof w->where);
    return 0;
}

static int read_patterns(struct reader *r, struct row *row, struct error *reterr)
{
    if (r->file.event.type != YAML_SEQUENCE_START_EVENT)
        return keep_pattern(r, row, reterr);
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_SEQUENCE_END_EVENT)
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
        return error_set(reterr, -EINVAL, "%s%s is there twice in this row", r->file.where, key_names[key]);
    row->has[key] = true;
    err = yaml_file_next(&r->file, reterr);
    if (err)
        return err;
    if (key == PATTERN)
        return read_patterns(r, row, reterr);
    if (r->file.event.type != YAML_SCALAR_EVENT || yaml_file_is_nothing(&r->file))
        return error_set(reterr, -EINVAL, "%s%s wants a text", r->file.where, key_names[key]);
    row->from[key] = row->text.len;
    buf_add(&row->text, yaml_file_scalar(&r->file));
    row->to[key] = row->text.len;
    return check_value(r, row, key, yaml_file_scalar(&r->file), reterr);
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
        .domains = row->domains,
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
    char start[YAML_WHERE];
    memcpy(start, r->file.where, sizeof start);
    if (r->file.event.type != YAML_MAPPING_START_EVENT)
        return error_set(reterr, -EINVAL, "%swants a row: '- name: ...'", r->file.where);
    struct buf text = row->text;
    *row = (struct row){.text = text};
    buf_clear(&row->text);
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err)
            return err;
        if (r->file.event.type == YAML_MAPPING_END_EVENT)
            return add_row(r, row, start, reterr);
        err = read_pair(r, row, reterr);
        if (err)
            return err;
    }
}

static int read_rows(struct reader *r, struct row *row, struct error *reterr)
{
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = read_row(r, row, reterr);
        if (err)
            return err;
    }
}

static int read_document(struct reader *r, struct row *row, struct error *reterr)
{
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_STREAM_END_EVENT)
            return err;
        if (r->file.event.type == YAML_SEQUENCE_START_EVENT)
            err = read_rows(r, row, reterr);
        else if (r->file.event.type == YAML_MAPPING_START_EVENT ||
                 (r->file.event.type == YAML_SCALAR_EVENT && !yaml_file_is_nothing(&r->file)))
            err = error_set(reterr, -EINVAL, "%swants a list of rows: '- name: ...'", r->file.where);
        if (err)
            return err;
    }
}

static int read_lists(struct reader *r, struct error *reterr)
{
    struct row *row = calloc(1, sizeof *row);
    if (!row)
        return error_set(reterr, -ENOMEM, "%s: no memory", r->file.path);
    buf_init(&row->text, BLOCKLISTS_FILE);
    int err = read_document(r, row, reterr);
    buf_free(&row->text);
    free(row);
    return err;
}

int blocklists_open(const char *path, struct blocklists **ret, struct error *reterr)
{
    struct reader r = {.lists = blocklists_new()};
    const struct slice builtin = {blocklists_builtin, blocklists_builtin_len};
    if (!r.lists)
        return error_set(reterr, -ENOMEM, "%s: no memory", path ? path : "block lists");
    int err = path ? yaml_file_open(&r.file, path, "block lists", BLOCKLISTS_FILE, reterr)
                   : yaml_file_open_text(&r.file, "built-in block lists", builtin, "block lists",
                                         BLOCKLISTS_FILE, reterr);
    if (!err) {
        err = read_lists(&r, reterr);
        yaml_file_close(&r.file);
    }
    if (err)
        blocklists_close(r.lists);
    else
        *ret = r.lists;
    return err;
}
