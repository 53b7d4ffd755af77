/* places.c: the table of where a store has what a query asks for.
 * In: streams, fields. Out: rows of the table. Owns: nothing. */
#include "store/places.h"

#include <assert.h>

static_assert(QUERY_SMTP == 1 << STREAM_SMTP && QUERY_SESSION == 1 << STREAM_SESSION &&
                  QUERY_NOTICE == 1 << STREAM_NOTICE && QUERY_SOFTWARE == 1 << STREAM_SOFTWARE &&
                  QUERY_STATS == 1 << STREAM_STATS && QUERY_ENTRY == 1 << STREAM_ENTRY,
              "a set of streams has a bit for each index");

static const struct place places[] = {
#define PLACE(stream, field, use, path) {STREAM_##stream, QUERY_FIELD_##field, PLACE_##use, path},
#include "store/places.def"
#undef PLACE
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
} anywhere[] = {
#define ANY_OF(stream, field) {STREAM_##stream, QUERY_FIELD_##field},
#include "store/places.def"
#undef ANY_OF
};

enum { MORE, ONLY };
static const struct {
    enum stream_index stream;
    enum query_field_index field;
    struct place_words words;
} columns[] = {
#define WORDS_IN(stream, field, column, how) {STREAM_##stream, QUERY_FIELD_##field, {column, how}},
#include "store/places.def"
#undef WORDS_IN
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
    enum find_kind kind;
} keys[] = {
#define KEY_OF(stream, field, kind) {STREAM_##stream, QUERY_FIELD_##field, kind},
#include "store/places.def"
#undef KEY_OF
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
    enum find_kind kind;
} ats[] = {
#define AT_OF(stream, field, kind) {STREAM_##stream, QUERY_FIELD_##field, kind},
#include "store/places.def"
#undef AT_OF
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
} told[] = {
#define TOLD_OF(stream, field) {STREAM_##stream, QUERY_FIELD_##field},
#include "store/places.def"
#undef TOLD_OF
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const struct place *place_of(enum stream_index stream, enum query_field_index field, unsigned use, size_t i)
{
    for (size_t at = 0; at < COUNT(places); at++)
        if (places[at].stream == stream && places[at].field == field && places[at].use & use && !i--)
            return &places[at];
    return NULL;
}

enum query_field_index place_any(enum stream_index stream, size_t i)
{
    for (size_t at = 0; at < COUNT(anywhere); at++)
        if (anywhere[at].stream == stream && !i--)
            return anywhere[at].field;
    return QUERY_FIELDS;
}

struct place_words place_words(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(columns); at++)
        if (columns[at].stream == stream && columns[at].field == field)
            return columns[at].words;
    return (struct place_words){NULL, false};
}

enum find_kind place_key(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(keys); at++)
        if (keys[at].stream == stream && keys[at].field == field)
            return keys[at].kind;
    return (enum find_kind)0;
}

enum find_kind place_at(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(ats); at++)
        if (ats[at].stream == stream && ats[at].field == field)
            return ats[at].kind;
    return (enum find_kind)0;
}

bool place_is_told(enum stream_index stream, enum query_field_index field)
{
    for (size_t at = 0; at < COUNT(told); at++)
        if (told[at].stream == stream && told[at].field == field)
            return true;
    return false;
}

struct slice place_column(const struct place *p)
{
    return (struct slice){(const uint8_t *)p->path, strcspn(p->path, ".[{#")};
}
