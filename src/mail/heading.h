/* Header fields: which one it is, looked up once. */
#ifndef MAIL_HEADING_H
#define MAIL_HEADING_H

#include "base/slice.h"

enum heading {
    HEADING_other,
#define HEADING(name, text) HEADING_##name,
#include "mail/heading.def"
#undef HEADING
    HEADING_COUNT
};

/* A bit per heading. */
typedef uint64_t heading_set;
_Static_assert(HEADING_COUNT <= 64, "a set has a bit for each");

#define HEADING_BIT(name) ((heading_set)1 << HEADING_##name)

static inline bool heading_in(heading_set set, enum heading h)
{
    return set >> h & 1;
}

/* A header field, unfolded. */
struct mime_field {
    struct slice text, name, value; /* all of it; up to the colon, without blanks before that; behind it */
    enum heading is;
    bool top; /* of the mail's own header */
    bool cut; /* its end is not known */
};

/* Of that name, in any case, without the blanks before the colon. */
enum heading heading_of(struct slice name);

#endif
