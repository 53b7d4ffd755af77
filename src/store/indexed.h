/* What the index of a day file knows of the fields of a query: the table indexed.def. */
#ifndef STORE_INDEXED_H
#define STORE_INDEXED_H

#include "query/query.h"
#include "record/field.h"
#include "store/find.h"

struct indexed_words {
    const char *column; /* of find, as MATCH wants it before the colon; NULL: none has them */
    bool only;          /* nothing else is in it */
};

struct indexed_words indexed_words(enum stream_index stream, enum query_field_index field);
/* 0: there are no tokens of it. */
enum find_kind indexed_key(enum stream_index stream, enum query_field_index field);
/* The kind of tokens that the domains of its addresses are, see find_key_at; 0: none. */
enum find_kind indexed_at(enum stream_index stream, enum query_field_index field);
/* Does a token FIND_HAS say that it has a value? */
bool indexed_told(enum stream_index stream, enum query_field_index field);

#endif
