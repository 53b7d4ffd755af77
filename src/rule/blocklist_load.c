/* blocklist_load.c: a file of block lists.
 * In: YAML, a list of mappings. Out: rows and patterns in struct blocklists, or file:line:column and what is
 * wrong there. Owns: nothing. Limits: BLOCKLISTS_FILE bytes, BLOCKLISTS_ROWS rows, BLOCKLISTS_PATTERNS
 * patterns. Spec: data/blocklists.yaml says what a row is. */
#include "rule/blocklist_rows.h"

#include <errno.h>
#include <stdlib.h>
#include "base/shown.h"
#include "base/yaml_rows.h"

enum key { NAME, PATTERN, KIND, LISTS, REMOVAL, RETIRED, KEYS };
static const char *const key_names[KEYS] = {"name", "pattern", "kind", "lists", "removal", "retired"};

/* A pattern waits until its row is complete. */
struct waiting {
    size_t from, to; /* in the row's bytes */
    struct yaml_place place;
};

enum { ROW_PATTERNS = 100 };

struct reader {
    struct blocklists *lists;
    struct yaml_file file;
    /* Of the row that is read. */
    enum blocklist_kind kind;
    bool domains;
    struct waiting patterns[ROW_PATTERNS];
    size_t patterns_len;
};

static int parse_kind(struct reader *r, struct slice text, struct error *reterr)
{
    for (r->kind = 0; r->kind < BLOCKLIST_KINDS; r->kind++)
        if (slice_eq(text, slice_str(blocklist_kind_name(r->kind))))
            return 0;
    struct nearest near = nearest_to(text);
    for (enum blocklist_kind k = 0; k < BLOCKLIST_KINDS; k++)
        nearest_try(&near, blocklist_kind_name(k));
    return yaml_no_such(&r->file, "kind", &near, reterr);
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

static void begin(void *ctx)
{
    struct reader *r = ctx;
    r->kind = (enum blocklist_kind)0;
    r->domains = false;
    r->patterns_len = 0;
}

static int check_value(void *ctx, size_t key, struct slice text, struct error *reterr)
{
    struct reader *r = ctx;
    if (key == KIND)
        return parse_kind(r, text, reterr);
    bool domains = slice_eq(text, slice_str("domains"));
    if (key == LISTS && !domains && !slice_eq(text, slice_str("addresses")))
        return error_set(reterr, -EINVAL, "%slists wants addresses or domains, not '%s'",
                         yaml_file_where(&r->file).text, shown(text).text);
    r->domains |= key == LISTS && domains;
    if (key == NAME && !is_name(text))
        return error_set(reterr, -EINVAL, "%sname wants 1 to %d bytes of text",
                         yaml_file_where(&r->file).text, BLOCKLISTS_NAME);
    if (key == REMOVAL && !is_page(text))
        return error_set(reterr, -EINVAL, "%sremoval wants a URL (http, https or mailto), not '%s'",
                         yaml_file_where(&r->file).text, shown(text).text);
    if (key == RETIRED && !is_date(text))
        return error_set(reterr, -EINVAL, "%sretired wants a date (YYYY-MM-DD, YYYY-MM or YYYY), not '%s'",
                         yaml_file_where(&r->file).text, shown(text).text);
    return 0;
}

static int keep_pattern(void *ctx, struct yaml_row *row, struct slice text, struct error *reterr)
{
    struct reader *r = ctx;
    if (r->patterns_len == ROW_PATTERNS)
        return error_set(reterr, -EINVAL, "%smore than %d patterns in one row",
                         yaml_file_where(&r->file).text, ROW_PATTERNS);
    struct waiting *w = &r->patterns[r->patterns_len++];
    w->from = row->text.len;
    buf_add(&row->text, text);
    w->to = row->text.len;
    w->place = yaml_file_place(&r->file);
    return 0;
}

static int add_row(void *ctx, const struct yaml_row *row, struct error *reterr)
{
    struct reader *r = ctx;
    struct error why = {""};
    for (enum key k = 0; k <= KIND; k++) {
        if (!row->has[k] || (k == PATTERN && !r->patterns_len))
            return error_set(reterr, -EINVAL, "%sthis row has no %s",
                             yaml_file_say(&r->file, row->start).text, key_names[k]);
    }
    struct blocklist one = {
        .name = yaml_row_text(row, NAME),
        .kind = r->kind,
        .domains = r->domains,
        .removal = yaml_row_text(row, REMOVAL),
        .retired = yaml_row_text(row, RETIRED),
    };
    int err = blocklists_add_row(r->lists, &one, &why);
    if (err)
        return error_set(reterr, err, "%s%s", yaml_file_say(&r->file, row->start).text, why.text);
    for (size_t i = 0; i < r->patterns_len; i++) {
        const struct waiting *w = &r->patterns[i];
        err = blocklists_add_pattern(r->lists, slice_sub(buf_slice(&row->text), w->from, w->to), &why);
        if (err)
            return error_set(reterr, err, "%s%s", yaml_file_say(&r->file, w->place).text, why.text);
    }
    return 0;
}

int blocklists_open(const char *path, struct blocklists **ret, struct error *reterr)
{
    struct reader r = {.lists = path ? blocklists_new() : blocklists_new_builtin()};
    int err = path ? yaml_file_open(&r.file, path, "block lists", BLOCKLISTS_FILE, reterr) : 0;
    if (!err && path) {
        const struct yaml_rows how = {key_names,   KEYS,         PATTERN, begin,
                                      check_value, keep_pattern, add_row, &r};
        err = yaml_rows_read(&r.file, &how, BLOCKLISTS_FILE, reterr);
        yaml_file_close(&r.file);
    }
    if (err)
        blocklists_close(r.lists);
    else
        *ret = r.lists;
    return err;
}
