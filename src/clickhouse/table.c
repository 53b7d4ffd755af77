/* table.c: the columns of the tables.
 * In: fields.def, places.def, taken.def. Out: tables of columns. Owns: these, for ever. Limits: CHTABLE_MOST
 * columns. */
#include "clickhouse/table.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include "record/record.h"
#include "view/places.h"

static const char *const type_names[] = {
    [CHTYPE_DATE] = "Date",
    [CHTYPE_SECONDS] = "DateTime('UTC')",
    [CHTYPE_INT64] = "Int64",
    [CHTYPE_UINT8] = "UInt8",
    [CHTYPE_UINT16] = "UInt16",
    [CHTYPE_UINT64] = "UInt64",
    [CHTYPE_FLOAT64] = "Float64",
    [CHTYPE_STRING] = "String",
    [CHTYPE_UINT8S] = "Array(UInt8)",
    [CHTYPE_UINT64S] = "Array(UInt64)",
    [CHTYPE_FLOAT64S] = "Array(Float64)",
    [CHTYPE_STRINGS] = "Array(String)",
};

/* A row of taken.def. */
struct taken {
    int stream; /* -1: of all */
    struct chcolumn column;
};
enum { STREAM_ALL = -1 };

static const struct taken taken[] = {
#define COMPUTED(stream, index, column, type, doc)                                                           \
    {STREAM_##stream,                                                                                        \
     {#column, CHTYPE_##type, CHCOLUMN_COMPUTED, CHCOMPUTED_##index, 0, NULL, 0, NULL, NULL}},
#define INSIDE(stream, column, path, doc)                                                                    \
    {STREAM_##stream, {#column, 0, CHCOLUMN_INSIDE, 0, 0, path, 0, NULL, NULL}},
#define ALIAS(stream, column, type, as, doc)                                                                 \
    {STREAM_##stream, {#column, 0, CHCOLUMN_ALIAS, 0, 0, NULL, 0, type, as}},
#include "clickhouse/taken.def"
#undef COMPUTED
#undef INSIDE
#undef ALIAS
};

const char *chtype_name(enum chtype type)
{
    return type_names[type];
}

bool chtype_is_list(enum chtype type)
{
    return type >= CHTYPE_UINT8S;
}

static enum chtype type_of(enum field_kind kind)
{
    switch (kind) {
    case FIELD_TIME:
        return CHTYPE_SECONDS;
    case FIELD_DOUBLE:
    case FIELD_SPAN:
        return CHTYPE_FLOAT64;
    case FIELD_ADDRESS:
    case FIELD_TEXT:
    case FIELD_ANOMALY:
    case FIELD_OBJECT:
    case FIELD_LIST:
    case FIELD_APART:
        return CHTYPE_STRING;
    case FIELD_PORT:
    case FIELD_SOME_PORT:
        return CHTYPE_UINT16;
    case FIELD_COUNT:
    case FIELD_SOME:
        return CHTYPE_UINT64;
    case FIELD_BOOL:
    case FIELD_TRUE:
    case FIELD_MAYBE:
        return CHTYPE_UINT8;
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_FLAGS:
        return CHTYPE_STRINGS;
    }
    abort();
}

static enum chtype list_of(enum chtype type)
{
    bool number = type == CHTYPE_UINT16 || type == CHTYPE_UINT64;
    return type == CHTYPE_UINT8     ? CHTYPE_UINT8S
           : number                 ? CHTYPE_UINT64S
           : type == CHTYPE_FLOAT64 ? CHTYPE_FLOAT64S
                                    : CHTYPE_STRINGS;
}

/* A path's name as that of a column, which it may be: letters, digits, _. */
static void name_of(const char *path, char ret[static CHCOLUMN_NAME])
{
    size_t n = 0;
    for (; *path; path++) {
        assert(n + 1 < CHCOLUMN_NAME);
        if (*path != '[' && *path != ']')
            ret[n++] = *path == '.' ? '_' : *path;
    }
    ret[n] = '\0';
}

static struct chcolumn *add(struct chtable *t, const struct chcolumn *column)
{
    assert(t->count < CHTABLE_MOST && !chtable_find(t, slice_str(column->name)));
    t->columns[t->count] = *column;
    return &t->columns[t->count++];
}

/* A key of a path: bytes before the next '.' or '['. */
static struct slice key_of(const char *path)
{
    return (struct slice){(const uint8_t *)path, strcspn(path, ".[")};
}

static const struct field *field_of(const struct field *fields, size_t count, struct slice key, bool column)
{
    char name[CHCOLUMN_NAME];
    for (size_t i = 0; i < count; i++) {
        name_of(fields[i].name, name);
        if (slice_eq(slice_str(column ? name : fields[i].name), key))
            return &fields[i];
    }
    return NULL;
}

/* Of what lies inside of a field; of a line that nobody knows the fields of it is text. */
static void set_leaf(const struct stream *s, struct chcolumn *c)
{
    struct slice key = key_of(c->path);
    const struct field *f = field_of(s->fields, s->count, key, true);
    const char *rest = c->path + key.len;
    c->leaf = FIELD_TEXT;
    while (f && (rest += strspn(rest, "[]."), *rest)) {
        key = key_of(rest);
        assert(f->of);
        f = field_of(f->of->fields, f->of->count, key, false);
        assert(f);
        rest += key.len;
    }
    c->leaf = f ? f->kind : FIELD_TEXT;
    c->type = type_of(c->leaf);
    if (c->type == CHTYPE_UINT16)
        c->type = CHTYPE_UINT64;
    if (strchr(c->path, '['))
        c->type = list_of(c->type);
}

static void add_inside(struct chtable *t, const char *path)
{
    struct chcolumn c = {.kind = CHCOLUMN_INSIDE, .path = path};
    name_of(path, c.name);
    if (!strchr(path, '.'))
        return;
    const struct chcolumn *there = chtable_find(t, slice_str(c.name));
    assert(!there || (there->kind == CHCOLUMN_INSIDE && strcmp(there->path, path) == 0));
    if (there)
        return;
    set_leaf(t->stream, &c);
    add(t, &c);
}

static void add_taken(struct chtable *t, enum chcolumn_kind kind)
{
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        bool ours = taken[i].stream == STREAM_ALL || taken[i].stream == (int)t->stream->index;
        if (!ours || taken[i].column.kind != kind)
            continue;
        struct chcolumn *c = add(t, &taken[i].column);
        if (kind == CHCOLUMN_INSIDE)
            set_leaf(t->stream, c);
    }
}

static struct chtable tables[STREAMS];

static void make(void)
{
    const struct place *p;
    for (size_t i = 0; i < STREAMS; i++) {
        struct chtable *t = &tables[i];
        t->stream = stream_table[i];
        t->name = i == STREAM_ENTRY ? "entry" : t->stream->path;
        add_taken(t, CHCOLUMN_COMPUTED);
        for (size_t k = 0; k < t->stream->count; k++) {
            struct chcolumn c = {.kind = CHCOLUMN_FIELD, .field = k};
            name_of(t->stream->fields[k].name, c.name);
            c.type = type_of(t->stream->fields[k].kind);
            add(t, &c);
        }
        for (enum query_field_index f = 0; f < QUERY_FIELDS; f++)
            for (size_t k = 0; (p = place_of(i, f, PLACE_BOTH | PLACE_NET, k)); k++)
                add_inside(t, p->path);
        add_taken(t, CHCOLUMN_INSIDE);
        add_taken(t, CHCOLUMN_ALIAS);
    }
}

const struct chtable *chtable_of(enum stream_index stream)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
    return &tables[stream];
}

const struct chcolumn *chtable_find(const struct chtable *t, struct slice name)
{
    for (size_t i = 0; i < t->count; i++)
        if (slice_eq(slice_str(t->columns[i].name), name))
            return &t->columns[i];
    return NULL;
}

bool chtable_always(enum field_kind kind)
{
    return kind == FIELD_TIME || kind == FIELD_DOUBLE || kind == FIELD_PORT || kind == FIELD_COUNT ||
           kind == FIELD_BOOL;
}
