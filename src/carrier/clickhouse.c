/* clickhouse.c: batches into tables of ClickHouse, by HTTP.
 * In: batches of the outbox. Out: rows in the tables of their streams, which it makes where they are missing,
 * as it does columns. Owns: the connection. Limits: the settings'; of an answer ANSWER bytes. Knowingly: a
 * table over a cluster is not touched, its makers have to add columns; a batch of which a part arrived is
 * sent again as a whole, and the tables' keys make one of both. Spec: the HTTP interface of ClickHouse 18.16.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/net.h"
#include "base/now.h"
#include "carrier/clickhouse.h"
#include "record/record.h"

enum { HOST = 256, DATABASE = 65, ANSWER = 1 << 20, URL = 1024, PIECE = 1 << 18 };

/* What the URL says. */
struct place {
    char host[HOST]; /* with brackets, where it has them */
    unsigned port;
    char database[DATABASE];
    bool tls;
};

struct clickhouse {
    const struct carrier_settings *set;
    struct place place;
    CURL *easy;
    struct curl_slist *plain, *packed, *pieces; /* heads, by how the body goes */
    struct clickrows *rows;
    z_stream deflate;
    struct line body;
    struct buf answer;
    char options[256]; /* settings of an INSERT that this server knows */
    bool ready;
    bool told[STREAMS]; /* that columns are missing */
    /* Of the batch under way. */
    double until;
    struct slice lines; /* that are no rows yet */
    size_t given;       /* bytes of the rows of smtp */
    bool bad;           /* a line is no record */
    struct error why;
    char error[CURL_ERROR_SIZE];
};

static bool is_host(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = byte_lower(s.data[i]);
        if (!(c >= 'a' && c <= 'z') && !byte_is_digit(c) && (!c || !strchr("-._:[]", c)))
            return false;
    }
    return s.len && s.len < HOST;
}

/* The URL itself is in no text: a password may stand in it. */
static int parse(const char *url, struct place *ret, struct error *reterr)
{
    *ret = (struct place){.tls = strncmp(url, "clickhouses:", 12) == 0};
    struct slice rest = slice_str(strstr(url, "://") + 3);
    size_t end = slice_index(rest, '/');
    struct slice host = slice_sub(rest, 0, end), database = slice_sub(rest, end + 1, rest.len);
    const char *scheme = ret->tls ? "clickhouses" : "clickhouse";
    if (slice_index(rest, '@') < rest.len)
        return error_set(
            reterr, -EINVAL,
            "-o %s://: who logs in is said by carry_user and carry_password_file, not by the URL", scheme);
    size_t colon = host.len;
    while (colon && byte_is_digit(host.data[colon - 1]))
        colon--;
    uint64_t port = ret->tls ? 8443 : 8123;
    bool given = colon > 1 && host.data[colon - 1] == ':' &&
                 slice_index(host, ':') + 1 >= (host.data[0] == '[' ? 0 : colon);
    if (given) {
        if (!slice_number(slice_sub(host, colon, host.len), &port))
            port = 0;
        host = slice_sub(host, 0, colon - 1);
    }
    if (!is_host(host) || !port || port > UINT16_MAX)
        return error_set(reterr, -EINVAL, "-o %s://HOST[:PORT]/DATABASE: no host and port are there", scheme);
    if (!clickhouse_name_fits(database))
        return error_set(reterr, -EINVAL,
                         "-o %s://HOST[:PORT]/DATABASE: the database's name is of letters, digits and _",
                         scheme);
    memcpy(ret->host, host.data, host.len);
    memcpy(ret->database, database.data, database.len);
    ret->port = (unsigned)port;
    return 0;
}

/* Over loopback packing costs a core, and saves nothing. */
static bool is_here(const char *host)
{
    return strcmp(host, "localhost") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host)) ||
           strcmp(host, "[::1]") == 0;
}

static int check(const struct carrier_settings *set, struct error *reterr)
{
    struct place place;
    int err = parse(set->url, &place, reterr);
    if (err < 0)
        return err;
    if (set->password_file && !set->user)
        return error_set(reterr, -EINVAL, "carry_password_file is set, but carry_user is not");
    if (set->password_file && !place.tls && !is_here(place.host))
        return error_set(reterr, -EINVAL,
                         "%s: the password would go over the network as it is: use clickhouses://", set->url);
    for (const char *p = set->user; p && *p; p++)
        if ((uint8_t)*p < ' ')
            return error_set(reterr, -EINVAL, "carry_user has control characters");
    return 0;
}

static void add_head(struct clickhouse *c, const char *name, const char *value)
{
    struct line head = {0};
    line_printf(&head, "%s: %s", name, value);
    line_byte(&head, 0);
    struct curl_slist **const lists[] = {&c->plain, &c->packed, &c->pieces};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        *lists[i] = curl_slist_append(*lists[i], (const char *)head.data);
        memory_check(*lists[i]);
    }
    explicit_bzero(head.data, head.len);
    line_free(&head);
}

static size_t keep(char *data, size_t size, size_t n, void *arg)
{
    struct clickhouse *c = arg;
    buf_add(&c->answer, (struct slice){(const uint8_t *)data, size * n});
    return size * n;
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

static void set_up(struct clickhouse *c)
{
    CURL *e = c->easy;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, c->place.tls ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, c->error);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(e, CURLOPT_READDATA, c);
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)PIECE);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "mailtap");
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    if (c->set->ca_file)
        curl_easy_setopt(e, CURLOPT_CAINFO, c->set->ca_file);
}

static int open_clickhouse(const struct carrier_settings *set, const char *password, void **ret,
                           struct error *reterr)
{
    struct clickhouse *c = calloc(1, sizeof *c);
    memory_check(c);
    c->set = set;
    int err = parse(set->url, &c->place, reterr);
    if (err < 0)
        return free(c), err;
    c->easy = curl_easy_init();
    memory_check(c->easy);
    c->rows = clickrows_new(set->sensor);
    buf_init(&c->answer, ANSWER);
    /* The server reads faster than a better compression is made. */
    if (deflateInit2(&c->deflate, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        memory_out();
    set_up(c);
    /* A server that does not answer it would cost each batch a second. */
    add_head(c, "Expect", "");
    add_head(c, "Content-Type", "text/plain");
    if (set->user)
        add_head(c, "X-ClickHouse-User", set->user);
    if (password)
        add_head(c, "X-ClickHouse-Key", password);
    c->packed = curl_slist_append(c->packed, "Content-Encoding: gzip");
    memory_check(c->packed);
    c->pieces = curl_slist_append(c->pieces, "Transfer-Encoding: chunked");
    memory_check(c->pieces);
    *ret = c;
    return 0;
}

static void close_clickhouse(void *ctx)
{
    struct clickhouse *c = ctx;
    curl_easy_cleanup(c->easy);
    curl_slist_free_all(c->plain);
    curl_slist_free_all(c->packed);
    curl_slist_free_all(c->pieces);
    deflateEnd(&c->deflate);
    line_free(&c->body);
    buf_free(&c->answer);
    clickrows_free(c->rows);
    free(c);
}

/* The number behind "Code: "; 0: there is none. */
static unsigned code_of(struct slice answer)
{
    uint64_t code = 0;
    size_t at = slice_find(answer, "Code: ");
    if (at == answer.len || !slice_number(slice_sub(answer, at + 6, at + 12), &code))
        return 0;
    return (unsigned)code;
}

/* What the server says, without the values of a record that it may name. */
static void explain(struct clickhouse *c, long status, struct error *reterr)
{
    static const char *const ends[] = {" before: ", ", e.what()", ": (while read", "(version", "\n"};
    struct slice said = buf_slice(&c->answer);
    unsigned code = code_of(said);
    if (code == 192 || code == 193 || code == 194 || code == 516 ||
        (!code && (status == 401 || status == 403))) {
        error_set(reterr, -EACCES,
                  "the server does not take this user and password (carry_user, carry_password_file)");
        return;
    }
    size_t from = slice_find(said, "DB::Exception: ");
    said = slice_sub(said, from < said.len ? from + sizeof "DB::Exception: " - 1 : 0, said.len);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        said = slice_sub(said, 0, slice_find(said, ends[i]));
    said = slice_sub(said, 0, 300);
    error_set(reterr, -EIO, "HTTP status %ld, code %u: %.*s", status, code, (int)said.len,
              (const char *)said.data);
}

/* Whether a row is at fault, however often it is sent. */
static bool is_of_row(unsigned code)
{
    static const unsigned codes[] = {6,  25,  26,  27,  38,  41,  53,  69,  70,
                                     72, 117, 130, 131, 321, 349, 441, 675, 676};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

enum how { PLAIN, PACKED, PIECES };

/* One request; its query is the body, or stands in `more`, which is behind the URL's '?'. In pieces, `give`
 * has the body. */
static enum carried ask(struct clickhouse *c, const char *more, enum how how, struct slice body,
                        struct error *reterr)
{
    char url[URL];
    long status = 0;
    double left = c->until - now_monotonic();
    snprintf(url, sizeof url, "%s://%s:%u/?%s", c->place.tls ? "https" : "http", c->place.host, c->place.port,
             more);
    buf_clear(&c->answer);
    *c->error = '\0';
    if (left <= 0)
        return error_set(reterr, -ETIMEDOUT, "carry_timeout is over"), CARRY_AGAIN;
    curl_easy_setopt(c->easy, CURLOPT_URL, url);
    curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER,
                     how == PACKED   ? c->packed
                     : how == PIECES ? c->pieces
                                     : c->plain);
    curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, how == PIECES ? NULL : body.data);
    curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, how == PIECES ? -1 : (curl_off_t)body.len);
    curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)(left * 1000) + 1);
    CURLcode failed = curl_easy_perform(c->easy);
    if (failed) {
        error_set(reterr, -EIO, "%s", *c->error ? c->error : curl_easy_strerror(failed));
        return CARRY_AGAIN;
    }
    curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
    struct slice said = buf_slice(&c->answer);
    if (status == 200 && !(said.len > 6 && memcmp(said.data, "Code: ", 6) == 0))
        return CARRIED;
    explain(c, status, reterr);
    return is_of_row(code_of(said)) ? CARRY_REFUSED : CARRY_AGAIN;
}

static enum carried run(struct clickhouse *c, bool inside, struct slice sql, struct error *reterr)
{
    char more[128] = "";
    if (inside)
        snprintf(more, sizeof more, "database=%s", c->place.database);
    enum carried how = ask(c, more, PLAIN, sql, reterr);
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
        if (how != CARRIED && slice_find(buf_slice(&c->answer), "already exist") < c->answer.len)
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
    const char *db = c->place.database;
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
        line_add(facts, buf_slice(&c->answer));
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
    snprintf(wanted, sizeof wanted, "d\t%s\t", c->place.database);
    if (how == CARRIED && !fact(known, wanted).data) {
        line_printf(&sql, "CREATE DATABASE IF NOT EXISTS `%s`", c->place.database);
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
    enum how how = !is_here(c->place.host) ? PACKED : s->index == STREAM_SMTP ? PIECES : PLAIN;
    if (how == PACKED)
        pack(c, rows);
    snprintf(more, sizeof more, "database=%s%s&query=INSERT%%20INTO%%20%s%%20FORMAT%%20JSONEachRow",
             c->place.database, c->options, clickhouse_table(s));
    return ask(c, more, how, how == PACKED ? line_slice(&c->body) : rows, reterr);
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
        convert(c, is_here(c->place.host) ? PIECE : SIZE_MAX);
    for (size_t i = 0; i < STREAMS && how == CARRIED && !c->bad; i++)
        how = insert(c, stream_table[i], reterr);
    if (c->bad) {
        *reterr = c->why;
        return CARRY_REFUSED;
    }
    c->ready &= how != CARRY_AGAIN;
    return how;
}

const struct carrier_ops carrier_clickhouse = {
    "clickhouse",     "tables of ClickHouse, by HTTP", check, open_clickhouse, send_batch, close_clickhouse,
    .json_only = true};
const struct carrier_ops carrier_clickhouses = {
    "clickhouses",    "tables of ClickHouse, by HTTPS", check, open_clickhouse, send_batch, close_clickhouse,
    .json_only = true};
