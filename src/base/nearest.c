/* nearest.c: the edit distance between names.
 * In: a mistyped name, the known ones. Out: the closest of them. Owns: nothing. Limits: LONGEST characters a
 * name. */
#include "base/nearest.h"

enum { LONGEST = 60 };

/* Letters put in, taken out or changed to turn one name into the other (Levenshtein). */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (byte_lower(a.data[i - 1]) != byte_lower(b.data[j - 1]));
            size_t edit = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = change < edit ? change : edit;
        }
    }
    return row[b.len];
}

void nearest_try(struct nearest *n, const char *known)
{
    struct slice name = slice_str(known);
    if (n->given.len > LONGEST || name.len > LONGEST)
        return;
    size_t edits = distance(n->given, name);
    if (edits < n->edits) {
        n->edits = edits;
        n->name = known;
    }
}
