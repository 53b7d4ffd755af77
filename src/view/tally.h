/* Which values the rows of a question have most, counted row by row. */
#ifndef VIEW_TALLY_H
#define VIEW_TALLY_H

#include "view/reader.h"

struct tally;

/* Of these fields, which are borrowed, in the first `rows` rows. */
struct tally *tally_new(const enum query_field_index *fields, size_t field_count, uint64_t rows);
void tally_free(struct tally **t);
/* A value that field number `i` of them has in the row at hand; "" is none. Of a field yes or no it is "1" or
 * anything else. */
void tally_value(struct tally *t, size_t i, struct slice value);
/* The row at hand is over. */
void tally_row(struct tally *t);
/* Calls back with each field and up to `most` of its values; what that returned to end it, or 0. */
int tally_tell(const struct tally *t, size_t most, reader_facet_fn *take, void *ctx);

#endif
