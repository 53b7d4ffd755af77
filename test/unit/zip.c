/* Archives: what they have in them, at every cut. The bytes are what zip 3.0, Python and others write. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/zip.h"

static void note(void *ctx, const struct zip_event *ev)
{
    static const char *const kinds[] = {"local ", "size", "central ", "end"};
    struct buf *out = ctx;
    buf_add_str(out, kinds[ev->kind]);
    if (ev->kind == ZIP_LOCAL || ev->kind == ZIP_CENTRAL)
        zip_name(ev->name, ev->utf8, out);
    if (ev->kind != ZIP_END && ev->known)
        buf_printf(out, " %llu", (unsigned long long)ev->size);
    if (ev->kind != ZIP_END && ev->kind != ZIP_SIZE)
        buf_printf(out, " @%llu%s%s", (unsigned long long)ev->offset, ev->encrypted ? " encrypted" : "",
                   ev->lost ? " lost" : "");
    buf_add_byte(out, '\n');
}

static void feed(struct zip *z, struct slice in)
{
    uint8_t *copy = malloc(in.len ? in.len : 1);
    assert_non_null(copy);
    memcpy(copy, in.data, in.len);
    zip_feed(z, (struct slice){copy, in.len});
    free(copy);
}

static void finds(struct slice in, const char *want)
{
    struct buf got;
    buf_init(&got, 1 << 16);
    for (size_t cut = 0; cut <= in.len; cut++) {
        struct zip z;
        buf_clear(&got);
        zip_init(&z, note, &got);
        if (cut)
            feed(&z, slice_sub(in, 0, cut));
        for (size_t i = cut; i < in.len; i += cut ? in.len : 1)
            feed(&z, slice_sub(in, i, cut ? in.len : i + 1));
        zip_free(&z);
        buf_add_byte(&got, 0);
        if (strcmp((char *)got.data, want) != 0)
            print_message("cut %zu\n", cut);
        assert_string_equal((char *)got.data, want);
    }
    buf_free(&got);
}

/* An archive under construction. */
struct maker {
    struct buf bytes, directory;
    unsigned count;
};

static void put(struct buf *b, uint64_t v, size_t len)
{
    for (; len--; v >>= 8)
        buf_add_byte(b, (uint8_t)v);
}

enum {
    STORED = 0,
    DESCRIPTOR = 8,
    NO_LOCAL = 0x10000,
    NO_CENTRAL = 0x20000,
    LARGE = 0x40000,
    AES = 0x80000,
    FAR = 0x100000
};

static void add_extra(struct buf *b, unsigned flags, size_t size, bool central)
{
    if (flags & LARGE) {
        put(b, 0x0001, 2);
        put(b, central ? 24 : 16, 2);
        put(b, size, 8);
        put(b, size, 8);
        if (central)
            put(b, 0, 8);
    }
    if (flags & FAR && central) {
        put(b, 0x0001, 2);
        put(b, 8, 2);
        put(b, 0x123456789a, 8);
    }
    if (flags & AES) {
        put(b, 0x9901, 2);
        put(b, 7, 2);
        put(b, 0, 7);
    }
}

static void add(struct maker *m, const char *name, const char *text, unsigned flags, const char *central)
{
    size_t at = m->bytes.len, size = strlen(text);
    size_t shown = flags & LARGE ? UINT32_MAX : flags & DESCRIPTOR ? 0 : size;
    size_t extra = (flags & AES ? 11U : 0) + (flags & LARGE ? 20U : 0);
    if (!(flags & NO_LOCAL)) {
        put(&m->bytes, 0x04034b50, 4);
        put(&m->bytes, 20, 2);
        put(&m->bytes, flags, 2);
        put(&m->bytes, 0, 10);
        put(&m->bytes, shown, 4);
        put(&m->bytes, shown, 4);
        put(&m->bytes, strlen(name), 2);
        put(&m->bytes, extra, 2);
        buf_add_str(&m->bytes, name);
        add_extra(&m->bytes, flags, size, false);
        buf_add_str(&m->bytes, text);
        if (flags & DESCRIPTOR) {
            put(&m->bytes, 0x08074b50, 4);
            put(&m->bytes, 0, 4);
            put(&m->bytes, size, flags & LARGE ? 8 : 4);
            put(&m->bytes, size, flags & LARGE ? 8 : 4);
        }
    }
    if (flags & NO_CENTRAL)
        return;
    m->count++;
    put(&m->directory, 0x02014b50, 4);
    put(&m->directory, 20, 2);
    put(&m->directory, 20, 2);
    put(&m->directory, flags, 2);
    put(&m->directory, 0, 10);
    put(&m->directory, flags & LARGE ? UINT32_MAX : size, 4);
    put(&m->directory, flags & LARGE ? UINT32_MAX : size, 4);
    put(&m->directory, strlen(central ? central : name), 2);
    put(&m->directory, extra + (flags & LARGE ? 8U : 0) + (flags & FAR ? 12U : 0), 2);
    put(&m->directory, 3, 2); /* a comment */
    put(&m->directory, 0, 8);
    put(&m->directory, flags & (LARGE | FAR) ? UINT32_MAX : at, 4);
    buf_add_str(&m->directory, central ? central : name);
    add_extra(&m->directory, flags, size, true);
    buf_add_str(&m->directory, "PK\1");
}

static void end(struct maker *m, const char *want)
{
    size_t at = m->bytes.len;
    buf_add(&m->bytes, buf_slice(&m->directory));
    put(&m->bytes, 0x06054b50, 4);
    put(&m->bytes, 0, 4);
    put(&m->bytes, m->count, 2);
    put(&m->bytes, m->count, 2);
    put(&m->bytes, m->directory.len, 4);
    put(&m->bytes, at, 4);
    put(&m->bytes, 7, 2);
    buf_add_str(&m->bytes, "comment");
    finds(buf_slice(&m->bytes), want);
    buf_free(&m->bytes);
    buf_free(&m->directory);
}

static struct maker begin(void)
{
    struct maker m = {.count = 0};
    buf_init(&m.bytes, 1 << 16);
    buf_init(&m.directory, 1 << 16);
    return m;
}

static void usual(void **state)
{
    (void)state;
    struct maker m = begin();
    add(&m, "a.txt", "hello", 0, NULL);
    add(&m, "d/", "", 0, NULL);
    add(&m, "d/\x81.txt", "PK\3\4PK\1\2PK", 0, NULL);
    add(&m, "\xc3\xbc", "", 0x800, NULL);
    end(&m, "local a.txt 5 @0\nlocal d/ 0 @40\nlocal d/\xc3\xbc.txt 10 @72\nlocal \xc3\xbc 0 @119\n"
            "central a.txt 5 @0\ncentral d/ 0 @40\ncentral d/\xc3\xbc.txt 10 @72\ncentral \xc3\xbc 0 "
            "@119\nend\n");
    m = begin();
    add(&m, "a", "x", FAR, NULL);
    end(&m, "local a 1 @0\ncentral a 1 @78187493530\nend\n");
    m = begin();
    end(&m, "end\n");
}

static void encrypted(void **state)
{
    (void)state;
    struct maker m = begin();
    add(&m, "a", "x", 1, NULL);
    add(&m, "b", "x", AES, NULL);
    add(&m, "c", "x", 0, NULL);
    end(&m, "local a 1 @0 encrypted\nlocal b 1 @32 encrypted\nlocal c 1 @75\n"
            "central a 1 @0 encrypted\ncentral b 1 @32 encrypted\ncentral c 1 @75\nend\n");
}

static void descriptors(void **state)
{
    (void)state;
    struct maker m = begin();
    add(&m, "a", "hello", DESCRIPTOR, NULL);
    /* What looks like headers in it is no header of this archive. */
    add(&m, "b",
        "PK\3\4PK\7\10PK\7\10x 0123456789PPPK\5\6PK\1\2\24.\24.......................................",
        DESCRIPTOR, NULL);
    add(&m, "c", "", DESCRIPTOR, NULL);
    add(&m, "d", "x", DESCRIPTOR | LARGE, NULL);
    end(&m, "local a @0\nsize 5\nlocal b @52\nsize 76\nlocal c @175\nsize 0\nlocal d 1 @222\n"
            "central a 5 @0\ncentral b 76 @52\ncentral c 0 @175\ncentral d 1 @0\nend\n");
}

static void differences(void **state)
{
    (void)state;
    struct maker m = begin();
    add(&m, "harmless.txt", "x", 0, "evil.exe");
    add(&m, "hidden", "y", NO_CENTRAL, NULL);
    add(&m, "nowhere", "y", NO_LOCAL, NULL);
    end(&m,
        "local harmless.txt 1 @0\nlocal hidden 1 @43\ncentral evil.exe 1 @0\ncentral nowhere 1 @80\nend\n");
}

static void junk(void **state)
{
    (void)state;
    struct maker m = begin();
    buf_add_str(&m.bytes, "MZ PK\3\4 this is no header of anything, PPK\3\4 nor is this one ..");
    add(&m, "a", "x", 0, NULL);
    end(&m, "local a 1 @63\ncentral a 1 @63\nend\n");
    m = begin();
    add(&m, "a", "x", 0, NULL);
    buf_add_str(&m.bytes, "junk");
    add(&m, "b", "y", 0, NULL);
    end(&m, "local a 1 @0\nlocal b 1 @36 lost\ncentral a 1 @0 lost\ncentral b 1 @36 lost\nend\n");
    /* A size that is wrong hides what is in it, but not from the directory. */
    m = begin();
    add(&m, "a", "x", 0, NULL);
    m.bytes.data[18] = 10;
    add(&m, "b", "y", 0, NULL);
    end(&m, "local a 1 @0\ncentral a 1 @0 lost\ncentral b 1 @32 lost\nend\n");
    finds(slice_str("PK"), "");
    finds(slice_str("no archive"), "");
    finds((struct slice){NULL, 0}, "");
}

static void nested(void **state)
{
    (void)state;
    static const char *const yes[] = {"a.zip", "A.ZIP", "d/a.tar.gz", "x.7z"};
    static const char *const no[] = {"zip", "a.txt", "a.zip/", "d.zip/a", "", "a."};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(zip_is_archive(slice_str(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(zip_is_archive(slice_str(no[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual),       cmocka_unit_test(encrypted), cmocka_unit_test(descriptors),
        cmocka_unit_test(differences), cmocka_unit_test(junk),      cmocka_unit_test(nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
