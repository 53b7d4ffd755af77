/* services.c: what the settings name, opened and closed together.
 * In: settings. Out: the courier, the back; warnings on standard error. Owns: both. */
#include "services.h"

#include <errno.h>

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

int services_start(struct services *s, const struct settings *set, bool scripts,
                   const struct courier_start *how, struct error *reterr)
{
    *s = (struct services){0};
    int err = services_check(set, reterr);
    if (!err)
        err = start_courier(s, set, how, reterr);
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

bool services_close(struct services *s)
{
    struct courier_counts counts = {0};
    bool good = courier_close(&s->courier, &counts) == 0;
    back_close(&s->back);
    extract_close(&s->extract);
    return good && !counts.email.lost && !counts.webhook.lost;
}

int services_lists(const struct settings *set, struct blocklists **ret, struct error *reterr)
{
    return blocklists_open(*set->blocklists.text ? set->blocklists.text : NULL, ret, reterr);
}
