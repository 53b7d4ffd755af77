/* What becomes of notices: the owner's policy and scripts decide, repeats are folded, and what is left is
 * logged, mailed, posted. For who raises them, and for who gets them of others. */
#ifndef NOTICES_H
#define NOTICES_H

#include "base/country.h"
#include "courier/courier.h"
#include "record/notice.h"
#include "rule/fold.h"
#include "script/script.h"
#include "settings.h"

struct notices_output {
    void (*record)(void *ctx, const struct record *rec); /* those that are logged */
    struct courier *courier; /* takes those by email and webhook, borrowed; NULL: nobody does */
    void *ctx;
};

/* What is gone by; borrowed. */
struct notices_rules {
    const struct settings *set;
    struct countries *countries; /* NULL: none */
    struct scripts *scripts;     /* NULL: none */
};

struct notices_counts {
    uint64_t raised;
    uint64_t folded, dropped;
    uint64_t own;  /* about mail of our own, which nobody is mailed about */
    uint64_t shed; /* told early over `most` */
};

struct notices;

/* `most`: notices that may repeat, remembered at once. `out` is copied; notices_rules has to follow. */
struct notices *notices_new(size_t most, const struct notices_output *out);
/* From now on these count; what may repeat stays. */
void notices_rules(struct notices *o, const struct notices_rules *by);
/* One that was raised here: decides, folds, does what was decided. Fills what it lacks. */
void notices_take(struct notices *o, struct notice *n);

enum notices_heard {
    NOTICES_LEFT,   /* a repeat, or one that the policy drops: counted */
    NOTICES_GOES,   /* it goes on as it is */
    NOTICES_CHANGED /* it goes on; actions or suppress_for differ from what they were */
};
/* One that somebody else raised, decided on and logged, with the actions that were taken: a row of the policy
 * that fits, or a script, decides what is done besides; folds whoever raised them. It is the caller who
 * passes it on. `again`: it went on before, and says what it said then, is neither counted nor done again.
 * `names` is the room for its actions. */
enum notices_heard notices_hear(struct notices *o, struct notice *n, bool again,
                                struct slice names[static ACTIONS]);
/* Time moves on, packet time: repeats are told of whose window is over. */
void notices_advance(struct notices *o, struct timespec now);
/* All that waits is told. */
void notices_finish(struct notices *o);
/* What may repeat. */
struct fold_table *notices_folds(struct notices *o);
struct notices_counts notices_counts(const struct notices *o);
void notices_free(struct notices **o);

#endif
