/* nats.c: batches into a stream of NATS JetStream.
 * In: batches. Out: one message a batch, whose acknowledgement (the quorum of the stream's replicas has it)
 * is waited for. Owns: a connection, which goes at the first doubt: a new one finds a server that works.
 * Limits: the server's max_payload, over which a batch comes back in halves. Knowingly: publishing is
 * synchronous, as what was published asynchronously is lost without a word when the stream's leader dies; the
 * library's own reconnection is off, as it would keep messages that time has passed over. A stream that is
 * not there is made. Spec: NATS ADR-1 (JetStream API), Nats-Msg-Id. */
#include "carrier/nats.h"

#include <errno.h>
#include <nats/nats.h>
#include <stdlib.h>
#include "base/memory.h"
#include "base/now.h"
#include "base/slice.h"
#include "carrier/servers.h"

enum {
    PORT = 4222,
    NAME_MOST = 100,
    REPLICAS_MOST = 3,
    SPARE = 1024,    /* of max_payload, for the header */
    WAIT_MOST = 2000 /* milliseconds for one answer: a leader that fell never sends it, and the retry has the
                        same id */
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

static bool is_tls(const char *url)
{
    return strncmp(url, "nats+tls:", 9) == 0;
}

static int nats_check(const struct carrier_settings *set, struct error *reterr)
{
    struct servers servers;
    struct error why;
    if (servers_parse(set->url, "STREAM", PORT, &servers, &why) < 0)
        return error_set(reterr, -EINVAL, "-o %.200s: %s", set->url, why.text);
    if (strlen(servers.name) > NAME_MOST || strchr(servers.name, '.'))
        return error_set(reterr, -EINVAL, "-o %.200s: a STREAM is of at most %d letters, digits, '-' and '_'",
                         set->url, NAME_MOST);
    return 0;
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

/* The file of a password may hold a JWT and its key instead: credentials of a user, as `nsc` makes them. */
static bool is_credentials(const char *password)
{
    return password && strncmp(password, "-----BEGIN NATS USER JWT", 24) == 0;
}

static natsStatus log_in(struct nats *n, const struct carrier_settings *set, const char *password)
{
    if (is_credentials(password))
        return natsOptions_SetUserCredentialsFromFiles(n->options, set->password_file, NULL);
    if (set->user)
        return natsOptions_SetUserInfo(n->options, set->user, password ? password : "");
    return password ? natsOptions_SetToken(n->options, password) : NATS_OK;
}

static natsStatus set_servers(struct nats *n, bool tls)
{
    char urls[SERVERS_MOST][SERVERS_TEXT + 8];
    const char *list[SERVERS_MOST];
    for (size_t i = 0; i < n->servers.count; i++) {
        snprintf(urls[i], sizeof urls[i], "%s://%s", tls ? "tls" : "nats", n->servers.items[i]);
        list[i] = urls[i];
    }
    return natsOptions_SetServers(n->options, list, (int)n->servers.count);
}

static natsStatus set_tls(struct nats *n, const struct carrier_settings *set)
{
    natsStatus st = natsOptions_SetSecure(n->options, true);
    if (st == NATS_OK && set->ca_file)
        st = natsOptions_LoadCATrustedCertificates(n->options, set->ca_file);
    return st;
}

static natsStatus set_options(struct nats *n, const struct carrier_settings *set, const char *password)
{
    bool tls = is_tls(set->url);
    natsStatus st = natsOptions_Create(&n->options);
    if (st == NATS_OK)
        st = set_servers(n, tls);
    if (st == NATS_OK)
        st = natsOptions_SetTimeout(n->options, n->wait);
    if (st == NATS_OK)
        st = natsOptions_SetAllowReconnect(n->options, false);
    if (st == NATS_OK)
        st = natsOptions_SetName(n->options, "mailtap");
    if (st == NATS_OK)
        st = log_in(n, set, password);
    if (st == NATS_OK && tls)
        st = set_tls(n, set);
    return st;
}

static void nats_close(void *ctx);

static int nats_open(const struct carrier_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    struct nats *n = calloc(1, sizeof *n);
    memory_check(n);
    *ret = n;
    int err = servers_parse(set->url, "STREAM", PORT, &n->servers, reterr);
    if (err)
        return err;
    n->wait = (int64_t)(set->timeout * 1000);
    if (n->wait > WAIT_MOST)
        n->wait = WAIT_MOST;
    name_subject(n, set->sensor);
    natsStatus st = set_options(n, set, password);
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

/* The library's text tells which of its calls failed, its last error what the server said. */
static enum carried again(struct nats *n, natsStatus st, jsErrCode code, const char *doing,
                          struct error *reterr)
{
    const char *last = nats_GetLastError(NULL);
    snprintf(reterr->text, sizeof reterr->text, "%s: %s%s%.200s", doing, natsStatus_GetText(st),
             last && *last ? ": " : "", last ? last : "");
    if (code)
        snprintf(reterr->text + strlen(reterr->text), sizeof reterr->text - strlen(reterr->text), " (%d)",
                 (int)code);
    disconnect(n);
    return CARRY_AGAIN;
}

/* What was made by hand stays as it is. */
static natsStatus make_stream(struct nats *n, jsErrCode *retcode)
{
    char subjects[NAME_MOST + 8];
    const char *list[] = {subjects};
    jsStreamInfo *info = NULL;
    natsStatus st = js_GetStreamInfo(&info, n->stream, n->servers.name, NULL, retcode);
    jsStreamInfo_Destroy(info);
    if (st != NATS_NOT_FOUND)
        return st;
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    snprintf(subjects, sizeof subjects, "%.*s.>", NAME_MOST, n->servers.name);
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

const struct carrier_ops carrier_nats = {
    "nats", "NATS JetStream: one message a batch", nats_check, nats_open, nats_send, nats_close, PORT, true};
const struct carrier_ops carrier_nats_tls = {"nats+tls", "the same over TLS", nats_check, nats_open,
                                             nats_send,  nats_close,          PORT,       true};
