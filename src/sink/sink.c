/* sink.c: the table of formats, and the files they write to.
 * In: settings, lines. Out: files. Owns: open files. */
#include "sink/sink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "sink/output.h"

enum { BUFFERED = 64 * 1024 };

const struct sink_ops *const sink_table[] = {&sink_json, &sink_text, &sink_zeek, &sink_smtp_ext, NULL};

const struct sink_ops *sink_find(const char *name)
{
    for (size_t i = 0; sink_table[i]; i++)
        if (strcmp(sink_table[i]->name, name) == 0)
            return sink_table[i];
    return NULL;
}

struct sink *output_new(const struct sink_settings *set)
{
    struct sink *snk = calloc(1, sizeof *snk);
    assert(snk);
    snk->set = *set;
    return snk;
}

/* The library would take 4 KiB, a system call every third mail. */
static void give_buffer(struct output *out)
{
    out->buffer = malloc(BUFFERED);
    assert(out->buffer);
    setvbuf(out->file, out->buffer, _IOFBF, BUFFERED);
}

/* Flushes; standard output lives on, so it must not keep the buffer. 0 or -errno. */
static int output_end(struct output *out)
{
    int failed = out->file == stdout ? fflush(stdout) : fclose(out->file);
    int err = failed ? -errno : 0;
    if (out->file == stdout && out->buffer)
        setvbuf(stdout, NULL, _IONBF, 0);
    free(out->buffer);
    out->file = NULL;
    out->buffer = NULL;
    return err;
}

int output_open(struct sink *snk, size_t i, const char *name, struct error *reterr)
{
    struct output *out = &snk->out[i];
    if (!snk->set.directory) {
        out->file = stdout;
        snprintf(out->name, sizeof out->name, "standard output");
        if (i == 0 && !isatty(STDOUT_FILENO))
            give_buffer(out);
        return 0;
    }
    if (mkdir(snk->set.directory, 0777) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "%.300s: %s", snk->set.directory, strerror(errno));
    if ((size_t)snprintf(out->name, sizeof out->name, "%s/%s.log", snk->set.directory, name) >=
        sizeof out->name)
        return error_set(reterr, -ENAMETOOLONG, "%.300s: %s", snk->set.directory, strerror(ENAMETOOLONG));
    out->file = fopen(out->name, "we");
    if (!out->file)
        return error_set(reterr, -errno, "%.300s: %s", out->name, strerror(errno));
    give_buffer(out);
    return 0;
}

int output_entry(struct sink *snk, struct slice stream, struct error *reterr)
{
    char name[ENTRY_STREAM_NAME + 1];
    snprintf(name, sizeof name, "%.*s", (int)stream.len, (const char *)stream.data);
    size_t i = STREAM_ENTRY;
    for (; i < OUTPUT_STREAMS && snk->out[i].file; i++)
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

int output_write(struct sink *snk, size_t i, struct slice bytes, struct error *reterr)
{
    struct output *out = &snk->out[i];
    if (fwrite(bytes.data, 1, bytes.len, out->file) == bytes.len)
        return 0;
    return error_set(reterr, -errno, "%.300s: %s", out->name, strerror(errno));
}

int output_close(struct sink **psnk, struct error *reterr)
{
    struct sink *snk = *psnk;
    int err = 0;
    *psnk = NULL;
    if (!snk)
        return 0;
    for (size_t i = 0; i < OUTPUT_STREAMS; i++) {
        int failed = snk->out[i].file ? output_end(&snk->out[i]) : 0;
        if (failed && !err)
            err = error_set(reterr, failed, "%.300s: %s", snk->out[i].name, strerror(-failed));
    }
    line_free(&snk->line);
    free(snk);
    return err;
}

bool output_is_absent(const struct field *f, const void *value)
{
    static const struct flags none;
    switch (f->kind) {
    case FIELD_TEXT:
        return !((const struct slice *)value)->data;
    case FIELD_TEXTS:
        return !((const struct text_list *)value)->len;
    case FIELD_ADDRESSES:
        return !((const struct address_list *)value)->len;
    case FIELD_FILES:
        return !((const struct file_list *)value)->len;
    case FIELD_FLAGS:
        return memcmp(value, &none, sizeof none) == 0;
    case FIELD_ADDRESS:
        return !((const struct address *)value)->family;
    case FIELD_ORIGIN:
        return !((const struct origin *)value)->ip.family;
    case FIELD_SOME:
        return !*(const uint64_t *)value;
    case FIELD_SOME_PORT:
        return !*(const uint16_t *)value;
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_BOOL:
        break;
    }
    return false;
}

bool output_is_repeat(const struct text_list *list, size_t i)
{
    for (size_t k = i > SEEN_BEFORE ? i - SEEN_BEFORE : 0; k < i; k++)
        if (slice_eq(list->items[k], list->items[i]))
            return true;
    return false;
}
