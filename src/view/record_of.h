/* A row back to the record that it was, for who prints records. */
#ifndef VIEW_RECORD_OF_H
#define VIEW_RECORD_OF_H

#include "record/record.h"
#include "view/reader.h"

struct record_of; /* memory of the latest record */

struct record_of *record_of_new(void);
void record_of_free(struct record_of **r);
/* Fills a record, which lives until the next call, with the fields that the row has. False: it is of a stream
 * without fields (of a script), or does not hold what its fields can be. */
bool record_of_row(struct record_of *r, enum stream_index stream, const struct reader_row *row,
                   struct record *ret);

#endif
