/* MIME: what is odd in header fields and parts, and what is not. */
#include "mime_run.h"

#define TOP                       "Content-Type: multipart/mixed; boundary=b\n\n"
#define DISP                      "Content-Disposition: attachment; filename="
#define B64                       "Content-Transfer-Encoding: base64\n"
#define QP                        "Content-Transfer-Encoding: quoted-printable\n"
#define ODD(name, at)             "anomaly name=" name " at=" #at "\n"
#define SHOWN(name, at, evidence) "anomaly name=" name " at=" #at " value=" evidence "\n"

static void usual(void **state)
{
    (void)state;
    check_odd(
        "Received: from a by b\nReceived: from c by d\nFrom: =?utf-8?q?R=C3=A9?= <a@b>\nTo: c@d, "
        "e@f\nSubject: "
        "=?iso-8859-1?q?=C0=E9?= =?utf-8?b?w6Q=?=\nDate: x\nMessage-ID: <utf-7@b>\nMIME-Version: "
        "1.0\nComments: "
        "a\nComments: b\nContent-Type: multipart/mixed;\n boundary=\"--=_7'()+_,-./:=? b\"\n\nThis is a "
        "multi-part message.\n----=_7'()+_,-./:=? b\nContent-Type: text/plain; charset=utf-8; "
        "name=n.txt\nContent-Disposition: attachment;\n filename=n.txt\n" QP
        "\na=3D=3d=\nb =20\n----=_7'()+_,-./:=? b\n" B64
        "\nQUJD\nQUI=\n\n----=_7'()+_,-./:=? b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: "
        "8bit\n\nFrom: x\nSubject: y\n\n=zz\n----=_7'()+_,-./:=? b--\n\nepilogue\n",
        "");
    check_odd("", "");
    check_odd("\n", "");
    check_odd("S: a\n \n b\n\nno colon\nS : b\n", "");
}

static void fields(void **state)
{
    (void)state;
    check_odd("X: y\nSubject \t: z\nTo : z\n\n", SHOWN("header_blank_before_colon", 6, "Subject"));
    check_odd(TOP "--b\nContent-Disposition : attachment\n\n--b--\n",
              SHOWN("header_blank_before_colon", 50, "Content-Disposition"));
    check_odd("X: y\nno field\nneither\n\n", ODD("header_no_colon", 6));
    check_odd("From bob Mon Jan  1 00:00:00 2024\nX: y\n\n", ODD("header_no_colon", 0));
    check_odd("X: y\n\x04nothing of note\nno field\n\n", "");
    check_odd(TOP "--b\nno field\n--b--\n", ODD("header_no_colon", 50));
    check_odd("From: a\nfrom: b\nFROM: c\n\n", SHOWN("header_duplicate", 9, "from"));
    check_odd("Subject: a\nSubject: a\n\n", SHOWN("header_duplicate", 12, "Subject"));
    check_odd("Content-Type: text/plain\nContent-Type: text/html\n\n",
              SHOWN("header_duplicate", 26, "Content-Type"));
    /* Each block has its own. */
    check_odd("Subject: a\nContent-Type: message/rfc822\n\nSubject: a\nContent-Type: " TOP
              "--b\nContent-Type: text/plain\n\n--b\nContent-Type: text/plain\n\n--b--\n",
              "");
    check_odd(TOP "--b\nContent-Type: text/plain\n" B64 B64 "\n--b--\n",
              SHOWN("header_duplicate", 111, "Content-Transfer-Encoding"));
}

static void eight_bits(void **state)
{
    (void)state;
    check_odd("X: y\nSubject: \xc3\xa4\n\n\xe4", SHOWN("header_8bit", 6, "Subject"));
    check_odd("X: y\nSubject: a\n \xe4\n\n", SHOWN("header_8bit", 6, "Subject"));
    check_odd(TOP "--b\nX: \xc3\xa4\n\n--b--\n", "");
    struct charsets *cs = charsets_new();
    struct events e = {.shown = SHOW_ODD};
    struct mime *m = mime_new(&run_limits, cs, note_event, &e);
    buf_init(&e.text, 1000);
    for (int valid = 0; valid <= 1; valid++) {
        mime_reset(m);
        mime_utf8(m);
        buf_clear(&e.text);
        mime_feed(m, slice_str(valid ? "Subject: \xc3\xa4\r\n\r\n" : "Subject: \xc3\xa4\xe4\r\n\r\n"));
        mime_finish(m, true);
        buf_add_byte(&e.text, 0);
        assert_string_equal((char *)e.text.data, valid ? "" : SHOWN("header_8bit", 0, "Subject"));
    }
    /* Of the next mail it was not said. */
    mime_reset(m);
    buf_clear(&e.text);
    mime_feed(m, slice_str("Subject: \xc3\xa4\r\n\r\n"));
    buf_add_byte(&e.text, 0);
    assert_string_equal((char *)e.text.data, SHOWN("header_8bit", 0, "Subject"));
    buf_free(&e.text);
    mime_free(&m);
    charsets_free(&cs);
}

static void charsets(void **state)
{
    (void)state;
    check_odd("Subject: =?UTF-7?Q?+ADw-?=\n\n", SHOWN("charset_utf7", 0, "Subject"));
    check_odd("Subject: a =?unicode-1-1-utf-7*en?b?QQ==?=\n\n", SHOWN("charset_utf7", 0, "Subject"));
    check_odd("Subject: =?utf-8?q?utf-7?= utf-7? =?utf-16?q?a?= =?7?\n\n", "");
    check_odd("X: y\nContent-Type: text/html; charset=\"utf-7\"\n\n",
              SHOWN("charset_utf7", 6, "Content-Type"));
    check_odd("Content-Type: text/html; charset=UTF7\n\n", SHOWN("charset_utf7", 0, "Content-Type"));
    check_odd("Content-Type: text/html; charset=utf-8; x=utf-7; name=7\n\n", "");
    check_odd("X: \xc0\xaf\n\n", SHOWN("header_8bit", 0, "X") SHOWN("utf8_overlong", 0, "X"));
    check_odd("X: \xc3\xa4\xe0\x80\xaf \xf0\x80\x80\xaf\n\n",
              SHOWN("header_8bit", 0, "X") SHOWN("utf8_overlong", 0, "X"));
    check_odd("X: \xc0\xaf\xe4\n\n", SHOWN("header_8bit", 0, "X"));
    check_odd("X: \xe0\xa0\xaf\xf0\x90\x80\xaf\xc0\n\n", SHOWN("header_8bit", 0, "X"));
    check_odd("From: =?utf-8?q?=C0=AF?= <a@b>\n\n", SHOWN("utf8_overlong", 0, "From"));
    check_odd("Subject: a =?utf-8?b?wK8=?=\n\n", SHOWN("utf8_overlong", 0, "Subject"));
    check_odd("Subject: =?utf-8?q?=C3=A4=E2=82=AC?= =?iso-8859-1?q?=C0=AF?=\nComments: "
              "=?utf-8?q?=C0=AF?=\n\n",
              "");
    check_odd(DISP "\"=?utf-8?q?=C0=AF?=\"\n\n", SHOWN("utf8_overlong", 0, "Content-Disposition"));
    check_odd("Content-Disposition: attachment; filename*=utf-8''%E0%80%AFx\n\n",
              SHOWN("utf8_overlong", 0, "Content-Disposition"));
}

static void bidi(void **state)
{
    static const char *const controls[] = {"E2=80=8E", "E2=80=8F", "E2=80=AA",
                                           "E2=80=AE", "E2=81=A6", "E2=81=A9"},
                             *const others[] = {"E2=80=8D", "E2=80=90", "E2=80=A9", "E2=80=AF",
                                                "E2=81=A5", "E2=81=AA", "E2=82=AC"};
    char text[200];
    (void)state;
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        snprintf(text, sizeof text, "Reply-To: a =?utf-8?q?x=%sx?= <a@b>\n\n", controls[i]);
        check_odd(text, SHOWN("bidi_control", 0, "Reply-To"));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(text, sizeof text, "Reply-To: a =?utf-8?q?x=%s?= <a@b>\n\n", others[i]);
        check_odd(text, "");
    }
    check_odd("Subject: =?utf-8?q?x=E2=80=AEx?=\n\n", "");
    check_odd("From: x\xe2\x80\xaex <a@b>\n\n",
              SHOWN("header_8bit", 0, "From") SHOWN("bidi_control", 0, "From"));
    check_odd(DISP "\"=?utf-8?q?x=E2=80=AEfdp.exe?=\"\n\n", SHOWN("bidi_control", 0, "Content-Disposition"));
    check_odd("X: y\nContent-Type: x/y; name*=utf-8''a%E2%80%AEb\n\n",
              SHOWN("bidi_control", 6, "Content-Type"));
}

static void names(void **state)
{
    (void)state;
    check_odd("Content-Type: x/y; name=a\n" DISP "a\n\n", "");
    check_odd("Content-Type: x/y; name=a\n" DISP "b\n\n", SHOWN("filename_conflict", 0, "a"));
    check_odd(DISP "b\nContent-Type: x/y; name=a\n\n", SHOWN("filename_conflict", 45, "a"));
    check_odd("Content-Type: x/y; name=\"=?utf-8?q?=C3=A4?=\"\n" DISP "x; filename*=utf-8''%C3%A4\n\n",
              SHOWN("filename_conflict", 46, "x"));
    check_odd("Content-Type: x/y; name=\"=?utf-8?q?=C3=A4?=\"\nContent-Disposition: attachment; "
              "filename*=utf-8''%C3%A4\n\n",
              "");
    check_odd(DISP "a; filename=a; filename*0=a\n\n", "");
    check_odd(DISP "a.txt; filename=a.exe\n\n", SHOWN("filename_conflict", 0, "a.exe"));
    check_odd(DISP "a.txt; filename*0=a.; filename*1=exe\n\n", SHOWN("filename_conflict", 0, "a.txt"));
    check_odd("Content-Type: x/y; name=a; name=b\n\n", SHOWN("filename_conflict", 0, "b"));
    check_odd("X: y\n" DISP "a\n" DISP "b\n\n",
              SHOWN("header_duplicate", 51, "Content-Disposition") SHOWN("filename_conflict", 51, "b"));
    check_odd("Content-Type: x/y\nContent-Type: x/y; name=b\n\n",
              SHOWN("header_duplicate", 19, "Content-Type"));
    /* Each is told of once, and the part listed once. */
    check_parts("Content-Type: x/y; name=a\n" DISP "b\n\n", "part size=0 depth=0 type=x/y filename=b\n");
    check_parts("Content-Type: x/y\nContent-Type: x/y; name=b\n\n",
                "part size=0 depth=0 type=x/y filename=b\n");
}

static void boundaries(void **state)
{
    (void)state;
    check_odd("Content-Type: multipart/mixed\n\n", SHOWN("boundary_missing", 0, "multipart/mixed"));
    check_odd("Content-Type: multipart/mixed; boundary=\"\"\n\n", ODD("boundary_broken", 0));
    check_odd("Content-Type: multipart/mixed; boundary=a*b\n\n--a*b\n\n--a*b--\n",
              SHOWN("boundary_broken", 0, "a*b"));
    check_odd("Content-Type: multipart/mixed; boundary=\"a \"\n\n--a\n\n--a--\n",
              SHOWN("boundary_broken", 0, "a"));
    check_odd("Content-Type: text/plain; boundary=\"a*\"\n\n", "");
#define TEN "0123456789"
    check_odd("Content-Type: multipart/mixed; boundary=" TEN TEN TEN TEN TEN TEN TEN
              "\n\n--" TEN TEN TEN TEN TEN TEN TEN "--\n",
              "");
    check_odd("Content-Type: multipart/mixed; boundary=" TEN TEN TEN TEN TEN TEN TEN
              "x\n\n--" TEN TEN TEN TEN TEN TEN TEN "x--\n",
              SHOWN("boundary_broken", 0, TEN TEN TEN TEN TEN TEN TEN "x"));
    check_odd("Content-Type: multipart/mixed; boundary=a; boundary=a\n\n--a--\n", "");
    check_odd("Content-Type: multipart/mixed; boundary=a (comment)\n\n--a--\n", "");
    check_odd("Content-Type: multipart/mixed; boundary=a; boundary=b\n\n--a--\n",
              SHOWN("boundary_conflict", 0, "b"));
    check_odd("Content-Type: multipart/mixed; boundary=a b\n\n--a--\n", SHOWN("boundary_conflict", 0, "a b"));
    check_odd("Content-Type: multipart/mixed; boundary=a; boundary*0=b\n\n--a--\n",
              SHOWN("boundary_conflict", 0, "b"));
}

#define INNER(boundary) "Content-Type: multipart/alternative; boundary=\"" boundary "\"\n\n"

/* A second boundary is one for some, in any part of the multipart. */
static void other_boundaries(void **state)
{
    static const char twice[] = "Content-Type: multipart/mixed; boundary=b; boundary=\"o \"\n\n",
                      fields[] = "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; "
                                 "boundary=o\n\n",
                      conflict[] = SHOWN("boundary_conflict", 0, "o "),
                      duplicate[] = SHOWN("header_duplicate", 43, "Content-Type");
    static const struct {
        const char *top, *text, *first, *want;
    } cases[] = {
        {twice, "--b\n\nx\n--b--\n", conflict, ""},
        {twice, "--o\n\nx\n--b\n\ny\n--b--\n", conflict, SHOWN("boundary_other", 60, "--o")},
        {twice, "--b\n\nx\n--o--\n--b--\n", conflict, SHOWN("boundary_other", 70, "--o--")},
        {twice, "--b\n\nx\n--ox\n--O\n-o\n --o\n--b--\n", conflict, ""},
        {twice, "--b\n\nx\n--b--\n--o\n", conflict, ""},
        {twice, "--b\n" TOP "--o\n--b--\n--b--\n", conflict, SHOWN("boundary_other", 110, "--o")},
        {fields, "--b\n\nx\n--b--\n", duplicate, ""},
        {fields, "--b\n\nx\n--o\n--b--\n", duplicate, SHOWN("boundary_other", 98, "--o")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400], want[400];
        snprintf(text, sizeof text, "%s%s", cases[i].top, cases[i].text);
        snprintf(want, sizeof want, "%s%s", cases[i].first, cases[i].want);
        check_odd(text, want);
    }
}

static void preambles(void **state)
{
    (void)state;
    /* What stands in preambles. */
    check_odd(TOP "This is a multi-part message in MIME format.\nContent-Transfer-Encoding: 7bit\n\n"
                  "VGhpcyBpcyBhIG1lc3NhZ2U=\n--x\n\n--b\n\n--b--\n",
              "");
    check_odd(TOP
              "Content-Type: text/plain\n\nwords\nof\n\ntext alone\nQUJDREVGR0hJSktMTU5P\b--\n--b\n--b--\n",
              "");
    check_odd(TOP "Content-Type: text/plain\nVGhpcyBpcyBhIG1lc3NhZ2U=\n--b\n--b--\n", "");
    check_odd(TOP "Content-Disposition: inline\nX-Content-Disposition: attachment\n--b\n--b--\n", "");
    check_odd(TOP "Content-Disposition attachment\nContent-Dispositions: attachment\n--b\n--b--\n", "");
    /* What makes a part of it. */
    check_odd(TOP "--x\nCONTENT-disposition \t:\tAttachment; filename=a\n\na\n--b\n--b--\n",
              SHOWN("preamble_part", 50, "Content-Disposition"));
    check_odd(TOP "Content-Disposition:\n attachment\n\na\n--b\n--b--\n",
              SHOWN("preamble_part", 45, "Content-Disposition"));
    check_odd(
        TOP "a\nContent-Type: x/y\nContent-Transfer-Encoding: base64\n\nnone\n\nVGhpcyBp\ncyBhIG1l\nc3NhZ2U="
            "\n--b\n--b--\n",
        SHOWN("preamble_part", 48, "Content-Type"));
    check_odd(TOP "Content-Type: x/y\n\nVGhpcyBpcyBhIG1lc3NhZ2U=\n",
              SHOWN("preamble_part", 45, "Content-Type") SHOWN("boundary_unclosed", 92, "b"));
    /* Of each multipart, and of nothing else. */
    check_odd(TOP "--b\nContent-Type: multipart/mixed; boundary=c\n\n" DISP "a\n--c\n--c--\n--b--\n",
              SHOWN("preamble_part", 95, "Content-Disposition"));
    check_odd(TOP "--b\n\n" DISP "a\n--b--\n" DISP "a\n", "");
    check_odd(TOP "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n--c--\n" DISP "a\n--b--\n", "");
    check_odd(
        TOP
        "--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n--c--\n" DISP
        "a\n--b--\n",
        "");
    check_odd(DISP "a\n\n" DISP "a\n", "");
}

/* Some programs end the block there; it matters where something is behind it. */
static void blank_lines(void **state)
{
    (void)state;
    check_odd("X-Report: a\n \n b\n \t\n c\nX: y\n\n", "");
    check_odd("From: a\n b\n \nX: y\n\nSubject: b\n", "");
    check_odd("X: y\n \nSubject: b\n\n", SHOWN("header_blank_line", 6, "Subject"));
    check_odd("From: a\n\t \t\nX: y\nTo: b\n \n\n", SHOWN("header_blank_line", 9, "To"));
    check_odd(" \nSubject: b\n\n", SHOWN("header_blank_line", 0, "Subject"));
    check_odd("X: y\nContent-Type: multipart/mixed;\n \n boundary=b\n\n--b\n--b--\n",
              SHOWN("header_blank_line", 38, "Content-Type"));
    check_odd("X: y\n \nContent-Type: multipart/mixed; boundary=b\n\n--b\nX: y\n \nX: z\n\n--b--\n",
              SHOWN("header_blank_line", 6, "Content-Type"));
    check_odd(TOP "--b\n \nX: y\n\n--b\nX: y\n\t\nContent-Type: x/y\n\n--b--\n",
              SHOWN("header_blank_line", 72, "Content-Type"));
}

static void boundary_lines(void **state)
{
    (void)state;
    check_odd(TOP "--b\n\none\n", SHOWN("boundary_unclosed", 57, "b"));
    check_odd(TOP "no part", SHOWN("boundary_unclosed", 52, "b"));
    check_odd(TOP "--b\n\none\n--b--", "");
    /* The outer boundary counts inside of an inner multipart that is not closed, and what follows is found.
     */
    check_odd(TOP "--b\n" INNER("c") "--c\n\none\n--b\n" DISP "x\n\ntwo\n--b--\n",
              SHOWN("boundary_unclosed", 113, "c"));
    check_parts(TOP "--b\n" INNER("c") "--c\n\none\n--b\n" DISP "x\n\ntwo\n--b--\n",
                "part size=3 depth=2 type=text/plain\npart size=3 depth=1 type=text/plain filename=x\n");
    /* Its end may lie in the gap. */
    check_odd(TOP "--b\n" INNER("c") "--c\n\no\x04ne\n--b\n\ntwo\n--b--\n", "");
    check_odd(TOP "--b\n\n\x04one\n", "");
    check_odd(TOP "--b\n\n--bc\n--b--x\n--b--\n", SHOWN("boundary_lookalike", 52, "--bc"));
    check_odd(TOP "--b\n\n-- b\n--\n--c\n --b\n--b--\n", "");
    check_odd(TOP "--b\n" INNER("bb") "--bb\n\n--bb--\n--b--\n", "");
    check_odd(TOP "--b--\n--c\n--bb\n--b--\n--b\n\nthree\n", SHOWN("boundary_reopened", 70, "--b"));
    check_odd(TOP "--b\n" INNER("c") "--c\n\n--c--\n--b\n\n--c\n--b--\n",
              SHOWN("boundary_reopened", 124, "--c"));
    check_odd(TOP "--b\n" INNER("b") "--b\n\none\n--b--\n--b\n\ntwo\n--b--\n", "");
    check_odd(TOP "--b\n" INNER("c") "--c--\n--b\n" INNER("c") "--c\n\n--c--\n--b--\n", "");
}

static void encodings(void **state)
{
    (void)state;
    check_odd("X: y\nContent-Transfer-Encoding: x-uuencode\n\n", SHOWN("encoding_unknown", 6, "x-uuencode"));
    check_odd("Content-Transfer-Encoding: base-64\n\n", SHOWN("encoding_unknown", 0, "base-64"));
    check_odd("Content-Transfer-Encoding: BINARY (x)\n\n", "");
    check_odd("Content-Transfer-Encoding: 7bit\n\n=zz", "");
    check_odd(B64 TOP "--b--\n", SHOWN("encoding_on_multipart", 0, "multipart/mixed"));
    check_odd("X: y\n" QP "Content-Type: message/rfc822\n\n",
              SHOWN("encoding_on_multipart", 6, "message/rfc822"));
    check_odd(B64 "Content-Type: message/global\n\n", "");
    check_odd("Content-Transfer-Encoding: 8bit\n" TOP "--b--\n", "");
}

/* The head is 37 bytes long, that of quoted-printable 47. */
static void base64(void **state)
{
    (void)state;
    check_odd(B64 "\n" TEN TEN TEN TEN "+/az AZ\t\x01\x02\x02\nQUJD", "");
    check_odd(B64 "\nQUI=\n \n\n", "");
    check_odd(B64 "\nQQ=\n=\n", "");
    check_odd(B64 "\nQU*JD-\n", ODD("base64_garbage", 39));
    check_odd(B64 "\n" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "\xe4" TEN "\n",
              ODD("base64_garbage", 177));
    check_odd(B64 "\nQUJD====\n", ODD("base64_garbage", 41));
    check_odd(B64 "\nQ===\n", ODD("base64_garbage", 38));
    check_odd(B64 "\nQQ=Q\n", ODD("base64_garbage", 40));
    check_odd(B64 "\nQUI=\nQUJD\n", ODD("base64_garbage", 43));
    check_odd(B64 "\nQUI=\n-- \nfooter\n", ODD("base64_garbage", 43));
    check_odd(TOP "--b\n" B64 "\nQUI=\n--b--\nfooter\n", "");
    check_odd(TOP "--b\n" B64 "\nQUI=\n-*\n--b--\n", ODD("base64_garbage", 93));
    /* After a gap a group's beginning is not known. */
    check_odd(B64 "\nQUJ\x04QUI=\nQ==\n", "");
    check_odd(B64 "\nQ*J\x04QUI=\nQ==\n", ""); /* nor whose it is */
}

static void quoted_printable(void **state)
{
    (void)state;
    check_odd(QP "\na=3D=3d= \t\nb=\nc=", "");
    check_odd(QP "\nab=zz=yy\n", ODD("qp_broken", 49));
    check_odd(QP "\nab\n=4z\n", ODD("qp_broken", 51));
    check_odd(QP "\nab\n=4\n=\n", ODD("qp_broken", 51));
    check_odd(QP "\nab= \tc\n", ODD("qp_broken", 49));
    check_odd(QP "\nab==3D\n", ODD("qp_broken", 49));
    check_odd(TOP "--b\n" QP "\n=zz\n--b\n" B64 "\n***\n--b--\n",
              ODD("qp_broken", 97) ODD("base64_garbage", 144));
    check_odd(QP "\na=\x04zz\n=3D", "");
}

/* What is missing may be what makes it whole, and what follows may be of another part. */
static void gaps(void **state)
{
    (void)state;
    check_odd("Content-Type: multipart/mixed;\n\x04 x\n\nx", "");
    check_odd("Content-Transfer-Encoding:\n\x04 x\n\nx", "");
    check_odd("Content-Type: x/y; name=a\nX: \x04y\nContent-Type: x/z; name=b\n" DISP "c\n\n", "");
    check_odd("X: y\n\x04Z\nContent-Type: multipart/mixed\n\n", "");
}

static void limits(void **state)
{
    (void)state;
    const struct mime_limits lim = {.header_bytes = 300, .headers_bytes = 2000, .depth = 1, .parts = 2};
    check_with(&lim, SHOW_ODD, TOP "--b\n" INNER("c") "--c--\n--b--\n",
               ODD("nested_too_deep", 103) "overruns 1\n");
    check_with(&lim, SHOW_ODD, TOP "--b\n\n--b\n\n--b\n\n--b--\n", ODD("too_many_parts", 66) "overruns 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(usual),
                                       cmocka_unit_test(fields),
                                       cmocka_unit_test(eight_bits),
                                       cmocka_unit_test(charsets),
                                       cmocka_unit_test(bidi),
                                       cmocka_unit_test(names),
                                       cmocka_unit_test(boundaries),
                                       cmocka_unit_test(boundary_lines),
                                       cmocka_unit_test(other_boundaries),
                                       cmocka_unit_test(preambles),
                                       cmocka_unit_test(blank_lines),
                                       cmocka_unit_test(encodings),
                                       cmocka_unit_test(base64),
                                       cmocka_unit_test(quoted_printable),
                                       cmocka_unit_test(gaps),
                                       cmocka_unit_test(limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
