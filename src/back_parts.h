/* What the back works with and a reload makes anew: rules, country databases, scripts. */
#ifndef BACK_PARTS_H
#define BACK_PARTS_H

#include "rule/rule.h"
#include "script/script.h"
#include "settings.h"

struct script_files {
    const char *const *files;
    size_t count;
    unsigned hooks;            /* those that are heard, bits of enum script_hook; 0: all */
    struct counters *counters; /* that all of them share, borrowed */
};

struct back_parts {
    const struct settings *set; /* borrowed, outlives it */
    struct rule_settings rule_settings;
    struct rules rules;
    struct countries *countries; /* NULL: none */
    struct scripts *scripts;     /* NULL: none */
};

/* Whom notices and lines of scripts go to. */
struct back_hearer {
    void (*notice)(void *ctx, struct notice *n);
    void (*entry)(void *ctx, struct entry *e);
    void *ctx;
};

/* -errno: a database cannot be read, a script fails to load. */
int back_parts_open(const struct settings *set, const struct script_files *scripts,
                    const struct back_hearer *to, struct back_parts **ret, struct error *reterr);
void back_parts_close(struct back_parts **p);
/* *ret is NULL where the settings want none, or the default one is not there. */
int back_countries_open(const struct settings *set, struct countries **ret, struct error *reterr);
/* Scripts with the limits that the settings name; `countries` may be NULL. *ret is NULL where there are none.
 */
int back_scripts_open(const struct settings *set, const struct script_files *scripts,
                      struct countries *countries, const struct back_hearer *to, struct scripts **ret,
                      struct error *reterr);

#endif
