/* sink.c: the table of formats, and the files they write to.
 * In: settings, lines. Out: files. Owns: open files. */
#include "sink/sink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "sink/output.h"

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
    buf_init(&snk->line, OUTPUT_LINE);
    return snk;
}

int output_open(struct sink *snk, size_t i, const char *name, struct error *reterr)
{
    struct output *out = &snk->out[i];
    if (!snk->set.directory) {
        out->file = stdout;
        snprintf(out->name, sizeof out->name, "standard output");
        return 0;
    }
    if (mkdir(snk->set.directory, 0777) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "%s: %s", snk->set.directory, strerror(errno));
    if ((size_t)snprintf(out->name, sizeof out->name, "%s/%s.log", snk->set.directory, name) >= sizeof out->name)
        return error_set(reterr, -ENAMETOOLONG, "%s: %s", snk->set.directory, strerror(ENAMETOOLONG));
    out->file = fopen(out->name, "w");
    if (!out->file)
        return error_set(reterr, -errno, "%s: %s", out->name, strerror(errno));
    setvbuf(out->file, NULL, _IOFBF, 256 * 1024);
    return 0;
}

int output_write(struct sink *snk, size_t i, struct slice bytes, struct error *reterr)
{
    struct output *out = &snk->out[i];
    if (fwrite(bytes.data, 1, bytes.len, out->file) == bytes.len)
        return 0;
    return error_set(reterr, -errno, "%s: %s", out->name, strerror(errno));
}

int output_close(struct sink **psnk, struct error *reterr)
{
    struct sink *snk = *psnk;
    int err = 0;
    *psnk = NULL;
    if (!snk)
        return 0;
    for (size_t i = 0; i < OUTPUT_STREAMS; i++) {
        struct output *out = &snk->out[i];
        if (!out->file)
            continue;
        bool failed = out->file == stdout ? fflush(stdout) != 0 : fclose(out->file) != 0;
        if (failed && !err)
            err = error_set(reterr, -errno, "%s: %s", out->name, strerror(errno));
    }
    buf_free(&snk->line);
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
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_ADDRESS:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_BOOL:
        break;
    }
    return false;
}

size_t output_utf8(struct slice s)
{
    uint8_t c = s.data[0];
    size_t len = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    if (!len || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s.data[i] & 0xc0) != 0x80)
            return 0;
    if (len >= 3 && ((c == 0xe0 && s.data[1] < 0xa0) || (c == 0xed && s.data[1] > 0x9f) || (c == 0xf0 && s.data[1] < 0x90) ||
                     (c == 0xf4 && s.data[1] > 0x8f)))
        return 0;
    return len;
}
