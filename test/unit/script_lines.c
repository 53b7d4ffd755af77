/* on_data: the same lines for every cut of a dialogue, and what gaps, ends and long lines do. */
#include "scripts.h"

static const struct smtp_limits smtp_limits = {
    .command_bytes = 8192, .reply_bytes = 16384, .hold_bytes = 262144, .pending = 1000, .waiting = 16};

static const char script[] =
    "function on_data(scene, line, where) log('d', {l = line, w = where}) end\n"
    "function on_request(scene, c, a) log('q', {c = c, a = a}) end\n"
    "function on_reply(scene, code, text, c) log('r', {c = c, code = code, t = text}) end";

struct talk {
    struct stage *st;
    struct smtp *smtp;
    struct script_data *data;
};

static void on_event(void *ctx, const struct smtp_event *ev)
{
    struct talk *t = ctx;
    const struct script_scene scene = {.id = &t->st->mail.id};
    scripts_event(t->st->scripts, &t->data, &scene, ev);
}

static void talk_open(struct talk *t, struct stage *st, const char *text)
{
    stage_open(st, text);
    *t = (struct talk){.st = st};
    t->smtp = smtp_new(&smtp_limits, false, on_event, t);
    smtp_expect_replies(t->smtp);
}

static void talk_close(struct talk *t)
{
    smtp_finish(t->smtp, (struct timespec){0});
    smtp_free(&t->smtp);
    script_data_free(&t->data);
    assert_null(t->data);
    stage_close(t->st);
}

/* Feeds a text in pieces of `piece` bytes; each from its own memory, so that what is kept of it shows. */
static void say(struct talk *t, enum side side, const char *text, size_t len, size_t piece)
{
    for (size_t from = 0; from < len; from += piece) {
        size_t n = len - from < piece ? len - from : piece;
        uint8_t *copy = malloc(n);
        assert_non_null(copy);
        memcpy(copy, text + from, n);
        smtp_feed(t->smtp, side, (struct timespec){0}, (struct slice){copy, n});
        free(copy);
    }
}
#define SAY(t, side, text, piece) say(t, side, text, sizeof(text) - 1, piece)

static void dialogue(struct talk *t, size_t piece)
{
    SAY(t, SIDE_SERVER, "220 hi\r\n", piece);
    SAY(t, SIDE_CLIENT, "ehlo me\r\n", piece);
    SAY(t, SIDE_SERVER, "250-me\r\n250 SIZE 1\r\n", piece);
    SAY(t, SIDE_CLIENT, "MAIL FROM:<a@b>\r\n", piece);
    SAY(t, SIDE_SERVER, "250 ok\r\n", piece);
    SAY(t, SIDE_CLIENT, "RCPT TO:<c@d>\r\n", piece);
    SAY(t, SIDE_SERVER, "250 ok\r\n", piece);
    SAY(t, SIDE_CLIENT, "DATA\r\n", piece);
    SAY(t, SIDE_SERVER, "354 go\r\n", piece);
    SAY(t, SIDE_CLIENT,
        "Subject: x\r\nX: a\r\n b\r\n\r\nbody\r\n..dot\r\n\r\nlone\rcr\r\nbare\nlf "
        "\xff\r\n\r\r\nlast\r\n.\r\n",
        piece);
    SAY(t, SIDE_SERVER, "250 done\r\n", piece);
    SAY(t, SIDE_CLIENT, "XYZZY a\r\nQUIT\r\n", piece);
    SAY(t, SIDE_SERVER, "500 no\r\n221 bye\r\n", piece);
}

static const char heard[] = "0 r c=\"greeting\" code=220 t=\"hi\"\n"
                            "0 q a=\"me\" c=\"EHLO\"\n"
                            "0 r c=\"EHLO\" code=250 t=\"me SIZE 1\"\n"
                            "0 q a=\"a@b\" c=\"MAIL\"\n"
                            "0 r c=\"MAIL\" code=250 t=\"ok\"\n"
                            "0 q a=\"c@d\" c=\"RCPT\"\n"
                            "0 r c=\"RCPT\" code=250 t=\"ok\"\n"
                            "0 q a=\"\" c=\"DATA\"\n"
                            "0 r c=\"DATA\" code=354 t=\"go\"\n"
                            "0 d l=\"Subject: x\" w=\"header\"\n"
                            "0 d l=\"X: a\" w=\"header\"\n"
                            "0 d l=\" b\" w=\"header\"\n"
                            "0 d l=\"\" w=\"header\"\n"
                            "0 d l=\"body\" w=\"body\"\n"
                            "0 d l=\".dot\" w=\"body\"\n"
                            "0 d l=\"\" w=\"body\"\n"
                            "0 d l=\"lone\rcr\" w=\"body\"\n"
                            "0 d l=\"bare\" w=\"body\"\n"
                            "0 d l=\"lf \xef\xbf\xbd\" w=\"body\"\n"
                            "0 d l=\"\r\" w=\"body\"\n"
                            "0 d l=\"last\" w=\"body\"\n"
                            "0 r c=\".\" code=250 t=\"done\"\n"
                            "0 q a=\"\" c=\"?\"\n"
                            "0 q a=\"\" c=\"QUIT\"\n"
                            "0 r c=\"?\" code=500 t=\"no\"\n"
                            "0 r c=\"QUIT\" code=221 t=\"bye\"\n";

static void every_cut(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 200; piece++) {
        struct stage st;
        struct talk t;
        talk_open(&t, &st, script);
        dialogue(&t, piece);
        assert_said(&st.complaints, "");
        assert_said(&st.entries, heard);
        talk_close(&t);
    }
}

/* Events alone, with what a mail of any pieces may bring. */
static void event(struct talk *t, enum smtp_kind kind, const char *text, uint64_t len)
{
    on_event(t, &(struct smtp_event){
                    .kind = kind, .mail = 1, .text = text ? slice_str(text) : (struct slice){0}, .len = len});
}

static void gaps(void **state)
{
    struct stage st;
    struct talk t;
    (void)state;
    talk_open(&t, &st, script);
    event(&t, SMTP_MESSAGE_BEGIN, NULL, 0);
    event(&t, SMTP_MESSAGE_DATA, "A: b\r\nbro", 0);
    event(&t, SMTP_MESSAGE_GAP, NULL, 10);
    event(&t, SMTP_MESSAGE_DATA, "ken", 0);
    event(&t, SMTP_MESSAGE_DATA, " line\r", 0);
    event(&t, SMTP_MESSAGE_DATA, "\nC: d\r\n\r\nx\r\n", 0);
    event(&t, SMTP_MESSAGE_GAP, NULL, 10);
    event(&t, SMTP_MESSAGE_DATA, "\r\ny\r\nz", 0);
    event(&t, SMTP_MESSAGE_END, NULL, 1);
    assert_said(&st.entries,
                "0 d l=\"A: b\" w=\"header\"\n0 d l=\"C: d\" w=\"header\"\n0 d l=\"\" w=\"header\"\n"
                "0 d l=\"x\" w=\"body\"\n0 d l=\"y\" w=\"body\"\n");
    /* What went before does not reach into the next message. */
    event(&t, SMTP_MESSAGE_BEGIN, NULL, 0);
    event(&t, SMTP_MESSAGE_DATA, "E: f\n", 0);
    event(&t, SMTP_MESSAGE_DATA, "no end\r", 0);
    event(&t, SMTP_MESSAGE_END, NULL, 0);
    assert_said(&st.entries, "0 d l=\"E: f\" w=\"header\"\n0 d l=\"no end\r\" w=\"header\"\n");
    event(&t, SMTP_MESSAGE_BEGIN, NULL, 1);
    event(&t, SMTP_MESSAGE_DATA, "piece\r\nwhole\r\n", 0);
    event(&t, SMTP_MESSAGE_END, NULL, 0);
    assert_said(&st.entries, "0 d l=\"whole\" w=\"body\"\n");
    talk_close(&t);
}

/* A line around the limit, with a CR before, at and behind it; in every piece size. */
static void long_lines(void **state)
{
    struct stage st;
    struct talk t;
    (void)state;
    talk_open(&t, &st,
              "function on_data(s, line) log('d', {n = #line, e = (line:sub(-1):gsub('\\r', 'R'))}) end");
    for (int len = STAGE_LINE - 2; len < STAGE_LINE + 3; len++) {
        for (int cr = len - 2; cr <= len; cr++) {
            char line[STAGE_LINE + 20], want[100];
            memset(line, 'x', sizeof line);
            if (cr < len)
                line[cr] = '\r';
            strcpy(line + len, "\r\ny\r\n");
            size_t all = strlen(line);
            int shown = len < STAGE_LINE ? len : STAGE_LINE;
            snprintf(want, sizeof want, "0 d e=\"%s\" n=%d\n0 d e=\"y\" n=1\n",
                     line[shown - 1] == '\r' ? "R" : "x", shown);
            for (size_t piece = 1; piece <= all;
                 piece = piece < all && piece > 5 && piece < all - 5 ? all - 5 : piece + 1) {
                event(&t, SMTP_MESSAGE_BEGIN, NULL, 0);
                for (size_t from = 0; from < all; from += piece) {
                    struct slice s = slice_sub((struct slice){(uint8_t *)line, all}, from, from + piece);
                    on_event(&t, &(struct smtp_event){.kind = SMTP_MESSAGE_DATA, .mail = 1, .text = s});
                }
                event(&t, SMTP_MESSAGE_END, NULL, 0);
                assert_said(&st.entries, want);
            }
        }
    }
    talk_close(&t);
}

/* An error in one line loses no other; each line has its own budget; every script hears all. */
static void errors_amid_lines(void **state)
{
    static const char *const texts[] = {
        "function on_data(s, line) if line == 'bad' then error('b') end if line == 'loop' then while true do "
        "end end\n"
        "log('a', {l = line}) end",
        "function on_data(s, line) s.uid = 1 end",
        "function on_data(s, line) log('c', {l = line}) for i = 1, 300000 do end end"};
    struct stage st;
    struct error err = {""};
    struct talk t = {.st = &st};
    (void)state;
    stage_init(&st);
    assert_int_equal(stage_try(&st, texts, 3, &err), 0);
    event(&t, SMTP_MESSAGE_BEGIN, NULL, 0);
    event(&t, SMTP_MESSAGE_DATA, "1\nbad\n3\nloop\nbad\n", 0);
    assert_said(&st.complaints,
                "0:1: b\n0:1: stopped after 1000000 steps\n0:1: b\n"
                "1:1: a scene is read-only\n1:1: a scene is read-only\n1:1: a scene is read-only\n"
                "1:1: a scene is read-only\n1:1: a scene is read-only\n");
    assert_said(&st.entries,
                "0 a l=\"1\"\n0 a l=\"3\"\n0 c l=\"1\"\n0 c l=\"bad\"\n0 c l=\"3\"\n0 c l=\"loop\"\n"
                "0 c l=\"bad\"\n");
    assert_int_equal(scripts_counts(st.scripts).calls, 15);
    /* Far more lines than one budget would serve. */
    for (int i = 0; i < 50; i++)
        event(&t, SMTP_MESSAGE_DATA, "x\n", 0);
    assert_int_equal(scripts_counts(st.scripts).stopped, 1);
    script_data_free(&t.data);
    stage_close(&st);
}

/* A script that has no memory even for a scene hears nothing, and nothing hangs. */
static void no_memory(void **state)
{
    struct stage st;
    struct talk t = {.st = &st};
    (void)state;
    stage_open(&st, "keep = {} function on_data(s, line) while true do keep = {keep} end end");
    event(&t, SMTP_MESSAGE_BEGIN, NULL, 0);
    for (int i = 0; i < 5; i++)
        event(&t, SMTP_MESSAGE_DATA, "1\n2\n3\n", 0);
    assert_true(scripts_counts(st.scripts).errors >= 5);
    script_data_free(&t.data);
    stage_close(&st);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut),         cmocka_unit_test(gaps),      cmocka_unit_test(long_lines),
        cmocka_unit_test(errors_amid_lines), cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
