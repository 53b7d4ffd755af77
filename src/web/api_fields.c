/* api_fields.c: /fields: what records have, and what can be asked for.
 * In: the tables. Out: an answer. Owns: nothing. */
#include "view/columns.h"
#include "view/explained.h"
#include "web/api.h"
#include "web/say.h"
#include "web/route.h"

static const char *kind_name(enum field_kind kind)
{
    static const char *const names[] = {
        [FIELD_TIME] = "time",       [FIELD_DOUBLE] = "number",       [FIELD_TEXT] = "text",
        [FIELD_ADDRESS] = "address", [FIELD_PORT] = "port",           [FIELD_COUNT] = "count",
        [FIELD_SOME_PORT] = "port",  [FIELD_SOME] = "count",          [FIELD_BOOL] = "flag",
        [FIELD_TRUE] = "flag",       [FIELD_MAYBE] = "flag",          [FIELD_SPAN] = "number",
        [FIELD_TEXTS] = "texts",     [FIELD_ADDRESSES] = "addresses", [FIELD_ANOMALY] = "text",
        [FIELD_FLAGS] = "flags",     [FIELD_OBJECT] = "object",       [FIELD_LIST] = "objects",
        [FIELD_APART] = "object"};
    return names[kind];
}

static void key_str(struct answer *a, const char *key, const char *text)
{
    say_key(a, key);
    say_str(a, text);
}

static void write_stream(struct answer *a, const struct stream *s)
{
    say_object(a);
    key_str(a, "path", s->path);
    key_str(a, "doc", s->doc);
    say_key(a, "fields");
    say_list(a);
    for (size_t i = 0; i < s->count; i++) {
        say_object(a);
        key_str(a, "name", s->fields[i].name);
        key_str(a, "doc", s->fields[i].doc);
        key_str(a, "kind", kind_name(s->fields[i].kind));
        say_end(a);
    }
    say_end(a);
    say_end(a);
}

static void write_words(struct answer *a, const char *key, const char *words)
{
    struct slice rest = slice_str(words);
    say_key(a, key);
    say_list(a);
    while (rest.len) {
        size_t blank = slice_index(rest, ' ');
        if (blank)
            say_text(a, slice_sub(rest, 0, blank));
        rest = slice_sub(rest, blank + 1, rest.len);
    }
    say_end(a);
}

static void write_query_field(struct answer *a, enum query_field_index index)
{
    const struct query_field *f = &query_fields[index];
    const char *word;
    say_object(a);
    key_str(a, "name", f->name);
    write_words(a, "aliases", f->aliases);
    key_str(a, "kind", query_kind_name(f->kind));
    key_str(a, "doc", f->doc);
    key_str(a, "example", f->example);
    say_key(a, "streams");
    say_list(a);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        if (f->streams >> i & 1)
            say_str(a, stream_table[i]->path);
    say_end(a);
    say_key(a, "choices");
    say_list(a);
    for (size_t i = 0; (word = query_choice(index, i)); i++)
        say_str(a, word);
    say_end(a);
    say_end(a);
}

void handle_fields(const struct request *r, struct answer *a)
{
    const char *name, *sentence;
    (void)r;
    _Static_assert(QUERY_SMTP == 1 << STREAM_SMTP && QUERY_STATS == 1 << STREAM_STATS,
                   "one order of streams");
    say_object(a);
    say_key(a, "streams");
    say_list(a);
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        write_stream(a, stream_table[i]);
    say_end(a);
    say_key(a, "query");
    say_list(a);
    for (enum query_field_index i = 0; i < QUERY_FIELDS; i++)
        write_query_field(a, i);
    say_end(a);
    say_key(a, "anomalies");
    say_list(a);
    for (size_t i = 0; explained_anomaly_at(i, &name, &sentence); i++) {
        say_object(a);
        key_str(a, "name", name);
        key_str(a, "explained", sentence);
        say_end(a);
    }
    say_end(a);
    say_end(a);
}
