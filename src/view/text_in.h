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
uint8_t text_in_next(struct text_in *in);
/* Takes that byte; false: it is another. */
bool text_in_take(struct text_in *in, uint8_t c);
/* The same where no other may stand. */
void text_in_want(struct text_in *in, uint8_t c);
/* A string, without its quotation marks and escapes; data is not NULL where it is there. */
struct slice text_in_string(struct text_in *in);
/* A number, true, false or null, as it is written. */
struct slice text_in_plain(struct text_in *in);
/* Any value, without a look inside. */
void text_in_skip(struct text_in *in);

#endif
