/* What software hosts show: of each program, told once. */
#ifndef RULE_SOFTWARE_H
#define RULE_SOFTWARE_H

#include "record/software.h"
#include "rule/rule.h"

enum software_scope { SOFTWARE_ALL, SOFTWARE_LOCAL, SOFTWARE_NONE };

struct software_settings {
    enum software_scope scope;
    struct networks local_nets; /* beside private addresses */
    double expires;             /* seconds of packet time after which a program is told of anew */
};

struct software_table;

/* Remembers up to `most` programs; `tell` borrows what it gets for the call. */
struct software_table *software_table_new(size_t most, void (*tell)(void *ctx, struct software *s),
                                          void *ctx);
/* A mail or a connection, complete: tells of the program that wrote it, or of the server, where its host has
 * not shown that name and version before. Time is rec->end. Other records say nothing. */
void software_record(struct software_table *t, const struct software_settings *set, const struct record *rec);
/* How many programs were forgotten before their time, as there were too many. */
uint64_t software_shed(const struct software_table *t);
void software_table_free(struct software_table **t);

#endif
