/* stops.c: signs of a text, 64 bytes at a time.
 * In: slices. Out: a bit for each sign. Owns: nothing. Limits: reads nothing behind the text. */
#include "mail/stops.h"

#if defined(__SSE2__)
#include <emmintrin.h>

/* From blanks to ',', from ':' to '@', from '[' to '^'. */
static uint64_t stops_of(const uint8_t bytes[static STOPS_SEEN])
{
    typedef uint8_t sixteen __attribute__((vector_size(16)));
    uint64_t stops = 0;
    for (size_t i = 0; i < STOPS_SEEN; i += sizeof(sixteen)) {
        sixteen c;
        memcpy(&c, bytes + i, sizeof c);
        sixteen is = (sixteen)((c <= ',') | (c - ':' <= '@' - ':') | (c - '[' <= '^' - '['));
        stops |= (uint64_t)(unsigned)_mm_movemask_epi8((__m128i)is) << i;
    }
    return stops;
}
#else
static uint64_t stops_of(const uint8_t bytes[static STOPS_SEEN])
{
    uint64_t stops = 0;
    for (size_t i = 0; i < STOPS_SEEN; i++) {
        uint8_t c = bytes[i];
        stops |= (uint64_t)(c <= ',' || (c >= ':' && c <= '@') || (c >= '[' && c <= '^')) << i;
    }
    return stops;
}
#endif

/* From `from` on, as far as one look goes. */
static void look(struct stops *st, size_t from)
{
    uint8_t padded[STOPS_SEEN] = {0};
    struct slice left = slice_sub(st->s, from, st->s.len);
    /* Zeros are stops, and the first of them is the text's end. */
    if (left.len && left.len < STOPS_SEEN)
        memcpy(padded, left.data, left.len);
    st->at = from;
    st->seen = stops_of(left.len < STOPS_SEEN ? padded : left.data);
}

size_t stops_look(struct stops *st, size_t from)
{
    for (; from < st->s.len; from = st->at + STOPS_SEEN) {
        look(st, from);
        if (st->seen)
            return from + (size_t)__builtin_ctzll(st->seen);
    }
    return st->s.len;
}

void stops_begin(struct stops *st, struct slice s)
{
    *st = (struct stops){.s = s};
    look(st, 0);
}
