/* A dialogue text (README.md) as steps for the parsers. */
#ifndef TEST_DIALOG_SCRIPT_H
#define TEST_DIALOG_SCRIPT_H

#include "base/buf.h"
#include "base/error.h"
#include "base/net.h"

struct step {
    enum side side;
    uint64_t gap;    /* bytes missing; 0: data */
    size_t from, to; /* of the script's bytes */
    size_t line;     /* of the text */
};

enum { SCRIPT_STEPS = 4096 };

struct script {
    bool midstream;
    struct buf bytes; /* of all steps, in their order */
    struct step steps[SCRIPT_STEPS];
    size_t count;
};

/* 0, or -errno with a text that names file and line. The script's memory is the caller's until script_free.
 */
int script_load(const char *path, struct script *ret, struct error *reterr);
void script_free(struct script *s);
static inline struct slice script_bytes(const struct script *s, const struct step *step)
{
    return slice_sub(buf_slice(&s->bytes), step->from, step->to);
}

#endif
