/* back_parts.c: rules, country databases and scripts as the settings want them.
 * In: settings, script files. Out: complaints on standard error. Owns: what it opens. */
#include "back_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"

static void on_complaint(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "mailtap: %s\n", text);
}

int back_scripts_open(const struct settings *set, const struct script_files *scripts,
                      struct countries *countries, const struct back_hearer *to, struct scripts **ret,
                      struct error *reterr)
{
    *ret = NULL;
    if (!scripts->count)
        return 0;
    const struct script_limits limits = {.memory_bytes = set->script_bytes,
                                         .steps = set->script_steps,
                                         .counters = (uint32_t)set->script_counters,
                                         .line_bytes = set->header_bytes};
    const struct script_host host = {.notice = to->notice,
                                     .entry = to->entry,
                                     .complain = on_complaint,
                                     .ctx = to->ctx,
                                     .countries = countries,
                                     .local_nets = set->local_nets.items,
                                     .local_net_count = set->local_nets.count,
                                     .counters = scripts->counters,
                                     .hooks = scripts->hooks};
    return scripts_open(scripts->files, scripts->count, &limits, &host, ret, reterr);
}

int back_countries_open(const struct settings *set, struct countries **ret, struct error *reterr)
{
    const struct text_set *files = &set->country_databases;
    *ret = NULL;
    const char *paths[SETTINGS_TEXTS];
    for (size_t i = 0; i < files->count; i++)
        paths[i] = files->items[i].text;
    if (files->count == 1 && strcmp(paths[0], "none") == 0)
        return 0;
    return countries_open(paths, files->count, COUNTRIES_DEFAULT, ret, reterr);
}

static int open_countries(struct back_parts *p, struct error *reterr)
{
    bool wanted =
        p->set->country_databases.count != 1 || strcmp(p->set->country_databases.items[0].text, "none") != 0;
    int err = back_countries_open(p->set, &p->countries, reterr);
    if (!err && !p->countries && wanted)
        fprintf(stderr, "mailtap: %s: no countries, networks alone are looked at\n",
                countries_describe(NULL));
    if (!err && !p->countries && p->set->suspicious_origination_countries.count)
        fprintf(stderr,
                "mailtap: suspicious_origination_countries finds nothing without a country database\n");
    return err;
}

int back_parts_open(const struct settings *set, const struct script_files *scripts,
                    const struct back_hearer *to, struct back_parts **ret, struct error *reterr)
{
    struct back_parts *p = calloc(1, sizeof *p);
    memory_check(p);
    p->set = set;
    p->rule_settings =
        (struct rule_settings){.local_nets = {set->local_nets.items, set->local_nets.count},
                               .trusted_relays = {set->trusted_relays.items, set->trusted_relays.count},
                               .origin_nets = {set->suspicious_origination_networks.items,
                                               set->suspicious_origination_networks.count},
                               .countries = set->suspicious_origination_countries.items,
                               .country_count = set->suspicious_origination_countries.count};
    int err = open_countries(p, reterr);
    p->rules = (struct rules){
        .set = &p->rule_settings, .countries = p->countries, .raise = to->notice, .ctx = to->ctx};
    rules_init(&p->rules);
    if (!err)
        err = back_scripts_open(set, scripts, p->countries, to, &p->scripts, reterr);
    if (err)
        back_parts_close(&p);
    *ret = p;
    return err;
}

void back_parts_close(struct back_parts **pp)
{
    struct back_parts *p = *pp;
    *pp = NULL;
    if (!p)
        return;
    scripts_close(&p->scripts);
    rules_free(&p->rules);
    countries_close(&p->countries);
    free(p);
}
