/* query.c: texts that claim to be queries.
 *
 * What is wrong has a place inside of the text. What is right prints as a text that is the same query again,
 * and gives SQL and an expression for the index that SQLite takes, for every stream. */
#include "fuzz.h"
#include "store/ask.h"
#include "store/day.h"

static const struct timespec now = {1796022000, 0};

static struct query *parse(struct slice text, unsigned streams)
{
    const struct query_options opt = {streams, now};
    struct query_error err;
    struct query *q = NULL;
    if (query_parse(text, &opt, &q, &err) == 0)
        return q;
    assert(!q && err.text[0] && err.at <= text.len && err.len <= text.len - err.at);
    return NULL;
}

static void check_print(const struct query *q, unsigned streams)
{
    struct buf first, second;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    query_print(q, &first);
    struct query *again = parse(buf_slice(&first), streams);
    assert(again || first.len > QUERY_BYTES);
    if (again) {
        query_print(again, &second);
        expect_same(buf_slice(&first), buf_slice(&second));
        assert(again->terms == q->terms);
    }
    query_free(&again);
    buf_free(&first);
    buf_free(&second);
}

struct store {
    sqlite3 *db;
    struct compare *compare;
    struct columns columns[STREAM_ENTRY];
};

static struct store *store(void)
{
    static struct store s;
    struct error err;
    if (s.db)
        return &s;
    if (day_open("", 1 << 20, &s.db, &err) || compare_open(&s.compare, &err) ||
        compare_join(s.compare, s.db) != SQLITE_OK)
        abort();
    for (size_t i = 0; i < STREAM_ENTRY; i++)
        columns_of(stream_table[i], &s.columns[i]);
    sqlite3_exec(s.db,
                 "INSERT INTO smtp(id, subject, files, rcptto) VALUES(1, 'a b c', '[{\"name\":\"a.b\"}]', "
                 "'[\"a@b.c\"]');"
                 "INSERT INTO find(rowid, subject, key) VALUES(1, 'a b c', 'kt0')",
                 NULL, NULL, NULL);
    return &s;
}

static void run(sqlite3 *db, const struct line *sql, const struct binds *binds)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, (const char *)sql->data, (int)sql->len, &stmt, NULL);
    assert(code == SQLITE_OK);
    assert(binds_apply(binds, stmt) == SQLITE_OK);
    code = sqlite3_step(stmt);
    assert(code == SQLITE_ROW || code == SQLITE_DONE);
    sqlite3_finalize(stmt);
}

static void check_sql(const struct query *q, enum stream_index stream)
{
    struct store *s = store();
    const struct ask_table table = {stream, stream == STREAM_ENTRY ? NULL : &s->columns[stream], NULL, true};
    struct line sql = {0}, match = {0};
    struct binds binds = {0};
    line_printf(&sql, "SELECT r.id FROM %s AS r WHERE ",
                stream == STREAM_ENTRY ? "entry" : stream_table[stream]->path);
    ask_where(&table, q->root, &sql, &binds);
    run(s->db, &sql, &binds);
    binds_free(&binds);
    line_clear(&sql);
    if (ask_match(s->compare, stream, q->root, &match) != ASK_ALL) {
        line_str(&sql, "SELECT rowid FROM find WHERE find MATCH ?");
        binds_text(&binds, line_slice(&match));
        run(s->db, &sql, &binds);
    } else {
        assert(!match.len);
    }
    binds_free(&binds);
    line_free(&match);
    line_free(&sql);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int i = 0; i < STREAMS; i++) {
        struct query *q = parse((struct slice){data, size}, 1u << i);
        if (!q)
            continue;
        check_print(q, 1u << i);
        check_sql(q, (enum stream_index)i);
        query_free(&q);
    }
    struct query *q = parse((struct slice){data, size}, QUERY_ALL);
    if (q)
        check_print(q, QUERY_ALL);
    query_free(&q);
    return 0;
}
