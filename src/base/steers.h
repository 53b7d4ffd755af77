/* Characters that are no text but steer what shows it: they do something to a terminal, turn the direction of
 * writing, or end a line for some readers of a log. */
#ifndef BASE_STEERS_H
#define BASE_STEERS_H

#include "base/slice.h"

/* `c` is one character, valid UTF-8 of more than one byte: U+0080 to U+009F, U+061C, U+200E, U+200F, U+2028
 * to U+202E, U+2066 to U+2069, U+FEFF. */
static inline bool steers(struct slice c)
{
    if (c.len == 2)
        return (c.data[0] == 0xc2 && c.data[1] < 0xa0) || (c.data[0] == 0xd8 && c.data[1] == 0x9c);
    if (c.len != 3)
        return false;
    uint8_t a = c.data[1], b = c.data[2];
    if (c.data[0] == 0xe2 && a == 0x80)
        return b == 0x8e || b == 0x8f || (b >= 0xa8 && b <= 0xae);
    if (c.data[0] == 0xe2 && a == 0x81)
        return b >= 0xa6 && b <= 0xa9;
    return c.data[0] == 0xef && a == 0xbb && b == 0xbf;
}

#endif
