/* A query as SQL: what the index is asked, and the conditions on the columns. Values are bound, never text of
 * it. */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include <sqlite3.h>
#include "query/query.h"
#include "sink/line.h"
#include "view/columns.h"
#include "store/compare.h"

/* Values for the signs ? of a text of SQL, in their order. Texts are borrowed. */
struct binds {
    struct bind *items;
    size_t count, room;
};
void binds_integer(struct binds *b, int64_t v);
void binds_real(struct binds *b, double v);
void binds_text(struct binds *b, struct slice text);
/* To a statement, from its first on. Returns a code of SQLite's. */
int binds_apply(const struct binds *b, sqlite3_stmt *stmt);
/* Adds them as a person reads them, with blanks between. */
void binds_print(const struct binds *b, struct line *out);
void binds_free(struct binds *b);

/* The columns that a file's table has: bit i for column i of its stream, as a file of another version may
 * lack some. */
struct ask_table {
    enum stream_index stream;
    const struct columns *columns; /* NULL for STREAM_ENTRY */
    const bool *present;           /* an item a column; NULL: all are there */
    bool notices;                  /* the file has a table of notices */
};

/* Adds a condition that is true of the rows (of the table called r) that the query finds; "1" where it finds
 * all. */
void ask_where(const struct ask_table *table, const struct query_node *root, struct line *out,
               struct binds *binds);
/* Adds expressions, with commas between, that call a function with each value that a field has in a row;
 * `call` is its begin, "tally(3, ". False: the field names no values in that stream; nothing was added. */
bool ask_values(const struct ask_table *table, enum query_field_index field, const char *call,
                struct line *out);

struct ask_bounds {
    int64_t from, to; /* ids: from <= id <= to; none where from > to */
};
/* What a query says of ids for all of what it finds. */
struct ask_bounds ask_bounds(const struct query_node *root);

enum ask_narrow {
    ASK_ALL,    /* the index cannot help: nothing was added */
    ASK_SOME,   /* what it finds holds what the query finds; the rows have to be looked at */
    ASK_EXACTLY /* it finds just that, but for ids out of ask_bounds, and mails with the token of FIND_CUT */
};
/* Adds the expression for MATCH. */
enum ask_narrow ask_match(struct compare *c, enum stream_index stream, const struct query_node *root,
                          struct line *out);

#endif
