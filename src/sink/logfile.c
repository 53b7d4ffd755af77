/* logfile.c: a log that lives on.
 * In: lines. Out: a file that holds whole lines, in their order; what went wrong on standard error, once when
 * it begins and once when it is over. Owns: the open file, the lines that wait. Limits: output_bytes of lines
 * wait, or one of any length; where nothing hinders it they are written when they are BUFFERED. Knowingly:
 * nothing is synced, so a crash of the system loses what it had not written yet; a line between the look at
 * the path and the write may still go to a file that was removed; a terminal that is held may hold us. */
#include "sink/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "sink/rotate.h"
#include "sink/whole.h"

enum { BUFFERED = 64 * 1024 };
enum { STALL = 100, PATIENCE = 1000 }; /* milliseconds that a reader may hold us: in a second, at the end */
enum { QUIET = 60 };                   /* seconds */

struct logfile {
    struct logfile_settings set;
    char name[ROTATE_NAME], path[ROTATE_NAME + 4], shown[512];
    int fd;         /* -1: could not be opened */
    bool plain;     /* a file of the folder; else standard output, to which little applies */
    bool eager;     /* a person looks on */
    time_t now, at; /* of the last tick; of the last one that did anything */
    int stall;      /* what is left of STALL in this second */
    struct line held;
    time_t came;    /* the first of them */
    size_t begun;   /* bytes of its first line that are in the file already, and could not be cut off */
    uint64_t size;  /* of the file, when last seen */
    bool headed;    /* the head was written since it was opened */
    bool bare;      /* no record is in the file */
    int64_t period; /* in which its first record came */
    bool failing, told;
    time_t told_at; /* that it is over */
    struct rotated rotated;
    bool unrotated;  /* said that it could not be rotated */
    uint64_t failed; /* lines lost that were not told of yet */
    uint64_t waiting, written, lost, rotations;
};

static void drop_held(struct logfile *log, size_t bytes)
{
    if (!bytes)
        return;
    log->held.len -= bytes;
    memmove(log->held.data, log->held.data + bytes, log->held.len);
    if (!log->held.len)
        line_clear(&log->held);
}

static int write_out(const struct logfile *log, struct slice s, int *wait, size_t *done)
{
    return log->plain ? whole_write(log->fd, s, done) : whole_write_slow(log->fd, s, wait, done);
}

static void see_size(struct logfile *log)
{
    struct stat st;
    if (log->plain && fstat(log->fd, &st) == 0)
        log->size = (uint64_t)st.st_size;
}

/* Lines that are no records: all of them, or none. */
static int write_frame(struct logfile *log, void (*make)(size_t, time_t, struct line *))
{
    struct line text = {0};
    size_t done;
    int wait = STALL;
    make(log->set.file, log->now, &text);
    int err = write_out(log, line_slice(&text), &wait, &done);
    if (err && done)
        whole_cut(log->fd, done);
    line_free(&text);
    see_size(log);
    return err;
}

static int write_head(struct logfile *log)
{
    const struct frame *frame = log->set.frame;
    bool wanted = log->bare || (frame && frame->again && log->held.len);
    if (log->headed || !wanted || log->begun)
        return 0;
    int err = frame ? write_frame(log, frame->head) : 0;
    log->headed = !err;
    return err;
}

static void write_tail(struct logfile *log)
{
    const struct frame *frame = log->set.frame;
    if (frame && frame->tail && log->headed && !log->begun)
        write_frame(log, frame->tail);
    log->headed = false;
}

/* Writes the first `bytes` that wait. What of them is in the file, in whole lines, waits no more. */
static int write_held(struct logfile *log, size_t bytes, int *wait)
{
    size_t done;
    struct slice s = {log->held.data, bytes};
    int err = write_out(log, slice_sub(s, log->begun, bytes), wait, &done);
    done += log->begun;
    size_t whole = whole_bytes(slice_sub(s, 0, done)), half = done - whole;
    uint64_t lines = whole_lines(slice_sub(s, 0, whole));
    /* What an earlier attempt began, and could not cut, may not be the end of the file any more. */
    bool all_ours = whole || !log->begun;
    log->begun = half && all_ours && whole_cut(log->fd, half) ? 0 : half;
    if (log->bare && (whole || log->begun)) {
        log->bare = false;
        log->period = rotate_period(log->came, log->set.sink->rotate_interval);
    }
    log->waiting -= lines;
    log->written += lines;
    drop_held(log, whole);
    see_size(log);
    return err;
}

/* How much of what waits the file has room for: whole lines, and one at least where it has no record yet. */
static size_t fitting(const struct logfile *log)
{
    uint64_t most = log->set.sink->rotate_size;
    struct slice all = line_slice(&log->held);
    if (!most || !log->plain || log->size + all.len <= most)
        return all.len;
    if (log->begun)
        return slice_index(all, '\n') + 1;
    size_t n = log->size < most ? whole_bytes(slice_sub(all, 0, most - log->size)) : 0;
    return n || !log->bare ? n : slice_index(all, '\n') + 1;
}

/* Returns a descriptor, or -errno. */
static int open_file(const struct logfile *log)
{
    struct stat st;
    int fd = openat(log->set.dir, log->path,
                    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
    if (fd < 0)
        return -errno;
    int err = fstat(fd, &st) < 0     ? -errno
              : !S_ISREG(st.st_mode) ? -EINVAL
                                     : whole_mend(fd, (uint64_t)st.st_size, log->shown);
    if (!err)
        return fd;
    close(fd);
    return err;
}

static void adopt(struct logfile *log, int fd)
{
    struct stat st = {0};
    fstat(fd, &st);
    if (log->fd >= 0)
        close(log->fd);
    log->fd = fd;
    log->size = (uint64_t)st.st_size;
    log->bare = !st.st_size;
    log->headed = false;
    log->begun = 0;
    log->period = rotate_period(st.st_mtime, log->set.sink->rotate_interval);
}

/* Makes the open file the one at the path: others rename and remove files, or empty them. 0, or -errno. */
static int settle(struct logfile *log)
{
    struct stat at, open;
    if (!log->plain)
        return 0;
    if (log->fd >= 0 && fstatat(log->set.dir, log->path, &at, AT_SYMLINK_NOFOLLOW) == 0 &&
        fstat(log->fd, &open) == 0 && at.st_ino == open.st_ino && at.st_dev == open.st_dev) {
        if (!open.st_size && log->size) {
            log->bare = true;
            log->headed = false;
            log->begun = 0;
        }
        log->size = (uint64_t)open.st_size;
        return 0;
    }
    int fd = open_file(log);
    if (fd < 0)
        return fd;
    if (log->fd >= 0)
        write_tail(log);
    adopt(log, fd);
    return 0;
}

/* 0; 1: the file stays and grows on; or -errno, where the next one cannot be opened. */
static int rotate(struct logfile *log)
{
    const struct sink_settings *sink = log->set.sink;
    int err = rotate_aside(log->set.dir, log->name, log->now, &log->rotated);
    if (err) {
        if (!log->unrotated)
            fprintf(stderr, "mailtap: %s: cannot be rotated: %s; it grows on\n", log->shown, strerror(-err));
        log->unrotated = true;
        return 1;
    }
    log->unrotated = false;
    log->rotations++;
    err = settle(log);
    int pruned = sink->rotate_keep ? rotate_prune(log->set.dir, log->name, sink->rotate_keep) : 0;
    if (pruned)
        fprintf(stderr, "mailtap: %s: old files cannot be removed: %s\n", log->shown, strerror(-pruned));
    return err;
}

/* Writes what waits. 0, also where a slow reader left some of it; or -errno. */
static int flush(struct logfile *log, int *wait)
{
    int err = settle(log);
    while (!err && !(err = write_head(log)) && log->held.len) {
        size_t bytes = fitting(log);
        if (!bytes && (err = rotate(log)) <= 0)
            continue;
        err = write_held(log, bytes ? bytes : log->held.len, wait);
    }
    return err == -EAGAIN && !log->plain ? 0 : err;
}

/* A new interval has begun; a file without a record serves that one too. */
static int rotate_by_time(struct logfile *log)
{
    int64_t period = rotate_period(log->now, log->set.sink->rotate_interval);
    if (!log->plain || log->bare || period <= log->period)
        return 0;
    log->period = period;
    int err = rotate(log);
    return err < 0 ? err : write_head(log);
}

static const char *why(int err)
{
    return err == -EAGAIN ? "nobody reads it" : err == -EINVAL ? "is no plain file" : strerror(-err);
}

static void tell_end(struct logfile *log)
{
    fprintf(stderr, "mailtap: %s: is written again; %llu records were lost\n", log->shown,
            (unsigned long long)log->failed);
    log->told = false;
    log->told_at = log->now;
    log->failed = 0;
}

/* Says what changes. A file that fails now and then does not fill the journal: for QUIET seconds after a
 * good end only what lasts is told; its losses are told with the next end. */
static void judge(struct logfile *log, int err)
{
    bool quiet = log->told_at && log->now >= log->told_at && log->now < log->told_at + QUIET;
    if (err && !log->told && !quiet) {
        log->told = true;
        fprintf(stderr, "mailtap: %s: %s; what finds no room to wait is counted and lost\n", log->shown,
                why(err));
    }
    if (err)
        log->failing = true;
    else if (!log->held.len)
        log->failing = false;
    if (log->told && !log->failing)
        tell_end(log);
}

void logfile_add(struct logfile *log, struct slice line)
{
    uint64_t most = log->set.sink->output_bytes;
    /* A file that fails is tried again by the clock; a slow reader has no clock. */
    if (log->held.len && log->held.len + line.len > (most < BUFFERED ? most : BUFFERED) &&
        (!log->failing || !log->plain))
        judge(log, flush(log, &(int){0}));
    /* A burst that is over in a moment is worth a moment. */
    if (log->held.len + line.len > most && !log->failing && !log->plain)
        judge(log, flush(log, &log->stall));
    if (log->held.len && log->held.len + line.len > most) {
        judge(log, -EAGAIN);
        log->failed++;
        log->lost++;
        return;
    }
    if (!log->held.len)
        log->came = log->now;
    line_add(&log->held, line);
    log->waiting++;
    if (log->eager)
        judge(log, flush(log, &(int){0}));
}

void logfile_tick(struct logfile *log, time_t now, bool force)
{
    if (now != log->now)
        log->stall = STALL;
    log->now = now;
    if (!force && log->plain && log->at && now >= log->at && now < log->at + 1)
        return;
    log->at = now;
    int err = flush(log, &(int){0});
    judge(log, err ? err : rotate_by_time(log));
}

void logfile_counts(const struct logfile *log, struct sink_counts *sum)
{
    sum->written += log->written;
    sum->waiting += log->waiting;
    sum->lost += log->lost;
    sum->rotations += log->rotations;
    sum->failing += log->failing;
}

int logfile_open(const struct logfile_settings *set, time_t now, struct logfile **ret, struct error *reterr)
{
    struct logfile *log = calloc(1, sizeof *log);
    memory_check(log);
    log->set = *set;
    log->plain = set->dir >= 0;
    log->fd = log->plain ? -1 : STDOUT_FILENO;
    log->eager = !log->plain && isatty(STDOUT_FILENO);
    log->bare = true;
    log->now = now;
    log->stall = STALL;
    snprintf(log->name, sizeof log->name, "%s", set->name);
    snprintf(log->path, sizeof log->path, "%s.log", set->name);
    snprintf(log->shown, sizeof log->shown, "%s", set->shown);
    log->set.name = log->name;
    log->set.shown = log->shown;
    int err = flush(log, &(int){0});
    *ret = log;
    if (!err || err == -ENOSPC || err == -EDQUOT || err == -EMFILE || err == -ENFILE) {
        judge(log, err);
        return 0;
    }
    error_set(reterr, err, "%.300s: %s", log->shown, why(err));
    logfile_close(ret, &(struct error){{0}});
    return err;
}

int logfile_close(struct logfile **plog, struct error *reterr)
{
    struct logfile *log = *plog;
    int wait = PATIENCE, err = flush(log, &wait);
    if (log->held.len)
        err = err ? err : -EAGAIN;
    else
        write_tail(log);
    if (!err && (log->told || log->failed))
        tell_end(log);
    uint64_t lost = log->failed + log->waiting;
    if (!lost)
        err = 0;
    if (log->plain && log->fd >= 0 && close(log->fd) < 0 && !err)
        err = -errno;
    if (err)
        error_set(reterr, err, "%.300s: %s; %llu records are lost", log->shown, why(err),
                  (unsigned long long)lost);
    line_free(&log->held);
    free(log);
    *plog = NULL;
    return err;
}
