/* line.c: text by appending, in the few forms that all formats share.
 * In: texts, numbers, times, addresses. Out: bytes. Owns: the line's memory. Limits: none of its own, see
 * line.h. Spec: RFC 3629, for what is UTF-8. */
#include "sink/line.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEPT = 1 << 20 };

uint8_t *line_grow(struct line *l, size_t more)
{
    size_t room = l->room ? l->room : 4096;
    while (room - l->len < more)
        room *= 2;
    l->data = realloc(l->data, room);
    assert(l->data);
    l->room = room;
    return l->data + l->len;
}

void line_clear(struct line *l)
{
    l->len = 0;
    if (l->room > KEPT)
        line_free(l);
}

void line_free(struct line *l)
{
    free(l->data);
    *l = (struct line){0};
}

void line_number(struct line *l, uint64_t v)
{
    uint8_t digits[20];
    size_t i = sizeof digits;
    do {
        digits[--i] = (uint8_t)('0' + v % 10);
        v /= 10;
    } while (v);
    line_add(l, (struct slice){digits + i, sizeof digits - i});
}

void line_time(struct line *l, struct timespec t)
{
    uint64_t micros = (uint64_t)t.tv_nsec / 1000 % 1000000;
    if (t.tv_sec < 0) {
        line_printf(l, "%.6f", (double)t.tv_sec + (double)t.tv_nsec * 1e-9);
        return;
    }
    line_number(l, (uint64_t)t.tv_sec);
    uint8_t *p = line_room(l, 7);
    p[0] = '.';
    for (size_t i = 6; i; i--, micros /= 10)
        p[i] = (uint8_t)('0' + micros % 10);
    l->len += 7;
}

size_t line_address(struct line *l, const struct address *a)
{
    size_t before = l->len;
    if (a->family == 4) {
        for (int i = 0; i < 4; i++) {
            if (i)
                line_byte(l, '.');
            line_number(l, a->bytes[i]);
        }
        return l->len - before;
    }
    char text[ADDRESS_TEXT];
    size_t len = address_text(a, text);
    line_add(l, (struct slice){(const uint8_t *)text, len});
    return len;
}

void line_hex(struct line *l, uint8_t c)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *p = line_room(l, 4);
    p[0] = '\\';
    p[1] = 'x';
    p[2] = (uint8_t)digits[c >> 4];
    p[3] = (uint8_t)digits[c & 15];
    l->len += 4;
}

void line_printf(struct line *l, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < sizeof text);
    line_add(l, (struct slice){(const uint8_t *)text, (size_t)len});
}

static inline uint64_t has_zero(uint64_t v)
{
    return (v - 0x0101010101010101u) & ~v & 0x8080808080808080u;
}

size_t line_plain(struct slice s, uint8_t a, uint8_t b)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t i = 0;
    /* Eight bytes at once, as long as none of them is below 32, above 126, a or b. */
    for (; i + 8 <= s.len; i += 8) {
        uint64_t v;
        memcpy(&v, s.data + i, 8);
        uint64_t odd = (v & (ones << 7)) | ((v - ones * 32) & ~v & (ones << 7));
        if (odd | has_zero(v ^ ones * 127) | has_zero(v ^ ones * a) | has_zero(v ^ ones * b))
            break;
    }
    while (i < s.len && s.data[i] >= 32 && s.data[i] < 127 && s.data[i] != a && s.data[i] != b)
        i++;
    return i;
}

size_t line_utf8(struct slice s)
{
    uint8_t c = s.data[0];
    size_t len = c < 0x80                ? 1
                 : c >= 0xc2 && c < 0xe0 ? 2
                 : (c & 0xf0) == 0xe0    ? 3
                 : c >= 0xf0 && c < 0xf5 ? 4
                                         : 0;
    if (!len || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (c == 0xe0 && s.data[1] < 0xa0) || (c == 0xf0 && s.data[1] < 0x90);
    bool surrogate = c == 0xed && s.data[1] > 0x9f;
    return overlong || surrogate || (c == 0xf4 && s.data[1] > 0x8f) ? 0 : len;
}

uint32_t line_code(struct slice c)
{
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = c.data[0] & mask[c.len];
    for (size_t i = 1; i < c.len; i++)
        code = code << 6 | (c.data[i] & 0x3f);
    return code;
}
