/* settings_yaml.c: a file of settings.
 * In: YAML, one mapping of names to values. Out: struct settings, or file:line:column and what is wrong
 * there. Owns: nothing. Limits: FILE_MOST bytes a file. Knowingly: every scalar is text until its row says
 * what it is, so that "no" stays a word; a level below is refused, but for notice_policy, whose rows rule/
 * reads. Spec:
 * settings.def says what may be set. */
#include "settings_row.h"

#include <errno.h>
#include "base/yaml_file.h"

enum { FILE_MOST = 1 << 20 };

struct reader {
    struct settings *set;
    struct yaml_file file;
    size_t lines[SETTINGS_MOST]; /* where each row was set; 0: not yet */
};

static int read_list(struct reader *r, const struct setting_row *row, struct error *reterr)
{
    char wants[128];
    row_clear(row, r->set);
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (r->file.event.type != YAML_SCALAR_EVENT) {
            row_wants(row, wants, sizeof wants);
            return error_set(reterr, -EINVAL, "%s%s; wanted: plain %s", yaml_file_where(&r->file).text,
                             row->name, wants);
        }
        err = row_add(row, r->set, yaml_file_scalar(&r->file), yaml_file_where(&r->file).text, reterr);
        if (err)
            return err;
    }
}

static int read_value(struct reader *r, const struct setting_row *row, struct error *reterr)
{
    char wants[128];
    int err = yaml_file_next(&r->file, reterr);
    if (err)
        return err;
    if (r->file.event.type == YAML_SEQUENCE_START_EVENT && row_is_list(row))
        return read_list(r, row, reterr);
    if (r->file.event.type == YAML_SEQUENCE_START_EVENT && row->type == POLICY)
        return policy_read(&r->file, &r->set->notice_policy, reterr);
    if (r->file.event.type == YAML_SCALAR_EVENT && !yaml_file_is_nothing(&r->file))
        return row_set(row, r->set, yaml_file_scalar(&r->file), yaml_file_where(&r->file).text, reterr);
    row_wants(row, wants, sizeof wants);
    return error_set(reterr, -EINVAL, "%s%s has no plain value; wanted: %s%s", yaml_file_where(&r->file).text,
                     row->name, wants, row_is_list(row) ? "; [] is the empty one" : "");
}

static int read_pair(struct reader *r, struct error *reterr)
{
    if (r->file.event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%swants 'name: value' lines", yaml_file_where(&r->file).text);
    const struct setting_row *row =
        row_find(yaml_file_scalar(&r->file), yaml_file_where(&r->file).text, reterr);
    if (!row)
        return -EINVAL;
    size_t *line = &r->lines[row_index(row)];
    if (*line)
        return error_set(reterr, -EINVAL, "%s%s is there twice; first on line %zu",
                         yaml_file_where(&r->file).text, row->name, *line);
    *line = r->file.event.start_mark.line + 1;
    return read_value(r, row, reterr);
}

static int read_pairs(struct reader *r, struct error *reterr)
{
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_MAPPING_END_EVENT)
            return err;
        err = read_pair(r, reterr);
        if (err)
            return err;
    }
}

static int read_document(struct reader *r, struct error *reterr)
{
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err)
            return err;
        switch (r->file.event.type) {
        case YAML_STREAM_END_EVENT:
            return 0;
        case YAML_MAPPING_START_EVENT:
            err = read_pairs(r, reterr);
            break;
        case YAML_SCALAR_EVENT:
            /* A file of comments, or "---" alone. */
            if (!yaml_file_is_nothing(&r->file))
                err =
                    error_set(reterr, -EINVAL, "%swants 'name: value' lines", yaml_file_where(&r->file).text);
            break;
        case YAML_SEQUENCE_START_EVENT:
            err = error_set(reterr, -EINVAL, "%swants 'name: value' lines, not a list",
                            yaml_file_where(&r->file).text);
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

int settings_load(struct settings *set, const char *path, struct error *reterr)
{
    struct reader r = {.set = set};
    int err = yaml_file_open(&r.file, path, "settings", FILE_MOST, reterr);
    if (err)
        return err;
    err = read_document(&r, reterr);
    yaml_file_close(&r.file);
    return err;
}
