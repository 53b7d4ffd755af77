/* over.c: notices and counters over all sensors.
 * In: lines of several sensors, as a bus gives them. Out: those lines, less notices that repeat what another
 * sensor said; notices and lines of scripts; complaints on standard error. Owns: the windows of notices,
 * counters, what is known of lines that may come again, the scripts. Limits: max_suppressed, script_counters,
 * load_seen; script_*. Knowingly: its clock is the latest time that a line bears, less load_lateness, as
 * sensors lag behind each other; only where nothing comes the wall clock ends windows. Lines of scripts and
 * of other programs are not looked into. Tags that scripts give here are seen by scripts alone. */
#include "over.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <xxhash.h>
#include "back_parts.h"
#include "base/memory.h"
#include "base/now.h"
#include "notices.h"
#include "over_seen.h"
#include "over_state.h"
#include "sink/json.h"
#include "view/line_row.h"
#include "view/record_of.h"

enum { CLOCKS_DIFFER = 60 /* seconds between two machines */, BAD_NAME = SETTINGS_TEXT + 8 };

struct over {
    const struct settings *set;
    struct notices *notices;
    struct countries *countries;
    struct scripts *scripts;
    unsigned hooks;
    struct counters *counters;
    struct over_seen *seen;
    uint64_t seed;
    struct line_row *rows;
    struct record_of *records;
    struct timespec clock; /* the latest time of a line; 0: none came */
    time_t wall;           /* when this batch came */
    bool late;             /* the line at hand, by its time */
    bool heard;            /* since the last tick */
    double silent_since;   /* by now_monotonic */
    bool changed;          /* since it was saved */
    double saved_at;       /* by now_monotonic */
    struct line *out;      /* where lines go, during a call */
    struct line one;
    struct over_counts counts;
};

static bool works(const struct over *o)
{
    return o->set->load_notices == LOAD_FOLD || o->set->load_notices == LOAD_ONLY;
}

static struct timespec less(struct timespec t, double seconds)
{
    double whole = floor(seconds);
    t.tv_sec -= (time_t)whole;
    t.tv_nsec -= (long)((seconds - whole) * 1e9);
    if (t.tv_nsec < 0) {
        t.tv_sec--;
        t.tv_nsec += 1000000000;
    }
    return t;
}

static void send_line(struct over *o, struct slice line)
{
    line_add(o->out, line);
    line_byte(o->out, '\n');
}

/* As outputs over a network write records: with the time at which it was complete behind its name. */
static void send_record(struct over *o, const struct record *rec)
{
    line_clear(&o->one);
    json_record(rec, &o->one);
    struct slice line = line_slice(&o->one);
    size_t name = sizeof "{\"_path\":\"" - 1;
    size_t head = name + slice_index(slice_sub(line, name, line.len), '"') + 1;
    line_add(o->out, slice_sub(line, 0, head));
    line_str(o->out, ",\"_write_ts\":");
    line_time(o->out, rec->end);
    line_add(o->out, slice_sub(line, head, line.len));
}

static void made(void *ctx, const struct record *rec)
{
    struct over *o = ctx;
    o->counts.made++;
    send_record(o, rec);
}

static void on_notice(void *ctx, struct notice *n)
{
    struct over *o = ctx;
    o->counts.raised++;
    notices_take(o->notices, n);
}

static void on_entry(void *ctx, struct entry *e)
{
    const struct over *o = ctx;
    struct entry_pair room[ENTRY_PAIRS + 1];
    struct entry named = *e;
    if (*o->set->sensor.text)
        entry_name_sensor(&named, room, slice_str(o->set->sensor.text));
    made(ctx, &(struct record){&stream_entry, &named, e->ts, NULL});
}

static bool is_after(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* Time moves on to what a line bears. One whose clock is wrong must not make all others late. */
static void move_on(struct over *o, struct timespec t)
{
    if ((double)t.tv_sec > (double)o->wall + CLOCKS_DIFFER + o->set->load_lateness) {
        o->counts.ahead++;
        return;
    }
    if (is_after(t, o->clock))
        o->clock = t;
    struct timespec now = less(o->clock, o->set->load_lateness);
    o->late = is_after(now, t);
    notices_advance(o->notices, now);
    /* These know of load_lateness themselves. */
    counters_tick(o->counters, o->clock);
    if (o->scripts)
        scripts_tick(o->scripts, now);
}

static bool is_heard(const struct over *o, enum stream_index stream)
{
    return stream == STREAM_NOTICE || (stream == STREAM_SMTP && o->hooks & HOOK_MAIL) ||
           (stream == STREAM_SESSION && o->hooks & HOOK_SESSION);
}

/* The time that it is, by what came. */
static struct timespec latest(const struct over *o)
{
    return o->clock.tv_sec ? o->clock : (struct timespec){o->wall, 0};
}

/* What a sensor's notice becomes. True: it went on. */
static bool take_notice(struct over *o, const struct record *rec, const struct line_head *head,
                        struct slice line, bool again)
{
    struct slice names[ACTIONS];
    struct notice *n = rec->body;
    const struct timespec own = n->ts;
    o->counts.notices += !again;
    /* What stands for repeats shows the last of them, which may be as old as its window is long. */
    o->counts.late += o->late && !n->folded && !again;
    /* What says it is of next year would hold its likes until then. */
    if (is_after(n->ts, latest(o)))
        n->ts = latest(o);
    enum notices_heard heard = notices_hear(o->notices, n, again, names);
    n->ts = own;
    switch (heard) {
    case NOTICES_LEFT:
        return false;
    case NOTICES_GOES:
        send_line(o, line);
        return true;
    case NOTICES_CHANGED:
        break;
    }
    if (head->written) {
        send_record(o, rec);
    } else {
        line_clear(&o->one);
        json_record(rec, &o->one);
        line_add(o->out, line_slice(&o->one));
    }
    return true;
}

static void take_heard(struct over *o, const struct line_head *head, struct slice line)
{
    const bool notice = head->stream == STREAM_NOTICE, passes = o->set->load_notices == LOAD_FOLD;
    uint64_t hash = XXH3_64bits_withSeed(line.data, line.len, o->seed);
    enum over_fate fate = over_seen_find(o->seen, hash);
    const struct reader_row *row = NULL;
    struct record rec;
    if (fate != OVER_LEFT && (notice || fate == OVER_NEW))
        row = line_row_take(o->rows, line);
    bool read = row && record_of_row(o->records, head->stream, row, &rec);
    bool goes = notice ? fate != OVER_LEFT : true;
    o->counts.again += fate != OVER_NEW;
    o->counts.unread += fate == OVER_NEW && !read;
    if (read && notice)
        goes = take_notice(o, &rec, head, line, fate == OVER_WENT);
    else if (goes && (passes || notice))
        send_line(o, line);
    if (fate != OVER_NEW)
        return;
    over_seen_put(o->seen, hash, goes);
    o->changed = true;
    if (!read || notice)
        return;
    /* A time that is not yet would be that of all that scripts count, and none is before all times. */
    if (is_after(rec.end, o->clock))
        rec.end = latest(o);
    if (rec.end.tv_sec < 0)
        rec.end = (struct timespec){0};
    scripts_record(o->scripts, &rec);
}

static void take_line(struct over *o, struct slice line)
{
    struct line_head head;
    uint64_t mode = o->set->load_notices;
    bool ours = line_head_of(line, &head) && head.timed;
    o->counts.lines++;
    if (mode == LOAD_OTHERS && head.stream == STREAM_NOTICE)
        o->counts.left++;
    else if (!works(o))
        send_line(o, line);
    if (!works(o))
        return;
    o->late = false;
    if (ours)
        move_on(o, head.time);
    o->counts.late += o->late && head.stream != STREAM_NOTICE;
    if (ours && is_heard(o, head.stream))
        take_heard(o, &head, line);
    else if (mode == LOAD_FOLD)
        send_line(o, line);
}

void over_take(struct over *o, struct slice lines, struct line *out)
{
    o->out = out;
    o->wall = now_wall().tv_sec;
    while (lines.len) {
        size_t len = slice_index(lines, '\n');
        if (len)
            take_line(o, slice_sub(lines, 0, len));
        lines = slice_sub(lines, len + 1 < lines.len ? len + 1 : lines.len, lines.len);
        o->heard = true;
    }
    o->out = NULL;
}

/* The clock stays where it is, or all that comes after an outage would be late. */
void over_tick(struct over *o, double now, struct line *out)
{
    if (o->heard || !o->silent_since)
        o->silent_since = now;
    o->heard = false;
    if (!works(o) || !o->clock.tv_sec || now <= o->silent_since)
        return;
    uint64_t before = o->counts.made;
    o->out = out;
    notices_advance(o->notices, less(o->clock, o->set->load_lateness - (now - o->silent_since)));
    o->out = NULL;
    o->changed = o->changed || o->counts.made != before;
}

void over_finish(struct over *o, struct line *out)
{
    if (!works(o))
        return;
    o->out = out;
    if (o->scripts && o->clock.tv_sec)
        scripts_finish(o->scripts, o->clock);
    if (!*o->set->load_state.text)
        notices_finish(o->notices);
    o->changed = true;
    o->out = NULL;
}

static struct over_state state_of_over(struct over *o)
{
    return (struct over_state){&o->clock, &o->seed, notices_folds(o->notices), o->counters, o->seen};
}

int over_save(struct over *o, bool now, struct error *reterr)
{
    const struct over_state state = state_of_over(o);
    double at = now_monotonic();
    if (!works(o) || !*o->set->load_state.text || !o->changed ||
        (!now && o->saved_at && at < o->saved_at + o->set->load_save))
        return 0;
    int err = over_state_write(o->set->load_state.text, &state, reterr);
    o->saved_at = at;
    o->changed = err;
    return err;
}

static int open_scripts(struct over *o, struct error *reterr)
{
    const char *paths[SETTINGS_TEXTS];
    const struct text_set *files = &o->set->load_scripts;
    for (size_t i = 0; i < files->count; i++)
        paths[i] = files->items[i].text;
    const struct script_files scripts = {paths, files->count, 0, o->counters};
    const struct back_hearer to = {on_notice, on_entry, o};
    int err = files->count ? back_countries_open(o->set, &o->countries, reterr) : 0;
    if (!err)
        err = back_scripts_open(o->set, &scripts, o->countries, &to, &o->scripts, reterr);
    o->hooks = o->scripts ? scripts_hooks(o->scripts) : 0;
    if (o->hooks & SCRIPT_EVENT_HOOKS)
        fprintf(stderr,
                "mailtap: load_scripts: on_request, on_reply and on_data hear nothing here: only sensors see "
                "the dialogue\n");
    return err;
}

/* Whoever loads goes on without it rather than not at all, and it is there for a look. */
static int set_aside(const char *path, const struct error *why, struct error *reterr)
{
    char bad[BAD_NAME];
    snprintf(bad, sizeof bad, "%s.bad", path);
    if (rename(path, bad) < 0)
        return error_set(reterr, -errno, "load_state: %s: %s", path, strerror(errno));
    fprintf(stderr, "mailtap: %s; it is %s now, and what was known is forgotten\n", why->text, bad);
    return 0;
}

static int read_state(struct over *o, struct error *reterr)
{
    const char *path = o->set->load_state.text;
    const struct over_state state = state_of_over(o);
    struct error why;
    uint64_t lost = 0;
    int err = *path ? over_state_read(path, &state, &lost, &why) : 0;
    if (lost)
        fprintf(stderr, "mailtap: load_state: %llu keys of counters that no script has now are forgotten\n",
                (unsigned long long)lost);
    if (err == -EBADMSG)
        return set_aside(path, &why, reterr);
    if (err < 0)
        *reterr = why;
    return err < 0 ? err : 0;
}

int over_new(const struct over_settings *with, struct over **ret, struct error *reterr)
{
    struct over *o = calloc(1, sizeof *o);
    memory_check(o);
    const struct settings *set = with->set;
    *ret = o;
    o->set = set;
    o->notices = notices_new(set->max_suppressed, &(struct notices_output){made, with->courier, o});
    o->counters = counters_new((uint32_t)set->script_counters);
    memory_check(o->counters);
    counters_lateness(o->counters, set->load_lateness);
    o->seen = over_seen_new(set->load_seen);
    o->rows = line_row_new();
    o->records = record_of_new();
    if (getrandom(&o->seed, sizeof o->seed, GRND_NONBLOCK) < 0)
        o->seed = (uint64_t)(uintptr_t)o;
    int err = works(o) ? open_scripts(o, reterr) : 0;
    notices_rules(o->notices, &(struct notices_rules){set, o->countries, o->scripts});
    if (!err && works(o))
        err = read_state(o, reterr);
    if ((double)o->clock.tv_sec > (double)now_wall().tv_sec + CLOCKS_DIFFER + set->load_lateness)
        o->clock = (struct timespec){0};
    if (err)
        over_free(ret);
    return err;
}

struct over_counts over_counts(const struct over *o)
{
    struct over_counts counts = o->counts;
    const struct notices_counts told = notices_counts(o->notices);
    counts.folded = told.folded;
    counts.dropped = told.dropped;
    counts.shed = told.shed;
    counts.script_errors = o->scripts ? scripts_counts(o->scripts).errors : 0;
    return counts;
}

void over_free(struct over **po)
{
    struct over *o = *po;
    *po = NULL;
    if (!o)
        return;
    scripts_close(&o->scripts);
    countries_close(&o->countries);
    counters_free(&o->counters);
    notices_free(&o->notices);
    over_seen_free(&o->seen);
    line_row_free(&o->rows);
    record_of_free(&o->records);
    line_free(&o->one);
    free(o);
}
