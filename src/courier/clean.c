/* clean.c: hostile bytes to harmless UTF-8.
 * In: any bytes. Out: UTF-8 without controls. Owns: nothing. Limits: given by the caller; a cut is shown.
 * Knowingly: look-alikes are not judged. Spec: RFC 3629; Unicode's directional formatting characters. */
#include "courier/clean.h"

#include "base/steers.h"

static const char replacement[] = "\xef\xbf\xbd", cut[] = "...";

size_t clean_char(struct slice s)
{
    uint8_t c = s.data[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (len < 2)
        return len;
    if (s.len < len)
        return 0;
    uint8_t low = c == 0xe0   ? 0xa0
                  : c == 0xf0 ? 0x90
                              : 0x80,
            high = c == 0xed   ? 0x9f
                   : c == 0xf4 ? 0x8f
                               : 0xbf;
    if (s.data[1] < low || s.data[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

static void clean(struct buf *ret, struct slice s, size_t most, bool lines)
{
    size_t begun = ret->len;
    for (size_t i = 0; i < s.len;) {
        struct slice rest = slice_sub(s, i, s.len);
        size_t len = clean_char(rest);
        struct slice c = slice_sub(rest, 0, len);
        if (ret->len - begun + 4 > most) {
            buf_add_str(ret, cut);
            return;
        }
        if (len == 1 && (c.data[0] < ' ' || c.data[0] == 0x7f)) {
            if (lines && (c.data[0] == '\n' || c.data[0] == '\t'))
                buf_add_byte(ret, c.data[0]);
            else if (!lines || c.data[0] != '\r')
                buf_add_byte(ret, ' ');
        } else if (!len || steers(c)) {
            buf_add_str(ret, replacement);
        } else {
            buf_add(ret, c);
        }
        i += len ? len : 1;
    }
}

void clean_line(struct buf *ret, struct slice s, size_t most)
{
    clean(ret, s, most, false);
}

void clean_text(struct buf *ret, struct slice s, size_t most)
{
    clean(ret, s, most, true);
}
