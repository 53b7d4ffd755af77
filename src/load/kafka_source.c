/* kafka_source.c: messages of a topic of Kafka.
 * In: messages, as a member of a consumer group. Out: them; the offsets behind them, once they have arrived.
 * Owns: the consumer. Limits: QUEUED_KB of messages that the library fetches ahead. Knowingly: what is held
 * while the group shares partitions out anew comes to another member too, as its offset is not committed
 * then; Kafka does not say that a message was handed out before. Spec: the group protocol as librdkafka has
 * it, with partitions given up before others take them. */
#include "load/source.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "carrier/kafka_link.h"

enum {
    QUEUED_KB = 16384,
    SESSION_LEAST = 6000,    /* milliseconds, which brokers take by default */
    POLL_MOST = 300000,      /* after that without a poll the group gives us up */
    PARTITIONS_MOST = 10000, /* of a topic */
    LEAVE_MOST = 3           /* seconds */
};

struct kafka_source {
    const struct source_settings *set;
    struct servers servers;
    rd_kafka_t *consumer;
    rd_kafka_topic_partition_list_t *next; /* offsets behind what is held */
    rd_kafka_message_t *early;             /* came while others were held */
    bool paused, lost;                     /* partitions went with what is held of them */
    bool down;
    bool committed;
    rd_kafka_resp_err_t commit_error;
    char why[256]; /* what the library said last of a connection; "": nothing */
};

static int check(const struct source_settings *set, struct error *reterr)
{
    return kafka_link_check(&set->link, "", "load_user", "load_password_file", reterr);
}

static void forget(struct kafka_source *k)
{
    rd_kafka_topic_partition_list_destroy(k->next);
    k->next = rd_kafka_topic_partition_list_new(8);
    memory_check(k->next);
}

static void on_share(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                     void *opaque)
{
    struct kafka_source *k = opaque;
    k->paused = false;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        rd_kafka_assign(rk, list);
        return;
    }
    k->lost |= k->next->cnt > 0;
    forget(k);
    rd_kafka_assign(rk, NULL);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct kafka_source *k = opaque;
    (void)rk;
    k->down |= code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !*k->why)
        snprintf(k->why, sizeof k->why, "%s", reason);
}

static void on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *list,
                      void *opaque)
{
    struct kafka_source *k = opaque;
    (void)rk;
    k->committed = true;
    k->commit_error = err;
    for (int i = 0; list && !k->commit_error && i < list->cnt; i++)
        k->commit_error = list->elems[i].err;
}

static int configure(struct kafka_source *k, const char *password, rd_kafka_conf_t *conf,
                     struct error *reterr)
{
    char session[24], beat[24], poll[24], queued[24];
    long ms = (long)(k->set->redeliver * 1000);
    ms = ms < SESSION_LEAST ? SESSION_LEAST : ms;
    snprintf(session, sizeof session, "%ld", ms);
    snprintf(beat, sizeof beat, "%ld", ms / 10 < 3000 ? ms / 10 : 3000);
    snprintf(poll, sizeof poll, "%ld", ms < POLL_MOST ? POLL_MOST : ms);
    snprintf(queued, sizeof queued, "%d", QUEUED_KB);
    const struct kafka_option options[] = {
        {"group.id", k->set->group},           {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"}, {"auto.offset.reset", "earliest"},
        {"session.timeout.ms", session},       {"heartbeat.interval.ms", beat},
        {"max.poll.interval.ms", poll},        {"queued.max.messages.kbytes", queued}};
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_rebalance_cb(conf, on_share);
    rd_kafka_conf_set_error_cb(conf, on_error);
    return kafka_link_configure(&k->set->link, password, &k->servers, options,
                                sizeof options / sizeof *options, conf, reterr);
}

static int begin(struct kafka_source *k, const char *password, struct error *reterr)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int err = configure(k, password, conf, reterr);
    k->consumer = err ? NULL : rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!k->consumer) {
        rd_kafka_conf_destroy(conf);
        return err ? err : error_set(reterr, -EINVAL, "%s", text);
    }
    rd_kafka_poll_set_consumer(k->consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, k->servers.name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(k->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code ? error_set(reterr, -EINVAL, "%s", rd_kafka_err2str(code)) : 0;
}

/* Leaves the group, so that it shares out at once what was ours. Where no broker answers the library would
 * wait for half a minute, and cannot be ended before: it is left to the end of the process, and the group
 * gives up who is silent. */
static bool leave(struct kafka_source *k)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(k->consumer);
    double until = now_monotonic() + LEAVE_MOST;
    bool gone = false;
    rd_kafka_error_t *err = rd_kafka_consumer_close_queue(k->consumer, queue);
    while (!err && !(gone = rd_kafka_consumer_closed(k->consumer)) && now_monotonic() < until) {
        rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 100);
        if (event && rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
            rd_kafka_assign(k->consumer, NULL);
        if (event)
            rd_kafka_event_destroy(event);
    }
    if (err)
        rd_kafka_error_destroy(err);
    rd_kafka_queue_destroy(queue);
    if (gone)
        rd_kafka_destroy_flags(k->consumer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return gone;
}

static bool close_kafka(void *ctx)
{
    struct kafka_source *k = ctx;
    if (k->early)
        rd_kafka_message_destroy(k->early);
    k->early = NULL;
    /* Its threads have our address. */
    if (k->consumer && !leave(k))
        return false;
    rd_kafka_topic_partition_list_destroy(k->next);
    free(k);
    return true;
}

static int open_kafka(const struct source_settings *set, const char *password, void **ret,
                      struct error *reterr)
{
    struct kafka_source *k = calloc(1, sizeof *k);
    memory_check(k);
    k->set = set;
    k->next = rd_kafka_topic_partition_list_new(8);
    memory_check(k->next);
    int err = servers_parse(set->link.url, "TOPIC", KAFKA_LINK_PORT, &k->servers, reterr);
    if (!err)
        err = begin(k, password, reterr);
    if (err)
        close_kafka(k);
    else
        *ret = k;
    return err;
}

static void hand_out(struct kafka_source *k, const rd_kafka_message_t *m, source_fn *each, void *each_ctx)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_find(k->next, topic, m->partition);
    if (!at)
        at = rd_kafka_topic_partition_list_add(k->next, topic, m->partition);
    at->offset = m->offset + 1;
    each(each_ctx, &(struct source_message){.bytes = {m->payload, m->len}});
}

/* Whether partitions give messages. */
static void set_pause(struct kafka_source *k, bool pause)
{
    rd_kafka_topic_partition_list_t *all = NULL;
    if (pause == k->paused || rd_kafka_assignment(k->consumer, &all))
        return;
    if (pause)
        rd_kafka_pause_partitions(k->consumer, all);
    else
        rd_kafka_resume_partitions(k->consumer, all);
    rd_kafka_topic_partition_list_destroy(all);
    k->paused = pause;
}

static int ms_of(double seconds)
{
    return seconds > 0 ? (int)(seconds * 1000) : 0;
}

/* It says by itself that all brokers are gone, but not that one is back. */
static bool is_down(struct kafka_source *k)
{
    const struct rd_kafka_metadata *data = NULL;
    if (k->down && rd_kafka_metadata(k->consumer, 0, NULL, &data, 500) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(data);
        k->down = false;
        *k->why = '\0';
    }
    return k->down;
}

static int take(void *ctx, double seconds, uint64_t room, source_fn *each, void *each_ctx,
                struct error *reterr)
{
    struct kafka_source *k = ctx;
    uint64_t bytes = 0;
    int count = 0, err = 0;
    set_pause(k, false);
    rd_kafka_message_t *m = k->early ? k->early : rd_kafka_consumer_poll(k->consumer, ms_of(seconds));
    k->early = NULL;
    for (; m; m = bytes < room ? rd_kafka_consumer_poll(k->consumer, 0) : NULL) {
        if (m->err)
            err = error_set(reterr, -EAGAIN, "%.300s", rd_kafka_message_errstr(m));
        else
            hand_out(k, m, each, each_ctx);
        bytes += m->len;
        count += !m->err;
        rd_kafka_message_destroy(m);
        if (err)
            break;
    }
    if (count)
        k->down = false;
    else if (!err && is_down(k))
        err = error_set(reterr, -EAGAIN, "no broker can be reached%s%.200s", *k->why ? ": " : "", k->why);
    return count ? count : err;
}

static int commit(struct kafka_source *k)
{
    rd_kafka_queue_t *queue = rd_kafka_queue_new(k->consumer);
    k->committed = false;
    k->commit_error = rd_kafka_commit_queue(k->consumer, k->next, queue, on_commit, k);
    double until = now_monotonic() + k->set->link.timeout;
    while (!k->commit_error && !k->committed && now_monotonic() < until)
        rd_kafka_queue_poll_callback(queue, 100);
    rd_kafka_queue_destroy(queue);
    if (!k->committed && !k->commit_error)
        k->commit_error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    return k->commit_error;
}

static int taken(void *ctx, struct error *reterr)
{
    struct kafka_source *k = ctx;
    int err = 0;
    if (k->next->cnt && commit(k))
        err = error_set(reterr, -EAGAIN, "offsets are not committed: %s", rd_kafka_err2str(k->commit_error));
    else if (k->lost)
        err = error_set(reterr, -EAGAIN,
                        "the group has shared partitions out anew, so offsets are not committed");
    k->lost = false;
    forget(k);
    return err;
}

static void give_back(void *ctx)
{
    struct kafka_source *k = ctx;
    forget(k);
}

/* Polls, as the group gives up who does not, and waits for him before it shares out anew. */
static void hold(void *ctx)
{
    struct kafka_source *k = ctx;
    if (k->early)
        return;
    set_pause(k, true);
    rd_kafka_message_t *m = rd_kafka_consumer_poll(k->consumer, 0);
    if (m && m->err) {
        rd_kafka_message_destroy(m);
        m = NULL;
    }
    k->early = m;
}

/* Of one partition, behind what the group has committed. */
static rd_kafka_resp_err_t behind(struct kafka_source *k, const rd_kafka_topic_partition_t *at, uint64_t *ret)
{
    int64_t low = 0, high = 0;
    rd_kafka_resp_err_t code = rd_kafka_query_watermark_offsets(k->consumer, at->topic, at->partition, &low,
                                                                &high, ms_of(k->set->link.timeout));
    int64_t from = at->offset > low ? at->offset : low;
    if (!code && high > from)
        *ret += (uint64_t)(high - from);
    return code;
}

static int left(void *ctx, uint64_t *ret, struct error *reterr)
{
    struct kafka_source *k = ctx;
    const struct rd_kafka_metadata *data = NULL;
    int ms = ms_of(k->set->link.timeout);
    *ret = 0;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(k->consumer, k->servers.name, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    rd_kafka_resp_err_t code =
        topic ? rd_kafka_metadata(k->consumer, 0, topic, &data, ms) : rd_kafka_last_error();
    if (!code && data->topic_cnt == 1)
        code = data->topics[0].err;
    for (int i = 0; !code && data->topic_cnt == 1 && i < data->topics[0].partition_cnt; i++)
        if (i < PARTITIONS_MOST)
            rd_kafka_topic_partition_list_add(list, k->servers.name, data->topics[0].partitions[i].id);
    if (!code && list->cnt)
        code = rd_kafka_committed(k->consumer, list, ms);
    for (int i = 0; !code && i < list->cnt; i++)
        code = behind(k, &list->elems[i], ret);
    rd_kafka_topic_partition_list_destroy(list);
    if (data)
        rd_kafka_metadata_destroy(data);
    if (topic)
        rd_kafka_topic_destroy(topic);
    return code ? error_set(reterr, -EAGAIN, "topic %s: %s%s%.200s", k->servers.name, rd_kafka_err2str(code),
                            *k->why ? ": " : "", k->why)
                : 0;
}

const struct source_ops source_kafka = {"kafka", "a topic of Kafka", check, open_kafka, take,
                                        taken,   give_back,          hold,  left,       close_kafka};
const struct source_ops source_kafka_tls = {"kafka+tls", "the same over TLS", check, open_kafka, take,
                                            taken,       give_back,           hold,  left,       close_kafka};
