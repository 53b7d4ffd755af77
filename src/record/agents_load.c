/* agents_load.c: a file of agents.
 * In: YAML, a list of mappings. Out: rows in struct agents, or file:line:column and what is wrong there; an
 * example that its row does not win is wrong. Owns: nothing. Limits: AGENTS_FILE bytes, AGENTS_ROWS rows,
 * AGENTS_EXAMPLES examples. Spec: data/agents.yaml says what a row is. */
#include "record/agents_rows.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/shown.h"
#include "base/yaml_rows.h"

enum key { NAME, KIND, PATTERN, VERSION, EXAMPLE, KEYS };
static const char *const key_names[KEYS] = {"name", "kind", "pattern", "version", "example"};

/* Tried once all rows are there. */
struct example {
    size_t row, from, to; /* in the reader's texts */
    struct yaml_place place;
};

struct reader {
    struct agents *agents;
    struct yaml_file file;
    enum agent_kind kind; /* of the row that is read */
    struct buf texts;     /* the examples */
    struct example *examples;
    size_t count, room;
};

static int parse_kind(struct reader *r, struct slice text, struct error *reterr)
{
    for (r->kind = 0; r->kind < AGENT_KINDS; r->kind++)
        if (slice_eq(text, slice_str(agent_kind_name(r->kind))))
            return 0;
    struct nearest near = nearest_to(text);
    for (enum agent_kind k = 0; k < AGENT_KINDS; k++)
        nearest_try(&near, agent_kind_name(k));
    return yaml_no_such(&r->file, "kind", &near, reterr);
}

static void begin(void *ctx)
{
    ((struct reader *)ctx)->kind = (enum agent_kind)0;
}

static int check_value(void *ctx, size_t key, struct slice text, struct error *reterr)
{
    struct reader *r = ctx;
    size_t most = key == NAME ? PRODUCT_NAME : AGENTS_PATTERN;
    bool plain = true;
    for (size_t i = 0; i < text.len; i++)
        plain &= text.data[i] >= ' ' && text.data[i] != 0x7f;
    if (key == KIND)
        return parse_kind(r, text, reterr);
    if (!plain || !text.len || text.len > most)
        return error_set(reterr, -EINVAL, "%s%s wants 1 to %zu bytes of text", yaml_file_where(&r->file).text,
                         key_names[key], most);
    return 0;
}

static int keep_example(void *ctx, struct yaml_row *row, struct slice text, struct error *reterr)
{
    struct reader *r = ctx;
    (void)row;
    if (r->count == AGENTS_EXAMPLES)
        return error_set(reterr, -EINVAL, "%smore than %d examples", yaml_file_where(&r->file).text,
                         AGENTS_EXAMPLES);
    if (r->count == r->room) {
        r->room = r->room ? r->room * 2 : 64;
        r->examples = realloc(r->examples, r->room * sizeof *r->examples);
        memory_check(r->examples);
    }
    struct example *e = &r->examples[r->count++];
    /* Of the row that is read now. */
    e->row = agents_rows(r->agents);
    e->from = r->texts.len;
    buf_add(&r->texts, text);
    e->to = r->texts.len;
    e->place = yaml_file_place(&r->file);
    return 0;
}

static int add_row(void *ctx, const struct yaml_row *row, struct error *reterr)
{
    struct reader *r = ctx;
    struct error why = {""};
    for (enum key k = 0; k <= PATTERN; k++)
        if (!row->has[k])
            return error_set(reterr, -EINVAL, "%sthis row has no %s",
                             yaml_file_say(&r->file, row->start).text, key_names[k]);
    struct agent_row one = {.name = yaml_row_text(row, NAME),
                            .pattern = yaml_row_text(row, PATTERN),
                            .kind = r->kind,
                            .line = row->line};
    one.start = one.pattern.data[0] == '^';
    if (one.start)
        one.pattern = slice_sub(one.pattern, 1, one.pattern.len);
    int err = agents_add(r->agents, &one, yaml_row_text(row, VERSION), &why);
    return err ? error_set(reterr, err, "%s%s", yaml_file_say(&r->file, row->start).text, why.text) : 0;
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
            return error_set(reterr, -EINVAL, "%sthe pattern of line %u does not fit this example",
                             yaml_file_say(&r->file, e->place).text, own->line);
        if (won != own)
            return error_set(reterr, -EINVAL, "%sthis example goes to the row of line %u, '%s'",
                             yaml_file_say(&r->file, e->place).text, won->line, shown(won->name).text);
    }
    return 0;
}

int agents_open(const char *path, struct agents **ret, struct error *reterr)
{
    if (!path) {
        *ret = agents_new_builtin();
        return 0;
    }
    struct reader r = {.agents = agents_new()};
    buf_init(&r.texts, AGENTS_FILE);
    int err = yaml_file_open(&r.file, path, "agents", AGENTS_FILE, reterr);
    if (!err) {
        const struct yaml_rows how = {key_names,   KEYS,         EXAMPLE, begin,
                                      check_value, keep_example, add_row, &r};
        err = yaml_rows_read(&r.file, &how, AGENTS_FILE, reterr);
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
