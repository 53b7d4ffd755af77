/* agents_load.c: a file of agents.
 * In: YAML, a list of mappings. Out: rows in struct agents, or file:line:column and what is wrong there; an
 * example that its row does not win is wrong. Owns: nothing. Limits: AGENTS_FILE bytes, AGENTS_ROWS rows,
 * AGENTS_EXAMPLES examples. Spec: data/agents.yaml says what a row is. */
#include "record/agents_rows.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "base/yaml_file.h"

enum key { NAME, KIND, PATTERN, VERSION, EXAMPLE, KEYS };
static const char *const key_names[KEYS] = {"name", "kind", "pattern", "version", "example"};

/* Tried once all rows are there. */
struct example {
    size_t row, from, to; /* in the reader's texts */
    char where[YAML_WHERE];
};

struct reader {
    struct agents *agents;
    struct yaml_file file;
    struct buf texts; /* the examples */
    struct example *examples;
    size_t count, room;
};

struct row {
    bool has[KEYS];
    size_t from[KEYS], to[KEYS];
    enum agent_kind kind;
    struct buf text; /* the row's texts, which the YAML parser does not keep */
};

static int no_such(struct reader *r, const char *what, const struct nearest *near, struct error *reterr)
{
    if (near->name)
        return error_set(reterr, -EINVAL, "%sno %s '%s'; the nearest is '%s'", r->file.where, what,
                         shown(near->given).text, near->name);
    return error_set(reterr, -EINVAL, "%sno %s '%s'", r->file.where, what, shown(near->given).text);
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
    return no_such(r, "key", &near, reterr);
}

static int parse_kind(struct reader *r, struct slice text, enum agent_kind *ret, struct error *reterr)
{
    struct nearest near = nearest_to(text);
    for (enum agent_kind k = 0; k < AGENT_KINDS; k++) {
        *ret = k;
        if (slice_eq(text, slice_str(agent_kind_name(k))))
            return 0;
        nearest_try(&near, agent_kind_name(k));
    }
    return no_such(r, "kind", &near, reterr);
}

static int check_value(struct reader *r, struct row *row, enum key key, struct slice text,
                       struct error *reterr)
{
    size_t most = key == NAME ? PRODUCT_NAME : AGENTS_PATTERN;
    bool plain = true;
    for (size_t i = 0; i < text.len; i++)
        plain &= text.data[i] >= ' ' && text.data[i] != 0x7f;
    if (key == KIND)
        return parse_kind(r, text, &row->kind, reterr);
    if (!plain || !text.len || text.len > most)
        return error_set(reterr, -EINVAL, "%s%s wants 1 to %zu bytes of text", r->file.where, key_names[key],
                         most);
    return 0;
}

static int keep_example(struct reader *r, struct error *reterr)
{
    if (r->file.event.type != YAML_SCALAR_EVENT || yaml_file_is_nothing(&r->file))
        return error_set(reterr, -EINVAL, "%sexample wants a text, or a list of texts", r->file.where);
    if (r->count == AGENTS_EXAMPLES)
        return error_set(reterr, -EINVAL, "%smore than %d examples", r->file.where, AGENTS_EXAMPLES);
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 64;
        r->examples = realloc(r->examples, r->room * sizeof *r->examples);
        memory_check(r->examples);
    }
    struct example *e = &r->examples[r->count++];
    /* Of the row that is read now. */
    e->row = agents_rows(r->agents);
    e->from = r->texts.len;
    buf_add(&r->texts, yaml_file_scalar(&r->file));
    e->to = r->texts.len;
    memcpy(e->where, r->file.where, sizeof e->where);
    return 0;
}

static int read_examples(struct reader *r, struct error *reterr)
{
    if (r->file.event.type != YAML_SEQUENCE_START_EVENT)
        return keep_example(r, reterr);
    for (;;) {
        int err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        err = keep_example(r, reterr);
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
    if (key == EXAMPLE)
        return read_examples(r, reterr);
    if (r->file.event.type != YAML_SCALAR_EVENT || yaml_file_is_nothing(&r->file))
        return error_set(reterr, -EINVAL, "%s%s wants a text", r->file.where, key_names[key]);
    row->from[key] = row->text.len;
    buf_add(&row->text, yaml_file_scalar(&r->file));
    row->to[key] = row->text.len;
    return check_value(r, row, key, yaml_file_scalar(&r->file), reterr);
}

static struct slice row_text(const struct row *row, enum key key)
{
    return slice_sub(buf_slice(&row->text), row->from[key], row->to[key]);
}

/* `start`: where the row begins, for what is missing in it. */
static int add_row(struct reader *r, const struct row *row, const char *start, unsigned line,
                   struct error *reterr)
{
    struct error why = {""};
    for (enum key k = 0; k <= PATTERN; k++)
        if (!row->has[k])
            return error_set(reterr, -EINVAL, "%sthis row has no %s", start, key_names[k]);
    struct agent_row one = {
        .name = row_text(row, NAME), .pattern = row_text(row, PATTERN), .kind = row->kind, .line = line};
    one.start = one.pattern.data[0] == '^';
    if (one.start)
        one.pattern = slice_sub(one.pattern, 1, one.pattern.len);
    int err = agents_add(r->agents, &one, row_text(row, VERSION), &why);
    return err ? error_set(reterr, err, "%s%s", start, why.text) : 0;
}

static int read_row(struct reader *r, struct row *row, struct error *reterr)
{
    char start[YAML_WHERE];
    unsigned line = (unsigned)r->file.event.start_mark.line + 1;
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
            return add_row(r, row, start, line, reterr);
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

static int read_document(struct reader *r, struct error *reterr)
{
    struct row row = {0};
    int err;
    buf_init(&row.text, AGENTS_FILE);
    do {
        err = yaml_file_next(&r->file, reterr);
        if (err || r->file.event.type == YAML_STREAM_END_EVENT)
            break;
        if (r->file.event.type == YAML_SEQUENCE_START_EVENT)
            err = read_rows(r, &row, reterr);
        else if (r->file.event.type == YAML_MAPPING_START_EVENT ||
                 (r->file.event.type == YAML_SCALAR_EVENT && !yaml_file_is_nothing(&r->file)))
            err = error_set(reterr, -EINVAL, "%swants a list of rows: '- name: ...'", r->file.where);
    } while (!err);
    buf_free(&row.text);
    return err;
}

/* Whoever adds a row sees whether another one is before it. */
static int try_examples(const struct reader *r, struct error *reterr)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct example *e = &r->examples[i];
        const struct agent_row *own = agents_row(r->agents, e->row);
        size_t end;
        const struct agent_row *won = agents_find(r->agents, agent_kind_greets(own->kind),
                                                  slice_sub(buf_slice(&r->texts), e->from, e->to), &end);
        if (!won)
            return error_set(reterr, -EINVAL, "%sthe pattern of line %u does not fit this example", e->where,
                             own->line);
        if (won != own)
            return error_set(reterr, -EINVAL, "%sthis example goes to the row of line %u, '%s'", e->where,
                             won->line, shown(won->name).text);
    }
    return 0;
}

int agents_open(const char *path, struct agents **ret, struct error *reterr)
{
    struct reader r = {.agents = agents_new()};
    const struct slice builtin = {agents_builtin, agents_builtin_len};
    buf_init(&r.texts, AGENTS_FILE);
    int err = path ? yaml_file_open(&r.file, path, "agents", AGENTS_FILE, reterr)
                   : yaml_file_open_text(&r.file, "built-in agents", builtin, "agents", AGENTS_FILE, reterr);
    if (!err) {
        err = read_document(&r, reterr);
        yaml_file_close(&r.file);
    }
    agents_ready(r.agents);
    if (!err)
        err = try_examples(&r, reterr);
    free(r.examples);
    buf_free(&r.texts);
    if (err)
        agents_close(r.agents);
    else
        *ret = r.agents;
    return err;
}
