/* nats.c: batches into a stream of NATS JetStream.
 * In: batches. Out: one message a batch, whose acknowledgement (the quorum of the stream's replicas has it)
 * is waited for. Owns: a connection, which goes at the first doubt: a new one finds a server that works.
 * Limits: the server's max_payload, over which a batch comes back in halves. Knowingly: publishing is
 * synchronous, as what was published asynchronously is lost without a word when the stream's leader dies. A
 * stream that is not there is made. Spec: NATS ADR-1 (JetStream API), Nats-Msg-Id. */
#include "carrier/nats.h"

#include <errno.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "base/slice.h"
#include "carrier/nats_link.h"

enum {
    REPLICAS_MOST = 3,
    SPARE = 1024 /* of max_payload, for the header */
};
/* How long the server knows ids, which is how late a batch may come again and still be known. */
static const int64_t DUPLICATES = INT64_C(120) * 1000000000;

struct nats {
    struct servers servers;
    int64_t wait;      /* milliseconds for one answer */
    char subject[512]; /* STREAM.SENSOR */
    natsOptions *options;
    natsConnection *connection; /* NULL: none */
    jsCtx *stream;
};

static int nats_check(const struct carrier_settings *set, struct error *reterr)
{
    struct servers servers;
    return nats_link_check(set->url, "-o ", &servers, reterr);
}

/* One token of a subject: neither dots nor wildcards. */
static void name_subject(struct nats *n, const char *sensor)
{
    int len = snprintf(n->subject, sizeof n->subject, "%s.", n->servers.name);
    snprintf(n->subject + len, sizeof n->subject - (size_t)len, "%.200s", *sensor ? sensor : "mailtap");
    for (char *p = n->subject + len; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || byte_is_digit((uint8_t)*p) ||
              *p == '-' || *p == '_'))
            *p = '_';
}

static void nats_close(void *ctx);

static int nats_open(const struct carrier_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    struct nats *n = calloc(1, sizeof *n);
    memory_check(n);
    *ret = n;
    int err = servers_parse(set->url, "STREAM", NATS_LINK_PORT, &n->servers, reterr);
    if (err)
        return err;
    n->wait = nats_link_wait(set);
    name_subject(n, set->sensor);
    natsStatus st = nats_link_options(set, password, &n->servers, &n->options);
    if (st == NATS_OK)
        return 0;
    err = error_set(reterr, -EINVAL, "%s%s%s", natsStatus_GetText(st), set->ca_file ? ": " : "",
                    set->ca_file ? set->ca_file : "");
    nats_close(n);
    *ret = NULL;
    return err;
}

static void disconnect(struct nats *n)
{
    jsCtx_Destroy(n->stream);
    natsConnection_Destroy(n->connection);
    n->stream = NULL;
    n->connection = NULL;
}

static enum carried again(struct nats *n, natsStatus st, jsErrCode code, const char *doing,
                          struct error *reterr)
{
    nats_link_explain(doing, st, code, reterr);
    disconnect(n);
    return CARRY_AGAIN;
}

/* What was made by hand stays as it is. */
static natsStatus make_stream(struct nats *n, jsErrCode *retcode)
{
    char subjects[NATS_LINK_NAME + 8];
    const char *list[] = {subjects};
    jsStreamInfo *info = NULL;
    natsStatus st = js_GetStreamInfo(&info, n->stream, n->servers.name, NULL, retcode);
    jsStreamInfo_Destroy(info);
    if (st != NATS_NOT_FOUND)
        return st;
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    snprintf(subjects, sizeof subjects, "%.*s.>", NATS_LINK_NAME, n->servers.name);
    config.Name = n->servers.name;
    config.Subjects = list;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Replicas = n->servers.count < REPLICAS_MOST ? (int64_t)n->servers.count : REPLICAS_MOST;
    config.Duplicates = DUPLICATES;
    info = NULL;
    st = js_AddStream(&info, n->stream, &config, NULL, retcode);
    jsStreamInfo_Destroy(info);
    return st;
}

static enum carried connect(struct nats *n, struct error *reterr)
{
    jsOptions options;
    jsErrCode code = 0;
    natsStatus st = natsConnection_Connect(&n->connection, n->options);
    if (st != NATS_OK)
        return again(n, st, 0, "not connected", reterr);
    jsOptions_Init(&options);
    options.Wait = n->wait;
    st = natsConnection_JetStream(&n->stream, n->connection, &options);
    if (st == NATS_OK)
        st = make_stream(n, &code);
    return st == NATS_OK ? CARRIED : again(n, st, code, "no stream", reterr);
}

static enum carried publish(struct nats *n, const struct carrier_batch *batch, struct error *reterr)
{
    jsPubOptions options;
    jsPubAck *ack = NULL;
    jsErrCode code = 0;
    jsPubOptions_Init(&options);
    options.MaxWait = n->wait;
    options.MsgId = batch->id;
    options.ExpectStream = n->servers.name;
    natsStatus st =
        js_Publish(&ack, n->stream, n->subject, batch->lines.data, (int)batch->lines.len, &options, &code);
    /* Whoever answered: the header asks the server to look, this is for one that does not. */
    bool ours = st == NATS_OK && ack && ack->Stream && strcmp(ack->Stream, n->servers.name) == 0;
    jsPubAck_Destroy(ack);
    if (ours)
        return CARRIED;
    if (st == NATS_OK)
        return again(n, NATS_ERR, 0, "another stream has taken it", reterr);
    if (st != NATS_MAX_PAYLOAD && code != JSStreamMessageExceedsMaximumErr)
        return again(n, st, code, "not acknowledged", reterr);
    error_set(reterr, 0, "larger than the server takes: %zu bytes", batch->lines.len);
    return CARRY_REFUSED;
}

static enum carried nats_send(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    struct nats *n = ctx;
    if (n->connection && natsConnection_Status(n->connection) != NATS_CONN_STATUS_CONNECTED)
        disconnect(n);
    if (!n->connection) {
        enum carried how = connect(n, reterr);
        if (how != CARRIED)
            return how;
    }
    int64_t most = natsConnection_GetMaxPayload(n->connection);
    if (most > 2 * SPARE && (int64_t)batch->lines.len > most - SPARE) {
        error_set(reterr, 0, "%zu bytes are more than the server takes: its max_payload is %lld",
                  batch->lines.len, (long long)most);
        return CARRY_REFUSED;
    }
    return publish(n, batch, reterr);
}

static void nats_close(void *ctx)
{
    struct nats *n = ctx;
    if (!n)
        return;
    disconnect(n);
    natsOptions_Destroy(n->options);
    free(n);
}

const struct carrier_ops carrier_nats = {"nats",         "NATS JetStream: one message a batch",
                                         nats_check,     nats_open,
                                         nats_send,      nats_close,
                                         NATS_LINK_PORT, true};
const struct carrier_ops carrier_nats_tls = {"nats+tls", "the same over TLS", nats_check,     nats_open,
                                             nats_send,  nats_close,          NATS_LINK_PORT, true};
