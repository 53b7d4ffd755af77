/* json_text.c: a text between quotes.
 * In: any bytes. Out: a JSON string: ASCII that is printable as it is, valid UTF-8 too, of the rest escapes.
 * Owns: nothing. Spec: RFC 8259 7. */
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include "base/steers.h"
#include "sink/json.h"

enum { STEP = 16 };
typedef uint8_t step __attribute__((vector_size(STEP)));
typedef uint32_t fours __attribute__((vector_size(STEP)));
typedef uint64_t eights __attribute__((vector_size(STEP)));

/* The highest bit of each lane. */
static inline uint32_t signs(step lanes)
{
#ifdef __SSE2__
    return (uint32_t)_mm_movemask_epi8((__m128i)lanes);
#else
    const eights highest = ((eights)lanes >> 7) & 0x0101010101010101;
    uint32_t bits = 0;
    for (int i = 0; (highest[0] | highest[1]) && i < STEP; i++)
        bits |= (uint32_t)(lanes[i] >> 7) << i;
    return bits;
#endif
}

/* A bit for each byte that is not plain. Less than a blank is negative once a blank is taken off, and 255
 * too; all others over 126 are once 1 is added. */
static inline uint32_t odd_bits(step text)
{
    return signs((text - ' ') | (text + 1) | (step)(text == '"') | (step)(text == '\\'));
}

/* How much is plain at the start of a text, whose first and last `half` bytes are in the step, maybe again
 * and again. */
static inline size_t plain_ends(step ends, size_t half, size_t len)
{
    uint32_t odd = odd_bits(ends);
    size_t at = odd ? (size_t)__builtin_ctz(odd) : len;
    return !odd || at < half ? at : len - 2 * half + at;
}

static inline size_t copy_eights(uint8_t *to, struct slice s)
{
    uint64_t first, last;
    memcpy(&first, s.data, sizeof first);
    memcpy(&last, s.data + s.len - sizeof last, sizeof last);
    memcpy(to, &first, sizeof first);
    memcpy(to + s.len - sizeof last, &last, sizeof last);
    return plain_ends((step)(eights){first, last}, sizeof first, s.len);
}

static inline size_t copy_fours(uint8_t *to, struct slice s)
{
    uint32_t first, last;
    memcpy(&first, s.data, sizeof first);
    memcpy(&last, s.data + s.len - sizeof last, sizeof last);
    memcpy(to, &first, sizeof first);
    memcpy(to + s.len - sizeof last, &last, sizeof last);
    return plain_ends((step)(fours){first, last, first, last}, sizeof first, s.len);
}

static inline size_t copy_bytes(uint8_t *to, struct slice s)
{
    size_t n = 0;
    for (; n < s.len && s.data[n] >= ' ' && s.data[n] < 127 && s.data[n] != '"' && s.data[n] != '\\'; n++)
        to[n] = s.data[n];
    return n;
}

static inline uint32_t copy_step(uint8_t *to, const uint8_t *from)
{
    step text;
    memcpy(&text, from, sizeof text);
    memcpy(to, &text, sizeof text);
    return odd_bits(text);
}

/* The last step ends with the text, and has bytes of the one before it once more. */
static inline size_t copy_steps(uint8_t *to, struct slice s)
{
    size_t i = 0, last = s.len - STEP;
    uint32_t odd;
    for (; i < last; i += STEP)
        if ((odd = copy_step(to + i, s.data + i)))
            return i + (size_t)__builtin_ctz(odd);
    odd = copy_step(to + last, s.data + last);
    return odd ? last + (size_t)__builtin_ctz(odd) : s.len;
}

/* Copies what is plain at the start of `s`, and returns how much. What it leaves behind that, no more than
 * s.len bytes in all, is to be written over. */
static inline size_t copy_plain(uint8_t *to, struct slice s)
{
    return s.len >= STEP               ? copy_steps(to, s)
           : s.len >= sizeof(uint64_t) ? copy_eights(to, s)
           : s.len >= sizeof(uint32_t) ? copy_fours(to, s)
                                       : copy_bytes(to, s);
}

static void add_escaped(struct line *out, uint8_t c)
{
    static const char short_forms[] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    if (c == '"' || c == '\\') {
        line_byte(out, '\\');
        line_byte(out, c);
    } else if (c < sizeof short_forms && short_forms[c]) {
        line_byte(out, '\\');
        line_byte(out, (uint8_t)short_forms[c]);
    } else {
        line_printf(out, "\\u%04x", c);
    }
}

/* A character that is not plain ASCII; returns its length. What steers a terminal is escaped: whoever parses
 * the line gets it back. */
static size_t add_special(struct line *out, struct slice rest)
{
    uint8_t c = rest.data[0];
    if (c < 0x80) {
        add_escaped(out, c);
        return 1;
    }
    size_t n = line_utf8(rest);
    if (n && steers((struct slice){rest.data, n}))
        line_printf(out, "\\u%04x", line_code((struct slice){rest.data, n}));
    else if (n)
        line_add(out, (struct slice){rest.data, n});
    else
        line_str(out, "\xef\xbf\xbd");
    return n ? n : 1;
}

/* Behind what is plain. These two are apart, so that a plain text pays for nothing of them. */
static __attribute__((noinline)) void add_odd(struct line *out, struct slice s)
{
    while (s.len) {
        s = slice_sub(s, add_special(out, s), s.len);
        size_t n = copy_plain(line_room(out, s.len), s);
        out->len += n;
        s = slice_sub(s, n, s.len);
    }
    line_byte(out, '"');
}

static __attribute__((noinline)) void grow_first(struct slice s, struct line *out)
{
    line_grow(out, s.len + 2);
    json_text(s, out);
}

void json_text(struct slice s, struct line *out)
{
    if (!line_has_room(out, s.len + 2)) {
        grow_first(s, out);
        return;
    }
    uint8_t *p = out->data + out->len;
    size_t n = copy_plain(p + 1, s);
    p[0] = p[1 + n] = '"';
    out->len += 1 + n;
    if (n == s.len)
        out->len++;
    else
        add_odd(out, slice_sub(s, n, s.len));
}
