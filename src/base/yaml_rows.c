/* yaml_rows.c: a list of mappings, by callbacks.
 * In: events of yaml_file.c. Out: rows, or file:line:column and what is wrong there. Owns: the row that is
 * read. Limits: the caller's on a row's bytes. */
#include "base/yaml_rows.h"

#include <assert.h>
#include <errno.h>
#include "base/shown.h"

struct reader {
    struct yaml_file *file;
    const struct yaml_rows *how;
    struct yaml_row row;
};

struct slice yaml_row_text(const struct yaml_row *row, size_t key)
{
    return slice_sub(buf_slice(&row->text), row->from[key], row->to[key]);
}

int yaml_no_such(const struct yaml_file *f, const char *what, const struct nearest *near,
                 struct error *reterr)
{
    if (near->name)
        return error_set(reterr, -EINVAL, "%sno %s '%s'; the nearest is '%s'", yaml_file_where(f).text, what,
                         shown(near->given).text, near->name);
    return error_set(reterr, -EINVAL, "%sno %s '%s'", yaml_file_where(f).text, what, shown(near->given).text);
}

static int parse_key(struct reader *r, size_t *ret, struct error *reterr)
{
    if (r->file->event.type != YAML_SCALAR_EVENT)
        return error_set(reterr, -EINVAL, "%swants 'name: value' lines", yaml_file_where(r->file).text);
    const struct slice given = yaml_file_scalar(r->file);
    for (*ret = 0; *ret < r->how->count; ++*ret)
        if (slice_eq(given, slice_str(r->how->keys[*ret])))
            return 0;
    struct nearest near = nearest_to(given);
    for (size_t k = 0; k < r->how->count; k++)
        nearest_try(&near, r->how->keys[k]);
    return yaml_no_such(r->file, "key", &near, reterr);
}

static bool is_text(const struct yaml_file *f)
{
    return f->event.type == YAML_SCALAR_EVENT && !yaml_file_is_nothing(f);
}

static int read_item(struct reader *r, struct error *reterr)
{
    if (!is_text(r->file))
        return error_set(reterr, -EINVAL, "%s%s wants a text, or a list of texts",
                         yaml_file_where(r->file).text, r->how->keys[r->how->many]);
    return r->how->item(r->how->ctx, &r->row, yaml_file_scalar(r->file), reterr);
}

static int read_items(struct reader *r, struct error *reterr)
{
    if (r->file->event.type != YAML_SEQUENCE_START_EVENT)
        return read_item(r, reterr);
    for (;;) {
        int err = yaml_file_next(r->file, reterr);
        if (err || r->file->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = read_item(r, reterr);
        if (err)
            return err;
    }
}

static int read_pair(struct reader *r, struct error *reterr)
{
    struct yaml_row *row = &r->row;
    size_t key = 0;
    int err = parse_key(r, &key, reterr);
    if (err)
        return err;
    if (row->has[key])
        return error_set(reterr, -EINVAL, "%s%s is there twice in this row", yaml_file_where(r->file).text,
                         r->how->keys[key]);
    row->has[key] = true;
    err = yaml_file_next(r->file, reterr);
    if (err)
        return err;
    if (key == r->how->many)
        return read_items(r, reterr);
    if (!is_text(r->file))
        return error_set(reterr, -EINVAL, "%s%s wants a text", yaml_file_where(r->file).text,
                         r->how->keys[key]);
    row->from[key] = row->text.len;
    buf_add(&row->text, yaml_file_scalar(r->file));
    row->to[key] = row->text.len;
    return r->how->value(r->how->ctx, key, yaml_file_scalar(r->file), reterr);
}

static int read_row(struct reader *r, struct error *reterr)
{
    if (r->file->event.type != YAML_MAPPING_START_EVENT)
        return error_set(reterr, -EINVAL, "%swants a row: '- name: ...'", yaml_file_where(r->file).text);
    struct buf text = r->row.text;
    r->row = (struct yaml_row){.text = text,
                               .start = yaml_file_place(r->file),
                               .line = (unsigned)r->file->event.start_mark.line + 1};
    buf_clear(&r->row.text);
    r->how->begin(r->how->ctx);
    for (;;) {
        int err = yaml_file_next(r->file, reterr);
        if (err)
            return err;
        if (r->file->event.type == YAML_MAPPING_END_EVENT)
            return r->how->end(r->how->ctx, &r->row, reterr);
        err = read_pair(r, reterr);
        if (err)
            return err;
    }
}

static int read_list(struct reader *r, struct error *reterr)
{
    for (;;) {
        int err = yaml_file_next(r->file, reterr);
        if (err || r->file->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = read_row(r, reterr);
        if (err)
            return err;
    }
}

static int read_document(struct reader *r, struct error *reterr)
{
    for (;;) {
        int err = yaml_file_next(r->file, reterr);
        if (err || r->file->event.type == YAML_STREAM_END_EVENT)
            return err;
        if (r->file->event.type == YAML_SEQUENCE_START_EVENT)
            err = read_list(r, reterr);
        else if (r->file->event.type == YAML_MAPPING_START_EVENT || is_text(r->file))
            err = error_set(reterr, -EINVAL, "%swants a list of rows: '- name: ...'",
                            yaml_file_where(r->file).text);
        if (err)
            return err;
    }
}

int yaml_rows_read(struct yaml_file *f, const struct yaml_rows *how, size_t most, struct error *reterr)
{
    struct reader r = {.file = f, .how = how};
    assert(how->count <= YAML_ROW_KEYS);
    buf_init(&r.row.text, most);
    int err = read_document(&r, reterr);
    buf_free(&r.row.text);
    return err;
}
