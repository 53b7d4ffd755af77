/* A value of a row as the json sink prints it. */
#ifndef VIEW_ROW_H
#define VIEW_ROW_H

#include "sink/line.h"
#include "view/columns.h"
#include "view/reader.h"

/* Adds it, without its key; null where it is absent. What is no JSON where JSON should be, of a store that
 * somebody else made, is a text. */
void row_value_json(const struct column *c, const struct reader_value *v, struct line *out);

#endif
