/* Settings that hold from one reload to the next, and what each front has under them. */
#ifndef ERA_H
#define ERA_H

#include "back_parts.h"
#include "pipeline.h"

/* Lives until nobody uses it: whoever begins it, and each of its fronts. */
struct era;

struct era *era_new(void);
struct settings *era_settings(struct era *e);
void era_drop(struct era *e);

/* What a front works with. Its scripts hear the dialogue only, as the back's hear the rest; what they tell
 * goes to `tell` with `ctx`, on the thread of the front. */
struct front {
    struct era *era;
    struct blocklists *lists;
    struct countries *countries;
    struct scripts *scripts; /* NULL: none hears the dialogue */
    void (*tell)(void *ctx, struct record *rec);
    void *ctx;
};

/* -errno: a file cannot be read. */
int front_open(struct era *e, const struct script_files *scripts, struct front **ret, struct error *reterr);
/* As a pipeline wants it; pipeline_services.release gives it back. */
struct pipeline_services front_services(struct front *f, struct flow_budget *budget,
                                        const struct part_store *store);
void front_close(struct front *f);

#endif
