/* nats_link.c: a connection to NATS, made ready.
 * In: settings. Out: the library's options, texts of what failed. Owns: nothing. Knowingly: the library's own
 * reconnection is off, as it would keep messages that time has passed over. Spec: NATS ADR-1. */
#include "carrier/nats_link.h"

#include <errno.h>
#include "base/slice.h"

static bool is_tls(const char *url)
{
    return strncmp(url, "nats+tls:", 9) == 0;
}

int nats_link_check(const char *url, const char *prefix, struct servers *ret, struct error *reterr)
{
    struct error why;
    if (servers_parse(url, "STREAM", NATS_LINK_PORT, ret, &why) < 0)
        return error_set(reterr, -EINVAL, "%s%.200s: %s", prefix, url, why.text);
    if (strlen(ret->name) > NATS_LINK_NAME || strchr(ret->name, '.'))
        return error_set(reterr, -EINVAL, "%s%.200s: a STREAM is of at most %d letters, digits, '-' and '_'",
                         prefix, url, NATS_LINK_NAME);
    return 0;
}

int64_t nats_link_wait(const struct carrier_settings *set)
{
    int64_t wait = (int64_t)(set->timeout * 1000);
    return wait > NATS_LINK_WAIT_MOST ? NATS_LINK_WAIT_MOST : wait;
}

/* The file of a password may hold a JWT and its key instead: credentials of a user, as `nsc` makes them. */
static bool is_credentials(const char *password)
{
    return password && strncmp(password, "-----BEGIN NATS USER JWT", 24) == 0;
}

static natsStatus log_in(natsOptions *options, const struct carrier_settings *set, const char *password)
{
    if (is_credentials(password))
        return natsOptions_SetUserCredentialsFromFiles(options, set->password_file, NULL);
    if (set->user)
        return natsOptions_SetUserInfo(options, set->user, password ? password : "");
    return password ? natsOptions_SetToken(options, password) : NATS_OK;
}

static natsStatus set_servers(natsOptions *options, const struct servers *servers, bool tls)
{
    char urls[SERVERS_MOST][SERVERS_TEXT + 8];
    const char *list[SERVERS_MOST];
    for (size_t i = 0; i < servers->count; i++) {
        snprintf(urls[i], sizeof urls[i], "%s://%s", tls ? "tls" : "nats", servers->items[i]);
        list[i] = urls[i];
    }
    return natsOptions_SetServers(options, list, (int)servers->count);
}

static natsStatus set_tls(natsOptions *options, const struct carrier_settings *set)
{
    natsStatus st = natsOptions_SetSecure(options, true);
    if (st == NATS_OK && set->ca_file)
        st = natsOptions_LoadCATrustedCertificates(options, set->ca_file);
    if (st == NATS_OK && set->certificate)
        st = natsOptions_SetCertificatesChain(options, set->certificate, set->key);
    return st;
}

natsStatus nats_link_options(const struct carrier_settings *set, const char *password,
                             const struct servers *servers, natsOptions **ret)
{
    bool tls = is_tls(set->url);
    natsStatus st = natsOptions_Create(ret);
    if (st == NATS_OK)
        st = set_servers(*ret, servers, tls);
    if (st == NATS_OK)
        st = natsOptions_SetTimeout(*ret, nats_link_wait(set));
    if (st == NATS_OK)
        st = natsOptions_SetAllowReconnect(*ret, false);
    if (st == NATS_OK)
        st = natsOptions_SetName(*ret, "mailtap");
    if (st == NATS_OK)
        st = log_in(*ret, set, password);
    if (st == NATS_OK && tls)
        st = set_tls(*ret, set);
    return st;
}

void nats_link_explain(const char *doing, natsStatus st, jsErrCode code, struct error *reterr)
{
    const char *last = nats_GetLastError(NULL), *text = natsStatus_GetText(st);
    /* The library's own words begin with the place in its source: "(conn.c:2088): No server available". */
    if (last && *last == '(' && strstr(last, "): "))
        last = strstr(last, "): ") + 3;
    if (last && strcmp(last, text) == 0)
        last = NULL;
    if (st == NATS_CONNECTION_AUTH_FAILED)
        text = "the server does not take this log-in (user, password file, certificate)";
    snprintf(reterr->text, sizeof reterr->text, "%s: %s%s%.200s", doing, text, last && *last ? ": " : "",
             last ? last : "");
    if (code)
        snprintf(reterr->text + strlen(reterr->text), sizeof reterr->text - strlen(reterr->text), " (%d)",
                 (int)code);
}
