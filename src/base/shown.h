/* Text that somebody typed, fit for a message. */
#ifndef BASE_SHOWN_H
#define BASE_SHOWN_H

#include "base/slice.h"

/* Printable ASCII, of bearable length. */
struct shown {
    char text[64];
};

static inline struct shown shown(struct slice text)
{
    struct shown ret;
    size_t most = sizeof ret.text - 4, len = text.len < most ? text.len : most;
    for (size_t i = 0; i < len; i++)
        ret.text[i] = text.data[i] >= 32 && text.data[i] < 127 ? (char)text.data[i] : '?';
    memcpy(ret.text + len, text.len > len ? "..." : "", text.len > len ? 4 : 1);
    return ret;
}

/* In place: what is no printable ASCII becomes '?', so that what a server says cannot speak to a terminal. */
static inline void shown_clean(char *text)
{
    for (; *text; text++)
        if (*text < 32 || *text > 126)
            *text = '?';
}

#endif
