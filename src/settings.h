/* Every setting: name, type, default, meaning, in one table; read from YAML and from key=value. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdio.h>
#include "base/error.h"
#include "base/net.h"
#include "rule/policy.h"

enum { SETTINGS_NETWORKS = 256, SETTINGS_PORTS = 64, SETTINGS_COUNTRIES = 256, SETTINGS_TEXTS = 16 };
enum { SETTINGS_TEXT = 256, SETTINGS_MOST = 192 /* rows of settings.def */ };

struct network_set {
    size_t count;
    struct network items[SETTINGS_NETWORKS];
};

struct port_set {
    size_t count;
    uint16_t items[SETTINGS_PORTS];
};

struct country_set {
    size_t count;
    char items[SETTINGS_COUNTRIES][3];
};

struct text_setting {
    char text[SETTINGS_TEXT];
};

struct text_set {
    size_t count;
    struct text_setting items[SETTINGS_TEXTS];
};

struct settings {
    uint64_t checksums;         /* 0 ignore, 1 verify */
    uint64_t mail_path_capture; /* enum path_capture */
    struct network_set local_nets, trusted_relays;
    struct port_set ports, tls_ports;
    uint64_t max_layers, fragment_datagrams, fragment_bytes;
    double fragment_timeout;
    uint64_t max_flows, max_sessions, flow_bytes, total_bytes, flow_pieces, recheck_bytes;
    double flow_timeout, ignored_timeout, closed_timeout, gap_wait, hole_wait;
    uint64_t detect_bytes, command_bytes, reply_bytes, hold_bytes, max_pending, max_waiting, tls_bytes;
    uint64_t auth_user; /* 0 no, 1 yes */
    uint64_t header_bytes, headers_bytes, mime_depth, mime_parts, head_bytes;
    uint64_t transaction_bytes, session_bytes, list_items, hop_items, address_items, header_items, url_items,
        url_bytes;
    uint64_t member_items;
    uint64_t headers; /* 0 known, 1 all */
    struct text_set trusted_authserv;
    uint64_t hash;    /* enum hash_mode */
    uint64_t extract; /* enum extract_mode */
    struct text_setting extract_directory;
    uint64_t extract_part_bytes, extract_bytes, extract_files;
    struct text_setting blocklists, agents;
    uint64_t blocklist_kinds; /* a bit per enum blocklist_kind */
    struct text_set country_databases;
    struct country_set suspicious_origination_countries;
    struct network_set suspicious_origination_networks;
    double suppress_for;
    uint64_t max_suppressed;
    uint64_t software; /* enum software_scope */
    uint64_t software_hosts;
    double software_expires;
    struct policy notice_policy;
    struct text_setting email_server, email_from;
    struct text_set email_to;
    struct text_setting email_user, email_password_file;
    double email_interval, delivery_timeout;
    uint64_t email_rate;
    struct text_setting webhook_url, spool_directory;
    uint64_t spool_bytes;
    struct text_setting sensor, outbox_directory;
    uint64_t outbox_bytes, batch_bytes, group_bytes;
    uint64_t outbox_sync; /* 0 no, 1 yes */
    double batch_wait, carry_timeout, carry_wait;
    struct text_setting carry_user, carry_password_file, carry_ca_file, carry_cert_file, carry_key_file;
    uint64_t carry_format; /* enum carry_format */
    uint64_t syslog_facility, syslog_severity, syslog_notice_severity, syslog_bytes;
    uint64_t syslog_framing; /* 0 octets, 1 lines */
    struct text_setting load_group;
    uint64_t load_bytes;
    double load_wait, load_redeliver;
    struct text_setting load_user, load_password_file, load_ca_file, load_cert_file, load_key_file;
    double retry_first, retry_most, courier_wait;
    uint64_t script_bytes, script_steps, script_counters;
    uint64_t load_notices; /* enum load_notices */
    struct text_set load_scripts;
    double load_lateness, load_save;
    struct text_setting load_state;
    uint64_t load_seen;
    uint64_t output_bytes, rotate_size, rotate_keep;
    double rotate_interval;
    double store_commit;
    uint64_t store_days, store_bytes, store_queue_bytes, store_cache_bytes, store_find_bytes, store_keys;
    struct text_setting capture_filter;
    uint64_t capture_buffer;
    uint64_t promiscuous; /* 0 no, 1 yes */
    struct text_setting user;
    struct text_setting web_listen, web_certificate, web_key, web_users, web_audit, web_directory;
    struct text_set web_hosts;
    double web_session_idle, web_session_most, web_seconds, web_client_timeout;
    uint64_t web_log_ins, web_connections, web_threads, web_page_rows, web_sums_bytes;
    double stats_interval;
    double loss_threshold, one_sided_threshold; /* shares of 1 */
    bool assigned[SETTINGS_MOST];               /* rows that settings_assign has set */
};

void settings_defaults(struct settings *ret);
/* Reads a YAML file over *set. 0, or -errno with "file:line:column: ..." and, for a wrong name, the nearest
 * right one; then *set is half read. */
int settings_load(struct settings *set, const char *path, struct error *reterr);
/* "key=value"; a list's items stand between commas. A key comes once. */
int settings_assign(struct settings *set, const char *assignment, struct error *reterr);
/* Where an action of a notice (or 0) delivers to: the setting's name and text, which is empty where it is not
 * set; name NULL: the action needs none. */
struct settings_target {
    const char *name, *text;
};
struct settings_target settings_target(const struct settings *set, enum notice_action action);
/* Where settings come from; borrowed. */
struct settings_source {
    const char *const *files; /* of -c */
    size_t file_count;
    const char *const *assigned; /* of -s, which stand above the files */
    size_t assigned_count;
};
/* Defaults, files and assignments, in this order: 0, or -errno as above. */
int settings_collect(const struct settings_source *source, struct settings *ret, struct error *reterr);
/* Says on standard error which settings differ that count from the start only. */
void settings_tell_fixed(const struct settings *old, const struct settings *now);
/* All of them with type, range, default and meaning, as a file that settings_load reads. */
void settings_print(FILE *out);

#endif
