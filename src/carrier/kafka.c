/* kafka.c: records into a topic of Kafka.
 * In: batches. Out: one message a record, whose key is the record's uid, so that what belongs to one
 * connection stays in order in one partition. Owns: a producer, which goes at the first doubt with all that
 * it still holds; the batch is sent again by a new one. Limits: MESSAGE_MOST a record. Knowingly: of a batch
 * of which some records arrived and some did not all are sent again; the library's idempotence is for its own
 * retries. Spec: KIP-98 (idempotent producer). */
#include "carrier/kafka.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "base/slice.h"
#include "carrier/form.h"
#include "carrier/kafka_link.h"

enum {
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

static int kafka_check(const struct carrier_settings *set, struct error *reterr)
{
    return kafka_link_check(set, "-o ", "carry_user", "carry_password_file", reterr);
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

static int configure(struct kafka *k, rd_kafka_conf_t *conf, struct error *reterr)
{
    char timeout[24], most[24];
    const long ms = (long)(k->set->timeout * 1000);
    snprintf(timeout, sizeof timeout, "%ld", ms < 1000 ? 1000 : ms);
    snprintf(most, sizeof most, "%d", MESSAGE_MOST);
    const struct kafka_option options[] = {{"enable.idempotence", "true"},  {"acks", "all"},
                                           {"compression.codec", "zstd"},   {"linger.ms", "5"},
                                           {"message.timeout.ms", timeout}, {"message.max.bytes", most}};
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return kafka_link_configure(k->set, k->password, &k->servers, options, sizeof options / sizeof *options,
                                conf, reterr);
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
    int err = servers_parse(set->url, "TOPIC", KAFKA_LINK_PORT, &k->servers, reterr);
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
