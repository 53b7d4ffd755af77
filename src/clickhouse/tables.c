/* tables.c: the tables and columns of a server.
 * In: its own tables of them. Out: names and types. Owns: these. Limits: FRESH seconds; COLUMNS_MOST columns
 * of a table. Knowingly: columns that are added while they are known here are seen some seconds later. */
#include "clickhouse/tables.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "clickhouse/table.h"
#include "record/record.h"

enum { FRESH = 30, COLUMNS = 1024, ROW = 1 << 16 };

struct column {
    enum stream_index stream;
    char *name, *type;
};

struct tables {
    double asked; /* by now_monotonic; 0: never */
    size_t count;
    struct column items[COLUMNS]; /* in the order of compare */
    bool there[STREAMS], over[STREAMS];
};

static int compare(const void *a, const void *b)
{
    const struct column *x = a, *y = b;
    return x->stream != y->stream ? (x->stream > y->stream) - (x->stream < y->stream)
                                  : strcmp(x->name, y->name);
}

struct tables *tables_new(void)
{
    struct tables *t = calloc(1, sizeof *t);
    memory_check(t);
    return t;
}

static void forget(struct tables *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free(t->items[i].name);
        free(t->items[i].type);
    }
    t->count = 0;
    t->asked = 0;
    memset(t->there, 0, sizeof t->there);
    memset(t->over, 0, sizeof t->over);
}

void tables_free(struct tables **pt)
{
    struct tables *t = *pt;
    *pt = NULL;
    if (!t)
        return;
    forget(t);
    free(t);
}

static char *copy(struct slice s)
{
    char *text = strndup((const char *)s.data, s.len);
    memory_check(text);
    return text;
}

/* Table, column or "", type or engine. */
static bool take_row(void *ctx, const struct binary_value *v)
{
    struct tables *t = ctx;
    for (size_t i = 0; i < STREAMS; i++) {
        if (!slice_eq(v[0].text, slice_str(chtable_of(i)->name)))
            continue;
        if (!v[1].text.len)
            t->over[i] = slice_eq(v[2].text, slice_str("Distributed"));
        else if (t->count < COLUMNS)
            t->items[t->count++] = (struct column){stream_table[i]->index, copy(v[1].text), copy(v[2].text)};
    }
    return true;
}

static const struct column *find(const struct tables *t, enum stream_index stream, const char *name)
{
    const struct column key = {stream, (char *)name, NULL};
    return bsearch(&key, t->items, t->count, sizeof key, compare);
}

int tables_refresh(struct tables *t, struct chserver *server, double until, struct error *reterr)
{
    static const char sql[] =
        "SELECT name AS a, '' AS b, engine AS c FROM system.tables WHERE database = currentDatabase() UNION "
        "ALL SELECT table AS a, name AS b, type AS c FROM system.columns WHERE database = currentDatabase()";
    static const enum binary_kind kinds[] = {BINARY_TEXT, BINARY_TEXT, BINARY_TEXT};
    const struct select s = {.server = server,
                             .until = until,
                             .kinds = kinds,
                             .count = 3,
                             .row_most = ROW,
                             .whole = true,
                             .row = take_row,
                             .ctx = t};
    bool any = false;
    if (t->asked > 0 && now_monotonic() - t->asked < FRESH)
        return 0;
    forget(t);
    int err = select_run(&s, slice_str(sql), reterr);
    if (err < 0)
        return err;
    qsort(t->items, t->count, sizeof *t->items, compare);
    for (size_t i = 0; i < STREAMS; i++) {
        enum stream_index stream = stream_table[i]->index;
        bool some = find(t, stream, "day") != NULL;
        t->there[i] = some && find(t, stream, "id") && find(t, stream, "record_hash");
        any |= t->there[i];
        if (some && !t->there[i])
            return error_set(reterr, -ENOENT,
                             "table %s of database %s is of an older mailtap; see docs/clickhouse.md",
                             chtable_of(i)->name, chserver_database(server));
    }
    if (!any)
        return error_set(reterr, -ENOENT,
                         "the database %s has not the tables of mailtap; who loads it makes them",
                         chserver_database(server));
    t->asked = now_monotonic();
    return 0;
}

void tables_assume(struct tables *t)
{
    forget(t);
    for (size_t i = 0; i < STREAMS; i++) {
        const struct chtable *table = chtable_of(i);
        for (size_t k = 0; k < table->count && t->count < COLUMNS; k++) {
            const struct chcolumn *c = &table->columns[k];
            if (c->kind != CHCOLUMN_ALIAS)
                t->items[t->count++] =
                    (struct column){i, copy(slice_str(c->name)), copy(slice_str(chtype_name(c->type)))};
        }
        t->there[i] = true;
    }
    qsort(t->items, t->count, sizeof *t->items, compare);
}

bool tables_has(const struct tables *t, enum stream_index stream)
{
    return t->there[stream];
}

const char *tables_column(const struct tables *t, enum stream_index stream, struct slice name)
{
    char text[64];
    if (name.len >= sizeof text)
        return NULL;
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    const struct column *c = find(t, stream, text);
    return c ? c->type : NULL;
}

bool tables_is_over(const struct tables *t, enum stream_index stream)
{
    return t->over[stream];
}
