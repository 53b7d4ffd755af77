/* decode.c: base64 and quoted-printable to what they carry.
 * In: encoded bytes. Out: decoded ones. Owns: nothing. Limits: DECODE_BLANKS blanks that may end their line;
 * those beyond are lost, and blanks_cut says so. Knowingly: behind a gap a group of base64 begins anew, as
 * a line does. Spec: RFC 2045 6.7, 6.8. */
#include "mail/decode.h"

#include "mail/base64.h"

static void flush(struct decode_out *o)
{
    if (o->len && !o->full)
        o->full = !o->fn(o->ctx, (struct slice){o->bytes, o->len});
    o->len = 0;
}

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

/* Groups of four digits, and what lies between lines, from `p` on: where that ends. */
static const uint8_t *take_groups(struct decode_out *o, const uint8_t *p, const uint8_t *end)
{
    struct base64_run r = {p, end, o->bytes + o->len, o->bytes + o->most};
    base64_groups(&r);
    o->len = (size_t)(r.out - o->bytes);
    return r.p;
}

/* Digits, blanks and control characters from `p` on: where they end, or no more are wanted. */
static const uint8_t *take_digits(struct decoding *d, struct decode_out *o, const uint8_t *p,
                                  const uint8_t *end, uint64_t *digits)
{
    while (p < end && !o->full) {
        if (!d->have) {
            const uint8_t *from = p;
            size_t before = o->len;
            p = take_groups(o, p, end);
            d->pads = p > from ? 0 : d->pads;
            *digits += (o->len - before) / 3 * 4;
            if (o->len >= o->most)
                flush(o);
            if (p == end || o->full)
                break;
        }
        uint8_t kind = base64_kinds[*p];
        if (kind >= BASE64_JUNK && *p > ' ')
            break;
        p++;
        if (kind < BASE64_JUNK) {
            take_digit(d, o, kind);
            ++*digits;
        }
    }
    return p;
}

size_t decode_digits(struct decoding *d, struct decode_out *o, struct slice text, uint64_t *digits)
{
    if (d->padded || d->pads)
        return 0;
    const uint8_t *p = take_digits(d, o, text.data, text.data + text.len, digits);
    flush(o);
    return (size_t)(p - text.data);
}

void decode_base64(struct decoding *d, struct decode_out *o, struct slice text)
{
    const uint8_t *p = text.data, *end = p + text.len;
    uint64_t digits = 0;
    while (p < end && !d->padded && !o->full) {
        p = take_digits(d, o, p, end, &digits);
        if (p < end && !o->full && base64_kinds[*p++] == BASE64_PAD && d->have >= 2)
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
