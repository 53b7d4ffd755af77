/* The name that somebody who mistyped one is likely to have meant. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/slice.h"

struct nearest {
    struct slice given;
    const char *name; /* NULL while nothing was tried, or where `given` is too long to be a slip */
    size_t edits;
};

static inline struct nearest nearest_to(struct slice given)
{
    return (struct nearest){given, NULL, (size_t)-1};
}
/* Keeps `known` if it takes fewer edits to reach than what was tried before. */
void nearest_try(struct nearest *n, const char *known);

#endif
