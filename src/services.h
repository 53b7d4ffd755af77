/* What the settings name: who delivers notices, who decides about records, what a front looks replies up in.
 */
#ifndef SERVICES_H
#define SERVICES_H

#include "back.h"
#include "pipeline.h"
#include "results.h"

struct services {
    struct courier *courier;
    struct back *back;
    struct extract *extract; /* NULL: nothing is kept */
    struct carrier *carriers[RESULTS_TARGETS];
};

enum { SERVICES_PROCESSES = RESULTS_TARGETS + 1, SERVICES_OUTBOX = SETTINGS_TEXT + 232 /* with its end */ };

struct courier_start {
    double wait_most; /* seconds that closing may wait for deliveries, whatever the settings say */
    uid_t owner;      /* this and the rest as in struct courier_settings */
    void (*begin)(void *ctx);
    void *ctx;
};

/* Are the settings at odds with each other? -errno. */
int services_check(const struct settings *set, struct error *reterr);
/* The courier alone, where the settings have one; as services_start. */
int services_courier(struct services *s, const struct settings *set, const struct courier_start *how,
                     struct error *reterr);
/* What the settings say of an output over a network; texts are theirs. No outbox, no owner. */
struct carrier_settings services_carrier(const struct settings *set, const char *url);
/* The folder of such an address below outbox_directory, which is made; `prefix` is 32 characters at most. */
int services_outbox(const struct settings *set, const char *url, const char *prefix, uid_t owner,
                    char ret[static SERVICES_OUTBOX], struct error *reterr);
/* Checks, and starts the courier and the carriers of outputs, whose targets get them, before anything else is
 * opened. -errno: the settings are wrong. In any case *s is for services_close. */
int services_start(struct services *s, const struct settings *set, bool scripts,
                   struct results_settings *results, const struct courier_start *how, struct error *reterr);
/* Then opens the folder of files and the back; `out->courier` is set here. -errno: a folder, database or
 * script cannot be read. */
int services_decide(struct services *s, const struct settings *set, const struct script_files *scripts,
                    const struct back_output *out, struct error *reterr);
/* The courier and the carriers, which whoever closes them must be able to end. How many. */
size_t services_processes(const struct services *s, pid_t ret[static SERVICES_PROCESSES]);
/* No record follows, and what outputs hold is in the outboxes: waits for the carriers, so that their counts
 * are the last ones. */
void services_carry(struct services *s);
/* After the outputs. True: what was handed to the courier and the carriers is delivered, or kept. */
bool services_close(struct services *s);
/* A front's own block lists; for blocklists_close. */
int services_lists(const struct settings *set, struct blocklists **ret, struct error *reterr);
/* The agents that all fronts share; for agents_close. */
int services_agents(const struct settings *set, struct agents **ret, struct error *reterr);

#endif
