/* Rows in the format that was asked for: JSON, CSV (RFC 4180) or NDJSON, of the same cells. */
#ifndef WEB_TABLE_H
#define WEB_TABLE_H

#include "web/answer.h"
#include "web/request.h"

enum { TABLE_COLUMNS = 128 };

/* As the choices of `format` stand in route.def. */
enum format { FORMAT_JSON, FORMAT_CSV, FORMAT_NDJSON };

struct table {
    struct answer *a;
    enum format format;
    const char *stream; /* whose records' fields the columns are; NULL: none's */
    const char *const *columns;
    size_t count, at; /* the next cell */
    bool open;        /* a row is */
};

/* What stands behind the rows: in JSON beside the list, else as headers X-Mailtap-Next, -Complete,
 * -Searched-To, which an answer in pieces cannot have any more. */
struct table_end {
    bool pages;    /* next is told: "next":"ID" or null */
    uint64_t next; /* 0: none */
    bool searches; /* these two are told */
    bool complete;
    double searched_to;
};

/* Begins {"member":[ in JSON; CSV has a line of the columns' names. `columns` is the caller's and lives until
 * table_close. The format is the request's parameter `format`, JSON where it has none. */
void table_open(struct table *t, struct answer *a, const struct request *r, const char *stream,
                const char *member, const char *const *columns, size_t count);
/* Begins a row. False: as answer_flows. */
bool table_row(struct table *t);
/* The next cell. Cells that are absent do not stand in JSON. */
void table_text(struct table *t, struct slice text);
void table_count(struct table *t, uint64_t v);
void table_number(struct table *t, double v);
void table_seconds(struct table *t, double v);
void table_id(struct table *t, uint64_t id);
void table_flag(struct table *t, bool v);
void table_raw(struct table *t, struct slice json); /* as the store has it; absent where data is NULL */
void table_absent(struct table *t);
/* A row that is a whole record. Not for CSV, whose columns must be known: use cells. False: as answer_flows.
 */
bool table_record(struct table *t, uint64_t id, struct slice line);
/* Ends the list. In JSON the object stays open for more members where `more` is set; say_end() ends it. */
void table_close(struct table *t, const struct table_end *end, bool more);

#endif
