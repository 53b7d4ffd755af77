/* Rows of records in answers: which fields, and as what. */
#ifndef WEB_API_ROWS_H
#define WEB_API_ROWS_H

#include "web/api.h"
#include "web/table.h"

/* The fields of an answer. Its table has their names, with "id" before them. */
struct rows {
    enum stream_index stream;
    size_t count;
    size_t fields[TABLE_COLUMNS - 1];
    const char *columns[TABLE_COLUMNS];
    struct buf cell;
};

/* What the parameter fields asks for: names between commas, "all", or where it is not given `usual`, which is
 * written the same. False: it is answered which name is wrong. */
bool rows_init(struct rows *rows, const struct request *r, struct answer *a, enum stream_index stream,
               const char *usual);
void rows_free(struct rows *rows);
/* Sets which fields a question looks at. */
void rows_ask(const struct rows *rows, struct reader_question *q);
/* Adds the row to a table with these columns. False: as answer_flows. */
bool rows_add(struct rows *rows, struct table *t, const struct reader_row *row);
/* The same as an object of a list in an answer that is none of a table's, still open, for more members. */
void rows_object(struct rows *rows, struct answer *a, const struct reader_row *row);

/* The fields of a mail in a list. */
extern const char rows_mail[];

#endif
