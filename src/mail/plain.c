/* plain.c: skips text of a message that holds nothing odd.
 * In: text. Out: how far that is so. Owns: nothing. Limits: none. Knowingly: a line is first thought to be as
 * long as the one before it, which for base64 it is; where it is not, its end is looked for. */
#include "mail/plain.h"

#include <endian.h>
#include <string.h>
#include "mail/lanes.h"

/* What is looked for is among the lowest bytes, up to CR; little else of a text is. */
enum { LOWEST = '\r', WIDTH = 32 };
enum { SAME_LEAST = WIDTH, SAME_MOST = 3 * WIDTH };

/* Which of WIDTH bytes may be that low, the first of them the lowest bit. */
typedef uint32_t lows_fn(const uint8_t *p);
/* Passes lines of `len` bytes, SAME_LEAST to SAME_MOST, from p on as long as one begins before `last`. */
typedef const uint8_t *lines_fn(const uint8_t *p, const uint8_t *last, size_t len);

static bool is_odd(const struct plain *t, size_t at)
{
    const uint8_t *p = t->text.data + at;
    bool last = at + 1 == t->text.len;
    switch (*p) {
    case 0:
        return true;
    case '\n':
        return (t->bare_lf && (at ? p[-1] : t->last) != '\r') || (!last && p[1] == '.');
    case '\r':
        return !last && (p[1] == '.' || (t->bare_cr && p[1] != '\n'));
    default:
        return false;
    }
}

/* The same of the first byte, for what stands before it. */
LANES_INLINE bool begins_odd(const struct plain *t)
{
    if (t->last > '.')
        return false;
    return t->last == '.' ||
           (t->last == '\r' && (*t->text.data == '.' || (t->bare_cr && *t->text.data != '\n'))) ||
           (t->last == '\n' && *t->text.data == '.');
}

/* CRLF stands here, and no dot behind it. */
LANES_INLINE bool is_end(const uint8_t *p)
{
    uint16_t end;
    memcpy(&end, p, sizeof end);
    return end == (uint16_t)htole16('\r' | '\n' << 8) && p[2] != '.';
}

/* Where lines end that are as long as the one before them; there the text may not end. */
LANES_INLINE size_t behind_same(struct slice text, size_t at, size_t len, lines_fn *same_lines)
{
    if (len < SAME_LEAST || len > SAME_MOST || text.len - at < len + 3 || !is_end(text.data + at + len))
        return at;
    return (size_t)(same_lines(text.data + at, text.data + text.len - len - 2, len) - text.data);
}

/* The first byte from `at` on that may be that low, or where the text ends, which is WIDTH bytes at least. */
LANES_INLINE size_t next_low(struct slice text, size_t at, lows_fn *lows)
{
    uint32_t found = 0;
    for (; at + WIDTH <= text.len; at += WIDTH) {
        found = lows(text.data + at);
        if (found)
            return at + (unsigned)__builtin_ctz(found);
    }
    if (at == text.len)
        return at;
    /* What is left is looked at together with bytes before it, again. */
    found = lows(text.data + text.len - WIDTH) >> (WIDTH - (text.len - at));
    return found ? at + (unsigned)__builtin_ctz(found) : text.len;
}

LANES_INLINE bool ends_line(uint8_t c)
{
    return c == '\r' || c == '\n';
}

LANES_INLINE size_t pass(struct plain *t, lows_fn *lows, lines_fn *same_lines)
{
    struct slice text = t->text;
    size_t i = 0, line = t->line;
    if (text.len < WIDTH || line > t->line_most || begins_odd(t))
        return 0;
    while (i < text.len) {
        size_t from = i;
        i = next_low(text, i, lows);
        line += i - from;
        if (line > t->line_most) {
            i -= line - t->line_most;
            line = t->line_most;
            break;
        }
        if (i + 2 < text.len && is_end(text.data + i)) {
            i = behind_same(text, i + 2, line, same_lines);
            line = 0;
            continue;
        }
        if (i == text.len || is_odd(t, i) || (line == t->line_most && !ends_line(text.data[i])))
            break;
        line = text.data[i] == '\n' ? 0 : line + (text.data[i] != '\r');
        i++;
    }
    t->line = line;
    return i;
}

static uint64_t word_at(const uint8_t *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return le64toh(w);
}

/* The upper bit of each byte that is that low; perhaps of one behind such a byte too. */
static uint64_t low_bits(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101;
    return (w - ones * (LOWEST + 1)) & ~w & ones * 0x80;
}

static uint32_t lows_plainly(const uint8_t *p)
{
    uint32_t found = 0;
    for (int i = 0; i < WIDTH; i += 8)
        found |= (uint32_t)(low_bits(word_at(p + i)) * 0x0002040810204081 >> 56) << i;
    return found;
}

static bool is_clear(const uint8_t *p, size_t len)
{
    uint64_t found = low_bits(word_at(p + len - 8));
    for (size_t i = 0; i + 8 < len; i += 8)
        found |= low_bits(word_at(p + i));
    return !found;
}

static const uint8_t *lines_plainly(const uint8_t *p, const uint8_t *last, size_t len)
{
    while (p < last && is_end(p + len) && is_clear(p, len))
        p += len + 2;
    return p;
}

size_t plain_pass_plainly(struct plain *t)
{
    return pass(t, lows_plainly, lines_plainly);
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i load(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}

AVX2 static inline uint32_t lows_by_avx2(const uint8_t *p)
{
    __m256i c = load(p), low = _mm256_min_epu8(c, _mm256_set1_epi8(LOWEST));
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, c));
}

/* Of each line its first bytes, its last ones, and what is between these, all of which overlap. */
AVX2 static const uint8_t *lines_by_avx2(const uint8_t *p, const uint8_t *last, size_t len)
{
    const __m256i most = _mm256_set1_epi8(LOWEST);
    const size_t middle = len / 2 - WIDTH / 2;
    for (; p < last && is_end(p + len); p += len + 2) {
        __m256i low = _mm256_min_epu8(_mm256_min_epu8(load(p), load(p + middle)), load(p + len - WIDTH));
        if (_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(low, most), low)))
            break;
    }
    return p;
}

AVX2 static size_t pass_by_avx2(struct plain *t)
{
    return pass(t, lows_by_avx2, lines_by_avx2);
}

size_t plain_pass(struct plain *t)
{
    if (__builtin_cpu_supports("avx2"))
        return pass_by_avx2(t);
    return plain_pass_plainly(t);
}
#else
size_t plain_pass(struct plain *t)
{
    return plain_pass_plainly(t);
}
#endif
