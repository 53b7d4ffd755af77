/* base64.c: groups of base64 digits to bytes, and how many digits there are.
 * In: digits and line ends. Out: bytes. Owns: nothing. Knowingly: where the processor has AVX2 it reads lines
 * of 76 digits, as nearly all are, each at once. Spec: RFC 2045 6.8. */
#include "mail/base64.h"

#include <endian.h>
#include "mail/lanes.h"

const uint8_t base64_kinds[256] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, 64, 64, 64, 65, 64, 64, 64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64};

typedef uint16_t lanes_of_pairs __attribute__((vector_size(LANES)));
typedef uint32_t lanes_of_groups __attribute__((vector_size(LANES)));
enum { HALF = LANES / 2 };
typedef uint8_t half_lanes __attribute__((vector_size(HALF)));

/* Whole groups of digits at the beginning of LANES bytes: how many digits that are. */
LANES_INLINE size_t whole_groups(const lanes *digits)
{
    uint64_t is[LANES / 8];
    size_t n = 0;
    memcpy(is, digits, sizeof is);
    while (n < LANES / 8 && is[n] == UINT64_MAX)
        n++;
    return 8 * n + (n < LANES / 8 && (uint32_t)is[n] == UINT32_MAX ? 4 : 0);
}

/* What LANES digits stand for, from the first on; as much is written, whatever else they are. The number of
 * digits before the first group that is not whole. */
LANES_INLINE size_t take_lanes(uint8_t *out, const uint8_t *p)
{
    lanes c;
    lanes_load(&c, p);
    /* Ranges lie at the upper end of the signed numbers, as in transfer.c; '/' stands before the ten figures.
     */
    lanes letter = (lanes)((signed_lanes)((c | 32) + (127 - 'z')) > 127 - 26),
          figure = (lanes)((signed_lanes)(c + (127 - '9')) > 127 - 11), plus = (lanes)(c == '+');
    lanes digits = letter | figure | plus, lower = (lanes)((signed_lanes)c > 'Z'), slash = (lanes)(c == '/');
    c += (letter & (uint8_t) - 'A') + (figure & (52 - '0')) + (plus & (62 - '+')) -
         (lower & ('a' - 'A' - 26)) + (slash & (63 - 52 - ('/' - '0')));
    lanes_of_pairs pairs = (lanes_of_pairs)c;
    lanes_of_groups groups = (lanes_of_groups)((pairs & 255) << 6 | pairs >> 8);
    groups = (groups & 65535) << 12 | groups >> 16;
    c = (lanes)groups;
    c = __builtin_shufflevector(c, c, 2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 3, 3, 3, 3, 18, 17, 16, 22, 21,
                                20, 26, 25, 24, 30, 29, 28, 19, 19, 19, 19);
    /* GCC would take the halves apart again to copy them as numbers. */
    half_lanes low = __builtin_shufflevector(c, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
               high = __builtin_shufflevector(c, c, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29,
                                              30, 31);
    memcpy(out, &low, HALF);
    memcpy(out + HALF / 4 * 3, &high, HALF);
    return whole_groups(&digits);
}

/* Only there do the bytes of a number stand as the shuffle wants them. */
enum { HAS_LANES = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };

/* A group of four digits. False: it is none. */
static inline bool take_group(uint8_t *out, const uint8_t *p)
{
    uint32_t a = base64_kinds[p[0]], b = base64_kinds[p[1]], c = base64_kinds[p[2]], d = base64_kinds[p[3]];
    uint32_t group = htobe32(a << 26 | b << 20 | c << 14 | d << 8);
    if ((a | b | c | d) & BASE64_JUNK) /* which is a bit of both */
        return false;
    memcpy(out, &group, sizeof group);
    return true;
}

void base64_groups_plainly(struct base64_run *r)
{
    uint8_t *out = r->out;
    const uint8_t *p = r->p;
    while (out < r->stop && p < r->end) {
        size_t n = HAS_LANES && r->end - p >= LANES ? take_lanes(out, p) : 0;
        if (!n && r->end - p >= 4 && take_group(out, p))
            n = 4;
        p += n;
        out += n / 4 * 3;
        if (n == LANES)
            continue;
        const uint8_t *from = p;
        while (p < r->end && *p <= ' ')
            p++;
        if (!n && p == from)
            break;
    }
    r->out = out;
    r->p = p;
}

enum { ADD_MAX = 252 }; /* what a lane can hold, in fours */

/* Adds 255, which is minus one, to each lane of *sum that holds a digit, of *low that holds a blank, a line
 * end or another control character. Letters of both cases, what stands from '/' to '9', and what stands up to
 * the blank come to lie at the upper end of the signed numbers. */
LANES_INLINE void count_lanes(const uint8_t *p, lanes *sum, lanes *low)
{
    lanes c;
    lanes_load(&c, p);
    *sum += (lanes)(((signed_lanes)((c | 32) + (127 - 'z')) > 127 - 26) |
                    ((signed_lanes)(c + (127 - '9')) > 127 - 11) | (signed_lanes)(c == '+'));
    *low += (lanes)((signed_lanes)(c + (127 - ' ')) > 127 - 33);
}

static size_t lanes_sum(const lanes *l)
{
    const uint64_t even = 0x00ff00ff00ff00ff, ones = 0x0001000100010001;
    uint64_t parts[LANES / 8], pairs = 0;
    memcpy(parts, l, sizeof parts);
    for (size_t i = 0; i < LANES / 8; i++)
        pairs += (parts[i] & even) + (parts[i] >> 8 & even);
    return (size_t)(pairs * ones >> 48);
}

size_t base64_count_plainly(struct slice text, bool *ret_other)
{
    const uint8_t *p = text.data, *end = p + text.len;
    lanes other = {0};
    size_t digits = 0;
    while (p < end) {
        const uint8_t *stop = end - p > ADD_MAX * LANES ? p + ADD_MAX * LANES : end;
        uint8_t count = (uint8_t)((stop - p + LANES - 1) / LANES);
        lanes sum = {0}, low = {0};
        for (; stop - p >= 4 * LANES; p += 4 * LANES) {
            count_lanes(p, &sum, &low);
            count_lanes(p + LANES, &sum, &low);
            count_lanes(p + 2 * LANES, &sum, &low);
            count_lanes(p + 3 * LANES, &sum, &low);
        }
        for (; stop - p >= LANES; p += LANES)
            count_lanes(p, &sum, &low);
        if (stop == end && p < end) {
            uint8_t rest[LANES] = {0};
            memcpy(rest, p, (size_t)(end - p));
            count_lanes(rest, &sum, &low);
            p = end;
        }
        /* Each lane has counted all that it was given, or there was something else. */
        low += sum + count;
        other |= low;
        sum = -sum;
        digits += lanes_sum(&sum);
    }
    *ret_other = lanes_any(&other);
    return digits;
}

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))

/* 32 digits, and which of them are: the first is the lowest bit. */
AVX2 LANES_INLINE uint32_t take_wide(__m256i *ret, const uint8_t *p)
{
    /* A byte is a digit where its lower half can follow its upper one: bit 0 is for '+' and '/', bit 1 for
     * figures, bit 2 for what begins a half of the alphabet, bit 3 for what ends it; the last one says that
     * nothing can. */
    const __m256i lower = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(21, 17, 17, 17, 17, 17, 17, 17, 17, 17, 19, 26, 27, 27, 27, 26));
    const __m256i upper =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(16, 16, 1, 2, 4, 8, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16));
    /* What makes a digit of the upper half its value; the second one is the slash's. */
    const __m256i shifts = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0, 63 - '/', 62 - '+', 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0));
    const __m256i half = _mm256_set1_epi8(15);
    const __m256i order =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1));
    __m256i c = _mm256_loadu_si256((const __m256i *)p);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(c, 4), half);
    __m256i wrong = _mm256_and_si256(_mm256_shuffle_epi8(lower, _mm256_and_si256(c, half)),
                                     _mm256_shuffle_epi8(upper, high));
    __m256i is = _mm256_cmpeq_epi8(wrong, _mm256_setzero_si256());
    __m256i slash = _mm256_cmpeq_epi8(c, _mm256_set1_epi8('/'));
    c = _mm256_add_epi8(c, _mm256_shuffle_epi8(shifts, _mm256_add_epi8(high, slash)));
    /* Two digits to twelve bits, two of these to 24, each in the order of the wire. */
    c = _mm256_maddubs_epi16(c, _mm256_set1_epi32(0x01400140));
    c = _mm256_madd_epi16(c, _mm256_set1_epi32(0x00011000));
    c = _mm256_shuffle_epi8(c, order);
    *ret = _mm256_permutevar8x32_epi32(c, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
    return (uint32_t)_mm256_movemask_epi8(is);
}

AVX2 LANES_INLINE void put_wide(uint8_t *out, const __m256i *bytes)
{
    _mm256_storeu_si256((__m256i *)out, *bytes);
}

enum { LINE = 76, LINE_BYTES = LINE / 4 * 3, LINE_READ = 3 * LANES };

/* A line of 76 digits that ends with CRLF is next, and was taken. */
AVX2 LANES_INLINE bool take_line(struct base64_run *r)
{
    __m256i a, b, c;
    uint16_t crlf;
    uint32_t is = take_wide(&a, r->p) & take_wide(&b, r->p + LANES);
    uint32_t rest = take_wide(&c, r->p + 2 * LANES) | ~(uint32_t)0 << (LINE - 2 * LANES);
    memcpy(&crlf, r->p + LINE, sizeof crlf);
    if ((is & rest) != UINT32_MAX || crlf != (uint16_t)('\r' | '\n' << 8))
        return false;
    put_wide(r->out, &a);
    put_wide(r->out + LANES / 4 * 3, &b);
    _mm_storeu_si128((__m128i *)(r->out + 2 * LANES / 4 * 3), _mm256_castsi256_si128(c));
    r->p += LINE + 2;
    r->out += LINE_BYTES;
    return true;
}

/* Lines, where one may begin here; what is no such line goes by up to 32 digits at a time. LINE_READ bytes
 * can be read as long as there are `least`. False: what is neither is next. */
AVX2 LANES_INLINE bool wide_groups(struct base64_run *r, ptrdiff_t least)
{
    bool fresh = true;
    while (r->out < r->stop && r->end - r->p >= least) {
        if (fresh && take_line(r))
            continue;
        __m256i bytes;
        uint32_t is = take_wide(&bytes, r->p);
        size_t n = is == UINT32_MAX ? LANES : (size_t)__builtin_ctz(~is) & ~(size_t)3;
        put_wide(r->out, &bytes);
        r->p += n;
        r->out += n / 4 * 3;
        fresh = false;
        if (n == LANES)
            continue;
        const uint8_t *from = r->p;
        while (r->p < r->end && *r->p <= ' ')
            r->p++;
        fresh = r->p > from;
        if (!n && !fresh)
            return false;
    }
    return true;
}

AVX2 static void groups_by_avx2(struct base64_run *r)
{
    uint8_t last[2 * LINE_READ];
    if (!wide_groups(r, LINE_READ) || r->p == r->end || r->out >= r->stop)
        return;
    /* What is left, with no digits behind it. */
    size_t left = (size_t)(r->end - r->p);
    memcpy(last, r->p, left);
    memset(last + left, 0, LINE_READ);
    struct base64_run rest = {last, last + left, r->out, r->stop};
    wide_groups(&rest, 1);
    r->p += rest.p - last;
    r->out = rest.out;
}

/* What each byte is, by its halves as above: bits 0 to 3 are those of digits, 5 is a blank, 6 a control
 * character; all else is 0. */
AVX2 LANES_INLINE __m256i kinds_of(const uint8_t *p)
{
    const __m256i lower = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(106, 78, 78, 78, 78, 78, 78, 78, 78, 78, 76, 69, 68, 68, 68, 69));
    const __m256i upper =
        _mm256_broadcastsi128_si256(_mm_setr_epi8(64, 64, 33, 2, 4, 8, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0));
    __m256i c = _mm256_loadu_si256((const __m256i *)p);
    __m256i high = _mm256_and_si256(_mm256_srli_epi16(c, 4), _mm256_set1_epi8(15));
    return _mm256_and_si256(_mm256_shuffle_epi8(lower, c), _mm256_shuffle_epi8(upper, high));
}

/* 255 for each that is no digit. */
AVX2 LANES_INLINE __m256i no_digits(__m256i kinds)
{
    return _mm256_cmpgt_epi8(kinds, _mm256_set1_epi8(15));
}

/* So many bytes that a lane can count its part of them. */
enum { PIECE = 254 * LANES };

/* The number of digits among LANES bytes at least; *ret_least goes down to the least of their kinds. */
AVX2 static size_t count_piece(const uint8_t *p, size_t len, __m256i *ret_least)
{
    static const uint8_t behind[2 * LANES] = {[LANES] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                              255,           255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                              255,           255, 255, 255, 255, 255, 255, 255, 255, 255};
    const uint8_t *end = p + len;
    __m256i lows = _mm256_setzero_si256(), least = *ret_least;
    for (size_t n = len / (2 * LANES); n; n--, p += 2 * LANES) {
        __m256i a = kinds_of(p), b = kinds_of(p + LANES);
        least = _mm256_min_epu8(least, _mm256_min_epu8(a, b));
        lows = _mm256_sub_epi8(_mm256_sub_epi8(lows, no_digits(a)), no_digits(b));
    }
    if (end - p >= LANES) {
        __m256i a = kinds_of(p);
        least = _mm256_min_epu8(least, a);
        lows = _mm256_sub_epi8(lows, no_digits(a));
        p += LANES;
    }
    /* What is left is looked at together with bytes before it, which do not count again. */
    __m256i rest = _mm256_loadu_si256((const __m256i *)(behind + (end - p))), last = kinds_of(end - LANES);
    *ret_least = _mm256_min_epu8(least, last);
    lows = _mm256_sub_epi8(lows, _mm256_and_si256(rest, no_digits(last)));
    __m256i sums = _mm256_sad_epu8(lows, _mm256_setzero_si256());
    __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    return len - (size_t)(_mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1));
}

AVX2 static size_t count_by_avx2(struct slice text, bool *ret_other)
{
    __m256i least = _mm256_set1_epi8(1);
    size_t digits = 0;
    for (; text.len >= PIECE + LANES; text = slice_sub(text, PIECE, text.len))
        digits += count_piece(text.data, PIECE, &least);
    digits += count_piece(text.data, text.len, &least);
    *ret_other = _mm256_movemask_epi8(_mm256_cmpeq_epi8(least, _mm256_setzero_si256()));
    return digits;
}

size_t base64_count(struct slice text, bool *ret_other)
{
    if (text.len >= LANES && __builtin_cpu_supports("avx2"))
        return count_by_avx2(text, ret_other);
    return base64_count_plainly(text, ret_other);
}

void base64_groups(struct base64_run *r)
{
    if (__builtin_cpu_supports("avx2"))
        groups_by_avx2(r);
    else
        base64_groups_plainly(r);
}
#else
size_t base64_count(struct slice text, bool *ret_other)
{
    return base64_count_plainly(text, ret_other);
}

void base64_groups(struct base64_run *r)
{
    base64_groups_plainly(r);
}
#endif
