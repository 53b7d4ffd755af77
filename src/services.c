/* services.c: what the settings name, opened and closed together.
 * In: settings. Out: the courier, the back; warnings on standard error. Owns: both. */
#include "services.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUTBOX_PATH = 512 };

static int start_courier(struct services *s, const struct settings *set, const struct courier_start *how,
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

/* OUTBOX/scheme-host-path, of what may stand in a name. */
static void outbox_of(const struct settings *set, const char *url, char ret[static OUTBOX_PATH])
{
    size_t n = (size_t)snprintf(ret, OUTBOX_PATH, "%s/", set->outbox_directory.text);
    for (const char *p = url; *p && n + 1 < OUTBOX_PATH; p++) {
        bool plain =
            byte_is_digit((uint8_t)*p) || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || *p == '.';
        if (plain || ret[n - 1] != '-')
            ret[n++] = (char)(plain ? *p : '-');
    }
    ret[n] = '\0';
}

static const char *or_null(const struct text_setting *text)
{
    return *text->text ? text->text : NULL;
}

static int start_carrier(const struct settings *set, struct results_target *target,
                         const struct courier_start *how, struct carrier **ret, struct error *reterr)
{
    char outbox[OUTBOX_PATH], host[HOST_NAME_MAX + 1] = "";
    if (!*set->outbox_directory.text)
        return error_set(reterr, -EINVAL, "-o %.300s wants the setting outbox_directory", target->directory);
    gethostname(host, sizeof host - 1);
    outbox_of(set, target->directory, outbox);
    const struct carrier_settings with = {.url = target->directory,
                                          .outbox = outbox,
                                          .sensor = *set->sensor.text ? set->sensor.text : host,
                                          .outbox_bytes = set->outbox_bytes,
                                          .batch_bytes = set->batch_bytes,
                                          .batch_wait = set->batch_wait,
                                          .timeout = set->carry_timeout,
                                          .wait_most = how->wait_most < set->carry_wait ? how->wait_most
                                                                                        : set->carry_wait,
                                          .user = or_null(&set->carry_user),
                                          .password_file = or_null(&set->carry_password_file),
                                          .ca_file = or_null(&set->carry_ca_file),
                                          .owner = how->owner,
                                          .begin = how->begin,
                                          .begin_ctx = how->ctx};
    if (mkdir(set->outbox_directory.text, 0750) == 0 && how->owner &&
        chown(set->outbox_directory.text, how->owner, (gid_t)-1) < 0)
        return error_set(reterr, -errno, "%.300s: %s", set->outbox_directory.text, strerror(errno));
    int err = carrier_start(target->remote, &with, ret, reterr);
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
    return err;
}

int services_start(struct services *s, const struct settings *set, bool scripts,
                   struct results_settings *results, const struct courier_start *how, struct error *reterr)
{
    *s = (struct services){0};
    int err = services_check(set, reterr);
    if (!err)
        err = start_courier(s, set, how, reterr);
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
