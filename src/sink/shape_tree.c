/* shape_tree.c: a table of renames as a tree of the objects that it makes, for one stream.
 * In: the rows of a shape, the fields of a stream. Out: a tree. Owns: the tree. Limits: NODE_VIA steps from
 * an object to a value; paths of PATH bytes. */
#include "sink/shape_tree.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"

enum { PATH = 200 };

static void *make(size_t size)
{
    void *p = calloc(1, size);
    memory_check(p);
    return p;
}

static char *copy(const char *text, size_t len)
{
    char *p = make(len + 1);
    memcpy(p, text, len);
    return p;
}

/* The fields that paths begin at: those of the record, or of a list's items. */
struct place {
    const struct field *fields;
    size_t count;
    const char *ours; /* what is left of the path */
};

/* The field that the path begins with; the longest, as names may have dots. Moves past it and what parts it
 * from the next name. */
static const struct field *step(struct place *p)
{
    const struct field *found = NULL;
    size_t most = 0;
    for (size_t i = 0; i < p->count; i++) {
        size_t len = strlen(p->fields[i].name);
        bool fits =
            strncmp(p->ours, p->fields[i].name, len) == 0 && (!p->ours[len] || strchr(".[", p->ours[len]));
        if (fits && len >= most) {
            found = &p->fields[i];
            most = len;
        }
    }
    assert(found && "a row names a field that the stream has");
    p->ours += most;
    if (strncmp(p->ours, "[]", 2) == 0)
        p->ours += 2;
    if (*p->ours == '.')
        p->ours++;
    p->fields = found->of ? found->of->fields : NULL;
    p->count = found->of ? found->of->count : 0;
    return found;
}

/* Up to the first list, or to the end. */
static void take_via(struct node *n, struct place *p, bool to_list)
{
    while (*p->ours) {
        assert(n->via_count < NODE_VIA);
        const struct field *f = step(p);
        n->via[n->via_count++] = f;
        if (to_list && f->kind == FIELD_LIST)
            return;
    }
    assert(!to_list && "a list of theirs goes through one of ours");
}

static struct node *add_child(struct node *parent, enum node_kind kind, const char *name, size_t len,
                              bool keyed)
{
    struct node *n = make(sizeof *n);
    n->kind = kind;
    n->name = copy(name, len);
    if (keyed) {
        n->key_len = len + 4;
        n->key = make(n->key_len + 1);
        snprintf(n->key, n->key_len + 1, ",\"%.*s\":", (int)len, name);
    }
    if (parent->last)
        parent->last->next = n;
    else
        parent->first = n;
    parent->last = n;
    return n;
}

static struct node *child(struct node *parent, enum node_kind kind, const char *name, size_t len, bool keyed)
{
    for (struct node *n = parent->first; n; n = n->next)
        if (strlen(n->name) == len && memcmp(n->name, name, len) == 0) {
            assert(n->kind == kind && "a name of theirs is one thing");
            return n;
        }
    return add_child(parent, kind, name, len, keyed);
}

/* The list that this row goes through; the first row says how. */
static struct node *list_of(struct node *parent, const char *name, size_t len, struct place *p)
{
    struct node through = {.kind = NODE_LIST}, *n = child(parent, NODE_LIST, name, len, true);
    take_via(&through, p, true);
    if (!n->via_count) {
        memcpy(n->via, through.via, sizeof n->via);
        n->via_count = through.via_count;
    }
    assert(n->via_count == through.via_count && memcmp(n->via, through.via, sizeof n->via) == 0);
    return n;
}

static void add_value(struct node *parent, const char *name, size_t len, const struct shape_row *row,
                      struct place p, bool keyed)
{
    struct node *n = NULL;
    for (struct node *same = keyed ? parent->first : NULL; same && !n; same = same->next)
        if (strlen(same->name) == len && memcmp(same->name, name, len) == 0)
            n = add_child(same, NODE_VALUE, name, len, true);
    if (!n)
        n = add_child(parent, NODE_VALUE, name, len, keyed);
    n->row = row;
    take_via(n, &p, false);
}

/* The last name of a path. */
static void add_leaf(struct node *parent, const char *name, const struct shape_row *row, struct place p)
{
    size_t len = strlen(name);
    bool list = len > 2 && strcmp(name + len - 2, "[]") == 0,
         set = len > 2 && strcmp(name + len - 2, "{}") == 0;
    if (row->how == TO_REST) {
        add_child(parent, NODE_REST, name, len, false)->row = row;
    } else if (list || set) {
        struct node *n = child(parent, NODE_GATHER, name, len - 2, true);
        n->distinct = set;
        add_value(n, name, len, row, p, false);
    } else {
        add_value(parent, name, len, row, p, true);
    }
}

static void add_row(struct node *root, const struct shape_row *row, const struct stream *stream, bool flat)
{
    struct place p = {stream->fields, stream->count, row->ours};
    struct node *at = root;
    const char *rest = row->theirs;
    for (const char *dot; !flat && (dot = strchr(rest, '.')); rest = dot + 1) {
        size_t len = (size_t)(dot - rest);
        const char *bracket = memchr(rest, '[', len);
        size_t name = bracket ? (size_t)(bracket - rest) : len;
        if (!bracket)
            at = child(at, NODE_OBJECT, rest, name, true);
        else if (bracket[1] == ']')
            at = list_of(at, rest, name, &p);
        else
            at = child(child(at, NODE_ARRAY, rest, name, true), NODE_OBJECT, bracket, len - name, false);
    }
    add_leaf(at, rest, row, p);
}

/* Does the row that comes first at its place keep the field whole? */
static bool keeps(const struct table_of_shape *table, size_t i, unsigned bit)
{
    const struct shape_row *row = &table->rows[i];
    size_t len = strlen(row->theirs);
    if (!(row->streams & bit) || !conversion_is_whole(row->how) || row->how == TO_REST)
        return false;
    if (len > 2 && strcmp(row->theirs + len - 2, "{}") == 0)
        return false;
    bool list = len > 2 && strcmp(row->theirs + len - 2, "[]") == 0;
    for (size_t k = 0; k < i && !list; k++)
        if (table->rows[k].streams & bit && strcmp(table->rows[k].theirs, row->theirs) == 0)
            return false;
    return true;
}

/* What is left of these fields; `path` is that of the object which they stand in. */
static void find_rest(struct rest *rest, const struct field *fields, size_t count, const char *path,
                      const struct table_of_shape *table, unsigned bit)
{
    rest->members = make(count * sizeof *rest->members);
    for (size_t i = 0; i < count; i++) {
        char name[PATH];
        bool taken = false, partly = false;
        int len = snprintf(name, sizeof name, "%s%s%s", path, *path ? "." : "", fields[i].name);
        assert(len > 0 && (size_t)len < sizeof name);
        for (size_t k = 0; k < table->count; k++) {
            const char *ours = table->rows[k].ours;
            if (!keeps(table, k, bit) || strncmp(ours, name, (size_t)len) != 0)
                continue;
            taken |= !ours[len];
            partly |= ours[len] == '.';
        }
        if (taken)
            continue;
        struct rest *r = &rest->members[rest->count++];
        r->field = &fields[i];
        if (partly && (fields[i].kind == FIELD_OBJECT || fields[i].kind == FIELD_APART))
            find_rest(r, fields[i].of->fields, fields[i].of->count, name, table, bit);
    }
}

static void free_rest(struct rest *rest)
{
    for (size_t i = 0; i < rest->count; i++)
        free_rest(&rest->members[i]);
    free(rest->members);
}

static void free_children(struct node *parent)
{
    while (parent->first) {
        struct node *n = parent->first;
        parent->first = n->next;
        free_children(n);
        free(n->name);
        free(n->key);
        free(n);
    }
}

struct shape_tree *shape_tree_new(const struct table_of_shape *table, const struct stream *stream)
{
    unsigned bit = 1U << stream->index, all = 0;
    for (size_t i = 0; i < table->count; i++)
        all |= table->rows[i].streams;
    if (!(all & bit))
        return NULL;
    struct shape_tree *tree = make(sizeof *tree);
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].streams & bit)
            add_row(&tree->root, &table->rows[i], stream, table->flat);
    find_rest(&tree->rest, stream->fields, stream->count, "", table, bit);
    return tree;
}

void shape_tree_free(struct shape_tree **ptree)
{
    struct shape_tree *tree = *ptree;
    *ptree = NULL;
    if (!tree)
        return;
    free_children(&tree->root);
    free_rest(&tree->rest);
    free(tree);
}
