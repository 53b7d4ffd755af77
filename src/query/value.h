/* Values as people write them in a query; inside of query/. */
#ifndef QUERY_VALUE_H
#define QUERY_VALUE_H

#include "base/arena.h"
#include "query/query.h"

/* "10M", "1.5 GiB", "300": bytes. */
bool query_value_size(struct slice text, int64_t *ret);
/* "5m", "1.5", "250ms": seconds. */
bool query_value_seconds(struct slice text, double *ret);

struct value_given {
    struct slice text; /* not empty; without quotes and escapes */
    bool quoted;
};

struct query_country {
    const char *code, *name; /* "DE", "Germany" */
};
/* The country that a text names, with a slip or two in a long name; NULL: none. "UK" is a name. */
const struct query_country *query_value_country(struct slice text);

/* Fills the term's match and what goes with it, by the kind of its field. 0, or -EINVAL with the text and
 * nearest name of *reterr; its place is the caller's. Texts live in `mem` or in `given`. */
int query_value_read(struct value_given given, const struct query_options *opt, struct arena *mem,
                     struct query_term *term, struct query_error *reterr);

#endif
