/* nats_source.c: messages of a stream of NATS JetStream.
 * In: messages, by a durable pull consumer, which it makes where it is not there; one that is there stays as
 * it is. Out: them; an acknowledgement for each. Owns: a connection, which goes at the first doubt, and the
 * addresses at which the messages that are held are acknowledged: over any connection, so that a server that
 * falls meanwhile costs nothing. Limits: FETCH_MOST messages at once. Knowingly: only the last of several
 * acknowledgements is waited for, as those before it go the same way; one that is lost brings its message
 * again. Spec: NATS ADR-1, ADR-13 (pull), ADR-15; the subjects $JS.ACK. */
#include "load/source.h"

#include <errno.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/now.h"
#include "carrier/nats_link.h"

enum {
    FETCH_MOST = 256,
    PENDING_MOST = 20000, /* messages that all loaders of a group hold together */
    REPLIES = 64 << 20,   /* bytes of addresses; each has far below REPLY */
    REPLY = 1024,
    SPARE = 4096,   /* of a message, for its subject and headers */
    PING_MS = 10000 /* a server that is gone without a word is known after twice that */
};

struct nats_source {
    const struct source_settings *set;
    struct servers servers;
    int64_t wait;
    natsOptions *options;
    natsConnection *connection; /* NULL: none */
    jsCtx *stream;
    natsSubscription *subscription;
    double ack_wait;    /* the consumer's own */
    struct buf replies; /* each with a 0 behind it */
    double heard;       /* when the bus heard of them last */
};

static int check(const struct source_settings *set, struct error *reterr)
{
    struct servers servers;
    return nats_link_check(set->link.url, "", &servers, reterr);
}

static void disconnect(struct nats_source *n)
{
    natsSubscription_Destroy(n->subscription);
    jsCtx_Destroy(n->stream);
    natsConnection_Destroy(n->connection);
    n->subscription = NULL;
    n->stream = NULL;
    n->connection = NULL;
}

static bool close_nats(void *ctx)
{
    struct nats_source *n = ctx;
    disconnect(n);
    natsOptions_Destroy(n->options);
    buf_free(&n->replies);
    free(n);
    return true;
}

static int open_nats(const struct source_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    struct nats_source *n = calloc(1, sizeof *n);
    memory_check(n);
    n->set = set;
    n->wait = nats_link_wait(&set->link);
    buf_init(&n->replies, REPLIES);
    int err = nats_link_check(set->link.url, "", &n->servers, reterr);
    natsStatus st = err ? NATS_OK : nats_link_options(&set->link, password, &n->servers, &n->options);
    if (st == NATS_OK && !err)
        st = natsOptions_SetPingInterval(n->options, PING_MS);
    if (st != NATS_OK)
        err = error_set(reterr, -EINVAL, "%s%s%s", natsStatus_GetText(st), set->link.ca_file ? ": " : "",
                        set->link.ca_file ? set->link.ca_file : "");
    if (err)
        close_nats(n);
    else
        *ret = n;
    return err;
}

static int away(struct nats_source *n, const char *doing, natsStatus st, jsErrCode code, struct error *reterr)
{
    if (code == JSStreamNotFoundErr)
        error_set(reterr, 0, "there is no stream %s; the first sensor that sends to it makes it",
                  n->servers.name);
    else
        nats_link_explain(doing, st, code, reterr);
    disconnect(n);
    return -EAGAIN;
}

static natsStatus make_consumer(struct nats_source *n, jsConsumerInfo **ret, jsErrCode *retcode)
{
    jsConsumerConfig config;
    jsConsumerConfig_Init(&config);
    config.Durable = n->set->group;
    config.DeliverPolicy = js_DeliverAll;
    config.AckPolicy = js_AckExplicit;
    config.AckWait = (int64_t)(n->set->redeliver * 1e9);
    config.MaxDeliver = -1;
    config.MaxAckPending = PENDING_MOST;
    return js_AddConsumer(ret, n->stream, n->servers.name, &config, NULL, retcode);
}

/* One that somebody made by hand must let us acknowledge each message. */
static int check_consumer(struct nats_source *n, const jsConsumerInfo *info, struct error *reterr)
{
    const jsConsumerConfig *config = info->Config;
    n->ack_wait = config && config->AckWait > 0 ? (double)config->AckWait / 1e9 : n->set->redeliver;
    if (config && config->AckPolicy == js_AckExplicit && !config->DeliverSubject)
        return 0;
    disconnect(n);
    return error_set(reterr, -EAGAIN,
                     "consumer %s of stream %s is none that is pulled and acknowledged message by message",
                     n->set->group, n->servers.name);
}

static int subscribe(struct nats_source *n, struct error *reterr)
{
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    natsStatus st = js_GetConsumerInfo(&info, n->stream, n->servers.name, n->set->group, NULL, &code);
    if (st == NATS_NOT_FOUND && code != JSStreamNotFoundErr)
        st = make_consumer(n, &info, &code);
    if (st != NATS_OK)
        return away(n, "no consumer", st, code, reterr);
    int err = check_consumer(n, info, reterr);
    jsConsumerInfo_Destroy(info);
    if (err)
        return err;
    jsSubOptions options;
    jsSubOptions_Init(&options);
    options.Stream = n->servers.name;
    options.Consumer = n->set->group;
    st = js_PullSubscribe(&n->subscription, n->stream, NULL, n->set->group, NULL, &options, &code);
    return st == NATS_OK ? 0 : away(n, "no subscription", st, code, reterr);
}

static int connect_nats(struct nats_source *n, struct error *reterr)
{
    jsOptions options;
    if (n->connection && natsConnection_Status(n->connection) != NATS_CONN_STATUS_CONNECTED)
        disconnect(n);
    if (n->connection)
        return 0;
    natsStatus st = natsConnection_Connect(&n->connection, n->options);
    if (st != NATS_OK)
        return away(n, "not connected", st, 0, reterr);
    jsOptions_Init(&options);
    options.Wait = n->wait;
    st = natsConnection_JetStream(&n->stream, n->connection, &options);
    return st == NATS_OK ? subscribe(n, reterr) : away(n, "no JetStream", st, 0, reterr);
}

/* What stands behind the last dot of a subject STREAM.SENSOR. */
static struct slice sensor_of(const char *subject)
{
    const char *dot = subject ? strrchr(subject, '.') : NULL;
    return dot ? slice_str(dot + 1) : (struct slice){0};
}

static bool hand_out(struct nats_source *n, natsMsg *msg, source_fn *each, void *each_ctx)
{
    const char *reply = natsMsg_GetReply(msg);
    jsMsgMetaData *meta = NULL;
    if (!reply || strlen(reply) >= REPLY || n->replies.len + REPLY > REPLIES ||
        natsMsg_GetMetaData(&meta, msg) != NATS_OK)
        return false;
    const struct source_message message = {
        {(const uint8_t *)natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg)},
        sensor_of(natsMsg_GetSubject(msg)),
        meta->NumDelivered > 1};
    jsMsgMetaData_Destroy(meta);
    if (!n->replies.len)
        n->heard = now_monotonic();
    buf_add(&n->replies, (struct slice){(const uint8_t *)reply, strlen(reply) + 1});
    each(each_ctx, &message);
    return true;
}

/* What is there; where nothing is, the first that comes. Bounded by bytes too: on a client that takes what it
 * asked for too slowly the server hangs up. */
static natsStatus fetch(struct nats_source *n, double seconds, uint64_t room, natsMsgList *ret)
{
    jsFetchRequest request;
    int64_t most = natsConnection_GetMaxPayload(n->connection) + SPARE;
    jsFetchRequest_Init(&request);
    request.Batch = FETCH_MOST;
    request.MaxBytes = (int64_t)room < most ? most : (int64_t)room;
    request.NoWait = true;
    request.Expires = seconds > 0.001 ? (int64_t)(seconds * 1e9) : 1000000;
    return natsSubscription_FetchRequest(ret, n->subscription, &request);
}

static void hold(void *ctx);

static int take(void *ctx, double seconds, uint64_t room, source_fn *each, void *each_ctx,
                struct error *reterr)
{
    struct nats_source *n = ctx;
    natsMsgList list = {0};
    int err = connect_nats(n, reterr), count = 0;
    if (err)
        return err;
    hold(n); /* a batch may be longer in the making than the bus has patience */
    natsStatus st = fetch(n, seconds, room, &list);
    if (st == NATS_TIMEOUT)
        return 0;
    if (st != NATS_OK)
        return away(n, "nothing can be fetched", st, 0, reterr);
    for (int i = 0; i < list.Count; i++)
        count += hand_out(n, list.Msgs[i], each, each_ctx);
    natsMsgList_Destroy(&list);
    return count;
}

/* Each of what is held hears `word`, but for the last `spare` of them; which is where that one begins. */
static const char *tell_all(struct nats_source *n, const char *word, size_t spare, natsStatus *ret)
{
    const char *at = (const char *)n->replies.data, *end = at + n->replies.len;
    *ret = NATS_OK;
    while (at < end && *ret == NATS_OK) {
        const char *next = at + strlen(at) + 1;
        if (spare && next == end)
            break;
        *ret = natsConnection_PublishString(n->connection, at, word);
        at = next;
    }
    return at;
}

static int taken(void *ctx, struct error *reterr)
{
    struct nats_source *n = ctx;
    natsMsg *answer = NULL;
    natsStatus st = NATS_OK;
    if (!n->replies.len)
        return 0;
    int err = connect_nats(n, reterr);
    const char *last = err ? NULL : tell_all(n, "+ACK", 1, &st);
    if (!err && st == NATS_OK)
        st = natsConnection_RequestString(&answer, n->connection, last, "+ACK", n->wait);
    natsMsg_Destroy(answer);
    if (!err && st != NATS_OK)
        err = away(n, "not acknowledged", st, 0, reterr);
    buf_clear(&n->replies);
    return err;
}

static void give_back(void *ctx)
{
    struct nats_source *n = ctx;
    struct error err;
    natsStatus st;
    if (n->replies.len && connect_nats(n, &err) == 0) {
        tell_all(n, "-NAK", 0, &st);
        natsConnection_FlushTimeout(n->connection, n->wait);
    }
    buf_clear(&n->replies);
}

static void hold(void *ctx)
{
    struct nats_source *n = ctx;
    struct error err;
    natsStatus st;
    double now = now_monotonic();
    if (!n->replies.len || now < n->heard + n->ack_wait / 3)
        return;
    n->heard = now;
    if (connect_nats(n, &err) == 0)
        tell_all(n, "+WPI", 0, &st);
}

static int left(void *ctx, uint64_t *ret, struct error *reterr)
{
    struct nats_source *n = ctx;
    jsConsumerInfo *info = NULL;
    jsErrCode code = 0;
    int err = connect_nats(n, reterr);
    if (err)
        return err;
    natsStatus st = js_GetConsumerInfo(&info, n->stream, n->servers.name, n->set->group, NULL, &code);
    if (st != NATS_OK)
        return away(n, "the consumer does not answer", st, code, reterr);
    *ret = info->NumPending + (uint64_t)info->NumAckPending;
    jsConsumerInfo_Destroy(info);
    return 0;
}

const struct source_ops source_nats = {"nats",         "a stream of NATS JetStream",
                                       check,          open_nats,
                                       take,           taken,
                                       give_back,      hold,
                                       left,           close_nats,
                                       NATS_LINK_PORT, true};
const struct source_ops source_nats_tls = {
    "nats+tls", "the same over TLS", check,          open_nats, take, taken, give_back, hold,
    left,       close_nats,          NATS_LINK_PORT, true};
