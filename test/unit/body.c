/* MIME: the decoded bytes of parts. */
#include "mime_run.h"

struct told {
    struct buf text;
    struct mime *mime;
    enum mime_want want;
    size_t more_at; /* WANT_HEAD: told so many bytes, all are asked for; 0: never */
    struct buf body[DEPTHS];
};

/* As the part is over: its depth, its type, its bytes. */
static void note(void *ctx, const struct mime_event *ev)
{
    struct told *t = ctx;
    struct buf *b = &t->body[ev->depth];
    if (ev->kind == MIME_PART_BEGIN) {
        buf_init(b, 1 << 20);
        if (ev->cut)
            buf_add_str(b, "~");
        mime_bodies(t->mime, t->want);
    } else if (ev->kind == MIME_BODY) {
        buf_add(b, ev->value);
        if (ev->cut)
            buf_add_str(b, "~");
        if (t->more_at && b->len >= t->more_at)
            mime_bodies(t->mime, WANT_ALL);
    } else if (ev->kind == MIME_PART) {
        buf_printf(&t->text, "%u %.*s [%.*s]\n", ev->depth, (int)ev->type.len, (const char *)ev->type.data,
                   (int)b->len, b->len ? (const char *)b->data : "");
        buf_free(b);
    } else if (ev->kind == MIME_ATTACHED_HEADER) {
        buf_printf(&t->text, "%u %.*s: %.*s\n", ev->depth, (int)ev->name.len, (const char *)ev->name.data,
                   (int)ev->value.len, (const char *)ev->value.data);
    }
}

static void feed(struct told *t, struct slice in, size_t cut, bool whole)
{
    mime_reset(t->mime);
    buf_clear(&t->text);
    feed_copy(t->mime, slice_sub(in, 0, cut));
    for (size_t i = cut; i < in.len; i += cut ? in.len : 1)
        feed_copy(t->mime, slice_sub(in, i, cut ? in.len : i + 1));
    mime_finish(t->mime, whole);
    buf_add_byte(&t->text, 0);
}

static void held_to(struct told *t, bool whole, const char *text, const char *want)
{
    struct charsets *cs = charsets_new();
    struct mime_limits lim = run_limits;
    struct buf in, wanted;
    lim.head_bytes = 5;
    t->mime = mime_new(&lim, cs, note, t);
    buf_init(&t->text, 1 << 20);
    wire_form(text, strlen(text), &in);
    wire_form(want, strlen(want), &wanted);
    buf_add_byte(&wanted, 0);
    for (size_t cut = 0; cut <= in.len; cut++) {
        feed(t, buf_slice(&in), cut, whole);
        size_t len = 0;
        for (size_t i = 0; i < t->text.len; i++)
            if (t->text.data[i] != '\r')
                t->text.data[len++] = t->text.data[i];
        size_t bare = 0;
        for (size_t i = 0; i < wanted.len; i++)
            if (wanted.data[i] != '\r')
                wanted.data[bare++] = wanted.data[i];
        wanted.len = bare;
        if (strcmp((char *)t->text.data, (char *)wanted.data) != 0)
            print_message("cut at %zu\n", cut);
        assert_string_equal((char *)t->text.data, (char *)wanted.data);
    }
    buf_free(&in);
    buf_free(&wanted);
    buf_free(&t->text);
    mime_free(&t->mime);
    charsets_free(&cs);
}

static void all_of(const char *text, const char *want)
{
    held_to(&(struct told){.want = WANT_ALL}, true, text, want);
}

#define TOP  "Content-Type: multipart/mixed; boundary=b\n\n"
#define B64  "Content-Transfer-Encoding: base64\n\n"
#define QP   "Content-Transfer-Encoding: quoted-printable\n\n"
#define MAIL "Content-Type: message/rfc822\n\n"

static void plain(void **state)
{
    (void)state;
    all_of("\none\ntwo\n", "0 text/plain [one\ntwo\n]\n");
    all_of("\none\n\n\ntwo", "0 text/plain [one\n\n\ntwo]\n");
    all_of("A: b\n", "0 text/plain []\n");
    all_of(TOP "preamble\n--b\n\none\n\n--b\n\n-\n--\n--c\n--b\n\n--b--\nepilogue\n",
           "1 text/plain [one\n]\n1 text/plain [-\n--\n--c]\n1 text/plain []\n");
    all_of(TOP "--b\n\none\n", "1 text/plain [one\n]\n");
}

static void encoded(void **state)
{
    (void)state;
    all_of(B64 "b25l\nIHR3\nbw==\nQUJD", "0 text/plain [one two]\n");
    all_of(B64 "b2!5 l\n=IHR3bw", "0 text/plain [one two]\n");
    all_of(B64 "b25lI", "0 text/plain [one]\n");
    all_of(TOP "--b\n" B64 "b25lIHQ\n\n--b--\n", "1 text/plain [one t]\n");
    all_of(QP "a=3Db  \n=41=\nx =  \ny = z=4\n=4z =", "0 text/plain [a=b\nAx y = z=4\n=4z ]\n");
    all_of(TOP "--b\n" QP "a \t\n--b\n" QP "a=\n--b\n" QP "a\n\n--b--\n",
           "1 text/plain [a]\n1 text/plain [a]\n1 text/plain [a\n]\n");
    all_of(QP "a=3", "0 text/plain [a=3]\n");
}

static void attached(void **state)
{
    (void)state;
    all_of(TOP "--b\n" MAIL "Subject: x\n\ntext\n--b--\n",
           "1 Subject: x\n2 text/plain [text]\n1 message/rfc822 [Subject: x\n\ntext]\n");
    all_of(MAIL "A: x\n" TOP "--b\n\none\n--b--\n\nend\n",
           "0 A: x\n0 Content-Type: multipart/mixed; boundary=b\n2 text/plain [one]\n"
           "0 message/rfc822 [A: x\n" TOP "--b\n\none\n--b--\n\nend\n]\n");
    all_of(MAIL MAIL "A: b\n\nx\n",
           "0 Content-Type: message/rfc822\n1 A: b\n2 text/plain [x\n]\n"
           "1 message/rfc822 [A: b\n\nx\n]\n0 message/rfc822 [" MAIL "A: b\n\nx\n]\n");
}

static void gaps(void **state)
{
    (void)state;
    all_of("\none\nt\x04wo\nthree\n", "0 text/plain [one\nt~wo\nthree\n]\n");
    all_of(B64 "b25l\nIHR\x04\nb25l\n", "0 text/plain [one~one]\n");
    all_of("A: b\n\x04\n\ntext\n", "0 text/plain [~text\n]\n");
    held_to(&(struct told){.want = WANT_ALL}, false, "\none\n", "0 text/plain [one\n~]\n");
}

static void heads(void **state)
{
    (void)state;
    struct told head = {.want = WANT_HEAD}, more = {.want = WANT_HEAD, .more_at = 5}, none = {0};
    const char *const text =
        TOP "--b\n\nshort\n--b\n" B64 "b25lIHR3byB0aHJlZQ==\n--b\n" QP "f=6Fur f=\nive\n--b\n\n"
            "one two three\n--b\n\nx\n--b--\n";
    held_to(&head, true, text,
            "1 text/plain [short]\n1 text/plain [one t]\n1 text/plain [four ]\n1 text/plain [one t]\n"
            "1 text/plain [x]\n");
    held_to(&more, true, text,
            "1 text/plain [short]\n1 text/plain [one two three]\n1 text/plain [four five]\n"
            "1 text/plain [one two three]\n1 text/plain [x]\n");
    held_to(&none, true, text,
            "1 text/plain []\n1 text/plain []\n1 text/plain []\n1 text/plain []\n1 text/plain []\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(plain), cmocka_unit_test(encoded),
                                       cmocka_unit_test(attached), cmocka_unit_test(gaps),
                                       cmocka_unit_test(heads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
