/* What the settings name: who delivers notices, who decides about records, what a front looks replies up in.
 */
#ifndef SERVICES_H
#define SERVICES_H

#include "back.h"
#include "pipeline.h"

struct services {
    const struct settings *set;
    struct courier *courier;
    struct back *back;
};

/* Starts and opens them, before anything else is opened. -errno: the settings are wrong; what was opened is
 * closed again. `out->courier` is set here. */
int services_open(struct services *s, const struct settings *set, const struct script_files *scripts,
                  const struct back_output *out, struct error *reterr);
/* True: what was handed to the courier is delivered, or kept. */
bool services_close(struct services *s);
/* A front's own block lists; for blocklists_close. */
int services_lists(const struct settings *set, struct blocklists **ret, struct error *reterr);

#endif
