/* The parts of rows under construction, for the files that make them. */
#ifndef CLICKHOUSE_ROWS_PARTS_H
#define CLICKHOUSE_ROWS_PARTS_H

#include "base/error.h"
#include "clickhouse/cells.h"
#include "clickhouse/scan.h"

enum { ROW_FIELDS = 128, ROW_NO_COLUMN = SIZE_MAX };

/* A key that is wanted of what lies inside of a field. */
struct pick {
    struct slice key;
    struct pick *first, *next; /* keys inside of it; the next one beside it */
    size_t column;             /* that its values go to, or ROW_NO_COLUMN */
    struct slice got;          /* the last value as JSON has it, of the object at hand; or none */
    bool edge;                 /* each object in it is an edge of the mail's way */
};

/* Whose values are needed for the keys of mails. */
struct row_mail {
    size_t orig, resp, helo, mailfrom, rcptto, disposition, reply, agent, hops; /* fields */
    struct pick *code, *enhanced, *stage, *name;
    struct pick *rdns, *from_helo, *from_ip, *by, *by_ip, *delay;
};

struct rowtable {
    const struct chtable *columns;
    struct cells *cells;          /* by column */
    size_t computed[CHCOMPUTEDS]; /* columns */
    size_t fields;                /* column of the first field */
    struct pick *roots;           /* by field */
    struct pick *nodes;           /* all that lie inside */
    size_t node_count;
    uint64_t always[ROW_FIELDS / 64]; /* fields that all records have, as bits */
    struct row_mail mail;
    size_t rows;
};

/* One row. Not all of it is set at its begin. */
struct row {
    struct rowtable *t;
    size_t at;
    uint64_t seen[ROW_FIELDS / 64]; /* fields, as bits */
    size_t edges;
    struct slice newest;            /* `by` of the first edge, as JSON has it */
    struct slice texts[ROW_FIELDS]; /* of fields that are texts, as JSON has them; of those seen */
    struct line *rooms;             /* ROW_ROOMS, for texts */
    struct error *err;
};
enum { ROW_ROOMS = 5 };

static inline struct cells *row_cells(const struct row *row, enum chcomputed which)
{
    return &row->t->cells[row->t->computed[which]];
}
static inline bool row_has(const struct row *row, size_t field)
{
    return row->seen[field / 64] >> field % 64 & 1;
}
/* Its column has what stands for none, but it is a value. */
void row_note_empty(struct row *row, size_t column);

/* Wants what the columns of a table lie at, and what keys of mails need. */
void pick_begin(struct rowtable *t);
/* Takes any value, and out of it what `node` wants. `depth` are those around it. False: it is no JSON. */
bool pick_walk(struct row *row, struct scan *s, struct pick *node, unsigned depth);

/* Which fields and keys they are made of. */
void keys_begin(struct rowtable *t);
/* An object of hops was taken. */
void keys_edge(struct row *row);
/* A row of smtp is complete, but for its keys. */
void keys_end(struct row *row);

#endif
