/* MIME: header fields, gaps, sizes, limits. */
#include "mime_run.h"
#include <time.h>

#define END                "headers-end\n"
#define PLAIN(size)        "part size=" #size " depth=0 type=text/plain\n"
#define FIELD(name, value) "header name=" name " value=" value "\n"

static void fields(void **state)
{
    (void)state;
    check("Subject: hello\nTo: a@b\n\nbody\n", FIELD("Subject", "hello") FIELD("To", "a@b") END PLAIN(6));
    check("", END PLAIN(0));
    check("\n", END PLAIN(0));
    check("\nSubject: not a field\n", END PLAIN(22));
    check("Subject: no blank line\n", FIELD("Subject", "no blank line") END PLAIN(0));
    check("Subject: no line end", FIELD("Subject", "no line end") END PLAIN(0));
    check("Subject:\nX:   \n\n", FIELD("Subject", "") FIELD("X", "") END PLAIN(0));
    check("Subject:a\nSubject:b\n\n", FIELD("Subject", "a") FIELD("Subject", "b") END PLAIN(0));
    check("Subject : blank before\nSubject\t: tab\n\n",
          FIELD("Subject", "blank before") FIELD("Subject", "tab") END PLAIN(0));
    check("a:b:c\n\n", FIELD("a", "b:c") END PLAIN(0));
    check(": no name\nSub ject: blank in it\n\xc3\xa4: eight bits\nX: y\n\n", FIELD("X", "y") END PLAIN(0));
}

static void count_field(void *ctx, const struct mime_event *ev)
{
    int *fields = ctx;
    *fields += ev->kind == MIME_HEADER;
}

/* Each byte at each place of names of many lengths. */
static void names(void **state)
{
    (void)state;
    int told = 0;
    struct charsets *cs = charsets_new();
    struct mime *m = mime_new(&run_limits, cs, count_field, &told);
    char line[32];
    for (size_t len = 1; len <= 20; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 1; c < 256; c++) {
                if (c == '\n' || c == '\r' || c == ':' || (byte_is_blank((uint8_t)c) && at + 1 == len))
                    continue;
                memset(line, 'a', len);
                line[at] = (char)c;
                strcpy(line + len, ": x\r\n");
                mime_reset(m);
                told = 0;
                mime_feed(m, slice_str(line));
                mime_feed(m, slice_str("\r\n"));
                assert_int_equal(told, c > ' ' && c < 127);
            }
    mime_free(&m);
    charsets_free(&cs);
}

static void folding(void **state)
{
    (void)state;
    check("S: a\n b\n\tc\n\n", FIELD("S", "a b\\x09c") END PLAIN(0));
    check("S:\n a\n\n", FIELD("S", "a") END PLAIN(0));
    check("S: a\n \n\t\n b\n\n", FIELD("S", "a \\x09 b") END PLAIN(0));
    check("S: a\n  \nT: b\n\nbody", FIELD("S", "a") FIELD("T", "b") END PLAIN(4));
    check(" of nothing\nS: a\n\n", FIELD("S", "a") END PLAIN(0));
    check("From bob@example.org Mon Jan  1 00:00:00 2024\n of nothing\nS: a\n\n",
          FIELD("S", "a") END PLAIN(0));
    check("S: a\nno field\n of nothing\nT: b\n\n", FIELD("S", "a") FIELD("T", "b") END PLAIN(0));
}

static void line_ends(void **state)
{
    (void)state;
    check("S: a\x01 b\x01T: c\x01\x01"
          "body\x01",
          FIELD("S", "a b") FIELD("T", "c") END PLAIN(5));
    check("S: a\x02\n b\x02\n\x02\n"
          "body\x02\n",
          FIELD("S", "a b") END PLAIN(7));
    check("S: a\x02\x02\n\n", FIELD("S", "a") END PLAIN(0));
    check("S: a\x02"
          "b\n\n",
          FIELD("S", "a\\rb") END PLAIN(0));
    check("S: a\x02\x02"
          "b\x02",
          FIELD("S", "a\\r\\rb") END PLAIN(0));
    check("\x02"
          "S: a\nT: b\n\n",
          FIELD("T", "b") END PLAIN(0));
    check("\n\x02\x02\x02\x02\n", END PLAIN(6));
    check("S: a\x03"
          "b\n\n\x03",
          FIELD("S", "a\\x00b") END PLAIN(1));
    check("S: \xc3\xa4 \xe4\n\n", FIELD("S", "\\xc3\\xa4 \\xe4") END PLAIN(0));
}

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X100 X50 X50

static void limits(void **state)
{
    (void)state;
    /* A field of exactly 300 bytes, one of 301, and a folded one that goes over. */
    check("AB:" X100 X100 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n\n",
          FIELD("AB", X100 X100 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx") END PLAIN(0));
    check("ABC:" X100 X100 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nX: y\n\n",
          "header cut name=ABC value=" X100 X100 X50
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" FIELD("X", "y") END PLAIN(0) "overruns 1\n");
    check("A:" X100 X100 "\n " X100 "\n " X100 "\nX: y\n\n",
          "header cut name=A value=" X100 X100 " xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" FIELD("X", "y") END PLAIN(0) "overruns 1\n");
    /* The whole block: what lies over it is not reported, but a type there still counts. */
    struct mime_limits lim = {.header_bytes = 300, .headers_bytes = 32, .depth = 8, .parts = 20};
    check_with(&lim, SHOW_USUAL, "Subject: 89012345678901234567890\nX: a\nContent-Type: text/html\n\nbody",
               FIELD("Subject", "89012345678901234567890") END
               "part size=4 depth=0 type=text/html\noverruns 2\n");
    /* A long line is cut where it is fed in pieces as where it is not, its end apart. */
    char long_field[2000], want[2000];
    const struct mime_limits longer = {.header_bytes = 1500, .headers_bytes = 9000, .depth = 8, .parts = 20};
    for (int over = 0; over <= 1; over++) {
        snprintf(long_field, sizeof long_field, "A:%0*d\x02\n\n", 1498 + over, 0);
        snprintf(want, sizeof want, "header%s name=A value=%01498d\n" END PLAIN(0) "%s", over ? " cut" : "",
                 0, over ? "overruns 1\n" : "");
        check_with(&longer, SHOW_USUAL, long_field, want);
    }
    /* A name without an end. */
    struct mime_limits wide = {.header_bytes = 3000, .headers_bytes = 9000, .depth = 8, .parts = 20};
    check_with(&wide, SHOW_USUAL, X100 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100 ": y\nX: y\n\n",
               FIELD("X", "y") END PLAIN(0));
}

static void gaps_in_headers(void **state)
{
    (void)state;
    check("S: a\nT: b\x04"
          "c\nU: d\n\n1\n",
          FIELD("S", "a") FIELD("U", "d") END PLAIN(3));
    /* The field before may go on in the gap. */
    check("S: a\n\x04 c\nU: d\n\n", "header cut name=S value=a\n" FIELD("U", "d") END PLAIN(0));
    /* The gap took the blank line: the first line that is no field is text. */
    check("S: a\nT: b\x04"
          "rest of a line\nText of it.\nMore: of it\n",
          FIELD("S", "a") END PLAIN(26));
    check("\x04"
          "t: cut\nS: a\n\n1",
          FIELD("S", "a") END PLAIN(1));
    check("S: a\x04", END PLAIN(0));
    check("\x04\x04S: a\n\x04\nT: b\n\n", FIELD("T", "b") END PLAIN(0));
}

static void sizes(void **state)
{
    (void)state;
#define B64 "Content-Transfer-Encoding: base64\n\n"
#define QP  "Content-Transfer-Encoding: quoted-printable\n\n"
    check_parts(B64 "QUJD\n", PLAIN(3));
    check_parts(B64 "QU\x02JD\n\nRA=\x01=\nQUJD\n", PLAIN(4));
    check_parts(B64 "Q-U*J D.\n--QUJD\n", PLAIN(6));
    check_parts("Content-Transfer-Encoding:\tBASE64 (that is it) \n\nQUI=", PLAIN(2));
    check_parts("Content-Transfer-Encoding: base64;x=y\nContent-Transfer-Encoding: 8bit\n\nQUI=", PLAIN(2));
    check_parts("Content-Transfer-Encoding: base6\n\nQUI=", PLAIN(4));
    check_parts(QP "=3d=3D= \t \nx  \ny =\n=zz=4", PLAIN(12));
    check_parts(QP "a\x02\x02\n\x02"
                   "b\x02",
                PLAIN(8));
    check_parts(QP "a=", PLAIN(1));
    check_parts(QP "a=\x02\n=\x02\nb", PLAIN(2));
    check_parts("\nplain\x02\x02\n", PLAIN(9));
    check_parts(B64 "QUJD\x04QUJD\nQUJD\n", "part cut size=6 depth=0 type=text/plain\n");
    check_parts(QP "ab=\x04 3\ncd\n", "part cut size=6 depth=0 type=text/plain\n");
    check_parts("\nab\x04"
                "cd\n",
                "part cut size=106 depth=0 type=text/plain\n");
}

/* Random pieces of what matters, cut at random: whole and cut must agree. */
static void random_cuts(void **state)
{
    static const char *const bits[] = {"\n",
                                       "\r\n",
                                       "\r",
                                       "--b",
                                       "--b--",
                                       "--bc",
                                       "-",
                                       "--",
                                       "=",
                                       "=3d",
                                       " ",
                                       "\t",
                                       "QUJD",
                                       "\n\n",
                                       "\r\n\r\n",
                                       "\x04",
                                       "X: y",
                                       "Content-Type: multipart/mixed; boundary=b\r\n",
                                       "Content-Type: multipart/digest; boundary=bc\n",
                                       "Content-Type: message/rfc822\r\n\r\n",
                                       "Content-Transfer-Encoding: base64\r\n",
                                       "Content-Transfer-Encoding: quoted-printable\r\n",
                                       "\r\r\n",
                                       "*",
                                       "=4",
                                       "QQ==",
                                       "\xc0\xaf",
                                       "no colon\r\n",
                                       "Content-Type : x/y; name=a\r\n",
                                       "Content-Disposition: x; filename=b; filename=c\n",
                                       X50,
                                       X100 X100 X100 X100};
    (void)state;
    struct charsets *cs = charsets_new();
    struct events whole = {0}, cut = {0};
    struct mime *m = mime_new(&run_limits, cs, note_event, &whole),
                *again = mime_new(&run_limits, cs, note_event, &cut);
    struct buf in;
    unsigned seed = 1;
    buf_init(&in, 1 << 20);
    buf_init(&whole.text, 1 << 20);
    buf_init(&cut.text, 1 << 20);
    for (int round = 0; round < 3000; round++) {
        buf_clear(&in);
        buf_add_str(&in, round % 3 ? "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" : "");
        for (unsigned n = 3 + (unsigned)rand_r(&seed) % 30; n; n--)
            buf_add_str(&in, bits[(size_t)rand_r(&seed) % (sizeof bits / sizeof *bits)]);
        run_mime(m, &whole, buf_slice(&in), in.len);
        for (int i = 0; i < 20; i++) {
            run_mime(again, &cut, buf_slice(&in), i ? (size_t)rand_r(&seed) % in.len : 0);
            assert_string_equal((char *)cut.text.data, (char *)whole.text.data);
        }
    }
    buf_free(&in);
    buf_free(&whole.text);
    buf_free(&cut.text);
    mime_free(&m);
    mime_free(&again);
    charsets_free(&cs);
}

/* Time must grow with the input alone. */
static void hostile(void **state)
{
    static const char *const patterns[] = {"--x\r\n",
                                           "-",
                                           "\r",
                                           "--b\r\n",
                                           "\n",
                                           "X: y\n",
                                           " \n",
                                           "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
                                           "Content-Type: x; a=b; name*1=x; name=\"\\\r\n",
                                           "=",
                                           "= ",
                                           "From: =?utf-8?b?QQ?= =?\r\n",
                                           " =?utf-7?",
                                           "Content-Type: x; charset=7; utf-7=;\r\n",
                                           "Content-Transfer-Encoding: base64\r\n\r\n*=",
                                           "x"};
    (void)state;
    struct charsets *cs = charsets_new();
    struct mime_limits lim = {.header_bytes = 65536, .headers_bytes = 1 << 20, .depth = 32, .parts = 1000};
    struct events e = {.shown = SHOW_PARTS};
    struct mime *m = mime_new(&lim, cs, note_event, &e);
    struct buf in;
    buf_init(&in, 1 << 22);
    buf_init(&e.text, 1 << 24);
    clock_t begin = clock();
    for (size_t i = 0; i < 2 * sizeof patterns / sizeof *patterns; i++) {
        buf_clear(&in);
        buf_add_str(&in, i % 2 ? "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: "
                                 "quoted-printable\r\n\r\n"
                               : "");
        while (in.len < 1 << 20)
            buf_add_str(&in, patterns[i / 2]);
        mime_reset(m);
        for (size_t at = 0; at < in.len; at += 1460)
            mime_feed(m, slice_sub(buf_slice(&in), at, at + 1460));
        mime_finish(m, true);
        mime_reset(m);
        mime_feed(m, buf_slice(&in));
        mime_finish(m, true);
    }
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
    buf_free(&in);
    buf_free(&e.text);
    mime_free(&m);
    charsets_free(&cs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields),    cmocka_unit_test(names),       cmocka_unit_test(folding),
        cmocka_unit_test(line_ends), cmocka_unit_test(limits),      cmocka_unit_test(gaps_in_headers),
        cmocka_unit_test(sizes),     cmocka_unit_test(random_cuts), cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
