/* transfer.c: base64 and quoted-printable.
 * In: encoded bytes. Out: counts, or decoded bytes. Owns: nothing. Spec: RFC 2045 6.7, 6.8; RFC 2047 4. */
#include "mail/transfer.h"

#include "mail/base64.h"

enum transfer transfer_of(struct slice value, bool *ret_known)
{
    static const char *const plain[] = {"7bit", "8bit", "binary"};
    value = slice_trim(value);
    size_t end = 0;
    while (end < value.len && !byte_is_blank(value.data[end]) && value.data[end] != ';' &&
           value.data[end] != '(')
        end++;
    value = slice_sub(value, 0, end);
    if (value.len >= 2 && value.data[0] == '"' && value.data[value.len - 1] == '"')
        value = slice_sub(value, 1, value.len - 1);
    *ret_known = true;
    if (slice_case_eq(value, slice_str("base64")))
        return TRANSFER_BASE64;
    if (slice_case_eq(value, slice_str("quoted-printable")))
        return TRANSFER_QP;
    *ret_known = false;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        *ret_known |= slice_case_eq(value, slice_str(plain[i]));
    return TRANSFER_IDENTITY;
}

static inline bool is_digit64(uint8_t c)
{
    return (uint8_t)((c | 32) - 'a') < 26 || (uint8_t)(c - '/') < 11 || c == '+';
}

static void note_odd(struct transfer_size *t, uint64_t at)
{
    if (t->odd || t->gap)
        return;
    t->odd = true;
    t->odd_at = at;
}

/* Padding ends the data where it completes a group; elsewhere, and before more digits, it is junk. */
static void count_slowly(struct transfer_size *t, struct slice text)
{
    size_t i = 0;
    for (; i < text.len && !t->padded; i++) {
        if (is_digit64(text.data[i])) {
            if (t->pads)
                note_odd(t, t->fed + i);
            t->digits++;
            t->pads = 0;
        } else if (text.data[i] == '=' && t->digits % 4 >= 2) {
            t->padded = t->digits % 4 + ++t->pads >= 4;
        } else if (text.data[i] > ' ') {
            note_odd(t, t->fed + i);
        }
    }
    for (; i < text.len && !t->odd; i++)
        if (text.data[i] > ' ')
            note_odd(t, t->fed + i);
}

bool transfer_count_digits(struct transfer_size *t, struct slice text)
{
    bool other = t->padded || t->pads;
    size_t digits = other ? 0 : base64_count(text, &other);
    if (other)
        return false;
    t->digits += digits;
    t->fed += text.len;
    return true;
}

/* Padding, which comes last, is what keeps most text from being counted at once. */
static void count_base64(struct transfer_size *t, struct slice text)
{
    size_t digits = slice_index(text, '=');
    if (transfer_count_digits(t, slice_sub(text, 0, digits)))
        text = slice_sub(text, digits, text.len);
    count_slowly(t, text);
    t->fed += text.len;
}

static bool is_hex(uint8_t c)
{
    return byte_is_digit(c) || (uint8_t)((c | 32) - 'a') < 6;
}

static void qp_literal(struct transfer_size *t, uint64_t bytes)
{
    t->bytes += t->blanks + bytes;
    t->blanks = 0;
}

/* Text that holds no '=' and follows none: counts unless it is a blank that may end its line. */
static void qp_text(struct transfer_size *t, struct slice text)
{
    size_t len = text.len;
    while (len && byte_is_blank(text.data[len - 1]))
        len--;
    if (len)
        qp_literal(t, len);
    t->blanks += text.len - len;
}

/* One character behind an '=', `at` encoded bytes before it. False: what was thought an escape is none, and
 * `c` is text. */
static bool qp_escape(struct transfer_size *t, uint8_t c, uint64_t at)
{
    if (t->escape == 1 && byte_is_blank(c)) {
        t->blanks++; /* a soft break, if nothing but blanks follows */
        return true;
    }
    if (t->escape == 1 && !t->blanks && is_hex(c)) {
        t->escape = 2;
        return true;
    }
    bool done = t->escape == 2 && is_hex(c);
    if (!done)
        note_odd(t, at - t->escape - t->blanks);
    t->bytes += done ? 1 : t->escape + t->blanks;
    t->escape = 0;
    t->blanks = 0;
    return done;
}

static void count_qp(struct transfer_size *t, struct slice line, size_t end)
{
    size_t i = 0;
    while (i < line.len) {
        if (t->escape) {
            i += qp_escape(t, line.data[i], t->fed + i);
            continue;
        }
        size_t text = slice_index(slice_sub(line, i, line.len), '=');
        qp_text(t, slice_sub(line, i, i + text));
        i += text;
        if (i < line.len) {
            qp_literal(t, 0);
            t->escape = 1;
            i++;
        }
    }
    t->ended = 0;
    t->fed += line.len + end;
    if (!end)
        return;
    if (t->escape == 2) {
        note_odd(t, t->fed - end - 2);
        t->bytes += 2;
    }
    if (t->escape != 1) {
        t->bytes += end;
        t->ended = (uint8_t)end;
    }
    t->escape = 0;
    t->blanks = 0;
}

void transfer_count(struct transfer_size *t, enum transfer kind, struct slice line, size_t end)
{
    switch (kind) {
    case TRANSFER_IDENTITY:
        t->bytes += line.len + end;
        t->ended = (uint8_t)end;
        break;
    case TRANSFER_BASE64:
        count_base64(t, line);
        t->fed += end;
        break;
    case TRANSFER_QP:
        count_qp(t, line, end);
        break;
    }
}

void transfer_count_lines(struct transfer_size *t, enum transfer kind, struct slice lines)
{
    if (kind == TRANSFER_BASE64) {
        count_base64(t, lines);
        return;
    }
    while (lines.len) {
        size_t lf = slice_index(lines, '\n'), end = 0;
        struct slice line = slice_sub(lines, 0, lf);
        if (lf < lines.len)
            end = transfer_line_end(line);
        transfer_count(t, kind, slice_sub(line, 0, line.len - (end ? end - 1 : 0)), end);
        lines = slice_sub(lines, lf + 1, lines.len);
    }
}

void transfer_gap(struct transfer_size *t, uint64_t fed)
{
    t->gap = true;
    t->fed = fed;
    t->escape = t->ended = 0;
    t->blanks = 0;
}

void transfer_uncount_end(struct transfer_size *t)
{
    t->bytes -= t->ended;
    t->ended = 0;
}

uint64_t transfer_total(const struct transfer_size *t)
{
    /* At the end of all, half an escape is text, and a lone '=' is a soft break. */
    return t->bytes + (t->escape == 2 ? 2 : 0) + t->digits / 4 * 3 + (t->digits % 4 * 3) / 4;
}

size_t transfer_line_end(struct slice line)
{
    size_t end = 1;
    while (end < 3 && line.len >= end && line.data[line.len - end] == '\r')
        end++;
    return end;
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
    /* `have` are the bits not out yet; with 2 or 4 of them padding completes the group, elsewhere it is junk.
     */
    for (size_t i = 0; i < text.len; i++) {
        int v = value64(text.data[i]);
        if (text.data[i] == '=' && (have == 4 || have == 2))
            return;
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
