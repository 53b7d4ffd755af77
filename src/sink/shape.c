/* shape.c: records in the shapes of others, by their trees; and the sinks that write them.
 * In: records. Out: a JSON object a line, in a file a stream. Owns: the trees, the line under construction.
 * Limits: a list without repeats knows its last SHAPE_SEEN values. Spec: RFC 8259; docs/shapes.md says which
 * versions of their schemas. */
#include "sink/shape.h"

#include <stdlib.h>
#include "record/absent.h"
#include "sink/json.h"
#include "sink/of_record.h"
#include "sink/output.h"
#include "sink/shape_tree.h"

#define SMTP     (1U << STREAM_SMTP)
#define SESSION  (1U << STREAM_SESSION)
#define NOTICE   (1U << STREAM_NOTICE)
#define SOFTWARE (1U << STREAM_SOFTWARE)
#define STATS    (1U << STREAM_STATS)
#define ENTRY    (1U << STREAM_ENTRY)
#define ALL      (SMTP | SESSION | NOTICE | SOFTWARE | STATS | ENTRY)

#define SHAPE(streams, ours, theirs, how, with) {streams, ours, theirs, TO_##how, with},
static const struct shape_row zeek_json_rows[] = {
#include "sink/shape_zeek_json.def"
};
static const struct shape_row ecs_rows[] = {
#include "sink/shape_ecs.def"
};
static const struct shape_row ocsf_rows[] = {
#include "sink/shape_ocsf.def"
};
static const struct shape_row eve_rows[] = {
#include "sink/shape_eve.def"
};
#undef SHAPE

#define ROWS(table) table, sizeof table / sizeof *table
const struct table_of_shape shape_zeek_json = {"zeek-json", ROWS(zeek_json_rows), true, true};
const struct table_of_shape shape_ecs = {"ecs", ROWS(ecs_rows), false, false};
const struct table_of_shape shape_ocsf = {"ocsf", ROWS(ocsf_rows), false, false};
const struct table_of_shape shape_eve = {"eve", ROWS(eve_rows), false, false};
#undef ROWS

/* A record on its way into a line. */
struct shaping {
    struct shape_tree *tree;
    const struct record *rec;
    struct line *out;
};

/* The value that was just added to a list stands in it already? */
static bool is_repeat(struct shape_tree *tree, const struct line *out, size_t at)
{
    struct shape_seen now = {convert_hash((struct slice){out->data + at, out->len - at}), at, out->len - at};
    size_t known = tree->gathered < SHAPE_SEEN ? tree->gathered : SHAPE_SEEN;
    for (size_t i = 0; i < known; i++) {
        const struct shape_seen *s = &tree->seen[i];
        if (s->hash == now.hash && s->len == now.len &&
            memcmp(out->data + s->at, out->data + at, s->len) == 0)
            return true;
    }
    tree->seen[tree->gathered++ % SHAPE_SEEN] = now;
    return false;
}

/* One value with its key, or with the comma of its list. `d`: NULL: the record as a whole. */
static bool put(struct shaping *s, const struct node *n, const struct datum *d)
{
    const struct node *gather = s->tree->gather;
    size_t at = s->out->len;
    if (gather)
        line_byte(s->out, ',');
    else
        line_add(s->out, (struct slice){(const uint8_t *)n->key, n->key_len});
    bool has = d ? convert_value(n->row->how, n->row->with, s->rec, d, s->out)
                 : convert_record(n->row->how, n->row->with, s->rec, s->out);
    if (has && gather && gather->distinct)
        has = !is_repeat(s->tree, s->out, at + 1);
    if (!has)
        s->out->len = at;
    else
        s->tree->content += !conversion_is_label(n->row->how);
    return has;
}

static bool put_texts(struct shaping *s, const struct node *n, const struct field *f,
                      const struct text_list *list)
{
    bool any = false;
    for (size_t i = 0; i < list->len && (s->tree->gather || !any); i++)
        any |= put(s, n, &(struct datum){FIELD_TEXT, &list->items[i], f});
    return any;
}

static bool put_addresses(struct shaping *s, const struct node *n, const struct field *f,
                          const struct address_list *list)
{
    bool any = false;
    for (size_t i = 0; i < list->len && (s->tree->gather || !any); i++)
        any |= put(s, n, &(struct datum){FIELD_ADDRESS, &list->items[i], f});
    return any;
}

/* Follows the path of a node from an object of ours on; of lists all items, or the first that gives a value.
 */
static bool follow(struct shaping *s, const struct node *n, size_t step, const char *object)
{
    if (step == n->via_count)
        return put(s, n, NULL);
    const struct field *f = n->via[step];
    const char *value = object + f->offset;
    bool last = step + 1 == n->via_count, any = false;
    if (!last && f->kind == FIELD_APART)
        return field_pointer(value) && follow(s, n, step + 1, field_pointer(value));
    if (!last && f->kind == FIELD_LIST) {
        const struct object_list *list = (const void *)value;
        for (size_t i = 0; i < list->len && (s->tree->gather || !any); i++)
            any |= follow(s, n, step + 1, (const char *)list->items + i * f->of->size);
        return any;
    }
    if (!last)
        return follow(s, n, step + 1, value);
    if (field_is_absent(f, value))
        return false;
    if (f->kind == FIELD_TEXTS && (s->tree->gather || n->row->how != TO_PLAIN))
        return put_texts(s, n, f, (const void *)value);
    if (f->kind == FIELD_ADDRESSES && (s->tree->gather || n->row->how != TO_PLAIN))
        return put_addresses(s, n, f, (const void *)value);
    return put(s, n, &(struct datum){f->kind, value, f});
}

static void add_node(struct shaping *s, const struct node *n, const char *object);

/* What its nodes give stands between the signs; without any content nothing is added. `key` may be NULL. */
static bool enclose(struct shaping *s, const struct node *of, const char *object, char begin, char end)
{
    size_t at = s->out->len, before = s->tree->content;
    if (of->key)
        line_add(s->out, (struct slice){(const uint8_t *)of->key, of->key_len});
    else
        line_byte(s->out, ',');
    size_t from = s->out->len;
    for (const struct node *n = of->first; n; n = n->next)
        add_node(s, n, object);
    if (s->tree->content == before || s->out->len == from) {
        s->out->len = at;
        return false;
    }
    s->out->data[from] = (uint8_t)begin; /* in place of the first comma */
    line_byte(s->out, (uint8_t)end);
    return true;
}

static const struct object_list *list_at(const struct node *n, const char *object)
{
    for (size_t i = 0; object && i < n->via_count; i++) {
        const char *value = object + n->via[i]->offset;
        object = n->via[i]->kind == FIELD_APART ? field_pointer(value) : value;
    }
    return (const void *)object;
}

static void add_list(struct shaping *s, const struct node *n, const char *object)
{
    const struct object_list *list = list_at(n, object);
    const struct node item = {.kind = NODE_OBJECT, .first = n->first};
    size_t at = s->out->len;
    line_add(s->out, (struct slice){(const uint8_t *)n->key, n->key_len});
    size_t from = s->out->len;
    for (size_t i = 0; list && i < list->len; i++)
        enclose(s, &item, (const char *)list->items + i * n->via[n->via_count - 1]->of->size, '{', '}');
    if (s->out->len == from) {
        s->out->len = at;
        return;
    }
    s->out->data[from] = '[';
    line_byte(s->out, ']');
}

static bool add_rest(struct shaping *s, const struct rest *rest, const char *object)
{
    size_t at = s->out->len;
    for (size_t i = 0; i < rest->count; i++) {
        const struct rest *r = &rest->members[i];
        const char *value = object + r->field->offset;
        if (!r->members) {
            json_field(r->field, value, s->out);
            continue;
        }
        const char *inner = r->field->kind == FIELD_APART ? field_pointer(value) : value;
        size_t before = s->out->len, from = before + r->field->key.len;
        line_add(s->out, r->field->key);
        if (!inner || !add_rest(s, r, inner)) {
            s->out->len = before;
            continue;
        }
        s->out->data[from] = '{';
        line_byte(s->out, '}');
    }
    return s->out->len > at;
}

static void add_node(struct shaping *s, const struct node *n, const char *object)
{
    switch (n->kind) {
    case NODE_VALUE:
        if (!follow(s, n, 0, object))
            for (const struct node *other = n->first; other && !follow(s, other, 0, object);)
                other = other->next;
        break;
    case NODE_OBJECT:
        enclose(s, n, object, '{', '}');
        break;
    case NODE_LIST:
        add_list(s, n, object);
        break;
    case NODE_ARRAY:
        enclose(s, n, object, '[', ']');
        break;
    case NODE_GATHER:
        s->tree->gather = n;
        s->tree->gathered = 0;
        enclose(s, n, object, '[', ']');
        s->tree->gather = NULL;
        break;
    case NODE_REST:
        s->tree->content += add_rest(s, &s->tree->rest, object);
        if (s->rec->stream == &stream_entry) {
            json_pairs(s->rec->body, s->out);
            s->tree->content += ((const struct entry *)s->rec->body)->count;
        }
        break;
    }
}

void shape_record(struct shape_tree *tree, const struct record *rec, struct line *out)
{
    struct shaping s = {tree, rec, out};
    size_t at = out->len;
    tree->content = 0;
    if (!enclose(&s, &tree->root, rec->body, '{', '}'))
        line_str(out, "{}");
    else
        memmove(out->data + at, out->data + at + 1, --out->len - at); /* the comma of a member */
    line_byte(out, '\n');
}

static int shape_close(struct sink **psnk, struct error *reterr)
{
    for (size_t i = 0; *psnk && i < STREAMS; i++)
        shape_tree_free(&(*psnk)->trees[i]);
    return output_close(psnk, reterr);
}

static int shape_open(const struct table_of_shape *table, const struct sink_settings *set, struct sink **ret,
                      struct error *reterr)
{
    struct sink *snk = output_new(set, NULL);
    /* Files are not read for long enough to have stats. */
    size_t count = table->alone && !set->directory ? 1 : set->lasting ? STREAM_ENTRY : STREAM_STATS;
    int err = 0;
    for (size_t i = 0; i < STREAMS; i++)
        snk->trees[i] = shape_tree_new(table, stream_table[i]);
    for (size_t i = 0; i < count && !err; i++)
        if (snk->trees[i])
            err = output_open(snk, i, stream_table[i]->path, reterr);
    if (err)
        shape_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static int shape_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    size_t i = rec->stream->index;
    if (!snk->trees[i] || (i != STREAM_ENTRY && !output_is_open(snk, i)))
        return 1;
    line_clear(&snk->line);
    shape_record(snk->trees[i], rec, &snk->line);
    struct slice line = line_slice(&snk->line);
    if (i == STREAM_ENTRY)
        return output_write_entry(snk, ((const struct entry *)rec->body)->stream, line, reterr);
    return output_write(snk, i, line, reterr);
}

#define SINK(shape, name, summary)                                                                           \
    static int open_##shape(const struct sink_settings *set, struct sink **ret, struct error *reterr)        \
    {                                                                                                        \
        return shape_open(&shape_##shape, set, ret, reterr);                                                 \
    }                                                                                                        \
    const struct sink_ops sink_##shape = {                                                                   \
        name,        summary,       open_##shape,  shape_write, shape_close,                                 \
        output_tick, output_reopen, output_counts, NULL}

SINK(zeek_json, "zeek-json",
     "Zeek's smtp.log, and in a folder its notice.log and software.log, as JSON lines");
SINK(ecs, "ecs", "Elastic Common Schema, an object a line");
SINK(ocsf, "ocsf", "Open Cybersecurity Schema Framework, an object a line");
SINK(eve, "eve", "Suricata's eve.json, an object a line");
