/* clickhouse.c: batches into tables of ClickHouse, by HTTP.
 * In: batches of the outbox. Out: rows in the tables of their streams, which it makes where they are missing,
 * as it does columns. Owns: the connection. Limits: the settings'. Knowingly: a
 * table over a cluster is not touched, its makers have to add columns; a batch of which a part arrived is
 * sent again as a whole, and the tables' keys make one of both. Spec: the HTTP interface of ClickHouse 18.16.
 */
#include <curl/curl.h>
#include <assert.h>
#include <errno.h>
#include <lz4.h>
#include <pthread.h>
#include <stdlib.h>
#include <xxhash.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/clickhouse.h"
#include "clickhouse/rows.h"
#include "clickhouse/schema.h"
#include "clickhouse/server.h"
#include "record/record.h"

/* Those of a batch. */
struct rows {
    struct clickrows *rows;
    struct slice of; /* the batch's lines; not to be read, as it may be gone */
    uint64_t hash;   /* of them */
};

struct clickhouse {
    const struct carrier_settings *set;
    struct chserver *server;
    struct rows batches[2], *now, *next;
    struct slice next_lines; /* what probably comes next */
    struct line block, packed;
    char options[256]; /* settings of an INSERT that this server knows */
    bool packs;        /* it reads what pack() makes */
    bool ready;
    bool wanted[STREAMS][CHTABLE_MOST];     /* columns */
    bool told[STREAMS], told_type[STREAMS]; /* that columns are missing, or of other types */
    /* Of the batch under way. */
    double until;
    enum carried how;
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
    c->now = &c->batches[0];
    c->next = &c->batches[1];
    c->now->rows = clickrows_new();
    c->next->rows = clickrows_new();
    *ret = c;
    return 0;
}

static void close_clickhouse(void *ctx)
{
    struct clickhouse *c = ctx;
    chserver_close(&c->server);
    line_free(&c->block);
    line_free(&c->packed);
    clickrows_free(c->now->rows);
    clickrows_free(c->next->rows);
    free(c);
}

static enum carried ask(struct clickhouse *c, const char *more, struct slice body, struct error *reterr)
{
    const struct chserver_request request = {.more = more, .body = body, .until = c->until};
    switch (chserver_ask(c->server, &request, reterr)) {
    case CHSERVER_DONE:
        return CARRIED;
    case CHSERVER_ROW:
        return CARRY_REFUSED;
    case CHSERVER_LATE:
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
    enum carried how = ask(c, more, sql, reterr);
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

static void add_columns_lacking(const struct chtable *t, struct slice facts, struct line *alter)
{
    char wanted[128];
    for (size_t i = 0; i < t->count; i++) {
        snprintf(wanted, sizeof wanted, "c\t%s\t%s\t", t->name, t->columns[i].name);
        if (fact(facts, wanted).data)
            continue;
        if (!alter->len)
            line_printf(alter, "ALTER TABLE `%s`", t->name);
        line_str(alter, alter->data[alter->len - 1] == '`' ? " ADD COLUMN " : ", ADD COLUMN ");
        clickhouse_column(&t->columns[i], alter);
    }
}

static enum carried add_columns(struct clickhouse *c, const struct chtable *t, struct slice facts,
                                struct slice engine, struct error *reterr)
{
    struct line alter = {0};
    enum carried how = CARRIED;
    enum stream_index index = t->stream->index;
    add_columns_lacking(t, facts, &alter);
    bool apart = slice_find(engine, "MergeTree") == engine.len;
    if (alter.len && apart && !c->told[index])
        fprintf(stderr,
                "mailtap: %s: table %s lacks columns, and is of no kind that is mended from here: %.*s\n",
                c->set->url, t->name, (int)alter.len, (const char *)alter.data);
    c->told[index] |= alter.len && apart;
    if (alter.len && !apart) {
        how = run(c, true, line_slice(&alter), reterr);
        /* Another sensor was faster. */
        struct slice said = chserver_answer(c->server);
        if (how != CARRIED && slice_find(said, "already exist") < said.len)
            how = CARRIED;
    }
    line_free(&alter);
    return how;
}

static const char *const insert_settings[][2] = {
    {"insert_distributed_sync", "1"},
    {"max_partitions_per_insert_block", "0"},
    {"async_insert", "0"},
};
#define UNCHECKED "http_native_compression_disable_checksumming_on_decompress"
static const char packing[] = "&decompress=1&" UNCHECKED "=1";

/* All that has to be known of the server, as lines "kind, name, more". */
static enum carried look(struct clickhouse *c, struct line *facts, struct error *reterr)
{
    struct line sql = {0};
    const char *db = chserver_database(c->server);
    line_printf(&sql,
                "SELECT 'd', name, '', '' FROM system.databases WHERE name = '%s' UNION ALL SELECT 't', "
                "name, engine, '' FROM "
                "system.tables WHERE database = '%s' UNION ALL SELECT 'c', table, name, if(default_kind IN "
                "('', 'DEFAULT'), type, default_kind) FROM system.columns WHERE database = "
                "'%s' AND table IN ('smtp', 'smtp_session', 'notice', 'software', 'stats', 'entry') UNION "
                "ALL SELECT 's', name, "
                "'', '' FROM system.settings WHERE name LIKE '%%insert%%' OR name LIKE 'http%%' "
                "FORMAT TabSeparatedRaw",
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
    c->packs = fact(facts, "s\t" UNCHECKED "\t").data;
    for (size_t i = 0; i < sizeof insert_settings / sizeof *insert_settings; i++) {
        snprintf(wanted, sizeof wanted, "s\t%s\t", insert_settings[i][0]);
        if (fact(facts, wanted).data)
            n += (size_t)snprintf(c->options + n, sizeof c->options - n, "&%s=%s", insert_settings[i][0],
                                  insert_settings[i][1]);
    }
}

/* A backlog takes much that is of no use behind it. */
static void empty(struct line *l)
{
    enum { KEPT = 1 << 20, FEW = 8 };
    if (l->room > KEPT && l->len < l->room / FEW)
        line_free(l);
    l->len = 0;
}

/* Which columns a table has in our form. A value of another type than the column's is nothing that a server
 * is sure to refuse: 18.16 may fall. So it gets none there. */
static void choose_columns(struct clickhouse *c, const struct chtable *t, struct slice facts)
{
    bool mends = false;
    char wanted[128];
    snprintf(wanted, sizeof wanted, "t\t%s\t", t->name);
    struct slice engine = fact(facts, wanted);
    mends = !engine.data || slice_find(engine, "MergeTree") < engine.len;
    for (size_t i = 0; i < t->count; i++) {
        snprintf(wanted, sizeof wanted, "c\t%s\t%s\t", t->name, t->columns[i].name);
        struct slice type = fact(facts, wanted);
        bool alias = t->columns[i].kind == CHCOLUMN_ALIAS;
        bool same = type.data && !alias && slice_eq(type, slice_str(chtype_name(t->columns[i].type)));
        c->wanted[t->stream->index][i] = type.data ? same : mends;
        if (type.data && !same && !alias && !c->told_type[t->stream->index])
            fprintf(stderr, "mailtap: %s: column %s of table %s is of type %.*s, not %s: it gets no values\n",
                    c->set->url, t->columns[i].name, t->name, (int)type.len, (const char *)type.data,
                    chtype_name(t->columns[i].type));
    }
    c->told_type[t->stream->index] = true;
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
        const struct chtable *t = chtable_of(i);
        snprintf(wanted, sizeof wanted, "t\t%s\t", t->name);
        struct slice engine = fact(known, wanted);
        choose_columns(c, t, known);
        if (engine.data) {
            how = add_columns(c, t, known, engine, reterr);
            continue;
        }
        line_clear(&sql);
        clickhouse_create(t->stream, &(struct clickhouse_form){0}, false, &sql);
        how = run(c, true, line_slice(&sql), reterr);
    }
    line_free(&sql);
    line_free(&facts);
    c->ready = how == CARRIED;
    return how;
}

static void put_number(uint8_t *to, size_t v)
{
    for (size_t i = 0; i < sizeof(uint32_t); i++)
        to[i] = (uint8_t)(v >> 8 * i);
}

/* Frames of LZ4, each with its sizes. Their checksums are left zero, which the server is told: TCP has its
 * own, and so has TLS. */
static void pack(struct clickhouse *c, struct slice rows)
{
    enum { FRAME = 1 << 20, SUM = 16, HEAD = 9, METHOD = 0x82 };
    empty(&c->packed);
    while (rows.len) {
        struct slice part = slice_sub(rows, 0, FRAME);
        int room = LZ4_compressBound((int)part.len);
        uint8_t *to = line_room(&c->packed, SUM + HEAD + (size_t)room);
        int len = LZ4_compress_default((const char *)part.data, (char *)to + SUM + HEAD, (int)part.len, room);
        assert(len > 0);
        memset(to, 0, SUM);
        to[SUM] = METHOD;
        put_number(to + SUM + 1, HEAD + (size_t)len);
        put_number(to + SUM + 1 + sizeof(uint32_t), part.len);
        c->packed.len += SUM + HEAD + (size_t)len;
        rows = slice_sub(rows, part.len, rows.len);
    }
}

/* The table is at fault, not a row: it changed since it was looked at. */
static bool is_of_table(unsigned code)
{
    enum { TYPE_MISMATCH = 53, CANNOT_CONVERT_TYPE = 70, INCORRECT_DATA = 117 };
    return code == TYPE_MISMATCH || code == CANNOT_CONVERT_TYPE || code == INCORRECT_DATA;
}

static enum carried insert(struct clickhouse *c, enum stream_index stream, struct error *reterr)
{
    char more[512];
    if (!clickrows_count(c->now->rows, stream))
        return CARRIED;
    empty(&c->block);
    clickrows_block(c->now->rows, stream, c->wanted[stream], &c->block);
    bool packed = c->packs && !chserver_is_here(c->server);
    if (packed)
        pack(c, line_slice(&c->block));
    snprintf(more, sizeof more, "database=%s%s%s&query=INSERT%%20INTO%%20%s%%20FORMAT%%20Native",
             chserver_database(c->server), c->options, packed ? packing : "", chtable_of(stream)->name);
    enum carried how = ask(c, more, line_slice(packed ? &c->packed : &c->block), reterr);
    return how == CARRY_REFUSED && is_of_table(chserver_code(c->server)) ? CARRY_AGAIN : how;
}

static void make_rows(struct rows *r, struct slice lines)
{
    clickrows_clear(r->rows);
    clickrows_take(r->rows, lines);
    r->of = lines;
    r->hash = XXH3_64bits(lines.data, lines.len);
}

/* By their bytes, as other lines may have come to the same place. */
static bool has_rows(const struct rows *r, struct slice lines)
{
    return lines.len && r->of.len == lines.len && r->of.data == lines.data &&
           r->hash == XXH3_64bits(lines.data, lines.len);
}

static void *insert_all(void *arg)
{
    struct clickhouse *c = arg;
    c->how = c->ready ? CARRIED : prepare(c, &c->why);
    for (size_t i = 0; i < STREAMS && c->how == CARRIED; i++)
        c->how = insert(c, i, &c->why);
    return NULL;
}

/* While the server has those of this batch, the rows of the next are made. */
static void insert_and_make(struct clickhouse *c)
{
    pthread_t thread;
    bool next = c->next_lines.len && !has_rows(c->next, c->next_lines);
    bool apart = next && pthread_create(&thread, NULL, insert_all, c) == 0;
    if (!apart)
        insert_all(c);
    if (apart) {
        make_rows(c->next, c->next_lines);
        pthread_join(thread, NULL);
    }
}

static void ahead(void *ctx, struct slice lines)
{
    struct clickhouse *c = ctx;
    c->next_lines = lines;
}

static enum carried send_batch(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct clickhouse *c = ctx;
    struct slice line;
    c->until = now_monotonic() + c->set->timeout;
    if (has_rows(c->next, batch->lines)) {
        struct rows *made = c->next;
        c->next = c->now;
        c->now = made;
    } else if (!has_rows(c->now, batch->lines)) {
        make_rows(c->now, batch->lines);
    }
    if (!batch->refuse && clickrows_bad(c->now->rows, 0, &line, reterr))
        return CARRY_REFUSED;
    insert_and_make(c);
    *reterr = c->why;
    c->ready &= c->how != CARRY_AGAIN;
    for (size_t i = 0; c->how == CARRIED && clickrows_bad(c->now->rows, i, &line, reterr); i++)
        batch->refuse(batch->ctx, line, reterr->text);
    return c->how;
}

const struct carrier_ops carrier_clickhouse = {.scheme = "clickhouse",
                                               .summary = "tables of ClickHouse, by HTTP",
                                               .check = check,
                                               .open = open_clickhouse,
                                               .send = send_batch,
                                               .close = close_clickhouse,
                                               .port = CHSERVER_PORT,
                                               .json_only = true,
                                               .ahead = ahead};
const struct carrier_ops carrier_clickhouses = {.scheme = "clickhouses",
                                                .summary = "tables of ClickHouse, by HTTPS",
                                                .check = check,
                                                .open = open_clickhouse,
                                                .send = send_batch,
                                                .close = close_clickhouse,
                                                .port = CHSERVER_PORT_TLS,
                                                .json_only = true,
                                                .ahead = ahead};
