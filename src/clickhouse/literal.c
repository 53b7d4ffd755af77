/* literal.c: texts as literals of SQL.
 * In: bytes. Out: SQL. Owns: nothing. Spec: string literals of ClickHouse 18.16, in which a backslash
 * escapes.
 */
#include "clickhouse/literal.h"

void literal_text(struct line *out, struct slice text)
{
    line_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < ' ' || c == 0x7f) {
            line_hex(out, c); /* a NUL would end the question */
            continue;
        }
        if (c == '\'' || c == '\\')
            line_byte(out, '\\');
        line_byte(out, c);
    }
    line_byte(out, '\'');
}
