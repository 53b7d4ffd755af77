/* transfer.c: base64 and quoted-printable.
 * In: encoded bytes. Out: counts, or decoded bytes. Owns: nothing. Spec: RFC 2045 6.7, 6.8; RFC 2047 4. */
#include "mail/transfer.h"

enum transfer transfer_of(struct slice value)
{
    value = slice_trim(value);
    size_t end = slice_index(value, ';');
    value = slice_trim(slice_sub(value, 0, end));
    if (slice_case_eq(value, slice_str("base64")))
        return TRANSFER_BASE64;
    return slice_case_eq(value, slice_str("quoted-printable")) ? TRANSFER_QP : TRANSFER_IDENTITY;
}

static bool is_digit64(uint8_t c)
{
    return (uint8_t)((c | 32) - 'a') < 26 || (uint8_t)(c - '0') < 10 || c == '+' || c == '/';
}

static void count64(struct transfer_size *t, struct slice line)
{
    size_t digits = 0;
    if (t->padded)
        return;
    /* Without a branch, so that the compiler can do many at once. */
    for (size_t i = 0; i < line.len; i++)
        digits += is_digit64(line.data[i]);
    t->digits += digits;
    if (digits < line.len && slice_index(line, '=') < line.len)
        t->padded = true;
}

static void count_qp(struct transfer_size *t, struct slice line, size_t end)
{
    for (size_t i = 0; i < line.len; i++) {
        uint8_t c = line.data[i];
        if (t->escape == 1 && byte_is_blank(c))
            continue; /* blanks after a soft break */
        if (t->escape) {
            t->bytes += t->escape == 2;
            t->escape = t->escape == 2 ? 0 : 2;
        } else if (c == '=') {
            t->bytes += t->blanks;
            t->blanks = 0;
            t->escape = 1;
        } else if (byte_is_blank(c)) {
            t->blanks++;
        } else {
            t->bytes += t->blanks + 1;
            t->blanks = 0;
        }
    }
    if (end) {
        t->bytes += t->escape ? 0 : end;
        t->escape = 0;
        t->blanks = 0;
    }
}

void transfer_count(struct transfer_size *t, enum transfer kind, struct slice line, size_t end)
{
    switch (kind) {
    case TRANSFER_IDENTITY:
        t->bytes += line.len + end;
        break;
    case TRANSFER_BASE64:
        count64(t, line);
        break;
    case TRANSFER_QP:
        count_qp(t, line, end);
        break;
    }
}

void transfer_uncount_end(struct transfer_size *t, enum transfer kind, size_t end)
{
    if (kind != TRANSFER_BASE64)
        t->bytes -= t->bytes < end ? t->bytes : end;
}

uint64_t transfer_total(const struct transfer_size *t)
{
    return t->bytes + t->digits / 4 * 3 + (t->digits % 4 * 3) / 4;
}

static int value64(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (byte_is_digit(c))
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

void transfer_base64(struct slice text, struct buf *out)
{
    uint32_t bits = 0, have = 0;
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++) {
        int v = value64(text.data[i]);
        if (v < 0)
            continue;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_add_byte(out, (uint8_t)(bits >> have));
        }
    }
}

static int hex_of(uint8_t c)
{
    if (byte_is_digit(c))
        return c - '0';
    c = byte_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void transfer_q_word(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        int high = c == '=' && i + 2 < text.len ? hex_of(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_of(text.data[i + 2]) : -1;
        if (low >= 0) {
            buf_add_byte(out, (uint8_t)(high << 4 | low));
            i += 2;
        } else {
            buf_add_byte(out, c == '_' ? ' ' : c);
        }
    }
}
