/* kafka.c: records into a topic of Kafka.
 * In: batches. Out: one message a record, whose key is the record's uid, so that what belongs to one
 * connection stays in order in one partition. Owns: a producer, which goes at the first doubt with all that
 * it still holds; the batch is sent again by a new one. Limits: MESSAGE_MOST a record. Knowingly: of a batch
 * of which some records arrived and some did not all are sent again; the library's idempotence is for its own
 * retries. Spec: KIP-98 (idempotent producer). */
#include "carrier/kafka.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "base/slice.h"
#include "carrier/form.h"
#include "carrier/servers.h"

enum {
    PORT = 9092,
    MESSAGE_MOST = 1000000, /* message.max.bytes, which is what brokers take by default, with ... */
    SPARE = 1000,           /* ... a header and a key */
    POLL_MS = 100
};
static const double grace = 1; /* seconds beyond the timeout in which the library tells of it */

struct kafka {
    const struct carrier_settings *set;
    const char *password;
    struct servers servers;
    rd_kafka_t *producer;                /* NULL: none */
    size_t open;                         /* messages of the batch of which nothing was heard yet */
    rd_kafka_resp_err_t refused, failed; /* the first of its kind, of the batch */
    char why[256];                       /* what the library said last of a connection; "": nothing */
};

struct option {
    const char *name, *value;
};

static bool is_tls(const char *url)
{
    return strncmp(url, "kafka+tls:", 10) == 0;
}

static int kafka_check(const struct carrier_settings *set, struct error *reterr)
{
    struct servers servers;
    struct error why;
    if (servers_parse(set->url, "TOPIC", PORT, &servers, &why) < 0)
        return error_set(reterr, -EINVAL, "-o %.200s: %s", set->url, why.text);
    if (set->user && !set->password_file)
        return error_set(reterr, -EINVAL, "-o %.200s: carry_user wants carry_password_file", set->url);
    if (!set->user && set->password_file)
        return error_set(reterr, -EINVAL, "-o %.200s: carry_password_file wants carry_user", set->url);
    return 0;
}

static bool is_permanent(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE ||
           code == RD_KAFKA_RESP_ERR_INVALID_RECORD;
}

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    struct kafka *k = opaque;
    rd_kafka_resp_err_t *where = is_permanent(message->err) ? &k->refused : &k->failed;
    (void)rk;
    if (k->open)
        k->open--;
    if (message->err && !*where)
        *where = message->err;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka *k = opaque;
    (void)rk, (void)code;
    snprintf(k->why, sizeof k->why, "%s", reason);
}

/* The library would write to standard error, again and again. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk, (void)level, (void)facility, (void)text;
}

static int set_options(rd_kafka_conf_t *conf, const struct option *options, size_t count,
                       struct error *reterr)
{
    char text[256];
    for (size_t i = 0; i < count; i++)
        if (options[i].value &&
            rd_kafka_conf_set(conf, options[i].name, options[i].value, text, sizeof text) != RD_KAFKA_CONF_OK)
            return error_set(reterr, -EINVAL, "%s: %s", options[i].name,
                             strcmp(options[i].name, "sasl.password") == 0 ||
                                     strcmp(options[i].name, "ssl.key.pem") == 0
                                 ? "not taken"
                                 : text);
    return 0;
}

static void list_servers(const struct servers *servers, char ret[static SERVERS_MOST * SERVERS_TEXT])
{
    size_t len = 0;
    for (size_t i = 0; i < servers->count; i++)
        len += (size_t)snprintf(ret + len, SERVERS_MOST * SERVERS_TEXT - len, "%s%s", i ? "," : "",
                                servers->items[i]);
}

static int configure(struct kafka *k, rd_kafka_conf_t *conf, struct error *reterr)
{
    char list[SERVERS_MOST * SERVERS_TEXT], timeout[24], most[24];
    const bool tls = is_tls(k->set->url), login = k->set->user;
    const long ms = (long)(k->set->timeout * 1000);
    list_servers(&k->servers, list);
    snprintf(timeout, sizeof timeout, "%ld", ms < 1000 ? 1000 : ms);
    snprintf(most, sizeof most, "%d", MESSAGE_MOST);
    const struct option options[] = {{"bootstrap.servers", list},
                                     {"client.id", "mailtap"},
                                     {"enable.idempotence", "true"},
                                     {"acks", "all"},
                                     {"compression.codec", "zstd"},
                                     {"linger.ms", "5"},
                                     {"message.timeout.ms", timeout},
                                     {"message.max.bytes", most},
                                     {"reconnect.backoff.ms", "100"},
                                     {"reconnect.backoff.max.ms", "2000"},
                                     {"security.protocol", login ? tls ? "sasl_ssl" : "sasl_plaintext"
                                                           : tls ? "ssl"
                                                                 : "plaintext"},
                                     {"sasl.mechanisms", login ? "SCRAM-SHA-512" : NULL},
                                     {"sasl.username", k->set->user},
                                     {"sasl.password", login ? k->password : NULL},
                                     {"ssl.certificate.pem", tls ? k->set->certificate : NULL},
                                     {"ssl.key.pem", tls ? k->set->key : NULL},
                                     {"ssl.ca.location", tls ? k->set->ca_file : NULL},
                                     {"ssl.endpoint.identification.algorithm", tls ? "https" : NULL}};
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    return set_options(conf, options, sizeof options / sizeof *options, reterr);
}

static int begin(struct kafka *k, struct error *reterr)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int err = configure(k, conf, reterr);
    k->producer = err ? NULL : rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (k->producer)
        return 0;
    rd_kafka_conf_destroy(conf);
    return err ? err : error_set(reterr, -EINVAL, "%s", text);
}

/* What it still holds is of a batch that is sent again. */
static void drop(struct kafka *k)
{
    if (!k->producer)
        return;
    rd_kafka_purge(k->producer,
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
    rd_kafka_poll(k->producer, 0);
    rd_kafka_destroy_flags(k->producer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    k->producer = NULL;
}

static void kafka_close(void *ctx);

static int kafka_open(const struct carrier_settings *set, const char *password, void **ret,
                      struct error *reterr)
{
    struct kafka *k = calloc(1, sizeof *k);
    memory_check(k);
    k->set = set;
    k->password = password;
    int err = servers_parse(set->url, "TOPIC", PORT, &k->servers, reterr);
    /* What is wrong with a file of certificates is known now. */
    if (!err)
        err = begin(k, reterr);
    *ret = k;
    if (err) {
        kafka_close(k);
        *ret = NULL;
    }
    return err;
}

/* The next line without its LF; none is left: NULL. */
static struct slice next_line(struct slice *rest)
{
    if (!rest->len)
        return (struct slice){0};
    const uint8_t *lf = memchr(rest->data, '\n', rest->len);
    size_t len = lf ? (size_t)(lf - rest->data) : rest->len;
    struct slice line = slice_sub(*rest, 0, len);
    *rest = slice_sub(*rest, len + (lf != NULL), rest->len);
    return line;
}

/* Before any is sent, as the others would be sent again. */
static bool has_giant(struct slice rest, size_t *retlen)
{
    struct slice line;
    while ((line = next_line(&rest)).data)
        if (line.len > MESSAGE_MOST - SPARE) {
            *retlen = line.len;
            return true;
        }
    return false;
}

static rd_kafka_resp_err_t produce(struct kafka *k, struct slice line)
{
    struct slice key = form_uid(line);
    return rd_kafka_producev(k->producer, RD_KAFKA_V_TOPIC(k->servers.name),
                             RD_KAFKA_V_VALUE((void *)line.data, line.len),
                             RD_KAFKA_V_KEY(key.len ? (const void *)key.data : NULL, key.len),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

static void produce_all(struct kafka *k, struct slice rest, double until)
{
    struct slice line;
    while (!k->failed && (line = next_line(&rest)).data) {
        rd_kafka_resp_err_t code;
        while ((code = produce(k, line)) == RD_KAFKA_RESP_ERR__QUEUE_FULL && now_monotonic() < until)
            rd_kafka_poll(k->producer, POLL_MS);
        if (!code)
            k->open++;
        else if (is_permanent(code))
            k->refused = code;
        else
            k->failed = code;
    }
}

static enum carried again(struct kafka *k, rd_kafka_resp_err_t code, struct error *reterr)
{
    char text[256];
    rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(k->producer, text, sizeof text);
    error_set(reterr, 0, "not acknowledged: %s%s%.200s", rd_kafka_err2str(fatal ? fatal : code),
              *k->why || fatal ? ": " : "", fatal ? text : k->why);
    drop(k);
    return CARRY_AGAIN;
}

static enum carried kafka_send(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct kafka *k = ctx;
    double until = now_monotonic() + k->set->timeout + grace;
    size_t giant;
    if (has_giant(batch->lines, &giant)) {
        error_set(reterr, 0, "a record of %zu bytes is more than a message of %d", giant, MESSAGE_MOST);
        return CARRY_REFUSED;
    }
    if (!k->producer && begin(k, reterr) < 0)
        return CARRY_AGAIN;
    k->open = 0;
    k->refused = k->failed = RD_KAFKA_RESP_ERR_NO_ERROR;
    *k->why = '\0';
    produce_all(k, batch->lines, until);
    while (k->open && now_monotonic() < until)
        rd_kafka_poll(k->producer, POLL_MS);
    if (k->failed || k->open)
        return again(k, k->failed ? k->failed : RD_KAFKA_RESP_ERR__TIMED_OUT, reterr);
    if (k->refused) {
        error_set(reterr, 0, "%s", rd_kafka_err2str(k->refused));
        return CARRY_REFUSED;
    }
    return CARRIED;
}

static void kafka_close(void *ctx)
{
    struct kafka *k = ctx;
    drop(k);
    free(k);
}

const struct carrier_ops carrier_kafka = {
    "kafka", "Kafka: one message a record", kafka_check, kafka_open, kafka_send, kafka_close};
const struct carrier_ops carrier_kafka_tls = {"kafka+tls", "the same over TLS", kafka_check,
                                              kafka_open,  kafka_send,          kafka_close};
