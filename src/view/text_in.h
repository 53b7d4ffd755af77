/* JSON that is read from its start, piece after piece. Once it is `bad` it gives nothing any more. */
#ifndef VIEW_TEXT_IN_H
#define VIEW_TEXT_IN_H

#include "base/arena.h"
#include "base/slice.h"

struct text_in {
    struct slice rest;
    struct arena *mem; /* for strings */
    unsigned depth;    /* the caller's own count */
    bool bad;
    bool borrow; /* a string without escapes lies in the text itself, and is not copied */
};

/* The next byte that is no blank; 0: the end, or it is bad. */
static inline uint8_t text_in_next(struct text_in *in)
{
    while (in->rest.len && (in->rest.data[0] == ' ' || in->rest.data[0] == '\n'))
        in->rest = slice_sub(in->rest, 1, in->rest.len);
    return in->rest.len && !in->bad ? in->rest.data[0] : 0;
}
/* Takes that byte; false: it is another. */
static inline bool text_in_take(struct text_in *in, uint8_t c)
{
    if (text_in_next(in) != c)
        return false;
    in->rest = slice_sub(in->rest, 1, in->rest.len);
    return true;
}
/* The same where no other may stand. */
static inline void text_in_want(struct text_in *in, uint8_t c)
{
    in->bad = !text_in_take(in, c) || in->bad;
}
/* A string, without its quotation marks and escapes; data is not NULL where it is there. */
struct slice text_in_string(struct text_in *in);
/* A number, true, false or null, as it is written. */
struct slice text_in_plain(struct text_in *in);
/* Any value, without a look inside. */
void text_in_skip(struct text_in *in);

#endif
