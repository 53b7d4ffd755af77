/* What the reader of the file (blocklist_load.c) and the built-in rows hand to the matcher (blocklist.c). */
#ifndef RULE_BLOCKLIST_ROWS_H
#define RULE_BLOCKLIST_ROWS_H

#include "rule/blocklist.h"
#include "rule/literal.h"

struct blocklist_pattern {
    struct slice text;
    struct literal literal;
    uint32_t row; /* whose it is */
};

/* Both in the file's order. */
struct blocklist_table {
    const struct blocklist *rows;
    const struct blocklist_pattern *patterns;
    size_t rows_len, patterns_len;
};

/* data/blocklists.yaml as it was when the program was built, read and found to be right by tools/tables.c. */
extern const struct blocklist_table blocklists_builtin;

/* For rows that are added. */
struct blocklists *blocklists_new(void);
/* With the built-in rows, whose patterns are compiled when they are first tried. */
struct blocklists *blocklists_new_builtin(void);
/* Adds a row, whose texts are copied. Patterns added after it are its own. -ENOSPC: BLOCKLISTS_ROWS. */
int blocklists_add_row(struct blocklists *b, const struct blocklist *row, struct error *reterr);
/* Adds a pattern to the last row. -EINVAL: it does not compile, or fits every text; -ENOSPC: too many. */
int blocklists_add_pattern(struct blocklists *b, struct slice pattern, struct error *reterr);
const struct blocklist_table *blocklists_table(const struct blocklists *b);

#endif
