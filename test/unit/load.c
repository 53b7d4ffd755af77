/* The loop of a loader between a bus and a server that are functions here: what is acknowledged when, what
 * becomes of refusals, what a signal does. And the sieve before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>
#include "base/now.h"
#include "load/load.h"
#include "load/sift.h"

enum { TEXT = 4096 };

/* What happened, in its order: "t2" two messages taken, "s(...)" sent and carried, "r(...)" refused, "a" not
 * now, "k" saved, "A" acknowledged, "B" given back, "f" finished. */
static struct world {
    char log[TEXT];
    const char *const *messages; /* ends with NULL */
    size_t next;
    unsigned at_once; /* messages of a take */
    unsigned again;   /* so many sends are answered by CARRY_AGAIN */
    unsigned away;    /* so many takes by an error */
    bool ack_fails, silent, slow, end_at_send, end_at_take;
    uint64_t left;
    char folder[64];
} w;

static atomic_uint held;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    va_list args;
    size_t len = strlen(w.log);
    va_start(args, format);
    vsnprintf(w.log + len, sizeof w.log - len, format, args);
    va_end(args);
}

static int source_open(const struct source_settings *set, const char *password, void **ret,
                       struct error *reterr)
{
    (void)set, (void)password, (void)reterr;
    *ret = &w;
    return 0;
}

static int source_take(void *ctx, double seconds, uint64_t room, source_fn *each, void *each_ctx,
                       struct error *reterr)
{
    int count = 0;
    (void)ctx, (void)room, (void)seconds;
    if (w.away) {
        w.away--;
        return error_set(reterr, -EAGAIN, "away");
    }
    if (w.end_at_take)
        kill(getpid(), SIGTERM);
    w.end_at_take = false;
    for (; w.messages[w.next] && (unsigned)count < w.at_once; count++) {
        const char *text = w.messages[w.next++];
        each(each_ctx, &(struct source_message){slice_str(text), slice_str("west"), *text == ' '});
    }
    if (count)
        note("t%d ", count);
    else
        usleep(2000);
    return count;
}

static int source_taken(void *ctx, struct error *reterr)
{
    (void)ctx;
    note("A ");
    return w.ack_fails ? error_set(reterr, -EAGAIN, "not heard") : 0;
}

static void source_give_back(void *ctx)
{
    (void)ctx;
    note("B ");
}

static void source_hold(void *ctx)
{
    (void)ctx;
    held++; /* by another thread */
}

static int source_left(void *ctx, uint64_t *ret, struct error *reterr)
{
    (void)ctx;
    if (w.silent)
        return error_set(reterr, -EAGAIN, "no answer");
    *ret = w.left ? w.left-- : 0;
    return 0;
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static bool source_close(void *ctx)
{
    (void)ctx;
    return true;
}

static const struct source_ops source = {.scheme = "bus",
                                         .open = source_open,
                                         .take = source_take,
                                         .taken = source_taken,
                                         .give_back = source_give_back,
                                         .hold = source_hold,
                                         .left = source_left,
                                         .close = source_close};

static int sink_open(const struct carrier_settings *set, const char *password, void **ret,
                     struct error *reterr)
{
    (void)set, (void)password, (void)reterr;
    *ret = &w;
    return 0;
}

/* Refuses what holds "bad". Of a line its number is shown. */
static enum carried sink_send(void *ctx, const struct carrier_batch *batch, struct error *reterr)
{
    char numbers[TEXT] = "";
    (void)ctx;
    if (w.end_at_send)
        kill(getpid(), SIGTERM);
    w.end_at_send = false;
    for (unsigned i = 0; w.slow && !held && i < 500; i++)
        usleep(10000);
    if (w.again) {
        w.again--;
        note("a ");
        error_set(reterr, 0, "not now");
        return CARRY_AGAIN;
    }
    for (struct slice rest = batch->lines; rest.len;) {
        size_t end = slice_index(rest, '\n'), at = slice_find(slice_sub(rest, 0, end), "\"n\":");
        size_t len = strlen(numbers);
        snprintf(numbers + len, sizeof numbers - len, "%c", at < end ? rest.data[at + 4] : '?');
        rest = slice_sub(rest, end + 1, rest.len);
    }
    bool bad = slice_find(batch->lines, "bad") < batch->lines.len;
    note("%c(%s) ", bad ? 'r' : 's', numbers);
    if (bad)
        error_set(reterr, 0, "it is bad");
    return bad ? CARRY_REFUSED : CARRIED;
}

static const struct carrier_ops sink = {
    .scheme = "sink", .open = sink_open, .send = sink_send, .close = nothing};

static void pass(void *ctx, struct slice lines, struct line *out)
{
    (void)ctx;
    line_add(out, lines);
}

static void tick(void *ctx, double now, struct line *out)
{
    (void)ctx, (void)now, (void)out;
}

static void finish(void *ctx, struct line *out)
{
    (void)ctx;
    note("f ");
    line_str(out, "{\"n\":9}\n");
}

static int save(void *ctx, bool now, struct error *reterr)
{
    (void)ctx, (void)now, (void)reterr;
    note("k ");
    return 0;
}

static int begin(void *ctx, const struct load_settings *set, struct error *reterr)
{
    (void)ctx, (void)set, (void)reterr;
    return 0;
}

static enum loaded run(bool until_empty)
{
    struct error err;
    bool ended = false;
    snprintf(w.folder, sizeof w.folder, "/tmp/mailtap-load-%d", getpid());
    const struct load_settings set = {.source = &source,
                                      .from = {.link = {.url = "bus://here"}, .group = "g"},
                                      .carrier = &sink,
                                      .into = {.url = "sink://there",
                                               .outbox = w.folder,
                                               .outbox_bytes = 1 << 20,
                                               .timeout = 5,
                                               .wait_most = 0.3},
                                      .bytes = 60,
                                      .wait = 0.02,
                                      .tell_every = 60,
                                      .until_empty = until_empty,
                                      .hook = {pass, tick, finish, save, NULL},
                                      .begin = begin};
    enum loaded how = load_run(&set, &ended, &err);
    assert_int_not_equal(how, LOADED_NOT);
    assert_true(ended);
    return how;
}

static size_t refused(void)
{
    char path[128], text[TEXT] = "";
    size_t count = 0;
    snprintf(path, sizeof path, "%s/refused.ndjson", w.folder);
    FILE *f = fopen(path, "r");
    while (f && fgets(text, sizeof text, f))
        count++;
    if (f)
        fclose(f);
    unlink(path);
    rmdir(w.folder);
    return count;
}

#define LINE(n) "{\"_path\":\"x\",\"sensor\":\"s\",\"n\":" n "}\n"

static void begin_world(const char *const *messages, unsigned at_once)
{
    w = (struct world){.messages = messages, .at_once = at_once};
    held = 0;
}

static void several_make_one(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1"), LINE("2") LINE("3"), LINE("4"), NULL};
    begin_world(messages, 1);
    assert_int_equal(run(true), LOADED);
    /* 60 bytes are reached by the second; the third waits for its time. Saved before acknowledged. */
    assert_string_equal(w.log, "t1 t1 s(123) k A t1 s(4) k A f s(9) k A ");
    assert_int_equal(refused(), 0);
}

static void not_now(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1"), NULL};
    begin_world(messages, 1);
    w.again = 1;
    w.away = 1;
    assert_int_equal(run(true), LOADED);
    assert_string_equal(w.log, "t1 a s(1) k A f s(9) k A ");
    assert_int_equal(refused(), 0);
}

static void a_bad_one_stands_alone(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1") LINE("2,\"bad\":1"), LINE("3"), "\xff\xfe", NULL};
    begin_world(messages, 3);
    assert_int_equal(run(true), LOADED);
    assert_string_equal(w.log, "t3 r(123) r(12) s(1) r(2) s(3) k A f s(9) k A ");
    assert_int_equal(refused(), 2);
}

static void held_while_slow(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1"), NULL};
    begin_world(messages, 1);
    w.slow = true;
    assert_int_equal(run(true), LOADED);
    assert_true(held);
    refused();
}

static void gives_back(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1"), LINE("2"), NULL};
    begin_world(messages, 1);
    w.again = 100;
    w.end_at_send = true;
    assert_int_equal(run(false), LOADED_PARTLY);
    /* Neither saved nor acknowledged, and nothing of the end. */
    assert_string_equal(w.log, "t1 t1 a B ");
    refused();
    begin_world(messages, 1);
    w.again = 100;
    assert_int_equal(run(true), LOADED_PARTLY);
    assert_non_null(strstr(w.log, "a B "));
    refused();
}

static void ends_after_the_batch(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1"), LINE("2"), NULL};
    begin_world(messages, 1);
    w.end_at_take = true;
    w.ack_fails = true;
    assert_int_equal(run(false), LOADED);
    assert_non_null(strstr(w.log, "s(1"));
    assert_non_null(strstr(w.log, " k A f s(9) k A "));
    refused();
}

static void waits_for_others(void **state)
{
    (void)state;
    static const char *const messages[] = {NULL};
    begin_world(messages, 1);
    w.left = 3; /* another loader holds them */
    assert_int_equal(run(true), LOADED);
    assert_int_equal(w.left, 0);
    refused();
}

static void gives_up_who_does_not_say(void **state)
{
    (void)state;
    static const char *const messages[] = {LINE("1"), NULL};
    begin_world(messages, 1);
    w.silent = true;
    assert_int_equal(run(true), LOADED_PARTLY);
    assert_string_equal(w.log, "t1 s(1) k A ");
    refused();
}

static size_t sieved, whole;

static void sieve(void *ctx, struct slice text, bool record, const char *why)
{
    (void)ctx, (void)why, (void)record;
    sieved++;
    whole += slice_index(text, '\n') < text.len;
}

static void sifts(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        size_t refused, whole;
    } cases[] = {
        {"{\"_path\":\"x\"}", "{\"_path\":\"x\",\"sensor\":\"west\"}\n", 0, 0},
        {"{\"_path\":\"x\",\"sensor\":\"\"}\r\n", "{\"_path\":\"x\",\"sensor\":\"\"}\n", 0, 0},
        {"{ \"_path\" : \"x\" , \"a\":{\"sensor\":1}}\n\n",
         "{ \"_path\" : \"x\",\"sensor\":\"west\" , \"a\":{\"sensor\":1}}\n", 0, 0},
        {"{\"_path\":\"x\",\"_write_ts\":1.5,\"ts\":1}",
         "{\"_path\":\"x\",\"_write_ts\":1.5,\"sensor\":\"west\",\"ts\":1}\n", 0, 0},
        {"{\"_path\":\"x\",\"ts\":1,\"_write_ts\":1.5}",
         "{\"_path\":\"x\",\"sensor\":\"west\",\"ts\":1,\"_write_ts\":1.5}\n", 0, 0},
        {"{\"_path\":\"x\"}\n{\"_path\":\"y\"", "{\"_path\":\"x\",\"sensor\":\"west\"}\n", 1, 0},
        {"{\"a\":1,\"_path\":\"x\"}\n", "", 1, 1},
        {"{\"_path\":7}\n", "", 1, 1},
        {"{\"_path\":\"x\"} {}\n", "", 1, 1},
        {"x\ny\nz", "", 1, 1},
        {"[]", "", 1, 0},
        {"", "", 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct load_counts counts = {0};
        struct sift s = {.counts = &counts, .refuse = sieve};
        sieved = whole = 0;
        sift_message(&s, &(struct source_message){slice_str(cases[i].in), slice_str("west"), false});
        assert_true(slice_eq(line_slice(&s.lines), slice_str(cases[i].out)));
        assert_int_equal(sieved, cases[i].refused);
        assert_int_equal(whole, cases[i].whole);
        sift_free(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(several_make_one),
                                       cmocka_unit_test(not_now),
                                       cmocka_unit_test(a_bad_one_stands_alone),
                                       cmocka_unit_test(held_while_slow),
                                       cmocka_unit_test(gives_back),
                                       cmocka_unit_test(ends_after_the_batch),
                                       cmocka_unit_test(waits_for_others),
                                       cmocka_unit_test(gives_up_who_does_not_say),
                                       cmocka_unit_test(sifts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
