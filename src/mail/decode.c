/* decode.c: base64 and quoted-printable to what they carry.
 * In: encoded bytes. Out: decoded ones. Owns: nothing. Limits: DECODE_BLANKS blanks that may end their line;
 * those beyond are lost, and blanks_cut says so. Knowingly: behind a gap a group of base64 begins anew, as
 * a line does. Spec: RFC 2045 6.7, 6.8. */
#include "mail/decode.h"

#include <endian.h>
#include "mail/lanes.h"

static void flush(struct decode_out *o)
{
    if (o->len && !o->full)
        o->full = !o->fn(o->ctx, (struct slice){o->bytes, o->len});
    o->len = 0;
}

/* What a byte is in base64: a digit's value, or one of these. */
enum { JUNK = 64, PAD = 65, NO_DIGIT = 64 /* a bit of both */ };
static const uint8_t kinds[256] = {
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

static void take_digit(struct decoding *d, struct decode_out *o, uint8_t value)
{
    d->bits = d->bits << 6 | value;
    d->pads = 0;
    if (++d->have < 4)
        return;
    o->bytes[o->len++] = (uint8_t)(d->bits >> 16);
    o->bytes[o->len++] = (uint8_t)(d->bits >> 8);
    o->bytes[o->len++] = (uint8_t)d->bits;
    d->have = 0;
    if (o->len + 2 >= o->most)
        flush(o);
}

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
    const lanes order = {2,  1,  0,  6,  5,  4,  10, 9,  8,  14, 13, 12, 3,  3,  3,  3,
                         18, 17, 16, 22, 21, 20, 26, 25, 24, 30, 29, 28, 19, 19, 19, 19};
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
    c = __builtin_shuffle((lanes)groups, order);
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
    uint32_t a = kinds[p[0]], b = kinds[p[1]], c = kinds[p[2]], d = kinds[p[3]];
    uint32_t group = htobe32(a << 26 | b << 20 | c << 14 | d << 8);
    if ((a | b | c | d) & NO_DIGIT)
        return false;
    memcpy(out, &group, sizeof group);
    return true;
}

/* Groups of four digits, and what lies between lines, from `p` on: where that ends. */
WIDE static const uint8_t *take_groups(struct decode_out *o, const uint8_t *p, const uint8_t *end)
{
    uint8_t *out = o->bytes + o->len, *stop = o->bytes + o->most;
    while (out < stop && p < end) {
        size_t n = HAS_LANES && end - p >= LANES ? take_lanes(out, p) : 0;
        if (!n && end - p >= 4 && take_group(out, p))
            n = 4;
        p += n;
        out += n / 4 * 3;
        if (n == LANES)
            continue;
        const uint8_t *from = p;
        while (p < end && *p <= ' ')
            p++;
        if (!n && p == from)
            break;
    }
    o->len = (size_t)(out - o->bytes);
    return p;
}

void decode_base64(struct decoding *d, struct decode_out *o, struct slice text)
{
    const uint8_t *p = text.data, *end = p + text.len;
    while (p < end && !d->padded && !o->full) {
        if (!d->have) {
            const uint8_t *from = p;
            p = take_groups(o, p, end);
            d->pads = p > from ? 0 : d->pads;
            if (o->len >= o->most)
                flush(o);
            if (p == end || o->full)
                break;
        }
        uint8_t kind = kinds[*p++];
        if (kind < JUNK)
            take_digit(d, o, kind);
        else if (kind == PAD && d->have >= 2)
            d->padded = d->have + ++d->pads >= 4;
    }
    flush(o);
}

static void put(struct decode_out *o, struct slice bytes)
{
    while (bytes.len && !o->full) {
        size_t n = DECODE_ROOM - o->len < bytes.len ? DECODE_ROOM - o->len : bytes.len;
        memcpy(o->bytes + o->len, bytes.data, n);
        o->len += n;
        bytes = slice_sub(bytes, n, bytes.len);
        if (o->len >= o->most)
            flush(o);
    }
}

static void put_byte(struct decode_out *o, uint8_t c)
{
    put(o, (struct slice){&c, 1});
}

/* The line's end that was kept back, then the blanks. */
static void put_kept(struct decoding *d, struct decode_out *o)
{
    if (d->ended)
        put(o, slice_sub(slice_str("\r\r\n"), 3u - d->ended, 3));
    d->ended = 0;
    if (o->blanks->len)
        put(o, buf_slice(o->blanks));
    buf_clear(o->blanks);
}

static void put_text(struct decoding *d, struct decode_out *o, struct slice text)
{
    size_t len = text.len;
    while (len && byte_is_blank(text.data[len - 1]))
        len--;
    if (len) {
        put_kept(d, o);
        put(o, slice_sub(text, 0, len));
    }
    d->blanks_cut |= !buf_add(o->blanks, slice_sub(text, len, text.len));
}

static int hex(uint8_t c)
{
    if (byte_is_digit(c))
        return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An escape that is none. */
static void put_broken(struct decoding *d, struct decode_out *o)
{
    uint8_t text[2] = {'=', d->half};
    struct buf *blanks = o->blanks;
    size_t kept = blanks->len;
    /* The blanks stand behind the '='. */
    blanks->len = 0;
    put_kept(d, o);
    blanks->len = kept;
    put(o, (struct slice){text, d->escape});
    put_kept(d, o);
    d->escape = 0;
}

/* One character behind an '='. False: it is text. */
static bool in_escape(struct decoding *d, struct decode_out *o, uint8_t c)
{
    if (d->escape == 1 && byte_is_blank(c)) {
        d->blanks_cut |= !buf_add_byte(o->blanks, c);
        return true;
    }
    if (d->escape == 1 && !o->blanks->len && hex(c) >= 0) {
        d->escape = 2;
        d->half = c;
        return true;
    }
    if (d->escape == 1 || hex(c) < 0) {
        put_broken(d, o);
        return false;
    }
    put_kept(d, o);
    put_byte(o, (uint8_t)(hex(d->half) << 4 | hex(c)));
    d->escape = 0;
    return true;
}

static void take_qp(struct decoding *d, struct decode_out *o, struct slice line, size_t end)
{
    size_t i = 0;
    while (i < line.len && !o->full) {
        if (d->escape) {
            i += in_escape(d, o, line.data[i]);
            continue;
        }
        size_t text = slice_index(slice_sub(line, i, line.len), '=');
        put_text(d, o, slice_sub(line, i, i + text));
        i += text;
        if (i < line.len) {
            put_kept(d, o);
            d->escape = 1;
            i++;
        }
    }
    if (!end)
        return;
    if (d->escape == 2)
        put_broken(d, o);
    buf_clear(o->blanks);
    if (d->escape != 1) {
        put_kept(d, o);
        d->ended = (uint8_t)end;
    }
    d->escape = 0;
}

void decode_qp(struct decoding *d, struct decode_out *o, struct slice line, size_t end)
{
    take_qp(d, o, line, end);
    flush(o);
}

void decode_qp_lines(struct decoding *d, struct decode_out *o, struct slice lines)
{
    while (lines.len && !o->full) {
        size_t lf = slice_index(lines, '\n'), end = 0;
        struct slice line = slice_sub(lines, 0, lf);
        if (lf < lines.len)
            end = transfer_line_end(line);
        take_qp(d, o, slice_sub(line, 0, line.len - (end ? end - 1 : 0)), end);
        lines = slice_sub(lines, lf + 1, lines.len);
    }
    flush(o);
}

void decode_gap(struct decoding *d, struct buf *blanks)
{
    d->have = d->pads = d->escape = d->ended = 0;
    buf_clear(blanks);
}

void decode_end(struct decoding *d, struct decode_out *o)
{
    if (d->escape == 2)
        put_broken(d, o);
    buf_clear(o->blanks);
    put_kept(d, o);
    if (d->have >= 2)
        put_byte(o, (uint8_t)(d->bits >> (d->have == 3 ? 10 : 4)));
    if (d->have == 3)
        put_byte(o, (uint8_t)(d->bits >> 2));
    flush(o);
}
