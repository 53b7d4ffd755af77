/* reply.c: one server line to code and text.
 * In: a line. Out: struct reply_line. Owns: nothing. Spec: RFC 5321 4.2. */
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
