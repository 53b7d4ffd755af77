/* clickhouse.c: batches into tables of ClickHouse, by HTTP.
 * In: batches of the outbox. Out: rows in the tables of their streams, which it makes where they are missing,
 * as it does columns. Owns: the connection. Limits: the settings'. Knowingly: a
 * table over a cluster is not touched, its makers have to add columns; a batch of which a part arrived is
 * sent again as a whole, and the tables' keys make one of both. Spec: the HTTP interface of ClickHouse 18.16.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/clickhouse.h"
#include "clickhouse/rows.h"
#include "clickhouse/schema.h"
#include "clickhouse/server.h"
#include "record/record.h"

enum { PIECE = 1 << 18 };

struct clickhouse {
    const struct carrier_settings *set;
    struct chserver *server;
    struct clickrows *rows;
    z_stream deflate;
    struct line body;
    char options[256]; /* settings of an INSERT that this server knows */
    bool ready;
    bool told[STREAMS]; /* that columns are missing */
    /* Of the batch under way. */
    double until;
    struct slice lines; /* that are no rows yet */
    size_t given;       /* bytes of the rows of smtp */
    bool bad;           /* a line is no record */
    struct error why;
};

static struct chserver_settings server_of(const struct carrier_settings *set)
{
    return (struct chserver_settings){.url = set->url, .user = set->user, .ca_file = set->ca_file};
}

static int check(const struct carrier_settings *set, struct error *reterr)
{
    const struct chserver_settings server = server_of(set);
    return chserver_check(&server, set->password_file, reterr);
}

/* Makes rows of lines, until there are `most` bytes of the mails', or no line is left. False: one is none. */
static bool convert(struct clickhouse *c, size_t most)
{
    while (c->lines.len && !c->bad && clickrows_of(c->rows, STREAM_SMTP).len < most) {
        size_t end = slice_index(c->lines, '\n');
        c->bad = clickrows_add(c->rows, slice_sub(c->lines, 0, end), &c->why) < 0;
        c->lines = slice_sub(c->lines, end + 1, c->lines.len);
    }
    return !c->bad;
}

/* The rows of mails, made while the server reads those before them. */
static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct clickhouse *c = arg;
    if (c->given == clickrows_of(c->rows, STREAM_SMTP).len) {
        clickrows_drop(c->rows, STREAM_SMTP);
        c->given = 0;
        if (!convert(c, PIECE))
            return CURL_READFUNC_ABORT;
    }
    struct slice piece = slice_sub(clickrows_of(c->rows, STREAM_SMTP), c->given, c->given + size * n);
    if (piece.len)
        memcpy(to, piece.data, piece.len);
    c->given += piece.len;
    return piece.len;
}

static int open_clickhouse(const struct carrier_settings *set, const char *password, void **ret,
                           struct error *reterr)
{
    const struct chserver_settings server = server_of(set);
    struct chserver *s = NULL;
    int err = chserver_open(&server, password, &s, reterr);
    if (err < 0)
        return err;
    struct clickhouse *c = calloc(1, sizeof *c);
    memory_check(c);
    c->set = set;
    c->server = s;
    c->rows = clickrows_new(set->sensor);
    /* The server reads faster than a better compression is made. */
    if (deflateInit2(&c->deflate, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        memory_out();
    *ret = c;
    return 0;
}

static void close_clickhouse(void *ctx)
{
    struct clickhouse *c = ctx;
    chserver_close(&c->server);
    deflateEnd(&c->deflate);
    line_free(&c->body);
    clickrows_free(c->rows);
    free(c);
}

/* In pieces, `give` has the body. */
static enum carried ask(struct clickhouse *c, const char *more, enum chserver_how how, struct slice body,
                        struct error *reterr)
{
    const struct chserver_request request = {
        .more = more, .how = how, .body = body, .give = give, .ctx = c, .until = c->until};
    switch (chserver_ask(c->server, &request, reterr)) {
    case CHSERVER_DONE:
        return CARRIED;
    case CHSERVER_ROW:
        return CARRY_REFUSED;
    case CHSERVER_FAILED:
    case CHSERVER_ENOUGH:
        break;
    }
    return CARRY_AGAIN;
}

static enum carried run(struct clickhouse *c, bool inside, struct slice sql, struct error *reterr)
{
    char more[128] = "";
    if (inside)
        snprintf(more, sizeof more, "database=%s", chserver_database(c->server));
    enum carried how = ask(c, more, CHSERVER_PLAIN, sql, reterr);
    return how == CARRY_REFUSED ? CARRY_AGAIN : how;
}

/* A line of the answer that begins so: what stands behind, up to LF; NULL data where there is none. */
static struct slice fact(struct slice facts, const char *begin)
{
    size_t len = strlen(begin);
    while (facts.len) {
        size_t end = slice_index(facts, '\n');
        struct slice line = slice_sub(facts, 0, end);
        if (line.len >= len && memcmp(line.data, begin, len) == 0)
            return slice_sub(line, len, line.len);
        facts = slice_sub(facts, end + 1, facts.len);
    }
    return (struct slice){0};
}

struct lack {
    struct slice facts;
    const char *table;
    struct line alter; /* empty: nothing lacks */
};

static void look_for(void *ctx, const char *name, const char *type)
{
    struct lack *l = ctx;
    char wanted[128];
    snprintf(wanted, sizeof wanted, "c\t%s\t%s\t", l->table, name);
    if (fact(l->facts, wanted).data)
        return;
    if (!l->alter.len)
        line_printf(&l->alter, "ALTER TABLE `%s`", l->table);
    line_printf(&l->alter, "%s ADD COLUMN `%s` %s", l->alter.data[l->alter.len - 1] == '`' ? "" : ",", name,
                type);
}

static enum carried add_columns(struct clickhouse *c, const struct stream *s, struct slice facts,
                                struct slice engine, struct error *reterr)
{
    struct lack lack = {.facts = facts, .table = clickhouse_table(s)};
    enum carried how = CARRIED;
    clickhouse_columns(s, false, look_for, &lack);
    bool apart = slice_find(engine, "MergeTree") == engine.len;
    if (lack.alter.len && apart && !c->told[s->index])
        fprintf(stderr,
                "mailtap: %s: table %s lacks columns, and is of no kind that is mended from here: %.*s\n",
                c->set->url, lack.table, (int)lack.alter.len, (const char *)lack.alter.data);
    c->told[s->index] |= lack.alter.len && apart;
    if (lack.alter.len && !apart) {
        how = run(c, true, line_slice(&lack.alter), reterr);
        /* Another sensor was faster. */
        struct slice said = chserver_answer(c->server);
        if (how != CARRIED && slice_find(said, "already exist") < said.len)
            how = CARRIED;
    }
    line_free(&lack.alter);
    return how;
}

static const char *const insert_settings[][2] = {
    {"input_format_skip_unknown_fields", "1"},
    {"insert_distributed_sync", "1"},
    {"max_partitions_per_insert_block", "0"},
    {"async_insert", "0"},
};

/* All that has to be known of the server, as lines "kind, name, more". */
static enum carried look(struct clickhouse *c, struct line *facts, struct error *reterr)
{
    struct line sql = {0};
    const char *db = chserver_database(c->server);
    line_printf(&sql,
                "SELECT 'd', name, '', '' FROM system.databases WHERE name = '%s' UNION ALL SELECT 't', "
                "name, engine, '' FROM "
                "system.tables WHERE database = '%s' UNION ALL SELECT 'c', table, name, '' FROM "
                "system.columns WHERE database = "
                "'%s' AND table IN ('smtp', 'smtp_session', 'notice', 'software', 'stats', 'entry') UNION "
                "ALL SELECT 's', name, "
                "'', '' FROM system.settings WHERE name LIKE '%%insert%%' OR name LIKE 'input_format%%' "
                "FORMAT TabSeparated",
                db, db, db);
    enum carried how = run(c, false, line_slice(&sql), reterr);
    if (how == CARRIED)
        line_add(facts, chserver_answer(c->server));
    line_free(&sql);
    return how;
}

static void choose_options(struct clickhouse *c, struct slice facts)
{
    size_t n = 0;
    char wanted[64];
    *c->options = '\0';
    for (size_t i = 0; i < sizeof insert_settings / sizeof *insert_settings; i++) {
        snprintf(wanted, sizeof wanted, "s\t%s\t", insert_settings[i][0]);
        if (fact(facts, wanted).data)
            n += (size_t)snprintf(c->options + n, sizeof c->options - n, "&%s=%s", insert_settings[i][0],
                                  insert_settings[i][1]);
    }
}

/* Makes what is missing. */
static enum carried prepare(struct clickhouse *c, struct error *reterr)
{
    struct line facts = {0}, sql = {0};
    char wanted[128];
    enum carried how = look(c, &facts, reterr);
    struct slice known = line_slice(&facts);
    choose_options(c, known);
    snprintf(wanted, sizeof wanted, "d\t%s\t", chserver_database(c->server));
    if (how == CARRIED && !fact(known, wanted).data) {
        line_printf(&sql, "CREATE DATABASE IF NOT EXISTS `%s`", chserver_database(c->server));
        how = run(c, false, line_slice(&sql), reterr);
    }
    for (size_t i = 0; i < STREAMS && how == CARRIED; i++) {
        const struct stream *s = stream_table[i];
        snprintf(wanted, sizeof wanted, "t\t%s\t", clickhouse_table(s));
        struct slice engine = fact(known, wanted);
        if (engine.data) {
            how = add_columns(c, s, known, engine, reterr);
            continue;
        }
        line_clear(&sql);
        clickhouse_create(s, &(struct clickhouse_form){0}, false, &sql);
        how = run(c, true, line_slice(&sql), reterr);
    }
    line_free(&sql);
    line_free(&facts);
    c->ready = how == CARRIED;
    return how;
}

static void pack(struct clickhouse *c, struct slice rows)
{
    z_stream *z = &c->deflate;
    deflateReset(z);
    line_clear(&c->body);
    size_t room = deflateBound(z, rows.len);
    z->next_in = (uint8_t *)rows.data;
    z->avail_in = (unsigned)rows.len;
    z->next_out = line_room(&c->body, room);
    z->avail_out = (unsigned)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        memory_out();
    c->body.len = room - z->avail_out;
}

static enum carried insert(struct clickhouse *c, const struct stream *s, struct error *reterr)
{
    struct slice rows = clickrows_of(c->rows, s->index);
    char more[512];
    if (!rows.len)
        return CARRIED;
    enum chserver_how how = !chserver_is_here(c->server) ? CHSERVER_PACKED
                            : s->index == STREAM_SMTP    ? CHSERVER_PIECES
                                                         : CHSERVER_PLAIN;
    if (how == CHSERVER_PACKED)
        pack(c, rows);
    snprintf(more, sizeof more, "database=%s%s&query=INSERT%%20INTO%%20%s%%20FORMAT%%20JSONEachRow",
             chserver_database(c->server), c->options, clickhouse_table(s));
    return ask(c, more, how, how == CHSERVER_PACKED ? line_slice(&c->body) : rows, reterr);
}

static enum carried send_batch(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct clickhouse *c = ctx;
    c->until = now_monotonic() + c->set->timeout;
    c->lines = batch->lines;
    c->given = 0;
    c->bad = false;
    clickrows_clear(c->rows);
    enum carried how = c->ready ? CARRIED : prepare(c, reterr);
    if (how == CARRIED)
        convert(c, chserver_is_here(c->server) ? PIECE : SIZE_MAX);
    for (size_t i = 0; i < STREAMS && how == CARRIED && !c->bad; i++)
        how = insert(c, stream_table[i], reterr);
    if (c->bad) {
        *reterr = c->why;
        return CARRY_REFUSED;
    }
    c->ready &= how != CARRY_AGAIN;
    return how;
}

const struct carrier_ops carrier_clickhouse = {.scheme = "clickhouse",
                                               .summary = "tables of ClickHouse, by HTTP",
                                               .check = check,
                                               .open = open_clickhouse,
                                               .send = send_batch,
                                               .close = close_clickhouse,
                                               .port = CHSERVER_PORT,
                                               .json_only = true};
const struct carrier_ops carrier_clickhouses = {.scheme = "clickhouses",
                                                .summary = "tables of ClickHouse, by HTTPS",
                                                .check = check,
                                                .open = open_clickhouse,
                                                .send = send_batch,
                                                .close = close_clickhouse,
                                                .port = CHSERVER_PORT_TLS,
                                                .json_only = true};
