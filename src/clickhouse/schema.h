/* Records in tables of ClickHouse: how they are made. */
#ifndef CLICKHOUSE_SCHEMA_H
#define CLICKHOUSE_SCHEMA_H

#include <stdio.h>
#include "clickhouse/table.h"
#include "sink/line.h"

struct clickhouse_form {
    const char *cluster;  /* a table is one of each server and one over all of them; NULL: one alone */
    const char *database; /* of those; with a cluster only */
    bool modern;          /* for servers of our time */
};

/* Adds the CREATE of a table, without an end; with a cluster the one of each server, or, `over`, of all. */
void clickhouse_create(const struct stream *s, const struct clickhouse_form *form, bool over,
                       struct line *out);
/* What `mailtap schema --clickhouse` prints. */
void clickhouse_print(FILE *out, const struct clickhouse_form *form);
/* Whether it may be the name of a cluster or database: letters, digits and _, no digit first, up to 64. */
bool clickhouse_name_fits(struct slice name);
/* A column as CREATE and ALTER want it. */
void clickhouse_column(const struct chcolumn *c, struct line *out);

#endif
