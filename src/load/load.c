/* load.c: the loop of a loader.
 * In: messages of a bus. Out: batches of their records; what is refused, into a file; acknowledgements. Owns:
 * the connections to both, the batch at hand. Limits: a batch has about load_settings.bytes. Knowingly: a
 * batch is taken or comes again as a whole: of one that was given up amid its halves the other side may have
 * a part already, and its keys make one of both; lines that were put aside may be so twice. Told to end it
 * finishes the attempt under way, of carry_timeout at most, and gives back what did not arrive. */
#include "load/load.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/now.h"
#include "base/shown.h"
#include "carrier/aside.h"
#include "carrier/halves.h"
#include "load/hold.h"
#include "load/sift.h"

static const double look = 0.5; /* seconds that the source waits at once, so that signals are heard */
static const double pause_first = 0.1, pause_most = 2;

/* One of both sides. */
struct end_point {
    const char *url;
    bool told; /* that it cannot be reached */
    double pause;
    _Atomic uint64_t *down;
};

struct load {
    const struct load_settings *set;
    struct source_settings bus; /* with who we are, until the source is open */
    void *source, *sink;
    struct end_point from, into;
    struct hold hold;
    struct sift sift;
    struct line out; /* what goes of the lines of the sift */
    struct aside aside;
    int folder;
    char password[CARRIER_PASSWORD]; /* for the other side, as it logs in again and again */
    struct load_counts counts;
    uint64_t salt, told_messages;
    double moved;    /* when anything went last, or the bus answered */
    double end_most; /* once it is to end: when the last attempt begins */
    double tell_at;
    bool failed;
};

static void say_down(struct end_point *s, const struct error *why, const char *meanwhile)
{
    struct error said = *why;
    shown_clean(said.text);
    if (!s->told)
        fprintf(stderr, "mailtap: %s: %s; %s\n", s->url, said.text, meanwhile);
    s->told = true;
    *s->down = 1;
    s->pause = fmin(s->pause > 0 ? 2 * s->pause : pause_first, pause_most);
}

static void say_up(struct end_point *s, const char *what)
{
    if (s->told)
        fprintf(stderr, "mailtap: %s %s\n", s->url, what);
    s->told = false;
    *s->down = 0;
    s->pause = 0;
}

/* It has waited long enough for who does not answer. */
static bool is_over(struct load *l)
{
    double now = now_monotonic();
    if (hold_ending(&l->hold) && !l->end_most)
        l->end_most = now + l->set->into.timeout;
    return (l->end_most && now > l->end_most) ||
           (l->set->until_empty && now > l->moved + l->set->into.wait_most);
}

/* Tries until it is carried or refused; CARRY_AGAIN: it is to end. */
static enum carried try(void *ctx, const struct carrier_batch *batch, struct error *why)
{
    struct load *l = ctx;
    for (;;) {
        if (is_over(l))
            return CARRY_AGAIN;
        uint64_t refused = l->counts.refused;
        enum carried how = l->set->carrier->send(l->sink, batch, why);
        if (how == CARRIED)
            l->counts.inserted += batch->count - (l->counts.refused - refused);
        if (how != CARRY_AGAIN) {
            say_up(&l->into, "takes records again");
            l->moved = now_monotonic();
            return how;
        }
        say_down(&l->into, why, "records wait in the bus");
        hold_rest(&l->hold, l->into.pause);
        if (hold_ending(&l->hold))
            return CARRY_AGAIN;
    }
}

static void put_aside(struct load *l, struct slice line, bool record, const char *why)
{
    l->counts.lost += !aside_put(&l->aside, line, record, why, l->counts.refused);
    l->counts.refused++;
}

static void refuse_line(void *ctx, struct slice line, const char *why)
{
    put_aside(ctx, line, true, why);
}

static void refuse_odd(void *ctx, struct slice text, bool record, const char *why)
{
    put_aside(ctx, text, record, why);
}

static void take_message(void *ctx, const struct source_message *m)
{
    sift_message(ctx, m);
}

/* How many messages came; negative: it cannot be reached, which was said. */
static int take(struct load *l, double seconds)
{
    struct error err;
    uint64_t room = l->set->bytes - l->sift.lines.len;
    hold_lock(&l->hold);
    int count = l->set->source->take(l->source, seconds, room, take_message, &l->sift, &err);
    hold_unlock(&l->hold);
    if (count < 0) {
        say_down(&l->from, &err, "it is tried again");
        return count;
    }
    say_up(&l->from, "answers again");
    if (count)
        l->moved = now_monotonic();
    return count;
}

/* Messages until they make a batch, or their time is over. How many; negative: none, and the bus cannot be
 * reached. */
static int gather(struct load *l)
{
    int all = 0;
    double until = 0;
    while (!hold_ending(&l->hold) && l->sift.lines.len < l->set->bytes) {
        double wait = all ? fmin(look, until - now_monotonic()) : look;
        if (wait <= 0)
            break;
        int count = take(l, wait);
        if (count < 0 && !all)
            return count;
        if (count < 0 || (!count && l->set->until_empty))
            break;
        if (count && !all)
            until = now_monotonic() + l->set->wait;
        all += count;
        if (!all)
            break;
    }
    return all;
}

/* What the hook has is safe before the bus forgets what it was made of. */
static void acknowledge(struct load *l, bool last)
{
    struct error err;
    const struct load_hook *hook = &l->set->hook;
    if (hook->save(hook->ctx, last, &err) < 0)
        fprintf(stderr, "mailtap: %s\n", err.text);
    hold_lock(&l->hold);
    int got = l->set->source->taken(l->source, &err);
    hold_unlock(&l->hold);
    l->counts.unheard += got < 0;
    if (got < 0)
        fprintf(stderr, "mailtap: %s: %s; messages of a batch that has arrived will come again\n",
                l->from.url, err.text);
}

/* What is to go. False: it is to end before that. */
static bool send_out(struct load *l)
{
    char id[HALVES_ID];
    const struct halves h = {try, refuse_line, l};
    snprintf(id, sizeof id, "load-%016llx-%llu", (unsigned long long)l->salt,
             (unsigned long long)l->counts.batches++);
    atomic_store(&l->hold.working, true);
    bool good = !l->out.len || halves_carry(&h, id, line_slice(&l->out));
    atomic_store(&l->hold.working, false);
    return good;
}

static void give_back(struct load *l)
{
    hold_lock(&l->hold);
    l->set->source->give_back(l->source);
    hold_unlock(&l->hold);
    fprintf(stderr, "mailtap: %s: the batch at hand did not arrive%s; the bus keeps it\n", l->into.url,
            hold_ending(&l->hold) ? "" : " within carry_wait");
    l->failed = true;
}

/* A batch of so many messages. False: it is to end, and the batch was given back. */
static bool settle(struct load *l, int messages)
{
    const struct load_hook *hook = &l->set->hook;
    line_clear(&l->out);
    if (l->sift.lines.len)
        hook->pass(hook->ctx, line_slice(&l->sift.lines), &l->out);
    hook->tick(hook->ctx, now_monotonic(), &l->out);
    sift_clear(&l->sift);
    if (messages <= 0 && !l->out.len)
        return true;
    if (send_out(l))
        acknowledge(l, false);
    else
        give_back(l);
    return !l->failed;
}

static void finish(struct load *l)
{
    const struct load_hook *hook = &l->set->hook;
    line_clear(&l->out);
    hook->finish(hook->ctx, &l->out);
    if (send_out(l)) {
        acknowledge(l, true);
        return;
    }
    fprintf(stderr, "mailtap: %s: %zu lines that were made here at the end did not arrive, and are lost\n",
            l->into.url, halves_count(line_slice(&l->out)));
    l->failed = true;
}

/* False: it cannot be asked. */
static bool ask_left(struct load *l, uint64_t *ret)
{
    struct error err;
    hold_lock(&l->hold);
    bool good = l->set->source->left(l->source, ret, &err) == 0;
    hold_unlock(&l->hold);
    if (good)
        l->counts.waiting = *ret;
    else
        say_down(&l->from, &err, "it is tried again");
    return good;
}

static void tell(const struct load *l, const char *end)
{
    const struct load_counts *c = &l->counts;
    fprintf(
        stderr,
        "mailtap: %s: %llu messages with %llu records taken, %llu of the messages not for the first time; "
        "%llu records inserted, %llu put aside",
        l->from.url, (unsigned long long)c->messages, (unsigned long long)c->records,
        (unsigned long long)c->again, (unsigned long long)c->inserted,
        (unsigned long long)(c->refused - c->lost));
    if (c->lost)
        fprintf(stderr, "; %llu LOST, as refused.ndjson takes no more", (unsigned long long)c->lost);
    if (c->unnamed)
        fprintf(stderr, "; %llu records name no sensor", (unsigned long long)c->unnamed);
    fputs(end, stderr);
}

/* How it goes; in words where it went at all. */
static void tell_now_and_then(struct load *l)
{
    uint64_t left;
    double now = now_monotonic();
    if (l->set->until_empty || now < l->tell_at)
        return;
    l->tell_at = now + l->set->tell_every;
    bool asked = ask_left(l, &left);
    if (l->counts.messages == l->told_messages)
        return;
    l->told_messages = l->counts.messages;
    tell(l, "");
    if (asked)
        fprintf(stderr, "; %llu messages wait", (unsigned long long)left);
    fputc('\n', stderr);
}

/* Whether that was all. */
static bool is_empty(struct load *l)
{
    uint64_t left = 1;
    if (!l->set->until_empty || !ask_left(l, &left))
        return false;
    l->moved = now_monotonic();
    return !left;
}

/* Only --until-empty does, as nobody may be there who would end it. */
static void give_up(struct load *l)
{
    if (!is_over(l) || hold_ending(&l->hold))
        return;
    fprintf(stderr, "mailtap: %s: no answer of use for %g s (carry_wait), so --until-empty gives up\n",
            l->from.url, l->set->into.wait_most);
    l->failed = true;
}

static void work(struct load *l)
{
    while (!hold_ending(&l->hold)) {
        int count = gather(l);
        if (count < 0)
            hold_rest(&l->hold, l->from.pause);
        /* Nothing came, and the bus does not say either that nothing is left. */
        if (count <= 0)
            give_up(l);
        if (l->failed || !settle(l, count) || (count == 0 && is_empty(l)))
            break;
        tell_now_and_then(l);
    }
    if (!l->failed)
        finish(l);
}

static int prepare(struct load *l, struct error *reterr)
{
    const struct load_settings *set = l->set;
    char word[CARRIER_PASSWORD] = "";
    l->folder = carrier_outbox(&set->into, reterr);
    int err = l->folder < 0 ? l->folder : 0;
    if (!err && set->from.link.password_file)
        err = carrier_password(set->from.link.password_file, word, reterr);
    if (!err && set->into.password_file)
        err = carrier_password(set->into.password_file, l->password, reterr);
    if (!err)
        err = carrier_identity(&l->bus.link, reterr);
    if (!err)
        err = set->begin(set->begin_ctx, set, reterr);
    hold_block();
    if (!err)
        err = set->carrier->open(&set->into, *l->password ? l->password : NULL, &l->sink, reterr);
    if (!err)
        err = set->source->open(&l->bus, *word ? word : NULL, &l->source, reterr);
    l->hold.ops = set->source;
    l->hold.source = l->source;
    l->hold.serve = set->serve;
    l->hold.counts = &l->counts;
    if (!err)
        err = hold_start(&l->hold, reterr);
    explicit_bzero(word, sizeof word);
    carrier_identity_erase(&l->bus.link);
    return err;
}

/* As source_ops.close. */
static bool close_all(struct load *l)
{
    bool ended = !l->source || l->set->source->close(l->source);
    if (l->sink)
        l->set->carrier->close(l->sink);
    if (l->folder >= 0)
        close(l->folder);
    sift_free(&l->sift);
    line_free(&l->out);
    explicit_bzero(l->password, sizeof l->password);
    return ended;
}

enum loaded load_run(const struct load_settings *set, bool *retended, struct error *reterr)
{
    struct load l = {.set = set,
                     .bus = set->from,
                     .from = {.url = set->from.link.url, .down = &l.counts.source_down},
                     .into = {.url = set->into.url, .down = &l.counts.target_down},
                     .sift = {.counts = &l.counts, .refuse = refuse_odd, .ctx = &l},
                     .moved = now_monotonic(),
                     .tell_at = now_monotonic() + set->tell_every};
    ssize_t got = getrandom(&l.salt, sizeof l.salt, 0);
    (void)got;
    int err = prepare(&l, reterr);
    l.aside = (struct aside){l.folder, set->into.outbox_bytes, set->into.sync, set->from.link.url, 0};
    if (!err) {
        work(&l);
        hold_stop(&l.hold);
        tell(&l, "\n");
    }
    *retended = close_all(&l);
    return err ? LOADED_NOT : l.failed || l.counts.lost ? LOADED_PARTLY : LOADED;
}
