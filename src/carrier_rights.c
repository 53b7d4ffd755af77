/* carrier_rights.c: what the process of a carrier gives up before it talks to anybody.
 * In: settings. Out: a process that writes one folder and connects to the servers of one URL. Owns: nothing.
 * Limits: CARRIER_PORTS; a URL of more ports may go to any. Knowingly: ports are held to by kernels whose
 * Landlock knows them (ABI 4); hosts are not, nor UDP. A destination without a port of its own (Kafka) names
 * hosts and ports as it likes. */
#include "carrier_rights.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/slice.h"
#include "confine.h"

enum { HOST = 256 };

static bool is_number(struct slice host)
{
    char text[HOST];
    uint8_t bytes[16];
    if (host.len > 2 && host.data[0] == '[')
        host = slice_sub(host, 1, host.len - 1);
    snprintf(text, sizeof text, "%.*s", (int)(host.len < HOST ? host.len : 0), (const char *)host.data);
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* host, host:port, [host] or [host]:port. */
static void add_server(struct carrier_target *t, struct slice server, uint16_t port)
{
    size_t colon = server.len;
    uint64_t given = port;
    while (colon && byte_is_digit(server.data[colon - 1]))
        colon--;
    bool has_port = colon > 1 && colon < server.len && server.data[colon - 1] == ':' &&
                    (server.data[0] != '[' || server.data[colon - 2] == ']');
    if (has_port) {
        if (!slice_number(slice_sub(server, colon, server.len), &given) || given > UINT16_MAX)
            given = 0;
        server = slice_sub(server, 0, colon - 1);
    }
    t->named |= !is_number(server);
    t->any |= !given || t->count == CARRIER_PORTS;
    if (!t->any)
        t->ports[t->count++] = (uint16_t)given;
}

void carrier_target_add(struct carrier_target *ret, const char *url, uint16_t port)
{
    const char *at = strstr(url, "://");
    struct slice rest = slice_str(at ? at + 3 : url);
    ret->any |= !port;
    ret->named |= !port;
    rest = slice_sub(rest, 0, slice_index(rest, '/'));
    while (rest.len) {
        size_t end = slice_index(rest, ',');
        add_server(ret, slice_sub(rest, 0, end), port);
        rest = slice_sub(rest, end + 1, rest.len);
    }
}

int carrier_rights_drop(const struct carrier_ops *ops, const struct carrier_settings *set,
                        struct error *reterr)
{
    const char *again[2];
    size_t count = 0;
    struct carrier_target target = {.count = 0};
    carrier_target_add(&target, set->url, ops->port);
    /* They are renewed while we run. */
    if (set->ca_file)
        again[count++] = set->ca_file;
    if (set->password_file && ops->rereads && access(set->password_file, R_OK) == 0)
        again[count++] = set->password_file;
    const struct confine_settings to = {.reread_files = again,
                                        .reread_count = count,
                                        .write_paths = &set->outbox,
                                        .write_count = 1,
                                        .refusals_to = -1,
                                        .connects = true,
                                        .ports = target.ports,
                                        .port_count = target.any ? 0 : target.count,
                                        .resolves = target.named,
                                        .any_owner = true};
    struct confine_report report;
    int err = confine(&to, &report, reterr);
    /* The sensor says the rest, and a run over files is none. */
    confine_show_paths(&report);
    return err;
}
