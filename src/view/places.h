/* Where a store has what a query asks for: the table places.def. */
#ifndef VIEW_PLACES_H
#define VIEW_PLACES_H

#include "query/query.h"
#include "record/field.h"

enum place_use {
    PLACE_WORDS = 1,
    PLACE_VALUE = 2,
    PLACE_BOTH = 3,
    PLACE_NET = 4,
    PLACE_NAMES = 8,
    PLACE_NAMED = 11
};

struct place {
    enum stream_index stream;
    enum query_field_index field;
    unsigned use;     /* enum place_use */
    const char *path; /* see places.def */
};

/* How a place must be usable for a term to look there. */
unsigned place_use_of(const struct query_term *t);
/* Place `i` of a field that may be used in one of these ways; NULL behind the last. */
const struct place *place_of(enum stream_index stream, enum query_field_index field, unsigned use, size_t i);
/* Field `i` that terms without one look at; QUERY_FIELDS behind the last. */
enum query_field_index place_any(enum stream_index stream, size_t i);
/* The column that a path begins with: bytes of it. */
struct slice place_column(const struct place *p);

#endif
