/* What the reader of the file (agents_load.c) hands to the matcher (agents.c). */
#ifndef RECORD_AGENTS_ROWS_H
#define RECORD_AGENTS_ROWS_H

#include "base/arena.h"
#include "record/agents.h"

struct agent_row {
    struct slice name, pattern;
    const char *version; /* what stands before the version; NULL: the pattern itself */
    enum agent_kind kind;
    unsigned line;    /* in the file */
    bool start;       /* the pattern stands at the text's beginning */
    size_t word, len; /* the pattern's first word: where it begins, its length; 0: it has none */
    uint32_t next;    /* the next row with a first word of that hash, plus 1; 0: none */
};

struct agents {
    const struct agent_row *rows; /* in the file's order: the first that fits wins */
    size_t count;
    const uint32_t *heads; /* per hash: the first such row, plus 1 */
    uint32_t mask;
    uint32_t wordless; /* the first row whose pattern has no word, plus 1 */
    /* Of rows that were read; the built-in ones have none of it. */
    struct agent_row *own_rows;
    size_t room;
    uint32_t *own_heads;
    struct arena texts;
};

/* data/agents.yaml as it was when the program was built, read and found to be right by tools/tables.c. */
extern const struct agents agents_builtin;

/* For rows that are added. */
struct agents *agents_new(void);
/* With the built-in rows, ready. */
struct agents *agents_new_builtin(void);
/* Adds a row, whose texts are copied; `version` may be empty. -EINVAL: the pattern could be found nowhere by
 * a word of it; -ENOSPC: AGENTS_ROWS. */
int agents_add(struct agents *a, const struct agent_row *row, struct slice version, struct error *reterr);
/* All rows are there. */
void agents_ready(struct agents *a);
/* The row that speaks of a text for `kind`s of that side, or NULL; *ret_end is where its pattern ends. */
const struct agent_row *agents_find(const struct agents *a, bool greeting, struct slice text,
                                    size_t *ret_end);
static inline bool agent_kind_greets(enum agent_kind kind)
{
    return kind >= AGENT_MTA;
}
const struct agent_row *agents_row(const struct agents *a, size_t i);

#endif
