/* kafka_link.c: a client of Kafka, made ready.
 * In: settings. Out: the library's configuration. Owns: nothing. Spec: KIP-84 (SCRAM). */
#include "carrier/kafka_link.h"

#include <errno.h>
#include "base/slice.h"

static bool is_tls(const char *url)
{
    return strncmp(url, "kafka+tls:", 10) == 0;
}

int kafka_link_check(const struct carrier_settings *set, const char *prefix, const char *login,
                     const char *secret, struct error *reterr)
{
    struct servers servers;
    struct error why;
    if (servers_parse(set->url, "TOPIC", KAFKA_LINK_PORT, &servers, &why) < 0)
        return error_set(reterr, -EINVAL, "%s%.200s: %s", prefix, set->url, why.text);
    if (!set->user != !set->password_file)
        return error_set(reterr, -EINVAL, "%s%.200s: %s wants %s", prefix, set->url,
                         set->user ? login : secret, set->user ? secret : login);
    return 0;
}

/* The library would write to standard error, again and again. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk, (void)level, (void)facility, (void)text;
}

static int set_options(rd_kafka_conf_t *conf, const struct kafka_option *options, size_t count,
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

int kafka_link_configure(const struct carrier_settings *set, const char *password,
                         const struct servers *servers, const struct kafka_option *options, size_t count,
                         rd_kafka_conf_t *conf, struct error *reterr)
{
    char list[SERVERS_MOST * SERVERS_TEXT];
    const bool tls = is_tls(set->url), login = set->user;
    list_servers(servers, list);
    const struct kafka_option own[] = {{"bootstrap.servers", list},
                                       {"client.id", "mailtap"},
                                       {"reconnect.backoff.ms", "100"},
                                       {"reconnect.backoff.max.ms", "2000"},
                                       {"security.protocol", login ? tls ? "sasl_ssl" : "sasl_plaintext"
                                                             : tls ? "ssl"
                                                                   : "plaintext"},
                                       {"sasl.mechanisms", login ? "SCRAM-SHA-512" : NULL},
                                       {"sasl.username", set->user},
                                       {"sasl.password", login ? password : NULL},
                                       {"ssl.certificate.pem", tls ? set->certificate : NULL},
                                       {"ssl.key.pem", tls ? set->key : NULL},
                                       {"ssl.ca.location", tls ? set->ca_file : NULL},
                                       {"ssl.endpoint.identification.algorithm", tls ? "https" : NULL}};
    rd_kafka_conf_set_log_cb(conf, on_log);
    int err = set_options(conf, own, sizeof own / sizeof *own, reterr);
    return err ? err : set_options(conf, options, count, reterr);
}
