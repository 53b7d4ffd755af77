/* output.c: the files that a sink writes to.
 * In: settings, lines. Out: files; of a lasting sink by logfile.c, else by the library's streams. Owns: open
 * files, the folder's descriptor: what a lasting sink does later it does in this folder, even if the path
 * leads elsewhere by then. Limits: as many streams of scripts as they may have. */
#include "sink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

enum { BUFFERED = 64 * 1024 };

struct sink *output_new(const struct sink_settings *set, const struct frame *frame)
{
    struct sink *snk = calloc(1, sizeof *snk);
    memory_check(snk);
    snk->set = *set;
    snk->frame = frame;
    snk->dir = -1;
    snk->now = time(NULL);
    return snk;
}

/* The library would take 4 KiB, a system call every third mail. */
static void give_buffer(struct output *out)
{
    out->buffer = malloc(BUFFERED);
    memory_check(out->buffer);
    setvbuf(out->file, out->buffer, _IOFBF, BUFFERED);
}

static int write_file(struct output *out, struct slice bytes, struct error *reterr)
{
    if (fwrite(bytes.data, 1, bytes.len, out->file) == bytes.len)
        return 0;
    return error_set(reterr, -errno, "%.300s: %s", out->name, strerror(errno));
}

static int write_frame(struct sink *snk, size_t i, bool tail, struct error *reterr)
{
    void (*make)(size_t, time_t, struct line *) = !snk->frame ? NULL
                                                  : tail      ? snk->frame->tail
                                                              : snk->frame->head;
    if (!make)
        return 0;
    line_clear(&snk->line);
    make(i, time(NULL), &snk->line);
    return write_file(&snk->out[i], line_slice(&snk->line), reterr);
}

/* Flushes; standard output lives on, so it must not keep the buffer. 0 or -errno. */
static int end_file(struct output *out)
{
    int failed = out->file == stdout ? fflush(stdout) : fclose(out->file);
    int err = out->failed ? out->failed : failed ? -errno : 0;
    if (out->file == stdout && out->buffer)
        setvbuf(stdout, NULL, _IONBF, 0);
    free(out->buffer);
    out->file = NULL;
    out->buffer = NULL;
    return err;
}

static int open_file(struct sink *snk, size_t i, struct error *reterr)
{
    struct output *out = &snk->out[i];
    out->file = snk->set.directory ? fopen(out->name, "we") : stdout;
    if (!out->file)
        return error_set(reterr, -errno, "%.300s: %s", out->name, strerror(errno));
    if (snk->set.directory || (i == 0 && !isatty(STDOUT_FILENO)))
        give_buffer(out);
    return write_frame(snk, i, false, reterr);
}

/* The second and later outputs on standard output: lines of all streams stay in order. */
static bool is_shared(const struct sink *snk, size_t i)
{
    return i && snk->out[i].log && snk->out[i].log == snk->out[0].log;
}

static int open_log(struct sink *snk, size_t i, const char *name, struct error *reterr)
{
    const char *directory = snk->set.directory;
    if (!directory && i && snk->out[0].log) {
        snk->out[i].log = snk->out[0].log;
        return 0;
    }
    if (directory && snk->dir < 0)
        snk->dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory && snk->dir < 0)
        return error_set(reterr, -errno, "%.300s: %s", directory, strerror(errno));
    const struct logfile_settings set = {snk->dir, name, snk->out[i].name, snk->frame, i, &snk->set};
    return logfile_open(&set, snk->now, &snk->out[i].log, reterr);
}

int output_open(struct sink *snk, size_t i, const char *name, struct error *reterr)
{
    struct output *out = &snk->out[i];
    const char *directory = snk->set.directory;
    if (directory && mkdir(directory, snk->set.lasting ? 0750 : 0777) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "%.300s: %s", directory, strerror(errno));
    if (!directory)
        snprintf(out->name, sizeof out->name, "standard output");
    else if ((size_t)snprintf(out->name, sizeof out->name, "%s/%s.log", directory, name) >= sizeof out->name)
        return error_set(reterr, -ENAMETOOLONG, "%.300s: %s", directory, strerror(ENAMETOOLONG));
    return snk->set.lasting ? open_log(snk, i, name, reterr) : open_file(snk, i, reterr);
}

int output_write(struct sink *snk, size_t i, struct slice bytes, struct error *reterr)
{
    struct output *out = &snk->out[i];
    if (!out->log)
        return write_file(out, bytes, reterr);
    logfile_add(out->log, bytes);
    return 0;
}

/* The place of a script's stream, opened if need be. Negative: -errno. */
static int entry_place(struct sink *snk, struct slice stream, struct error *reterr)
{
    char name[ENTRY_STREAM_NAME + 1];
    snprintf(name, sizeof name, "%.*s", (int)stream.len, (const char *)stream.data);
    size_t i = STREAM_ENTRY;
    for (; i < OUTPUT_STREAMS && output_is_open(snk, i); i++)
        if (strcmp(snk->out[i].stream, name) == 0)
            return (int)i;
    if (i == OUTPUT_STREAMS)
        return error_set(reterr, -EMFILE, "%s: scripts write to more than %d streams", name, ENTRY_STREAMS);
    int err = output_open(snk, i, name, reterr);
    if (err)
        return err;
    snprintf(snk->out[i].stream, sizeof snk->out[i].stream, "%s", name);
    return (int)i;
}

int output_write_entry(struct sink *snk, struct slice stream, struct slice bytes, struct error *reterr)
{
    int i = entry_place(snk, stream, reterr);
    if (i >= 0)
        return output_write(snk, (size_t)i, bytes, reterr);
    if (!snk->set.lasting)
        return i;
    if (!snk->homeless++)
        fprintf(stderr, "mailtap: %s; such records are counted and lost\n", reterr->text);
    return 0;
}

static int close_output(struct sink *snk, size_t i, struct error *reterr)
{
    struct output *out = &snk->out[i];
    if (out->log)
        return is_shared(snk, i) ? 0 : logfile_close(&out->log, reterr);
    if (!out->file)
        return 0;
    int err = write_frame(snk, i, true, reterr);
    int failed = end_file(out);
    return failed && !err ? error_set(reterr, failed, "%.300s: %s", out->name, strerror(-failed)) : err;
}

int output_close(struct sink **psnk, struct error *reterr)
{
    struct sink *snk = *psnk;
    int err = 0;
    *psnk = NULL;
    if (!snk)
        return 0;
    for (size_t i = OUTPUT_STREAMS; i-- > 0;) {
        struct error text;
        int failed = close_output(snk, i, &text);
        if (failed) {
            err = failed;
            *reterr = text;
        }
    }
    if (snk->dir >= 0)
        close(snk->dir);
    line_free(&snk->line);
    free(snk);
    return err;
}

static void tick_all(struct sink *snk, bool force)
{
    for (size_t i = 0; i < OUTPUT_STREAMS; i++) {
        if (snk->out[i].log && !is_shared(snk, i))
            logfile_tick(snk->out[i].log, snk->now, force);
        else if (snk->out[i].file && fflush(snk->out[i].file) != 0 && !snk->out[i].failed)
            snk->out[i].failed = -errno;
    }
}

void output_tick(struct sink *snk, struct timespec now)
{
    snk->now = now.tv_sec;
    tick_all(snk, false);
}

void output_reopen(struct sink *snk)
{
    tick_all(snk, true);
}

struct sink_counts output_counts(const struct sink *snk)
{
    struct sink_counts sum = {.lost = snk->homeless};
    for (size_t i = 0; i < OUTPUT_STREAMS; i++)
        if (snk->out[i].log && !is_shared(snk, i))
            logfile_counts(snk->out[i].log, &sum);
    return sum;
}
