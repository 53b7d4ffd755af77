/* Questions to a store of any kind, one after the other in one process, for tests that ask hundreds.
 *
 * usage: query-run FOLDER|clickhouse://HOST:PORT/DATABASE [WINDOW]   (struct chreader_settings)
 * On standard input: "STREAM rows|count newest|oldest LIMIT SECONDS BYTES" as a line, then so many bytes of
 * query; SECONDS are the deadline, or 0. On standard output: lines of rows, the id before each and a tab
 * between; then "= 0 COUNT more|all"; "= 3 ID" where the deadline ended it: that is searched_to; or "= CODE
 * what is wrong", where CODE 2 is a wrong query. */
#include <inttypes.h>
#include <stdlib.h>
#include "base/now.h"
#include "clickhouse/reader.h"
#include "record/record.h"
#include "store/open.h"

/* As many days as a test's store has: opened once, not for each question anew. */
enum { WORD = 32, FILES = 400 };

static int print_row(void *ctx, const struct reader_row *row)
{
    struct buf *out = ctx;
    buf_clear(out);
    buf_printf(out, "%" PRIu64 "\t", reader_row_id(row));
    reader_row_line(row, out);
    fwrite(out->data, 1, out->len, stdout);
    return 0;
}

static int open_store(const char *where, size_t window, struct reader **ret, struct error *err)
{
    const struct chreader_settings server = {.server = {.url = where}, .timeout = 30, .window = window};
    const struct store_settings folder = {.directory = where, .files = FILES};
    return strstr(where, "://") ? chreader_open(&server, ret, err) : store_open(&folder, ret, err);
}

static enum stream_index stream_of(const char *name)
{
    for (int i = 0; i < STREAMS; i++)
        if (i != STREAM_ENTRY && strcmp(name, stream_table[i]->path) == 0)
            return (enum stream_index)i;
    return STREAM_ENTRY;
}

/* The end of an answer is one line. */
static void say(int code, const char *text)
{
    printf("= %d ", code);
    for (; *text; text++)
        putchar((unsigned char)*text < ' ' ? ' ' : *text);
    putchar('\n');
}

static void answer(struct reader *r, const struct reader_question *q, bool rows, struct buf *out)
{
    struct reader_result res = {0};
    struct error err;
    int code = rows ? reader_find(r, q, print_row, out, &res, &err) : reader_count(r, q, &res, &err);
    if (code)
        say(1, err.text);
    else if (res.searched_to)
        printf("= 3 %" PRIu64 "\n", res.searched_to);
    else if (!res.complete)
        say(1, *res.problem ? res.problem : "incomplete");
    else
        printf("= 0 %" PRIu64 " %s\n", res.rows, res.more ? "more" : "all");
}

int main(int argc, char **argv)
{
    char stream[WORD], form[WORD], order[WORD];
    size_t limit, bytes;
    double seconds;
    struct reader *r = NULL;
    struct error err;
    struct buf out;
    if (argc < 2 || open_store(argv[1], argc > 2 ? strtoul(argv[2], NULL, 10) : 0, &r, &err) < 0) {
        fprintf(stderr, "query-run: %s\n", argc > 1 ? err.text : "wants a store");
        return 2;
    }
    buf_init(&out, SIZE_MAX);
    while (scanf("%31s %31s %31s %zu %lf %zu", stream, form, order, &limit, &seconds, &bytes) == 6 &&
           getchar() == '\n') {
        struct query *query = NULL;
        struct query_error wrong;
        char *text = malloc(bytes + 1);
        if (!text || fread(text, 1, bytes, stdin) != bytes)
            return 2;
        struct reader_question q = {
            .stream = stream_of(stream), .oldest_first = strcmp(order, "oldest") == 0, .limit = limit};
        const struct query_options opt = {1u << q.stream, now_wall()};
        if (query_parse((struct slice){(const uint8_t *)text, bytes}, &opt, &query, &wrong)) {
            say(2, wrong.text);
        } else {
            q.query = query;
            reader_deadline(r, seconds);
            answer(r, &q, strcmp(form, "rows") == 0, &out);
        }
        query_free(&query);
        free(text);
        fflush(stdout);
    }
    buf_free(&out);
    reader_close(&r);
    return 0;
}
