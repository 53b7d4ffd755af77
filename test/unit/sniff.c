/* What first bytes say. test/parts.py holds the same function to libmagic. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "mail/sniff.h"

#define HEAD(text) ((struct slice){(const uint8_t *)(text), sizeof(text) - 1})
#define ZIP(name)  "PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0" name

static void is(struct slice head, const char *type)
{
    /* A copy of its own, so that a read past it is seen. */
    uint8_t *copy = malloc(head.len ? head.len : 1);
    assert_non_null(copy);
    memcpy(copy, head.data, head.len);
    assert_string_equal(sniff_type((struct slice){copy, head.len}), type);
    for (size_t len = 1; len < head.len; len++) {
        uint8_t *less = malloc(len);
        assert_non_null(less);
        memcpy(less, head.data, len);
        assert_non_null(sniff_type((struct slice){less, len}));
        free(less);
    }
    free(copy);
}

static void files(void **state)
{
    (void)state;
    is(HEAD("MZ\x90\0\3\0"), "application/vnd.microsoft.portable-executable");
    is(HEAD("MZ is a word"), "text/plain");
    is(HEAD("\x7f"
            "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0>\0"),
       "application/x-executable");
    is(HEAD("%PDF-1.4\n"), "application/pdf");
    is(HEAD("\x89PNG\r\n\x1a\n\0\0"), "image/png");
    is(HEAD("RIFF\0\0\0\0WEBPVP8 "), "image/webp");
    is(HEAD("RIFF\0\0\0\0WAVEfmt "), "audio/x-wav");
    is(HEAD("RIFF\0\0\0\0"), "application/octet-stream");
    is(HEAD("BM\x64\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"), "image/bmp");
    is(HEAD("\0\0\0\x18"
            "ftypmp42"),
       "video/mp4");
    is(HEAD("\x78\x9f\x3e\x22\1\0"), "application/vnd.ms-tnef");
    is(HEAD("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"), "application/x-ole-storage");
    is(HEAD("L\0\0\0\1\x14\2\0\0\0"), "application/x-ms-shortcut");
    is(HEAD("\0\1\2\3"), "application/octet-stream");
}

static void zips(void **state)
{
    (void)state;
    is(HEAD(ZIP("\5\0\0\0a.txtx")), "application/zip");
    is(HEAD(ZIP("\x11\0\0\0word/document.xmlx")),
       "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    is(HEAD(ZIP("\x13\0\0\0[Content_Types].xmlx") ZIP("\x0f\0\0\0xl/workbook.xmlx")),
       "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    is(HEAD(ZIP("\x14\0\0\0META-INF/MANIFEST.MFx")), "application/java-archive");
    is(HEAD(ZIP("\x08\0\0\0mimetypeapplication/vnd.oasis.opendocument.text")),
       "application/vnd.oasis.opendocument.text");
    is(HEAD(ZIP("\xff\xff\0\0word/")),
       "application/vnd.openxmlformats-officedocument.wordprocessingml.document");
    is(HEAD("PK\3\4"), "application/zip");
}

static void texts(void **state)
{
    (void)state;
    is(HEAD("a\tb\r\n"), "text/plain");
    is(HEAD("gr\xfc\xdf"), "text/plain");
    is(HEAD("\xff\xfe"
            "a\0"),
       "text/plain");
    is(HEAD("\n <!DOCTYPE HTML><p>"), "text/html");
    is(HEAD("<!-- a --> <html>"), "text/html");
    is(HEAD("<!-- a <html>"), "text/plain");
    is(HEAD("\xef\xbb\xbf<HTML>"), "text/html");
    is(HEAD("<?xml version=\"1.0\"?>\n<a/>"), "text/xml");
    is(HEAD("<?xml version=\"1.0\"?>\n<svg/>"), "image/svg+xml");
    is(HEAD("#!/usr/bin/env python3\n"), "text/x-script.python");
    is(HEAD("#!/bin/bash -e\n"), "text/x-shellscript");
    is(HEAD("{\\rtf1"), "text/rtf");
    is(HEAD("Received: from a"), "message/rfc822");
    assert_null(sniff_type(HEAD("")));
}

static void runs(void **state)
{
    (void)state;
    assert_true(sniff_runs("application/vnd.microsoft.portable-executable"));
    assert_true(sniff_runs("application/x-ms-shortcut"));
    assert_true(sniff_runs("text/x-shellscript"));
    assert_false(sniff_runs("text/plain"));
    assert_false(sniff_runs("application/zip"));
}

/* A tar file says so at 257 only; its first bytes are a file's name, which anybody chooses. */
static void ranks(void **state)
{
    (void)state;
    char head[300] = {0};
    memcpy(head + 257, "ustar", 6);
    memcpy(head, "MZ", 2);
    is((struct slice){(uint8_t *)head, sizeof head}, "application/vnd.microsoft.portable-executable");
    memcpy(head, "ID3", 3);
    is((struct slice){(uint8_t *)head, sizeof head}, "application/x-tar");
    is(HEAD("GIF8ftyp\0\0"), "image/gif");
    is(HEAD("ID3\3ftyp\0\0"), "video/mp4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(files), cmocka_unit_test(zips),
                                       cmocka_unit_test(texts), cmocka_unit_test(runs),
                                       cmocka_unit_test(ranks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
