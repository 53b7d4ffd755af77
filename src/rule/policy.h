/* What is done about a notice: the owner's rows, as the ancestor's notice_policy. */
#ifndef RULE_POLICY_H
#define RULE_POLICY_H

#include "base/yaml_file.h"
#include "record/notice.h"
#include "rule/rule.h"

enum { POLICY_ROWS = 32, POLICY_NETWORKS = 32, POLICY_COUNTRIES = 64, POLICY_NOTE = 81 };

enum policy_wish { POLICY_ANY, POLICY_NO, POLICY_YES };

/* One row: of which notices, under which conditions (all must hold), what is done. */
struct policy_row {
    char note[POLICY_NOTE];      /* its whole name; "SMTP::*" and "*" stand for all that begin so */
    unsigned actions;            /* bits of enum notice_action */
    double suppress_for;         /* seconds; negative: the setting's */
    enum policy_wish local_host; /* the client or the host is in local_nets */
    struct network networks[POLICY_NETWORKS]; /* the host is in one of them, where there are any */
    size_t network_count;
    char countries[POLICY_COUNTRIES][3]; /* the host's country is one of them, where there are any */
    size_t country_count;
};

struct policy {
    struct policy_row rows[POLICY_ROWS];
    size_t count;
};

/* The first row that fits, or NULL. `n` is complete (notice_complete). */
const struct policy_row *policy_find(const struct policy *p, const struct notice *n,
                                     struct networks local_nets);
/* Reads the rows: the file's event is the start of a sequence; afterwards it is its end. -EINVAL: with
 * file:line:column, and for a wrong name the nearest right one; *ret is half read. */
int policy_read(struct yaml_file *f, struct policy *ret, struct error *reterr);

#endif
