/* TNEF: the files in it, at every cut. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/tnef.h"

static void note(void *ctx, const struct tnef_file *file)
{
    struct buf *out = ctx;
    buf_add(out, file->name);
    buf_printf(out, " %llu\n", (unsigned long long)file->size);
}

static void feed(struct tnef *t, struct slice in)
{
    uint8_t *copy = malloc(in.len ? in.len : 1);
    assert_non_null(copy);
    memcpy(copy, in.data, in.len);
    tnef_feed(t, (struct slice){copy, in.len});
    free(copy);
}

static void finds(struct slice in, const char *want)
{
    struct buf got;
    buf_init(&got, 1 << 16);
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct tnef t;
        buf_clear(&got);
        tnef_init(&t, note, &got);
        if (cut)
            feed(&t, slice_sub(in, 0, cut));
        for (size_t i = cut; i < in.len; i += cut ? in.len : 1)
            feed(&t, slice_sub(in, i, cut ? in.len : i + 1));
        tnef_end(&t);
        tnef_free(&t);
        buf_add_byte(&got, 0);
        assert_string_equal((char *)got.data, want);
    }
    buf_free(&got);
}

static void put(struct buf *b, uint64_t v, size_t len)
{
    for (; len--; v >>= 8)
        buf_add_byte(b, (uint8_t)v);
}

static struct buf begin(void)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    put(&b, 0x223e9f78, 4);
    put(&b, 0x1234, 2);
    return b;
}

static void attribute(struct buf *b, unsigned level, uint32_t tag, struct slice value)
{
    put(b, level, 1);
    put(b, tag, 4);
    put(b, value.len, 4);
    buf_add(b, value);
    put(b, 0, 2); /* the checksum, which nobody needs */
}

static void text(struct buf *b, unsigned level, uint32_t tag, const char *value)
{
    attribute(b, level, tag, (struct slice){(const uint8_t *)value, strlen(value) + 1});
}

static void end(struct buf *b, const char *want)
{
    finds(buf_slice(b), want);
    buf_free(b);
}

enum {
    VERSION = 0x00089006,
    MESSAGE_CLASS = 0x00078008,
    RENDER = 0x00069002,
    TITLE = 0x00018010,
    DATA = 0x0006800f,
    PROPERTIES = 0x00069005,
    MESSAGE_PROPERTIES = 0x00069003
};

static void names(void **state)
{
    (void)state;
    struct buf b = begin();
    attribute(&b, 1, VERSION, (struct slice){(const uint8_t *)"\0\0\1\0", 4});
    text(&b, 1, MESSAGE_CLASS, "IPM.Microsoft Mail.Note");
    attribute(&b, 2, RENDER, (struct slice){(const uint8_t *)"\1\0\377\377\377\377\0\0\0\0\0\0\0\0", 14});
    text(&b, 2, DATA, "this is a test");
    text(&b, 2, TITLE, "LONGNA~1.TXT");
    text(&b, 2, RENDER, "");
    text(&b, 2, TITLE, "b\xfc.txt");
    text(&b, 2, DATA, "");
    end(&b, "LONGNA~1.TXT 15\nb\xc3\xbc.txt 1\n");
}

static void string(struct buf *b, uint32_t tag, struct slice value)
{
    put(b, tag & 0xffff, 2);
    put(b, tag >> 16, 2);
    put(b, 1, 4);
    put(b, value.len, 4);
    buf_add(b, value);
    put(b, 0, (4 - value.len % 4) % 4);
}

/* Behind all kinds of values, two of them of names that are a number and a text. */
static void before(struct buf *p)
{
    put(p, 10, 4); /* how many there are */
    put(p, 0x0003, 2), put(p, 0x0e20, 2), put(p, 1, 4);
    put(p, 0x000b, 2), put(p, 0x1234, 2), put(p, 1, 4);
    put(p, 0x0040, 2), put(p, 0x3007, 2), put(p, 0, 8);
    put(p, 0x0048, 2), put(p, 0x3008, 2), put(p, 0, 16);
    put(p, 0x1003, 2), put(p, 0x3009, 2), put(p, 3, 4), put(p, 0, 12);
    put(p, 0x0003, 2), put(p, 0x8001, 2), put(p, 0, 16), put(p, 0, 4), put(p, 0x8501, 4), put(p, 7, 4);
    put(p, 0x0014, 2), put(p, 0x8002, 2), put(p, 0, 16), put(p, 1, 4), put(p, 6, 4), put(p, 0x61, 8),
        put(p, 7, 8);
    put(p, 0x101e, 2), put(p, 0x3707, 2), put(p, 2, 4), put(p, 1, 4), put(p, 'x', 4), put(p, 1, 4),
        put(p, 'y', 4);
}

static void properties(void **state)
{
    (void)state;
    struct buf b = begin(), p;
    buf_init(&p, 1 << 16);
    before(&p);
    string(&p, 0x3704001e, (struct slice){(const uint8_t *)"short", 6});
    string(&p, 0x3707001f, (struct slice){(const uint8_t *)"l\0o\0n\0\xfc\0=\xd8\0\xde\0\0", 14});
    text(&b, 2, RENDER, "");
    text(&b, 2, TITLE, "SHORT");
    attribute(&b, 2, PROPERTIES, buf_slice(&p));
    text(&b, 2, RENDER, "");
    text(&b, 2, DATA, "12345");
    /* Those of the message have no such meaning. */
    attribute(&b, 1, MESSAGE_PROPERTIES, buf_slice(&p));
    end(&b, "lon\xc3\xbc\xf0\x9f\x98\x80 0\n 6\n");
    /* An attached message has its size in its properties alone. */
    b = begin();
    buf_clear(&p);
    put(&p, 2, 4);
    string(&p, 0x3701000d, (struct slice){(const uint8_t *)"guidguidguidguid.....", 21});
    string(&p, 0x3704001e, (struct slice){(const uint8_t *)"message", 8});
    text(&b, 2, RENDER, "");
    attribute(&b, 2, PROPERTIES, buf_slice(&p));
    end(&b, "message 21\n");
    buf_free(&p);
}

static void broken(void **state)
{
    (void)state;
    static const uint8_t many[] = {255, 255, 255, 255, 0x1e, 0,   7,   0x37, 255,
                                   255, 255, 255, 255, 255,  255, 255, 'a'};
    finds((struct slice){NULL, 0}, "");
    finds(slice_str("no TNEF, but long enough"), "");
    struct buf b = begin();
    end(&b, "");
    b = begin();
    text(&b, 2, RENDER, "");
    attribute(&b, 2, PROPERTIES, (struct slice){many, sizeof many});
    text(&b, 2, RENDER, "");
    put(&b, 2, 1);
    put(&b, TITLE, 4);
    put(&b, UINT32_MAX, 4); /* goes on beyond the end */
    buf_add_str(&b, "name");
    end(&b, "a 0\n 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(properties),
                                       cmocka_unit_test(broken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
