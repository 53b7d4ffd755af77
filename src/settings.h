/* Every setting: name, type, default, meaning, in one table; read from YAML and from key=value. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdio.h>
#include "base/error.h"
#include "base/net.h"

enum { SETTINGS_NETWORKS = 256, SETTINGS_PORTS = 64 };

struct network_set {
    size_t count;
    struct network items[SETTINGS_NETWORKS];
};

struct port_set {
    size_t count;
    uint16_t items[SETTINGS_PORTS];
};

struct settings {
    uint64_t checksums;         /* 0 ignore, 1 verify */
    uint64_t mail_path_capture; /* enum path_capture */
    struct network_set local_nets;
    struct port_set ports, tls_ports;
    uint64_t max_layers, fragment_datagrams, fragment_bytes;
    double fragment_timeout;
    uint64_t max_flows, max_sessions, flow_bytes, total_bytes, flow_pieces;
    double flow_timeout, ignored_timeout, closed_timeout, gap_wait, hole_wait;
    uint64_t detect_bytes, command_bytes, reply_bytes, hold_bytes, max_pending, max_waiting;
    uint64_t header_bytes, headers_bytes, mime_depth, mime_parts;
    uint64_t transaction_bytes, session_bytes, list_items;
    uint64_t assigned; /* rows that settings_assign has set, a bit each */
};

void settings_defaults(struct settings *ret);
/* Reads a YAML file over *set. 0, or -errno with "file:line:column: ..." and, for a wrong name, the nearest
 * right one; then *set is half read. */
int settings_load(struct settings *set, const char *path, struct error *reterr);
/* "key=value"; a list's items stand between commas. A key comes once. */
int settings_assign(struct settings *set, const char *assignment, struct error *reterr);
/* All of them with type, range, default and meaning, as a file that settings_load reads. */
void settings_print(FILE *out);

#endif
