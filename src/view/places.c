/* places.c: the table of where a store has what a query asks for.
 * In: streams, fields. Out: rows of the table. Owns: nothing. */
#include "view/places.h"

#include <assert.h>

static_assert(QUERY_SMTP == 1 << STREAM_SMTP && QUERY_SESSION == 1 << STREAM_SESSION &&
                  QUERY_NOTICE == 1 << STREAM_NOTICE && QUERY_SOFTWARE == 1 << STREAM_SOFTWARE &&
                  QUERY_STATS == 1 << STREAM_STATS && QUERY_ENTRY == 1 << STREAM_ENTRY,
              "a set of streams has a bit for each index");

static const struct place places[] = {
#define PLACE(stream, field, use, path) {STREAM_##stream, QUERY_FIELD_##field, PLACE_##use, path},
#include "view/places.def"
#undef PLACE
};

static const struct {
    enum stream_index stream;
    enum query_field_index field;
} anywhere[] = {
#define ANY_OF(stream, field) {STREAM_##stream, QUERY_FIELD_##field},
#include "view/places.def"
#undef ANY_OF
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

const struct place *place_of(enum stream_index stream, enum query_field_index field, unsigned use, size_t i)
{
    for (size_t at = 0; at < COUNT(places); at++)
        if (places[at].stream == stream && places[at].field == field && places[at].use & use && !i--)
            return &places[at];
    return NULL;
}

unsigned place_use_of(const struct query_term *t)
{
    switch ((int)t->match) {
    case QUERY_HAS_WORDS:
    case QUERY_HAS_START:
        return PLACE_WORDS;
    case QUERY_INSIDE:
        return PLACE_NET;
    case QUERY_IS_THERE:
        return PLACE_BOTH | PLACE_NET;
    default:
        return PLACE_VALUE;
    }
}

enum query_field_index place_any(enum stream_index stream, size_t i)
{
    for (size_t at = 0; at < COUNT(anywhere); at++)
        if (anywhere[at].stream == stream && !i--)
            return anywhere[at].field;
    return QUERY_FIELDS;
}

struct slice place_column(const struct place *p)
{
    return (struct slice){(const uint8_t *)p->path, strcspn(p->path, ".[{#")};
}
