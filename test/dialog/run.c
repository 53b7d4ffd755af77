/* run.c: holds every dialogue text to its golden events, in every way in which its bytes can come.
 *
 *     run [--update] NAME.txt|FOLDER...   prints TAP, five checks a text; --update writes NAME.events instead
 *     run --gap FROM TO NAME.txt          shows what comes out where these bytes are missing
 *
 * A gap may cost the mail that it lies in; in a lock-step dialogue the mails before and after it must come
 * out as if it were not there. */
#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include "player.h"
#include "script.h"

enum { DETAIL = 1500, INTERLEAVINGS = 300 };

struct outcome {
    struct buf events, records;
    struct span spans[PLAYER_MAILS];
    uint32_t begun, ended;
};

static unsigned checks, failures;

static void check(bool good, const char *path, const char *what, const char *detail)
{
    printf("%s %u - %s: %s\n", good ? "ok" : "not ok", ++checks, path, what);
    if (good)
        return;
    failures++;
    for (const char *line = detail; line && *line;) {
        size_t len = strcspn(line, "\n");
        printf("#   %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
}

static void outcome_free(struct outcome *o)
{
    buf_free(&o->events);
    buf_free(&o->records);
}

static void conclude(struct player **p, struct outcome *ret)
{
    player_finish(*p);
    buf_init(&ret->events, 64 << 20);
    buf_init(&ret->records, 64 << 20);
    buf_add(&ret->events, player_events(*p));
    buf_add(&ret->records, player_records(*p));
    for (uint32_t i = 0; i < PLAYER_MAILS; i++)
        ret->spans[i] = *player_span(*p, i + 1);
    player_counts(*p, &ret->begun, &ret->ended);
    player_free(p);
}

static void play_step(struct player *p, const struct script *s, const struct step *step, size_t from,
                      size_t to)
{
    if (step->gap)
        player_gap(p, step->side, step->gap);
    else if (to > from)
        player_feed(p, step->side, slice_sub(buf_slice(&s->bytes), from, to));
}

/* Plays steps `first` to before `end`; consecutive lines of one side come in one piece where `cut` is not
 * inside. */
static void play_range(struct player *p, const struct script *s, size_t first, size_t end, size_t cut)
{
    for (size_t i = first; i < end;) {
        const struct step *a = &s->steps[i];
        size_t to = a->to, next = i + 1;
        while (!a->gap && next < end && !s->steps[next].gap && s->steps[next].side == a->side)
            to = s->steps[next++].to;
        bool inside = cut > a->from && cut < to;
        play_step(p, s, a, a->from, inside ? cut : to);
        if (inside)
            play_step(p, s, a, cut, to);
        i = next;
    }
}

static void play_whole(const struct script *s, size_t cut, struct outcome *ret)
{
    struct player *p = player_new(s->midstream);
    play_range(p, s, 0, s->count, cut);
    conclude(&p, ret);
}

static void play_bytes(const struct script *s, struct outcome *ret)
{
    struct player *p = player_new(s->midstream);
    for (size_t i = 0; i < s->count; i++) {
        const struct step *step = &s->steps[i];
        if (step->gap)
            play_step(p, s, step, 0, 0);
        for (size_t k = step->from; k < step->to; k++)
            play_step(p, s, step, k, k + 1);
    }
    conclude(&p, ret);
}

static bool same(const struct buf *a, const struct buf *b, char *detail)
{
    if (slice_eq(buf_slice(a), buf_slice(b)))
        return true;
    size_t i = 0, start = 0;
    for (; i < a->len && i < b->len && a->data[i] == b->data[i]; i++)
        if (a->data[i] == '\n')
            start = i + 1;
    struct slice wanted = slice_sub(buf_slice(a), start, a->len),
                 got = slice_sub(buf_slice(b), start, b->len);
    wanted = slice_sub(wanted, 0, slice_index(wanted, '\n'));
    got = slice_sub(got, 0, slice_index(got, '\n'));
    snprintf(detail, DETAIL, "wanted: %.*s\ngot:    %.*s", (int)(wanted.len < 600 ? wanted.len : 600),
             (const char *)wanted.data, (int)(got.len < 600 ? got.len : 600), (const char *)got.data);
    return false;
}

static void check_cuts(const char *path, const struct script *s, const struct outcome *gold)
{
    char detail[DETAIL + 64] = "";
    bool good = true;
    for (size_t cut = 1; good && cut < s->bytes.len; cut++) {
        struct outcome o;
        play_whole(s, cut, &o);
        good = same(&gold->events, &o.events, detail) && same(&gold->records, &o.records, detail);
        if (!good)
            snprintf(detail + strlen(detail), 48, "\ncut at byte %zu", cut);
        outcome_free(&o);
    }
    check(good, path, "every cut", detail);
}

static void check_bytes(const char *path, const struct script *s, const struct outcome *gold)
{
    char detail[DETAIL] = "";
    struct outcome o;
    play_bytes(s, &o);
    bool good = same(&gold->events, &o.events, detail) && same(&gold->records, &o.records, detail);
    check(good, path, "byte by byte", detail);
    outcome_free(&o);
}

/* A batch of client lines and the replies to it: steps [client, server) and [server, end). */
struct batch {
    size_t client, server, end;
    size_t commands, replies;
    size_t reply_end[256]; /* step behind each reply */
};

static bool last_line_of_reply(const struct script *s, const struct step *step)
{
    struct slice line = script_bytes(s, step);
    return line.len < 4 || line.data[3] != '-';
}

/* The next batch whose replies can be told apart and that holds as many commands as replies. */
static bool batch_next(const struct script *s, size_t from, struct batch *ret)
{
    *ret = (struct batch){.client = from};
    size_t i = from;
    while (i < s->count && (s->steps[i].gap || s->steps[i].side == SIDE_SERVER))
        i++;
    ret->client = i;
    for (; i < s->count && !s->steps[i].gap && s->steps[i].side == SIDE_CLIENT; i++)
        ret->commands++;
    ret->server = i;
    for (; i < s->count && !s->steps[i].gap && s->steps[i].side == SIDE_SERVER && ret->replies < 256; i++)
        if (last_line_of_reply(s, &s->steps[i]))
            ret->reply_end[ret->replies++] = i + 1;
    ret->end = i;
    return ret->client < s->count;
}

/* Plays the batch with each reply as late as `early` bits say: bit i set means that a reply comes as soon as
 * it can after command i. */
static void play_batch(struct player *p, const struct script *s, const struct batch *b, uint64_t early)
{
    size_t replied = 0, server = b->server;
    for (size_t c = 0; c < b->commands; c++) {
        play_range(p, s, b->client + c, b->client + c + 1, 0);
        while ((early >> (c % 64) & 1) && replied <= c && replied < b->replies) {
            play_range(p, s, server, b->reply_end[replied], 0);
            server = b->reply_end[replied++];
        }
    }
    play_range(p, s, server, b->end, 0);
}

/* Whether a client waits for replies is the one thing that their order tells, so the letter for it in a
 * dialect is made the same. */
static void forget_waiting(struct buf *records)
{
    static const char before[] = "\"dialect\":\"sd1_";
    size_t at = slice_find(buf_slice(records), before) + sizeof before - 1 + 5;
    if (at < records->len)
        records->data[at] = '.';
}

static void check_interleavings(const char *path, const struct script *s, const struct outcome *gold)
{
    char detail[DETAIL] = "";
    struct batch b;
    bool good = true;
    size_t tried = 0;
    struct buf wanted;
    buf_init(&wanted, 64 << 20);
    buf_add(&wanted, buf_slice(&gold->records));
    forget_waiting(&wanted);
    for (size_t from = 0; good && batch_next(s, from, &b); from = b.end) {
        if (b.commands != b.replies || b.commands < 2)
            continue;
        uint64_t ways = b.commands < 9 ? 1ull << b.commands : INTERLEAVINGS;
        for (uint64_t way = 1; good && way < ways; way++, tried++) {
            struct player *p = player_new(s->midstream);
            struct outcome o;
            play_range(p, s, 0, b.client, 0);
            play_batch(p, s, &b, way * (b.commands < 9 ? 1 : 0x9e3779b97f4a7c15ull));
            play_range(p, s, b.end, s->count, 0);
            conclude(&p, &o);
            forget_waiting(&o.records);
            good = same(&wanted, &o.records, detail);
            outcome_free(&o);
        }
    }
    buf_free(&wanted);
    char what[64];
    snprintf(what, sizeof what, "%zu other orders of the two sides", tried);
    check(good, path, what, detail);
}

/* Plays all but the wire bytes [from, to), which become gaps. */
static void play_with_gap(const struct script *s, size_t from, size_t to, struct outcome *ret)
{
    struct player *p = player_new(s->midstream);
    for (size_t i = 0; i < s->count; i++) {
        const struct step *step = &s->steps[i];
        size_t a = step->from > from ? step->from : from, b = step->to < to ? step->to : to;
        if (step->gap || a >= b) {
            play_step(p, s, step, step->from, step->to);
            continue;
        }
        play_step(p, s, step, step->from, a);
        player_gap(p, step->side, b - a);
        play_step(p, s, step, b, step->to);
    }
    conclude(&p, ret);
}

/* The record of transaction `number`; they stand in the order in which they ended. */
static struct slice line_of(const struct buf *text, uint32_t number)
{
    char key[40];
    snprintf(key, sizeof key, "\"trans_depth\":%u,", number);
    for (struct slice rest = buf_slice(text); rest.len;) {
        size_t lf = slice_index(rest, '\n');
        struct slice line = slice_sub(rest, 0, lf);
        if (slice_find(line, key) < line.len)
            return line;
        rest = slice_sub(rest, lf + 1, rest.len);
    }
    return (struct slice){0};
}

/* The record without its number, helo and tls, which a gap in an earlier MAIL, in EHLO or in STARTTLS
 * changes. */
static bool has_record(const struct buf *records, struct slice wanted)
{
    size_t skip = slice_find(wanted, "\"mailfrom\":");
    struct slice tail = slice_sub(wanted, skip, slice_find(wanted, "\"tls\":"));
    return tail.len && memmem(records->data, records->len, tail.data, tail.len) != NULL;
}

static bool is_lockstep(const struct script *s)
{
    struct batch b;
    for (size_t i = 0; i < s->count; i++)
        if (s->steps[i].gap)
            return false;
    for (size_t from = 0; batch_next(s, from, &b); from = b.end) {
        /* A message's text is many lines for one reply; what follows STARTTLS is commands. */
        bool piped = b.commands > 1 && slice_case_starts(script_bytes(s, &s->steps[b.client]), "STARTTLS");
        if (b.replies > 1 || piped)
            return false;
    }
    return !s->midstream;
}

static bool meets(const struct span *span, size_t from, size_t to)
{
    return to >= span->from && from < span->to;
}

/* Is the gap in the mail, in the reply before it, or in a mail that it stands inside of? */
static bool gap_concerns(const struct outcome *gold, uint32_t number, size_t from, size_t to)
{
    const struct span *own = &gold->spans[number - 1];
    bool concerned = meets(own, from, to);
    for (uint32_t i = 0; i < gold->begun && i < PLAYER_MAILS; i++) {
        const struct span *s = &gold->spans[i];
        concerned |= meets(s, from, to) && s->from < own->from && s->to > own->from;
    }
    return concerned;
}

static bool gap_is_survived(const struct script *s, const struct outcome *gold, size_t from, size_t to,
                            char *detail)
{
    struct outcome o;
    play_with_gap(s, from, to, &o);
    snprintf(detail, DETAIL, "bytes %zu to %zu: %u mails begun, %u ended", from, to, o.begun, o.ended);
    bool good = o.begun == o.ended && o.begun <= gold->begun + 2;
    for (uint32_t i = 1; good && is_lockstep(s) && i <= gold->begun && i <= PLAYER_MAILS; i++) {
        if (gap_concerns(gold, i, from, to))
            continue;
        struct slice wanted = line_of(&gold->records, i);
        good = has_record(&o.records, wanted);
        if (!good)
            snprintf(detail, DETAIL, "bytes %zu to %zu lost, and so is\n%.*s", from, to,
                     (int)(wanted.len < 900 ? wanted.len : 900), (const char *)wanted.data);
    }
    outcome_free(&o);
    return good;
}

static void check_gaps(const char *path, const struct script *s, const struct outcome *gold)
{
    static const size_t lengths[] = {1, 3, 40};
    char detail[DETAIL] = "";
    bool good = true;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (size_t at = 0; good && at < s->bytes.len; at++)
            good = gap_is_survived(s, gold, at, at + lengths[k], detail);
    check(good, path, "a gap at every offset", detail);
}

static char *golden_path(const char *path)
{
    size_t len = strlen(path) - 4;
    char *name = malloc(len + 8);
    assert(name);
    memcpy(name, path, len);
    strcpy(name + len, ".events");
    return name;
}

static void check_golden(const char *path, const char *shown, const struct outcome *o)
{
    char *name = golden_path(path), detail[DETAIL] = "there is none; run --update writes it";
    struct buf wanted, got;
    buf_init(&wanted, 64 << 20);
    buf_init(&got, 64 << 20);
    buf_add(&got, buf_slice(&o->events));
    buf_add(&got, buf_slice(&o->records));
    FILE *file = fopen(name, "rb");
    uint8_t piece[4096];
    size_t n;
    while (file && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(&wanted, (struct slice){piece, n});
    check(file && same(&wanted, &got, detail), shown, "golden events and records", detail);
    if (file)
        fclose(file);
    buf_free(&wanted);
    buf_free(&got);
    free(name);
}

static int update(const char *path, const struct outcome *o)
{
    char *name = golden_path(path);
    FILE *file = fopen(name, "wb");
    if (!file) {
        perror(name);
        return 1;
    }
    fwrite(o->events.data, 1, o->events.len, file);
    fwrite(o->records.data, 1, o->records.len, file);
    free(name);
    return fclose(file) != 0;
}

static int run_text(const char *path, bool write)
{
    static struct script s;
    struct error err;
    struct outcome gold;
    const char *slash = strrchr(path, '/'), *shown = slash ? slash + 1 : path;
    int code = 0;
    if (script_load(path, &s, &err) < 0) {
        check(false, shown, "is a dialogue text", err.text);
        return 1;
    }
    play_whole(&s, 0, &gold);
    if (write) {
        code = update(path, &gold);
    } else {
        check_golden(path, shown, &gold);
        check_cuts(shown, &s, &gold);
        check_bytes(shown, &s, &gold);
        check_interleavings(shown, &s, &gold);
        check_gaps(shown, &s, &gold);
    }
    outcome_free(&gold);
    script_free(&s);
    return code;
}

static int is_text(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 4 && strcmp(entry->d_name + len - 4, ".txt") == 0;
}

/* A text, or all texts of a folder. */
static int run_path(const char *path, bool write)
{
    struct dirent **names;
    int count = scandir(path, &names, is_text, alphasort), code = 0;
    if (count < 0)
        return run_text(path, write);
    for (int i = 0; i < count; i++) {
        char name[1024];
        snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
        code |= run_text(name, write);
        free(names[i]);
    }
    free(names);
    return code;
}

static int show_gap(const char *from, const char *to, const char *path)
{
    static struct script s;
    struct error err;
    struct outcome o;
    if (script_load(path, &s, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    play_with_gap(&s, strtoul(from, NULL, 10), strtoul(to, NULL, 10), &o);
    fwrite(o.events.data, 1, o.events.len, stdout);
    fwrite(o.records.data, 1, o.records.len, stdout);
    outcome_free(&o);
    script_free(&s);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--gap") == 0)
        return show_gap(argv[2], argv[3], argv[4]);
    bool write = argc > 1 && strcmp(argv[1], "--update") == 0;
    int code = 0;
    for (int i = 1 + write; i < argc; i++)
        code |= run_path(argv[i], write);
    if (!write)
        printf("1..%u\n", checks);
    return code || failures;
}
