/* A column under construction, as FORMAT Native wants it. */
#ifndef CLICKHOUSE_CELLS_H
#define CLICKHOUSE_CELLS_H

#include "clickhouse/table.h"
#include "sink/line.h"

struct cells_mark {
    size_t data, rows;
    uint64_t items;
};

/* Rows that got nothing have nothing yet: whoever comes next, or cells_native, gives them their 0, '' or [].
 */
struct cells {
    enum chtype type;
    struct line head; /* its name and type */
    struct line data; /* values; of lists those of all rows, one after another */
    struct line ends; /* of lists: how many items there are up to each row's end */
    uint64_t items;   /* of lists */
    size_t rows;      /* that have theirs */
    size_t row;       /* the last that got anything, from 1; 0: none did */
    struct cells_mark before;
};

void cells_init(struct cells *c, const struct chcolumn *column);
void cells_free(struct cells *c);
/* Empties it, and keeps its memory, unless little of that was used. */
void cells_clear(struct cells *c);
/* Gives row `row` (from 0, never less than before) a value, or of lists one more. False: a column of single
 * values has one for that row; nothing was done. Texts are of any length; numbers are cut to their type. */
bool cells_text(struct cells *c, size_t row, struct slice text);
bool cells_number(struct cells *c, size_t row, uint64_t v);
bool cells_real(struct cells *c, size_t row, double v);
/* Takes back what that row got. */
void cells_undo(struct cells *c, size_t row);
/* Adds the column with that many rows to a block. */
void cells_native(struct cells *c, size_t rows, struct line *out);
/* How Native begins a text, and how it counts: 7 bits a byte, the lowest first. */
void cells_count(struct line *out, uint64_t v);

#endif
