/* Records in tables of ClickHouse: what the tables are. */
#ifndef CLICKHOUSE_SCHEMA_H
#define CLICKHOUSE_SCHEMA_H

#include <stdio.h>
#include "record/field.h"
#include "sink/line.h"

enum { TAKEN_PATH = 3 };

enum taken_kind {
    TAKEN_TEXT,    /* the first that is there */
    TAKEN_NUMBER,  /* the same */
    TAKEN_DOMAIN,  /* what stands behind its last '@' */
    TAKEN_TEXTS,   /* all */
    TAKEN_DOMAINS, /* of all */
};

struct taken {
    enum stream_index stream;
    const char *column;
    enum taken_kind kind;
    const char *path;
};
extern const struct taken taken_table[]; /* ends with a column of NULL */

struct clickhouse_form {
    const char *cluster;  /* a table is one of each server and one over all of them; NULL: one alone */
    const char *database; /* of those; with a cluster only */
    bool modern;          /* for servers of our time */
};

/* The table's name; that of scripts' entries is "entry". */
const char *clickhouse_table(const struct stream *s);
/* Calls `each` with the columns of a table, in their order, and their types. */
void clickhouse_columns(const struct stream *s, bool modern,
                        void (*each)(void *ctx, const char *name, const char *type), void *ctx);
/* Adds the CREATE of a table, without an end; with a cluster the one of each server, or, `over`, of all. */
void clickhouse_create(const struct stream *s, const struct clickhouse_form *form, bool over,
                       struct line *out);
/* What `mailtap schema --clickhouse` prints. */
void clickhouse_print(FILE *out, const struct clickhouse_form *form);
/* Whether it may be the name of a cluster or database: letters, digits and _, no digit first, up to 64. */
bool clickhouse_name_fits(struct slice name);
/* A field's name as that of a column: dots become _. */
void clickhouse_column(const char *field, char ret[static FIELD_KEY + 1]);

#endif
