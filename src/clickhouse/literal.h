/* Values in the text of SQL for ClickHouse: the one place where they become part of it. */
#ifndef CLICKHOUSE_LITERAL_H
#define CLICKHOUSE_LITERAL_H

#include "sink/line.h"

/* Adds a text as a literal of SQL, with its quotation marks: what the server reads is these very bytes,
 * whatever they are. */
void literal_text(struct line *out, struct slice text);

#endif
