/* Where a text stops being words: its bytes that are no letter, no digit, none of - . / _ ` { | } ~ and not
 * over 126. Parsers that go from one such sign to the next read most of a text many bytes at a time. */
#ifndef MAIL_STOPS_H
#define MAIL_STOPS_H

#include "base/slice.h"

enum { STOPS_SEEN = 64 };

struct stops {
    struct slice s;
    uint64_t seen; /* a bit for each stop of the STOPS_SEEN bytes from `at` on, and for the text's end */
    size_t at;
};

void stops_begin(struct stops *st, struct slice s);
/* stops_next of what is not seen. */
size_t stops_look(struct stops *st, size_t from);

/* The first at or behind `from`, or s.len. Linear for who goes forward. */
static inline size_t stops_next(struct stops *st, size_t from)
{
    size_t skipped = from - st->at;
    uint64_t ahead = skipped < STOPS_SEEN ? st->seen >> skipped : 0;
    return ahead ? from + (size_t)__builtin_ctzll(ahead) : stops_look(st, from);
}

/* The same, of those alone of which `kinds` has a bit of `wanted`, and before `to`; or `to`. What is no stop
 * must have none. */
static inline size_t stops_find(struct stops *st, size_t from, size_t to, const uint8_t kinds[static 256],
                                unsigned wanted)
{
    for (;; from++) {
        from = stops_next(st, from);
        if (from >= to)
            return to;
        if (kinds[st->s.data[from]] & wanted)
            return from;
    }
}

#endif
