/* What the reader of the file (blocklist_load.c) hands to the matcher (blocklist.c). */
#ifndef RULE_BLOCKLIST_ROWS_H
#define RULE_BLOCKLIST_ROWS_H

#include "rule/blocklist.h"

/* data/blocklists.yaml as it was when the program was built; made by tools/embed. */
extern const unsigned char blocklists_builtin[];
extern const size_t blocklists_builtin_len;

/* NULL: no memory. */
struct blocklists *blocklists_new(void);
/* Adds a row, whose texts are copied. Patterns added after it are its own. -ENOSPC: BLOCKLISTS_ROWS. */
int blocklists_add_row(struct blocklists *b, const struct blocklist *row, struct error *reterr);
/* Adds a pattern to the last row. -EINVAL: it does not compile, or fits every text; -ENOSPC: too many. */
int blocklists_add_pattern(struct blocklists *b, struct slice pattern, struct error *reterr);

#endif
