/* indexed.c: the table of what the index knows.
 * In: streams, fields. Out: rows of the table. Owns: nothing. */
#include "store/indexed.h"

enum { MORE, ONLY };
static const struct {
    enum stream_index stream;
    enum query_field_index field;
    struct indexed_words words;
} columns[] = {
#define WORDS_IN(stream, field, column, how) {STREAM_##stream, QUERY_FIELD_##field, {column, how}},
#include "store/indexed.def"
#undef WORDS_IN
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
    enum find_kind kind;
} keys[] = {
#define KEY_OF(stream, field, kind) {STREAM_##stream, QUERY_FIELD_##field, kind},
#include "store/indexed.def"
#undef KEY_OF
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
    enum find_kind kind;
} ats[] = {
#define AT_OF(stream, field, kind) {STREAM_##stream, QUERY_FIELD_##field, kind},
#include "store/indexed.def"
#undef AT_OF
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
} told[] = {
#define TOLD_OF(stream, field) {STREAM_##stream, QUERY_FIELD_##field},
#include "store/indexed.def"
#undef TOLD_OF
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

struct indexed_words indexed_words(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(columns); at++)
        if (columns[at].stream == stream && columns[at].field == field)
            return columns[at].words;
    return (struct indexed_words){NULL, false};
}

enum find_kind indexed_key(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(keys); at++)
        if (keys[at].stream == stream && keys[at].field == field)
            return keys[at].kind;
    return (enum find_kind)0;
}

enum find_kind indexed_at(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(ats); at++)
        if (ats[at].stream == stream && ats[at].field == field)
            return ats[at].kind;
    return (enum find_kind)0;
}

bool indexed_told(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(told); at++)
        if (told[at].stream == stream && told[at].field == field)
            return true;
    return false;
}
