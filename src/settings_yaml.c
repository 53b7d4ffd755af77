/* settings_yaml.c: a file of settings.
 * In: YAML, one mapping of names to values. Out: struct settings, or file:line:column and what is wrong
 * there. Owns: nothing. Limits: FILE_MOST bytes a file. Knowingly: every scalar is text until its row says
 * what it is, so that "no" stays a word; anchors, aliases, tags, levels and second documents are refused, as
 * no setting needs them and each could hide what is set. Spec: YAML 1.1, by libyaml. */
#include "settings_row.h"

#include <errno.h>
#include <sys/stat.h>
#include <yaml.h>
#include "base/buf.h"

enum { FILE_MOST = 1 << 20, WHERE = 256 };

struct reader {
    struct settings *set;
    const char *path;
    struct slice bytes;
    yaml_parser_t yaml;
    yaml_event_t event;
    unsigned documents;
    size_t lines[SETTINGS_MOST]; /* where each row was set; 0: not yet */
    char where[WHERE];
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
        return error_set(reterr, -EINVAL, "%sanchors (&), aliases (*) and tags (!) have no place in settings",
                         r->where);
    if (ev->type != YAML_DOCUMENT_START_EVENT)
        return 0;
    if (ev->data.document_start.tag_directives.start != ev->data.document_start.tag_directives.end)
        return error_set(reterr, -EINVAL, "%stags have no place in settings", r->where);
    if (r->documents++)
        return error_set(reterr, -EINVAL, "%sa second document; settings are one", r->where);
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

static int read_list(struct reader *r, const struct setting_row *row, struct error *reterr)
{
    char wants[128];
    row_clear(row, r->set);
    for (;;) {
        int err = reader_next(r, reterr);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (r->event.type != YAML_SCALAR_EVENT) {
            row_wants(row, wants, sizeof wants);
            return error_set(reterr, -EINVAL, "%s%s; wanted: plain %s", r->where, row->name, wants);
        }
        err = row_add(row, r->set, scalar(r), r->where, reterr);
        if (err)
            return err;
    }
}

static int read_value(struct reader *r, const struct setting_row *row, struct error *reterr)
{
    char wants[128];
    int err = reader_next(r, reterr);
    if (err)
        return err;
    if (r->event.type == YAML_SEQUENCE_START_EVENT && row_is_list(row))
        return read_list(r, row, reterr);
    if (r->event.type == YAML_SCALAR_EVENT && !is_nothing(r))
        return row_set(row, r->set, scalar(r), r->where, reterr);
    row_wants(row, wants, sizeof wants);
    return error_set(reterr, -EINVAL, "%s%s has no plain value; wanted: %s%s", r->where, row->name, wants,
                     row_is_list(row) ? "; [] is the empty one" : "");
}

static int read_pair(struct reader *r, struct error *reterr)
{
    if (r->event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%swants 'name: value' lines", r->where);
    const struct setting_row *row = row_find(scalar(r), r->where, reterr);
    if (!row)
        return -EINVAL;
    size_t *line = &r->lines[row_index(row)];
    if (*line)
        return error_set(reterr, -EINVAL, "%s%s is there twice; first on line %zu", r->where, row->name,
                         *line);
    *line = r->event.start_mark.line + 1;
    return read_value(r, row, reterr);
}

static int read_pairs(struct reader *r, struct error *reterr)
{
    for (;;) {
        int err = reader_next(r, reterr);
        if (err || r->event.type == YAML_MAPPING_END_EVENT)
            return err;
        err = read_pair(r, reterr);
        if (err)
            return err;
    }
}

static int read_document(struct reader *r, struct error *reterr)
{
    for (;;) {
        int err = reader_next(r, reterr);
        if (err)
            return err;
        switch (r->event.type) {
        case YAML_STREAM_END_EVENT:
            return 0;
        case YAML_MAPPING_START_EVENT:
            err = read_pairs(r, reterr);
            break;
        case YAML_SCALAR_EVENT:
            /* A file of comments, or "---" alone. */
            if (!is_nothing(r))
                err = error_set(reterr, -EINVAL, "%swants 'name: value' lines", r->where);
            break;
        case YAML_SEQUENCE_START_EVENT:
            err = error_set(reterr, -EINVAL, "%swants 'name: value' lines, not a list", r->where);
            break;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
        case YAML_ALIAS_EVENT:
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
            break;
        }
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
        err = error_set(reterr, -EFBIG, "%s: larger than %d bytes, which no file of settings is", path,
                        FILE_MOST);
    fclose(file);
    return err;
}

int settings_load(struct settings *set, const char *path, struct error *reterr)
{
    struct buf bytes;
    buf_init(&bytes, FILE_MOST);
    int err = read_bytes(path, &bytes, reterr);
    if (!err) {
        struct reader r = {.set = set, .path = path, .bytes = buf_slice(&bytes)};
        yaml_parser_initialize(&r.yaml);
        yaml_parser_set_input_string(&r.yaml, bytes.len ? bytes.data : (const uint8_t *)"", bytes.len);
        err = read_document(&r, reterr);
        yaml_event_delete(&r.event);
        yaml_parser_delete(&r.yaml);
    }
    buf_free(&bytes);
    return err;
}
