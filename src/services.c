/* services.c: what the settings name, opened and closed together.
 * In: settings. Out: the courier, the carriers, the back; warnings on standard error. Owns: all of them. */
#include "services.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "carrier/outbox.h"
#include "carrier_rights.h"

enum { OUTBOX_NAME_MOST = 200 };

int services_courier(struct services *s, const struct settings *set, const struct courier_start *how,
                     struct error *reterr)
{
    const char *to[SETTINGS_TEXTS];
    for (size_t i = 0; i < set->email_to.count; i++)
        to[i] = set->email_to.items[i].text;
    const struct courier_settings courier = {
        .email_server = set->email_server.text,
        .email_from = set->email_from.text,
        .email_to = to,
        .email_to_count = set->email_to.count,
        .email_user = set->email_user.text,
        .email_password_file = set->email_password_file.text,
        .email_interval = set->email_interval,
        .email_rate = set->email_rate,
        .webhook_url = set->webhook_url.text,
        .retry_first = set->retry_first,
        .retry_most = set->retry_most,
        .timeout = set->delivery_timeout,
        .spool_bytes = set->spool_bytes,
        .spool_directory = set->spool_directory.text,
        .courier_wait = how->wait_most < set->courier_wait ? how->wait_most : set->courier_wait,
        .owner = how->owner,
        .begin = how->begin,
        .begin_ctx = how->ctx};
    return courier_start(&courier, &s->courier, reterr);
}

/* An action of the policy for which there is no target would be nothing, silently. */
int services_check(const struct settings *set, struct error *reterr)
{
    for (size_t i = 0; i < set->notice_policy.count; i++)
        for (unsigned k = 0; k < ACTIONS; k++) {
            const struct policy_row *row = &set->notice_policy.rows[i];
            const struct settings_target target = settings_target(set, row->actions & 1u << k);
            if (!target.name || *target.text)
                continue;
            return error_set(reterr, -EINVAL, "notice_policy: %s for %s, but %s is not set",
                             notice_action_name(1u << k), row->note, target.name);
        }
    return 0;
}

/* A target that nothing is sent to looks as if all were well. */
static void warn_unused(const struct settings *set, bool scripts)
{
    unsigned wanted = 0;
    for (size_t i = 0; i < set->notice_policy.count; i++)
        wanted |= set->notice_policy.rows[i].actions;
    for (unsigned i = 0; i < ACTIONS && !scripts; i++) {
        const struct settings_target target = settings_target(set, 1u << i);
        if (target.name && *target.text && !(wanted & 1u << i))
            fprintf(stderr, "mailtap: %s is set, but no row of notice_policy has the action %s\n",
                    target.name, notice_action_name(1u << i));
    }
}

/* scheme-host-path, of what may stand in a name; a long one ends with a hash of all of it. */
static void outbox_name(const char *url, char ret[static OUTBOX_NAME_MOST])
{
    size_t n = 0;
    uint64_t hash = 14695981039346656037u;
    for (const char *p = url; *p; p++) {
        bool plain =
            byte_is_digit((uint8_t)*p) || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '.';
        hash = (hash ^ (uint8_t)*p) * 1099511628211u;
        if (n < OUTBOX_NAME_MOST - 18 && (plain || (n && ret[n - 1] != '-')))
            ret[n++] = (char)(plain ? *p : '-');
    }
    ret[n] = '\0';
    if (n == OUTBOX_NAME_MOST - 18)
        snprintf(ret + n, 18, "-%016llx", (unsigned long long)hash);
}

static bool is_target(const struct results_settings *results, const char *name)
{
    char own[OUTBOX_NAME_MOST];
    for (size_t i = 0; i < results->target_count; i++) {
        if (!results->targets[i].remote)
            continue;
        outbox_name(results->targets[i].directory, own);
        if (strcmp(own, name) == 0)
            return true;
    }
    return false;
}

/* Whoever changes an address leaves records behind that wait for the old one. */
static void warn_left(const struct settings *set, const struct results_settings *results)
{
    DIR *dir = *set->outbox_directory.text ? opendir(set->outbox_directory.text) : NULL;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (*e->d_name == '.' || is_target(results, e->d_name))
            continue;
        int folder = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        const struct outbox_sum left = folder >= 0 ? outbox_sum(folder) : (struct outbox_sum){0};
        if (folder >= 0)
            close(folder);
        if (left.batches)
            fprintf(stderr, "mailtap: %llu records wait in %s/%s, which no -o carries away\n",
                    (unsigned long long)left.lines, set->outbox_directory.text, e->d_name);
    }
    if (dir)
        closedir(dir);
}

static const char *or_null(const struct text_setting *text)
{
    return *text->text ? text->text : NULL;
}

struct carrier_settings services_carrier(const struct settings *set, const char *url)
{
    return (struct carrier_settings){.url = url,
                                     .sensor = set->sensor.text,
                                     .outbox_bytes = set->outbox_bytes,
                                     .sync = set->outbox_sync,
                                     .batch_bytes = set->batch_bytes,
                                     .group_bytes = set->group_bytes,
                                     .batch_wait = set->batch_wait,
                                     .timeout = set->carry_timeout,
                                     .wait_most = set->carry_wait,
                                     .user = or_null(&set->carry_user),
                                     .password_file = or_null(&set->carry_password_file),
                                     .ca_file = or_null(&set->carry_ca_file),
                                     .cert_file = or_null(&set->carry_cert_file),
                                     .key_file = or_null(&set->carry_key_file),
                                     .format = (enum carry_format)set->carry_format,
                                     .syslog = {.facility = (unsigned)set->syslog_facility,
                                                .severity = (unsigned)set->syslog_severity,
                                                .notice_severity = (unsigned)set->syslog_notice_severity,
                                                .lines = set->syslog_framing,
                                                .bytes = set->syslog_bytes}};
}

int services_outbox(const struct settings *set, const char *url, const char *prefix, uid_t owner,
                    char ret[static SERVICES_OUTBOX], struct error *reterr)
{
    char name[OUTBOX_NAME_MOST];
    const char *above = set->outbox_directory.text;
    outbox_name(url, name);
    snprintf(ret, SERVICES_OUTBOX, "%s/%s%s", above, prefix, name);
    if (mkdir(above, 0750) == 0 && owner && chown(above, owner, (gid_t)-1) < 0)
        return error_set(reterr, -errno, "%.300s: %s", above, strerror(errno));
    return 0;
}

static int start_carrier(const struct settings *set, struct results_target *target,
                         const struct courier_start *how, struct carrier **ret, struct error *reterr)
{
    char outbox[SERVICES_OUTBOX], host[HOST_NAME_MAX + 1] = "";
    if (!*set->outbox_directory.text)
        return error_set(reterr, -EINVAL, "-o %.300s wants the setting outbox_directory", target->directory);
    gethostname(host, sizeof host - 1);
    struct carrier_settings with = services_carrier(set, target->directory);
    with.outbox = outbox;
    with.sensor = *set->sensor.text ? set->sensor.text : host;
    with.wait_most = how->wait_most < with.wait_most ? how->wait_most : with.wait_most;
    with.owner = how->owner;
    with.begin = how->begin;
    with.begin_ctx = how->ctx;
    with.confine = carrier_rights_drop;
    int err = services_outbox(set, target->directory, "", how->owner, outbox, reterr);
    if (!err)
        err = carrier_start(target->remote, &with, ret, reterr);
    target->carrier = *ret;
    return err;
}

static int start_carriers(struct services *s, const struct settings *set, struct results_settings *results,
                          const struct courier_start *how, struct error *reterr)
{
    int err = 0;
    for (size_t i = 0; i < results->target_count && !err; i++)
        if (results->targets[i].remote)
            err = start_carrier(set, &results->targets[i], how, &s->carriers[i], reterr);
    if (!err)
        warn_left(set, results);
    return err;
}

int services_start(struct services *s, const struct settings *set, bool scripts,
                   struct results_settings *results, const struct courier_start *how, struct error *reterr)
{
    *s = (struct services){0};
    int err = services_check(set, reterr);
    if (!err)
        err = services_courier(s, set, how, reterr);
    if (!err)
        err = start_carriers(s, set, results, how, reterr);
    if (!err)
        warn_unused(set, scripts);
    return err;
}

int services_decide(struct services *s, const struct settings *set, const struct script_files *scripts,
                    const struct back_output *out, struct error *reterr)
{
    struct back_output with = *out;
    with.courier = s->courier;
    int err = extract_open(set, &s->extract, reterr);
    if (err)
        return err;
    with.extract = s->extract;
    return back_open(set, scripts, &with, &s->back, reterr);
}

void services_carry(struct services *s)
{
    for (size_t i = 0; i < RESULTS_TARGETS; i++)
        carrier_end(s->carriers[i]);
    for (size_t i = 0; i < RESULTS_TARGETS; i++)
        carrier_finish(s->carriers[i]);
}

size_t services_processes(const struct services *s, pid_t ret[static SERVICES_PROCESSES])
{
    size_t count = 0;
    if (courier_process(s->courier) > 0)
        ret[count++] = courier_process(s->courier);
    for (size_t i = 0; i < RESULTS_TARGETS; i++)
        if (carrier_process(s->carriers[i]) > 0)
            ret[count++] = carrier_process(s->carriers[i]);
    return count;
}

bool services_close(struct services *s)
{
    struct courier_counts counts = {0};
    for (size_t i = 0; i < RESULTS_TARGETS; i++)
        carrier_end(s->carriers[i]);
    bool good = courier_close(&s->courier, &counts) == 0;
    for (size_t i = 0; i < RESULTS_TARGETS; i++)
        good &= carrier_close(&s->carriers[i]) == 0;
    back_close(&s->back);
    extract_close(&s->extract);
    return good && !counts.email.lost && !counts.webhook.lost;
}

int services_lists(const struct settings *set, struct blocklists **ret, struct error *reterr)
{
    return blocklists_open(*set->blocklists.text ? set->blocklists.text : NULL, ret, reterr);
}

int services_agents(const struct settings *set, struct agents **ret, struct error *reterr)
{
    return agents_open(*set->agents.text ? set->agents.text : NULL, ret, reterr);
}
