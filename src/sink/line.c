/* line.c: text by appending, in the few forms that all formats share.
 * In: texts, numbers, times, addresses. Out: bytes. Owns: the line's memory. Limits: none of its own, see
 * line.h. Spec: RFC 3629, for what is UTF-8. */
#include "sink/line.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"

enum { KEPT = 1 << 20, NUMBER = 20 };

uint8_t *line_grow(struct line *l, size_t more)
{
    size_t room = l->room ? l->room : 4096;
    while (room - l->len < more)
        room *= 2;
    l->data = realloc(l->data, room);
    memory_check(l->data);
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

/* 00 to 99. */
static const char pairs[] = "0001020304050607080910111213141516171819"
                            "2021222324252627282930313233343536373839"
                            "4041424344454647484950515253545556575859"
                            "6061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static void put_pair(uint8_t *p, uint32_t v)
{
    memcpy(p, pairs + 2 * (size_t)v, 2);
}

static size_t digits(uint64_t v)
{
    for (size_t n = 0;; n += 4, v /= 10000)
        if (v < 10000)
            return n + 1 + (v > 9) + (v > 99) + (v > 999);
}

/* Returns its end. */
static uint8_t *put_number(uint8_t *p, uint64_t v)
{
    uint8_t *end = p + digits(v), *at = end;
    for (; v >= 100; v /= 100)
        put_pair(at -= 2, (uint32_t)(v % 100));
    if (v > 9)
        put_pair(p, (uint32_t)v);
    else
        *p = (uint8_t)('0' + v);
    return end;
}

void line_number(struct line *l, uint64_t v)
{
    l->len = (size_t)(put_number(line_room(l, NUMBER), v) - l->data);
}

/* With six digits behind the point; `micros` are less than a second. */
static void add_micros(struct line *l, uint64_t seconds, uint32_t micros)
{
    uint8_t *p = put_number(line_room(l, NUMBER + 7), seconds);
    uint32_t hundreds = micros / 100;
    p[0] = '.';
    put_pair(p + 1, hundreds / 100);
    put_pair(p + 3, hundreds % 100);
    put_pair(p + 5, micros % 100);
    l->len = (size_t)(p + 7 - l->data);
}

void line_time(struct line *l, struct timespec t)
{
    if (t.tv_sec < 0)
        line_printf(l, "%.6f", (double)t.tv_sec + (double)t.tv_nsec * 1e-9);
    else
        add_micros(l, (uint64_t)t.tv_sec, (uint32_t)t.tv_nsec / 1000 % 1000000);
}

void line_seconds(struct line *l, double v)
{
    if (v < 0) {
        /* What is rounded to nothing has no sign, or who reads it and prints it again would print another. */
        line_str(l, v < -5e-7 ? "-" : "");
        v = -v;
    }
    double micros = v * 1e6;
    bool small = micros >= 0 && micros < 1e12;
    uint64_t whole = small ? (uint64_t)micros : 0;
    double part = micros - (double)whole;
    /* The product is exact enough to tell to which side to round, unless it is halfway. */
    if (!small || (part > 0.499 && part < 0.501)) {
        line_printf(l, "%.6f", v);
        return;
    }
    whole += part > 0.5;
    add_micros(l, whole / 1000000, (uint32_t)(whole % 1000000));
}

size_t line_address(struct line *l, const struct address *a)
{
    size_t len = address_text(a, (char *)line_room(l, ADDRESS_TEXT));
    l->len += len;
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

typedef uint8_t sixteen __attribute__((vector_size(16)));

/* Which of them are not plain: signed, all over 126 but 127 itself is below 32. */
static inline sixteen odd_of_sixteen(const sixteen *c, uint8_t a, uint8_t b)
{
    typedef int8_t signed_lanes __attribute__((vector_size(16)));
    signed_lanes s = (signed_lanes)*c;
    return (sixteen)((s < 32) | (s == 127) | (s == (int8_t)a) | (s == (int8_t)b));
}

static inline bool any_of_sixteen(const sixteen *odd)
{
    uint64_t halves[2];
    memcpy(halves, odd, sizeof halves);
    return halves[0] | halves[1];
}

static inline bool sixteen_plain(const uint8_t *p, uint8_t a, uint8_t b)
{
    sixteen c;
    memcpy(&c, p, sizeof c);
    c = odd_of_sixteen(&c, a, b);
    return !any_of_sixteen(&c);
}

size_t line_plain(struct slice s, uint8_t a, uint8_t b)
{
    enum { LONG = 16 };
    size_t i = 0;
    while (i + LONG <= s.len && sixteen_plain(s.data + i, a, b))
        i += LONG;
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
