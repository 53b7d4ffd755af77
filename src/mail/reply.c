/* reply.c: one server line to code and text.
 * In: a line. Out: struct reply_line; the enhanced code of its text. Owns: nothing. Spec: RFC 5321 4.2, RFC
 * 3463 2. */
#include "mail/reply.h"

bool reply_line_parse(struct slice line, struct reply_line *ret)
{
    if (line.len < 3 || line.data[0] < '2' || line.data[0] > '5' || !byte_is_digit(line.data[1]) ||
        !byte_is_digit(line.data[2]))
        return false;
    if (line.len > 3 && line.data[3] != ' ' && line.data[3] != '-' && line.data[3] != '\t')
        return false;
    ret->code =
        (unsigned)(line.data[0] - '0') * 100 + (unsigned)(line.data[1] - '0') * 10 + (line.data[2] - '0');
    ret->more = line.len > 3 && line.data[3] == '-';
    ret->text = slice_sub(line, 4, line.len);
    return true;
}

/* Up to three digits, without a zero in front of others. Returns how many; 0: none, or more than that. */
static size_t enhanced_part(struct slice s)
{
    size_t n = 0;
    while (n < s.len && byte_is_digit(s.data[n]))
        n++;
    return n > 3 || (n > 1 && s.data[0] == '0') ? 0 : n;
}

bool reply_enhanced(struct slice text, struct slice *ret)
{
    struct slice s = slice_trim_left(text);
    if (s.len && s.data[0] == '#') /* as one vendor's appliances write it */
        s = slice_sub(s, 1, s.len);
    if (s.len < 5 || (s.data[0] != '2' && s.data[0] != '4' && s.data[0] != '5') || s.data[1] != '.')
        return false;
    size_t subject = enhanced_part(slice_sub(s, 2, s.len));
    size_t dot = 2 + subject;
    if (!subject || dot == s.len || s.data[dot] != '.')
        return false;
    size_t detail = enhanced_part(slice_sub(s, dot + 1, s.len));
    size_t end = dot + 1 + detail;
    /* What goes on is an address or a version. */
    if (!detail || (end < s.len && !byte_is_blank(s.data[end]) && !strchr(":;,)\r\n", s.data[end])))
        return false;
    *ret = slice_sub(s, 0, end);
    return true;
}

void reply_join(struct slice lines, struct buf *out)
{
    struct slice first = {0}, code;
    (void)reply_enhanced(lines, &first);
    for (bool begin = true; lines.len || begin; begin = false) {
        size_t lf = slice_index(lines, '\n');
        struct slice line = slice_trim(slice_sub(lines, 0, lf));
        if (!begin && first.len && reply_enhanced(line, &code) && slice_eq(code, first))
            line = slice_trim(slice_sub(line, (size_t)(code.data - line.data) + code.len, line.len));
        if (!begin && line.len)
            buf_add_byte(out, ' ');
        buf_add(out, line);
        lines = slice_sub(lines, lf + 1, lines.len);
    }
}
