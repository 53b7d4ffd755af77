/* bulk.c: records into indexes of Elasticsearch and OpenSearch, by _bulk.
 * In: batches of the outbox. Out: a document a record, in the index of its stream, whose _id is a hash of
 * the record: sent again it is there already (409). Owns: what became of each record of the batch under way.
 * Limits: the settings'. Knowingly: an _id is known within one index; a data stream that began a new one in
 * between takes a repeat. Spec: the _bulk API, see docs/elasticsearch.md for versions. */
#include "carrier/bulk.h"

#include <errno.h>
#include <stdlib.h>
#include <xxhash.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/bulk_answer.h"
#include "carrier/bulk_http.h"
#include "carrier/form.h"

enum { PORT = 9200, NAME_MOST = 200, ID = 160, WHY = 256 };
/* A record for which the server fails so often, while it takes others of the batch, is what it fails at. */
enum { FAILURES_MOST = 12 };
static const char path[] = "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";

enum state { OPEN, TAKEN, REFUSED };

struct item {
    struct slice line;
    enum state state;
    unsigned failures;
    char why[WHY]; /* of REFUSED, or of the last failure */
};

struct bulk {
    const struct carrier_settings *set;
    struct servers servers;
    struct bulk_http *http;
    struct line body;
    /* Of the batch under way, from one try to the next. */
    char id[ID];
    struct item *items;
    size_t count, room;
    /* Of the request under way. */
    size_t at, told,
        open; /* item that the answer speaks of next; how many it told of; how many are to be sent again */
    unsigned status; /* of one of these */
    char why[WHY];
};

static bool is_tls(const char *url)
{
    return strncmp(url, "elasticsearchs:", 15) == 0 || strncmp(url, "opensearchs:", 12) == 0;
}

static int parse(const char *url, struct servers *ret, struct error *reterr)
{
    struct error why;
    if (servers_parse(url, "INDEX", PORT, ret, &why) < 0)
        return error_set(reterr, -EINVAL, "-o %.200s: %s", url, why.text);
    bool good = strlen(ret->name) <= NAME_MOST && !strchr("-_.", ret->name[0]);
    for (const char *p = ret->name; *p; p++)
        good &= byte_lower((uint8_t)*p) == (uint8_t)*p;
    if (!good)
        return error_set(reterr, -EINVAL,
                         "-o %.200s: an INDEX is of at most %d small letters, digits, '-', '_' and '.', a "
                         "letter or digit first",
                         url, NAME_MOST);
    return 0;
}

static int check_login(const struct carrier_settings *set, const struct servers *servers,
                       struct error *reterr)
{
    bool near = true;
    for (size_t i = 0; i < servers->count; i++)
        near &= servers_is_here(servers->items[i]);
    if (set->user && !set->password_file)
        return error_set(reterr, -EINVAL, "-o %.200s: carry_user wants carry_password_file", set->url);
    if (!set->user && set->password_file && strncmp(set->url, "opensearch", 10) == 0)
        return error_set(reterr, -EINVAL, "-o %.200s: carry_password_file wants carry_user", set->url);
    if (set->user && strchr(set->user, ':'))
        return error_set(reterr, -EINVAL, "carry_user has a colon, which ends a user's name in HTTP");
    if (set->password_file && !near && !is_tls(set->url))
        return error_set(reterr, -EINVAL,
                         "-o %.200s: the password would go over the network as it is: use %s://", set->url,
                         strncmp(set->url, "opensearch", 10) == 0 ? "opensearchs" : "elasticsearchs");
    return 0;
}

static int check(const struct carrier_settings *set, struct error *reterr)
{
    struct servers servers;
    int err = parse(set->url, &servers, reterr);
    return err ? err : check_login(set, &servers, reterr);
}

static int open_bulk(const struct carrier_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    struct bulk *b = calloc(1, sizeof *b);
    memory_check(b);
    b->set = set;
    int err = parse(set->url, &b->servers, reterr);
    if (err)
        return free(b), err;
    const struct bulk_http_settings http = {&b->servers, is_tls(set->url), set, password};
    b->http = bulk_http_new(&http);
    *ret = b;
    return 0;
}

static void close_bulk(void *ctx)
{
    struct bulk *b = ctx;
    bulk_http_free(&b->http);
    line_free(&b->body);
    free(b->items);
    free(b);
}

static void add_item(struct bulk *b, size_t i, struct slice line)
{
    if (i == b->room) {
        b->room = b->room ? 2 * b->room : 256;
        b->items = realloc(b->items, b->room * sizeof *b->items);
        memory_check(b->items);
    }
    if (i == b->count) {
        b->count++;
        b->items[i].state = OPEN;
        b->items[i].failures = 0;
    }
    b->items[i].line = line;
}

/* What became of its records is known where it is the one of the last try. */
static void take_batch(struct bulk *b, const struct carrier_batch *batch)
{
    struct slice rest = batch->lines;
    if (strcmp(b->id, batch->id) != 0)
        b->count = 0;
    snprintf(b->id, sizeof b->id, "%s", batch->id);
    for (size_t i = 0; rest.len; i++) {
        size_t end = slice_index(rest, '\n');
        add_item(b, i, slice_sub(rest, 0, end));
        rest = slice_sub(rest, end + 1, rest.len);
    }
}

/* 128 bits as 22 letters of Base64 for URLs. */
static void add_id(struct slice line, struct line *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    XXH128_hash_t hash = XXH3_128bits(line.data, line.len);
    uint64_t halves[] = {hash.high64, hash.low64};
    for (int i = 0; i < 22; i++) {
        uint64_t *half = &halves[i / 11];
        line_byte(out, (uint8_t)letters[*half & 63]);
        *half >>= 6;
    }
}

static void add_index(const struct bulk *b, struct slice stream, struct line *out)
{
    line_str(out, b->servers.name);
    line_byte(out, '-');
    for (size_t i = 0; i < stream.len && i < 40; i++) {
        uint8_t c = stream.data[i];
        line_byte(out, (c >= 'a' && c <= 'z') || byte_is_digit(c) ? c : '_');
    }
    if (!stream.len)
        line_str(out, "other");
}

/* Two lines. A data stream wants @timestamp, whatever the shape calls its time. */
static void add_document(struct bulk *b, struct slice line)
{
    static const char stamp[] = "{\"@timestamp\":";
    struct form_facts facts;
    form_look(line, &facts);
    line_str(&b->body, "{\"create\":{\"_index\":\"");
    add_index(b, facts.path, &b->body);
    line_str(&b->body, "\",\"_id\":\"");
    add_id(line, &b->body);
    line_str(&b->body, "\"}}\n");
    if (*facts.time && !slice_case_starts(line, stamp)) {
        line_printf(&b->body, "%s\"%s\",", stamp, facts.time);
        line = slice_sub(line, 1, line.len);
    }
    line_add(&b->body, line);
    line_byte(&b->body, '\n');
}

/* Values of a record that it may name are left out. */
static void explain(unsigned status, struct slice type, struct slice reason, char ret[static WHY])
{
    size_t end = slice_find(reason, " Preview of field");
    reason = slice_sub(reason, 0, end < WHY - 64 ? end : WHY - 64);
    type = type.len ? slice_sub(type, 0, 60) : slice_str("");
    snprintf(ret, WHY, "status %u%s%.*s%s%.*s", status, type.len ? ", " : "", (int)type.len,
             (const char *)type.data, reason.len ? ": " : "", (int)reason.len, (const char *)reason.data);
}

/* Errors with status 400 that are no record's fault; of the second kind `reason` has to be within the text.
 */
static const struct fault {
    const char *type, *reason;
} not_of_record[] = {
    {"index_closed_exception", ""},
    {"invalid_index_name_exception", ""},
    {"validation_exception", ""},
    {"illegal_argument_exception", "pipeline with id"},
    {"illegal_argument_exception", "shards open"},
    {"illegal_argument_exception", "write index"},
    {"illegal_argument_exception", "write ops"},
};

/* Whether the record itself is what it does not like. */
static bool is_of_record(const struct bulk_item *answer)
{
    for (size_t i = 0; i < sizeof not_of_record / sizeof *not_of_record; i++) {
        const struct fault *f = &not_of_record[i];
        if (slice_eq(answer->type, slice_str(f->type)) &&
            (!*f->reason || slice_find(answer->reason, f->reason) < answer->reason.len))
            return false;
    }
    return answer->status == 400 || answer->status == 413;
}

static void count_item(void *ctx, const struct bulk_item *answer)
{
    (void)answer;
    ((struct bulk *)ctx)->told++;
}

static void take_item(void *ctx, const struct bulk_item *answer)
{
    struct bulk *b = ctx;
    while (b->at < b->count && b->items[b->at].state != OPEN)
        b->at++;
    if (b->at == b->count)
        return;
    struct item *item = &b->items[b->at++];
    unsigned status = answer->status;
    if ((status >= 200 && status < 300) || status == 409) {
        item->state = TAKEN;
        return;
    }
    explain(status, answer->type, answer->reason, item->why);
    item->failures += status >= 500 && status != 503;
    if (is_of_record(answer)) {
        item->state = REFUSED;
    } else {
        b->open++;
        memcpy(b->why, item->why, sizeof b->why);
    }
}

/* A record that makes the server fail is refused, or it would be asked for ever. */
static void give_up(struct bulk *b)
{
    size_t open = 0;
    for (size_t i = 0; i < b->count; i++)
        open += b->items[i].state == OPEN;
    for (size_t i = 0; i < b->count && (open < b->count || b->count == 1); i++)
        if (b->items[i].state == OPEN && b->items[i].failures >= FAILURES_MOST) {
            b->items[i].state = REFUSED;
            b->open--;
        }
}

/* Of a request that failed as a whole. */
static enum carried judge(struct bulk *b, long status, struct slice answer, struct error *reterr)
{
    char why[WHY];
    if (status == 401 || status == 403) {
        error_set(reterr, 0,
                  "HTTP status %ld: the server does not take this log-in (carry_user, carry_password_file)",
                  status);
        return CARRY_AGAIN;
    }
    explain((unsigned)status, (struct slice){0}, bulk_reason(answer), why);
    error_set(reterr, 0, "HTTP %s", why);
    /* Too large for it, or for what stands before it, or with one that it cannot read: halves are tried. */
    if (status == 413 || (status == 400 && bulk_reason(answer).len))
        return CARRY_REFUSED;
    bulk_http_move(b->http);
    return CARRY_AGAIN;
}

static size_t build(struct bulk *b)
{
    size_t asked = 0;
    line_clear(&b->body);
    for (size_t i = 0; i < b->count; i++)
        if (b->items[i].state == OPEN) {
            add_document(b, b->items[i].line);
            asked++;
        }
    return asked;
}

static enum carried ask(struct bulk *b, struct error *reterr)
{
    long status;
    struct slice answer;
    const size_t asked = build(b);
    if (!asked)
        return CARRIED;
    if (bulk_http_post(b->http, path, line_slice(&b->body), now_monotonic() + b->set->timeout, &status,
                       &answer, reterr) < 0)
        return CARRY_AGAIN;
    if (status != 200)
        return judge(b, status, answer, reterr);
    b->at = b->told = b->open = 0;
    /* Which items an answer that tells of too many or too few speaks of nobody knows. */
    bool whole = bulk_answer(answer, count_item, b);
    if (!whole || b->told != asked) {
        error_set(reterr, 0, "its answer tells of %zu of %zu records", b->told, asked);
        bulk_http_move(b->http);
        return CARRY_AGAIN;
    }
    bulk_answer(answer, take_item, b);
    give_up(b);
    if (b->open) {
        error_set(reterr, 0, "%zu of %zu records: %s", b->open, asked, b->why);
        return CARRY_AGAIN;
    }
    return CARRIED;
}

static enum carried send_batch(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct bulk *b = ctx;
    take_batch(b, batch);
    enum carried how = ask(b, reterr);
    for (size_t i = 0; how == CARRIED && i < b->count; i++)
        if (b->items[i].state == REFUSED)
            batch->refuse(batch->ctx, b->items[i].line, b->items[i].why);
    if (how != CARRY_AGAIN)
        *b->id = '\0';
    return how;
}

#define BULK(name, scheme, summary)                                                                          \
    const struct carrier_ops carrier_##name = {scheme,     summary,    check,        open_bulk,              \
                                               send_batch, close_bulk, .port = PORT, .format = CARRY_ECS}

BULK(elasticsearch, "elasticsearch", "indexes of Elasticsearch, by HTTP");
BULK(elasticsearchs, "elasticsearchs", "the same by HTTPS");
BULK(opensearch, "opensearch", "indexes of OpenSearch, by HTTP");
BULK(opensearchs, "opensearchs", "the same by HTTPS");
