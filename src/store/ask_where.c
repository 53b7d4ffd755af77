/* ask_where.c: a query's conditions on the columns.
 * In: trees, the columns of a file. Out: SQL made of our own words, and the values to bind. Owns: nothing.
 * Knowingly: what is not there fits nothing, so that a negated term finds it; of a column that the file lacks
 * nothing is there. */
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"
#include "store/ask.h"
#include "view/places.h"

enum { EXPRESSION = 200 };

struct bind {
    enum { BIND_INTEGER, BIND_REAL, BIND_TEXT, BIND_NETWORK } kind;
    int64_t integer;
    double real;
    struct slice text;
    struct network network;
};

enum { NETWORK_TEXT = ADDRESS_TEXT + 8 };

/* An address alone stands without its length. */
static size_t network_text(const struct network *net, char ret[static NETWORK_TEXT])
{
    size_t len = address_text(&net->addr, ret);
    if (net->prefix < (net->addr.family == 4 ? 32 : 128))
        len += (size_t)snprintf(ret + len, NETWORK_TEXT - len, "/%u", net->prefix);
    return len;
}

static struct bind *add_bind(struct binds *b)
{
    if (b->count == b->room) {
        b->room = b->room ? 2 * b->room : 16;
        b->items = reallocarray(b->items, b->room, sizeof *b->items);
        memory_check(b->items);
    }
    return &b->items[b->count++];
}

void binds_integer(struct binds *b, int64_t v)
{
    *add_bind(b) = (struct bind){.kind = BIND_INTEGER, .integer = v};
}

void binds_real(struct binds *b, double v)
{
    *add_bind(b) = (struct bind){.kind = BIND_REAL, .real = v};
}

void binds_text(struct binds *b, struct slice text)
{
    *add_bind(b) = (struct bind){.kind = BIND_TEXT, .text = text};
}

int binds_apply(const struct binds *b, sqlite3_stmt *stmt)
{
    char text[NETWORK_TEXT];
    int code = SQLITE_OK;
    for (size_t i = 0; i < b->count && code == SQLITE_OK; i++) {
        const struct bind *v = &b->items[i];
        if (v->kind == BIND_INTEGER)
            code = sqlite3_bind_int64(stmt, (int)i + 1, v->integer);
        else if (v->kind == BIND_REAL)
            code = sqlite3_bind_double(stmt, (int)i + 1, v->real);
        else if (v->kind == BIND_NETWORK)
            code = sqlite3_bind_text(stmt, (int)i + 1, text, (int)network_text(&v->network, text),
                                     SQLITE_TRANSIENT);
        else
            code = sqlite3_bind_text64(stmt, (int)i + 1, v->text.len ? (const char *)v->text.data : "",
                                       v->text.len, SQLITE_STATIC, SQLITE_UTF8);
    }
    return code;
}

void binds_print(const struct binds *b, struct line *out)
{
    char text[NETWORK_TEXT];
    for (size_t i = 0; i < b->count; i++) {
        const struct bind *v = &b->items[i];
        line_str(out, i ? " " : "");
        if (v->kind == BIND_INTEGER)
            line_printf(out, "%lld", (long long)v->integer);
        else if (v->kind == BIND_REAL)
            line_printf(out, "%g", v->real);
        else if (v->kind == BIND_NETWORK)
            line_printf(out, "'%.*s'", (int)network_text(&v->network, text), text);
        else
            line_printf(out, "'%.*s'", (int)v->text.len, (const char *)v->text.data);
    }
}

void binds_free(struct binds *b)
{
    free(b->items);
    *b = (struct binds){0};
}

struct where {
    const struct ask_table *table;
    struct line *out;
    struct binds *binds;
};

static bool has_column(const struct ask_table *t, struct slice name)
{
    for (size_t i = 0; t->columns && i < t->columns->count; i++)
        if (slice_eq(slice_str(t->columns->items[i].name), name))
            return !t->present || t->present[i];
    assert(!t->columns); /* else the table of places names what no record has */
    return !t->columns;
}

/* A way down into JSON: what is compared, within what. */
struct way {
    struct line from;       /* "json_each(...) AS j1, ..." */
    char value[EXPRESSION]; /* the expression so far */
    char inner[EXPRESSION]; /* a path in it: "$.a.b", or "$" */
    unsigned lists;
};

static void enter(struct way *w, bool keys)
{
    if (w->lists)
        line_str(&w->from, ", ");
    w->lists++;
    line_printf(&w->from, "json_each(%s, '%s') AS j%u", w->value, w->inner, w->lists);
    snprintf(w->value, sizeof w->value, "j%u.%s", w->lists, keys ? "key" : "value");
    snprintf(w->inner, sizeof w->inner, "$");
}

/* Follows a path of places.def behind its column. */
static void follow(struct way *w, const char *path)
{
    while (*path) {
        size_t len = strcspn(path + 1, ".[{#") + 1;
        if (*path == '[' || *path == '{') {
            enter(w, *path == '{');
            path += 2;
            continue;
        }
        if (*path == '#') {
            char array[EXPRESSION + 24];
            int made =
                snprintf(array, sizeof array, "json_array_length(%.100s, '%.60s')", w->value, w->inner);
            assert(made < EXPRESSION);
            memcpy(w->value, array, (size_t)made + 1);
            snprintf(w->inner, sizeof w->inner, "$");
            path++;
            continue;
        }
        size_t at = strlen(w->inner);
        assert(at + len < sizeof w->inner);
        memcpy(w->inner + at, path, len);
        w->inner[at + len] = 0;
        path += len;
    }
    if (w->inner[1]) {
        char whole[2 * EXPRESSION + 24];
        int made = snprintf(whole, sizeof whole, "json_extract(%s, '%s')", w->value, w->inner);
        assert(made < EXPRESSION);
        memcpy(w->value, whole, (size_t)made + 1);
    }
}

/* A domain of a mailbox is what stands behind its @; "postmaster" alone has none, and is no host either. */
static void keep_mailboxes(const struct place *p, struct way *w)
{
    struct slice column = place_column(p);
    char whole[EXPRESSION + 16];
    if (p->field != QUERY_FIELD_DOMAIN || slice_eq(column, slice_str("urls")) ||
        slice_eq(column, slice_str("authentication")))
        return;
    int made = snprintf(whole, sizeof whole, "mailbox(%s)", w->value);
    assert(made < EXPRESSION);
    memcpy(w->value, whole, (size_t)made + 1);
}

static void way_of(const struct place *p, struct way *ret)
{
    struct slice column = place_column(p);
    *ret = (struct way){.inner = "$"};
    snprintf(ret->value, sizeof ret->value, "r.\"%.*s\"", (int)column.len, (const char *)column.data);
    follow(ret, p->path + column.len);
    keep_mailboxes(p, ret);
}

/* What of a value is compared. */
static void add_subject(struct where *w, const struct query_term *t, const char *value)
{
    enum query_kind kind = query_fields[t->field].kind;
    if (kind == QUERY_MSGID && t->match != QUERY_IS_THERE)
        line_printf(w->out, "trim(%s, '<> ')", value);
    else if (kind == QUERY_DOMAIN && t->match == QUERY_LIKE)
        line_printf(w->out, "behind_at(%s)", value);
    else
        line_str(w->out, value);
}

static void add_call(struct where *w, const char *function, const struct query_term *t, const char *value)
{
    line_printf(w->out, "%s(", function);
    add_subject(w, t, value);
    line_str(w->out, ", ?)");
    binds_text(w->binds, t->text);
}

static void add_network(struct where *w, const struct query_term *t, const char *value)
{
    bool one = t->network.prefix == (t->network.addr.family == 4 ? 32 : 128);
    line_printf(w->out, one ? "%s = ?" : "within(%s, ?)", value);
    *add_bind(w->binds) = (struct bind){.kind = BIND_NETWORK, .network = t->network};
}

static void add_compare(struct where *w, const struct query_term *t, const char *value)
{
    static const char *const signs[] = {
        [QUERY_EQ] = "=", [QUERY_GT] = ">", [QUERY_GE] = ">=", [QUERY_LT] = "<", [QUERY_LE] = "<="};
    line_printf(w->out, "%s %s ?", value, signs[t->compare]);
    if (query_fields[t->field].kind == QUERY_SECONDS)
        binds_real(w->binds, t->seconds);
    else
        binds_integer(w->binds, t->number);
}

static void add_condition(struct where *w, const struct query_term *t, const char *value)
{
    switch (t->match) {
    case QUERY_IS_THERE:
        line_printf(w->out, "%s IS NOT NULL", value);
        break;
    case QUERY_HAS_WORDS:
        add_call(w, "says", t, value);
        break;
    case QUERY_HAS_START:
        add_call(w, "starts", t, value);
        break;
    case QUERY_LIKE:
        add_call(w, "alike", t, value);
        break;
    case QUERY_BELOW:
        add_call(w, "below", t, value);
        break;
    case QUERY_EQUALS:
        add_subject(w, t, value);
        line_str(w->out, " = ? COLLATE NOCASE");
        binds_text(w->binds, t->text);
        break;
    case QUERY_INSIDE:
        add_network(w, t, value);
        break;
    case QUERY_COMPARES:
        add_compare(w, t, value);
        break;
    case QUERY_IS_TRUE:
    case QUERY_IS_FALSE:
        line_printf(w->out, "%s = 1", value);
        break;
    case QUERY_NOTICED:
        break;
    }
}

static void add_place(struct where *w, const struct query_term *t, const struct place *p)
{
    if (!has_column(w->table, place_column(p))) {
        line_byte(w->out, '0');
        return;
    }
    struct way way;
    way_of(p, &way);
    if (way.lists) {
        line_str(w->out, "EXISTS(SELECT 1 FROM ");
        line_add(w->out, line_slice(&way.from));
        line_str(w->out, " WHERE ");
    }
    add_condition(w, t, way.value);
    line_str(w->out, way.lists ? ")" : "");
    line_free(&way.from);
}

/* Adds all places of a field, with OR before each but the first of all; returns how many there are by now. */
static size_t add_places(struct where *w, const struct query_term *t, enum query_field_index field,
                         size_t before)
{
    const struct place *p;
    for (size_t i = 0; (p = place_of(w->table->stream, field, place_use_of(t), i)); i++) {
        line_str(w->out, before++ ? " OR " : "");
        add_place(w, t, p);
    }
    return before;
}

static void add_id(struct where *w, const struct query_term *t)
{
    add_compare(w, t, "r.id");
}

static void add_term(struct where *w, const struct query_term *t)
{
    enum query_field_index any;
    size_t count = 0;
    line_byte(w->out, '(');
    if (query_fields[t->field].kind == QUERY_TIME || query_fields[t->field].kind == QUERY_ID) {
        add_id(w, t);
        count++;
    } else if (t->match == QUERY_NOTICED) {
        bool can = w->table->notices && w->table->stream == STREAM_SMTP;
        line_str(w->out, can ? "(r.uid, r.trans_depth) IN (SELECT uid, trans_depth FROM notice)" : "0");
        count++;
    } else {
        size_t at = w->out->len;
        line_str(w->out, t->match == QUERY_IS_FALSE ? "((" : "");
        if (t->field == QUERY_FIELD_ANY)
            for (size_t i = 0; (any = place_any(w->table->stream, i)) < QUERY_FIELDS; i++)
                count = add_places(w, t, any, count);
        else
            count = add_places(w, t, t->field, 0);
        if (t->match == QUERY_IS_FALSE && count)
            line_str(w->out, ") IS NOT TRUE)");
        else if (!count)
            w->out->len = at;
    }
    line_str(w->out, count ? ")" : "0)");
}

static void add_node(struct where *w, const struct query_node *n)
{
    if (n->kind == QUERY_TERM) {
        add_term(w, &n->term);
        return;
    }
    if (n->kind == QUERY_NOT) {
        line_byte(w->out, '(');
        add_node(w, n->first);
        line_str(w->out, " IS NOT TRUE)");
        return;
    }
    line_byte(w->out, '(');
    for (const struct query_node *part = n->first; part; part = part->next) {
        add_node(w, part);
        if (part->next)
            line_str(w->out, n->kind == QUERY_OR ? " OR " : " AND ");
    }
    line_byte(w->out, ')');
}

void ask_where(const struct ask_table *table, const struct query_node *root, struct line *out,
               struct binds *binds)
{
    struct where w = {table, out, binds};
    if (root)
        add_node(&w, root);
    else
        line_byte(out, '1');
}

/* Where one place is marked, these alone name values. */
static unsigned naming_use(enum stream_index stream, enum query_field_index field)
{
    return place_of(stream, field, PLACE_NAMES, 0) ? PLACE_NAMES : PLACE_VALUE | PLACE_NET;
}

bool ask_values(const struct ask_table *table, enum query_field_index field, const char *call,
                struct line *out)
{
    const struct place *p;
    enum query_kind kind = query_fields[field].kind;
    unsigned use = naming_use(table->stream, field);
    size_t count = 0;
    for (size_t i = 0; kind != QUERY_HAS && (p = place_of(table->stream, field, use, i)); i++) {
        struct way way;
        if (!has_column(table, place_column(p)))
            continue;
        way_of(p, &way);
        line_str(out, count++ ? ", " : "");
        line_str(out, way.lists ? "(SELECT count(" : "");
        line_printf(out, "%s%s%s%s)", call, kind == QUERY_DOMAIN ? "behind_at(" : "", way.value,
                    kind == QUERY_DOMAIN ? ")" : "");
        if (way.lists) {
            line_str(out, ") FROM ");
            line_add(out, line_slice(&way.from));
            line_byte(out, ')');
        }
        line_free(&way.from);
    }
    return count;
}
