/* MIME: multiparts, attached mails, names. */
#include "mime_run.h"

#define TOP                      "Content-Type: multipart/mixed; boundary=b\n\n"
#define FILE_AS(name)            "Content-Disposition: attachment; filename=" name "\n\n"
#define TEXT(size, depth)        "part size=" #size " depth=" #depth " type=text/plain\n"
#define NAMED(size, depth, name) "part size=" #size " depth=" #depth " type=text/plain filename=" name "\n"

static void plain(void **state)
{
    (void)state;
    check_parts(TOP "preamble\n--c\n-- b\n--b\n\none\n--b\n\ntwo\n\n--b--\nepilogue\n--b\n\n--b--\n",
                TEXT(3, 1) TEXT(5, 1));
    check_parts(TOP "--b\n\none\n--b--", TEXT(3, 1));
    check_parts(TOP "--b\n\none\n--b", TEXT(3, 1) "part cut size=0 depth=1 type=text/plain\n");
    check_parts(TOP "--b  \t\n\none\n--b-- \n", TEXT(3, 1));
    check_parts(TOP "--b\x02\n\none\x01--b--\x01", TEXT(3, 1));
    check_parts(TOP "--b\n\none\x02\n--b--\n", TEXT(3, 1));
    check_parts(TOP "--b-\n--bb\n--b---\n--B\n -b\n --b--\n", "");
    check_parts(TOP "no part", "");
    check_parts(TOP, "");
}

static void empty_parts(void **state)
{
    (void)state;
    check_parts(TOP "--b\n--b\n\n--b\n\n\n--b\nX: y\n--b--\n", TEXT(0, 1) TEXT(0, 1) TEXT(0, 1) TEXT(0, 1));
    /* No blank line before the boundary is needed: the line end belongs to the boundary. */
    check_parts(TOP "--b\n\nx\n--b\n" FILE_AS("a.txt") "y\n--b--\n", TEXT(1, 1) NAMED(1, 1, "a.txt"));
    check_parts(TOP "--b\nContent-Disposition: attachment;\n filename=a\n--b--\n", NAMED(0, 1, "a"));
    check_parts(TOP "--b\nno field\n--b--\n", TEXT(0, 1));
}

/* The line end before a boundary is no text, unless a soft break took it already. */
static void encoded(void **state)
{
    (void)state;
#define QP "Content-Transfer-Encoding: quoted-printable\n\n"
    check_parts(TOP "--b\n" QP "=3D \n--b\n" QP "a=\n--b\n" QP "\n--b\n" QP "--b\n" QP "a\n\n--b--\n",
                TEXT(1, 1) TEXT(1, 1) TEXT(0, 1) TEXT(0, 1) TEXT(3, 1));
    check_parts(TOP "--b\nContent-Transfer-Encoding: base64\n\nQUJD\nQUJD\n\n--b--\n", TEXT(6, 1));
}

static void unended(void **state)
{
    (void)state;
    check_parts(TOP "--b\n\none\n--b\n" FILE_AS("x") "two\n",
                TEXT(3, 1) "part cut size=5 depth=1 type=text/plain filename=x\n");
    check_parts(TOP "--b\n" FILE_AS("x"), "part cut size=0 depth=1 type=text/plain filename=x\n");
    check_parts(TOP "--b\nContent-Disposition: attachment; filename=x",
                "part cut size=0 depth=1 type=text/plain filename=x\n");
}

#define INNER(boundary) "Content-Type: multipart/alternative; boundary=\"" boundary "\"\n\n"

static void nested(void **state)
{
    (void)state;
    check_parts(
        TOP "--b\n" INNER("c") "--c\n\none\n--c\n\ntwo\n--c--\nepilogue\n--b\n" FILE_AS("x") "three\n--b--\n",
        TEXT(3, 2) TEXT(3, 2) NAMED(5, 1, "x"));
    /* The inner one is not closed. */
    check_parts(TOP "--b\n" INNER("c") "--c\n\none\n--b\n" FILE_AS("x") "three\n--b--\n",
                TEXT(3, 2) NAMED(5, 1, "x"));
    check_parts(TOP "--b\n" INNER("c") "preamble\n--b--\n", "");
    /* One boundary begins like the other, both ways; both are the same. */
    check_parts(TOP "--b\n" INNER("bb") "--bb\n\none\n--bb--\n--b\n\ntwo\n--b--\n", TEXT(3, 2) TEXT(3, 1));
    check_parts(
        "Content-Type: multipart/mixed; boundary=bb\n\n--bb\n" INNER("b") "--b\n\none\n--bb\n\ntwo\n--bb--\n",
        TEXT(3, 2) TEXT(3, 1));
    check_parts(TOP "--b\n" INNER("b") "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n", TEXT(3, 2) TEXT(3, 1));
    check_parts(TOP "--b\n" INNER("b--") "--b--\n\none\n--b----\n--b--\n", TEXT(3, 2));
}

static void mails(void **state)
{
    (void)state;
#define MAIL "Content-Type: message/rfc822\n"
    check(
        "Subject: outer\nContent-Type: message/rfc822\n\nSubject: inner\n\nbody\n",
        "header name=Subject value=outer\nheader name=Content-Type value=message/rfc822\nheaders-end\n" TEXT(
            6, 1) "part size=24 depth=0 type=message/rfc822\n");
    check_parts(TOP "--b\n" MAIL FILE_AS("m.eml") "Subject: s\n" INNER("c") "--c\n" FILE_AS(
                    "x") "one\n--c--\n--b\n\ntwo\n--b--\n",
                NAMED(3, 3, "x") "part size=127 depth=1 type=message/rfc822 filename=m.eml\n" TEXT(3, 1));
    check_parts(TOP "--b\n" MAIL "\nSubject: s\n--b\n\ntwo\n--b--\n",
                TEXT(0, 2) "part size=10 depth=1 type=message/rfc822\n" TEXT(3, 1));
    check_parts(TOP "--b\n" MAIL "Content-Transfer-Encoding: base64\n" FILE_AS("m.eml") "QUJD\n--b--\n",
                "part size=3 depth=1 type=message/rfc822 filename=m.eml\n");
    /* A digest's parts are mails unless they say otherwise. */
    check_parts("Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\none\n--b\nContent-Type: "
                "Text/Plain (really)\n\ntwo\n--b--\n",
                TEXT(3, 2) "part size=17 depth=1 type=message/rfc822\n" TEXT(3, 1));
}

static void boundaries(void **state)
{
    char text[8192], long_one[1200];
    (void)state;
    check_parts("Content-Type: Multipart/Mixed; Boundary=\"b c \" ; x=y\n\n--b c\n\none\n--b c--\n",
                TEXT(3, 1));
    check_parts("Content-Type: multipart/mixed; boundary*0=b; boundary*1=c\n\n--bc\n\none\n--bc--\n",
                TEXT(3, 1));
    check_parts("Content-Type: multipart/mixed boundary=b\n\n--b\n\none\n--b--\n", TEXT(3, 1));
    check_parts("Content-Type: multipart/mixed; boundary=b (c)\n\n--b\n\none\n--b--\n", TEXT(3, 1));
    check_parts("Content-Type: multipart/mixed (a; boundary=c); boundary=b\n\n--b\n\none\n--b--\n",
                TEXT(3, 1));
    check_parts(
        "Content-Type: "
        "multipart/mixed;\n\tboundary=\"----=_Part_1.2\"\n\n------=_Part_1.2\n\none\n------=_Part_1.2--\n",
        TEXT(3, 1));
    check_parts("Content-Type: multipart/mixed\n\n--b\n\none\n",
                "part size=12 depth=0 type=multipart/mixed\n");
    check_parts("Content-Type: multipart/mixed; boundary=\"\"\n\n--\n",
                "part size=4 depth=0 type=multipart/mixed\n");
    check_parts(TOP "Content-Type: multipart/mixed; boundary=c\n\n--c\n--b\n\none\n--b--", TEXT(3, 1));
    const size_t lengths[] = {70, 71, 255, 256, 1020, 1021};
    const struct mime_limits lim = {.header_bytes = 3000, .headers_bytes = 9000, .depth = 8, .parts = 20};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memset(long_one, 'x', sizeof long_one);
        long_one[lengths[i]] = '\0';
        snprintf(text, sizeof text, "Content-Type: multipart/mixed; boundary=%s\n\n--%s\n\none\n--%s--\n",
                 long_one, long_one, long_one);
        /* Over what a line may hold it is a leaf, and counted. */
        check_with(&lim, SHOW_PARTS, text,
                   lengths[i] <= 1020 ? TEXT(3, 1)
                                      : "part size=2059 depth=0 type=multipart/mixed\noverruns 1\n");
    }
    /* A boundary's line is no longer than 1024 bytes, whatever blanks follow. */
    snprintf(text, sizeof text, TOP "--b\n\none\n--b%1021s\n--b%1022s\n--b--\n", "", "");
    check_with(&lim, SHOW_PARTS, text, TEXT(3, 1) TEXT(0, 1));
    snprintf(text, sizeof text, TOP "--b\n\none\n--b%1022s\n--b--\n", "");
    check_with(&lim, SHOW_PARTS, text, TEXT(1030, 1));
}

static void names(void **state)
{
    (void)state;
    check_parts("Content-Type: text/plain; name=n\n\n", NAMED(0, 0, "n"));
    check_parts("Content-Type: text/plain; name=n\nContent-Disposition: inline; filename=f\n\n",
                NAMED(0, 0, "f"));
    check_parts("Content-Disposition: attachment\nContent-Disposition: inline; filename=f\n\n",
                NAMED(0, 0, "f"));
    check_parts("Content-Disposition: attachment; filename=f\nContent-Disposition: inline; filename=g\n\n",
                NAMED(0, 0, "f"));
    check_parts("Content-Disposition: attachment; filename=\"\"\n\n", NAMED(0, 0, ""));
    check_parts("content-type: application/PDF (x); name=\"=?utf-8?q?=c3=a4?=.pdf\"\n\n",
                "part size=0 depth=0 type=application/pdf filename=\\xc3\\xa4.pdf\n");
    check_parts("Content-Type: ;name=n\nContent-Type: text/html\n\n", NAMED(0, 0, "n"));
}

static void limits(void **state)
{
    (void)state;
    const struct mime_limits lim = {.header_bytes = 300, .headers_bytes = 2000, .depth = 2, .parts = 3};
    /* Too deep: a leaf, and the outer ones go on. */
    check_with(&lim, SHOW_PARTS,
               TOP "--b\n" INNER("c") "--c\n" INNER("d") "--d\n\none\n--d--\n--c--\n--b\n" FILE_AS(
                   "x") "two\n--b--\n",
               "part size=17 depth=2 type=multipart/alternative\n" NAMED(3, 1, "x") "overruns 1\n");
    check_with(&lim, SHOW_PARTS, TOP "--b\n" INNER("c") "--c\n" MAIL "\nS: x\n\n--b--\n",
               "part size=6 depth=2 type=message/rfc822\noverruns 1\n");
    check_with(&lim, SHOW_PARTS, TOP "--b\n\n1\n--b\n\n2\n--b\n\n3\n--b\n\n4\n--b\n\n5\n--b--\n",
               TEXT(1, 1) TEXT(1, 1) TEXT(1, 1) "overruns 2\n");
}

static void gaps(void **state)
{
    (void)state;
    /* In a part's headers: what was read counts, and the part goes on. */
    check_parts(TOP "--b\n\none\n--b\nContent-Disposition: attachment; filename=x\nX: "
                    "\x04y\n\ntwo\n--b\n\nthree\n--b--\n",
                TEXT(3, 1) NAMED(3, 1, "x") TEXT(5, 1));
    /* In a body; over a boundary; up to the beginning of one. */
    check_parts(TOP "--b\n\none\x04\n--b\n\ntwo\n--b--\n",
                "part cut size=103 depth=1 type=text/plain\n" TEXT(3, 1));
    check_parts(TOP "--b\n\none\n\x04two\n--b\n\nthree\n--b--\n",
                "part cut size=108 depth=1 type=text/plain\n" TEXT(5, 1));
    check_parts(TOP "--b\n\none\n\x04--b\n\ntwo\n--b--\n",
                "part cut size=105 depth=1 type=text/plain\n" TEXT(3, 1));
    check_parts(TOP "pre\x04--b\n\ntwo\n--b--\n", TEXT(3, 1));
    check_parts(TOP "--b\n\none\n--\x04"
                    "b\n\ntwo\n--b--\n",
                "part cut size=115 depth=1 type=text/plain\n");
    /* Around an attached mail. */
    check_parts(TOP "--b\n" MAIL "\nS: \x04x\n\none\n--b\n\ntwo\n--b--\n",
                TEXT(3, 2) "part cut size=111 depth=1 type=message/rfc822\n" TEXT(3, 1));
    /* In a part's headers, and they were over in it. */
    check_parts(TOP "--b\nContent-Transfer-Encoding: base64\nX: \x04y\nQUJD\n--b--\n", TEXT(3, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain),      cmocka_unit_test(empty_parts),
                                       cmocka_unit_test(unended),    cmocka_unit_test(encoded),
                                       cmocka_unit_test(nested),     cmocka_unit_test(mails),
                                       cmocka_unit_test(boundaries), cmocka_unit_test(names),
                                       cmocka_unit_test(limits),     cmocka_unit_test(gaps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
