/* Which tables and columns a server has, as it may be of another version than we are. */
#ifndef CLICKHOUSE_TABLES_H
#define CLICKHOUSE_TABLES_H

#include "clickhouse/select.h"
#include "record/field.h"

struct tables;

struct tables *tables_new(void);
void tables_free(struct tables **t);
/* Asks for them, unless that is some seconds ago. 0, or as select_run; -ENOENT also where it has none of
 * them. */
int tables_refresh(struct tables *t, struct chserver *server, double until, struct error *reterr);
/* As if a server had just what we make. */
void tables_assume(struct tables *t);
/* There is a table of that stream, of the form that ids need. */
bool tables_has(const struct tables *t, enum stream_index stream);
/* Its type, as the server tells it; NULL: there is no such column. */
const char *tables_column(const struct tables *t, enum stream_index stream, struct slice name);
/* It is one over the tables of several servers. */
bool tables_is_over(const struct tables *t, enum stream_index stream);

#endif
