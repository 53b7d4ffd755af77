/* Where a store has what a query asks for: the table places.def. */
#ifndef STORE_PLACES_H
#define STORE_PLACES_H

#include "query/query.h"
#include "record/field.h"
#include "store/find.h"

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

struct place_words {
    const char *column; /* of find, as MATCH wants it before the colon; NULL: none has them */
    bool only;          /* nothing else is in it */
};

/* Place `i` of a field that may be used in one of these ways; NULL behind the last. */
const struct place *place_of(enum stream_index stream, enum query_field_index field, unsigned use, size_t i);
/* Field `i` that terms without one look at; QUERY_FIELDS behind the last. */
enum query_field_index place_any(enum stream_index stream, size_t i);
struct place_words place_words(enum stream_index stream, enum query_field_index field);
/* 0: there are no tokens of it. */
enum find_kind place_key(enum stream_index stream, enum query_field_index field);
/* The kind of tokens that the domains of its addresses are, see find_key_at; 0: none. */
enum find_kind place_at(enum stream_index stream, enum query_field_index field);
/* Does a token FIND_HAS say that it has a value? */
bool place_is_told(enum stream_index stream, enum query_field_index field);
/* The column that a path begins with: bytes of it. */
struct slice place_column(const struct place *p);

#endif
