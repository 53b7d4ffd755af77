/* A line of JSON, as the json sink prints records, as a row. */
#ifndef VIEW_LINE_ROW_H
#define VIEW_LINE_ROW_H

#include <time.h>
#include "view/reader.h"

/* What a line begins with. */
struct line_head {
    enum stream_index stream; /* STREAM_ENTRY: of a script, or of somebody else */
    bool written;             /* it says when it was written: _write_ts */
    bool timed;               /* `time` is known */
    struct timespec time;     /* _write_ts, else ts */
};

/* False: it does not begin as such a line does. Nothing behind the head is looked at. */
bool line_head_of(struct slice line, struct line_head *ret);

struct line_row; /* memory of the latest line */

struct line_row *line_row_new(void);
void line_row_free(struct line_row **r);
/* Takes a line apart, without its end; it and the row live until the next call. The row's id is its time in
 * microseconds: _write_ts, else ts. NULL: it is no line of a stream with fields of its own, or has a value
 * that its field cannot have. Names that no field has are passed over; of one that comes twice the last value
 * counts. */
const struct reader_row *line_row_take(struct line_row *r, struct slice line);

#endif
