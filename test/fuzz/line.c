/* line.c: lines that claim to be records, as a bus may give them.
 *
 * What is read as a record prints as a line that is the same record again. */
#include "fuzz.h"
#include "sink/json.h"
#include "view/line_row.h"
#include "view/record_of.h"

/* False: it is no record. */
static bool print(struct slice line, struct line *out)
{
    static struct line_row *rows;
    static struct record_of *records;
    struct line_head head;
    struct record rec;
    rows = rows ? rows : line_row_new();
    records = records ? records : record_of_new();
    const struct reader_row *row = line_row_take(rows, line);
    if (!row || !line_head_of(line, &head) || !record_of_row(records, head.stream, row, &rec))
        return false;
    json_record(&rec, out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct line once = {0}, twice = {0};
    if (print((struct slice){data, size}, &once)) {
        bool again = print((struct slice){once.data, once.len - 1}, &twice);
        assert(again);
        expect_same(line_slice(&once), line_slice(&twice));
    }
    line_free(&once);
    line_free(&twice);
    return 0;
}
