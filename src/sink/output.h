/* Where a sink's lines go: standard output, or a file a stream. */
#ifndef SINK_OUTPUT_H
#define SINK_OUTPUT_H

#include "base/buf.h"
#include "sink/sink.h"

enum { OUTPUT_STREAMS = 2, OUTPUT_LINE = 16 << 20 };

struct output {
    FILE *file; /* NULL: not opened yet */
    char name[512];
};

struct sink {
    struct sink_settings set;
    struct output out[OUTPUT_STREAMS];
    struct buf line;
};

struct sink *output_new(const struct sink_settings *set);
/* Opens out[i] as standard output, or as directory/name.log. */
int output_open(struct sink *snk, size_t i, const char *name, struct error *reterr);
int output_write(struct sink *snk, size_t i, struct slice bytes, struct error *reterr);
/* Flushes and closes all, frees the sink. */
int output_close(struct sink **snk, struct error *reterr);
/* The value of a field in a record's body. */
static inline const void *output_value(const struct record *rec, const struct field *f)
{
    return (const char *)rec->body + f->offset;
}
bool output_is_absent(const struct field *f, const void *value);
/* Length of the valid UTF-8 character at the start of `s`; 0: none. */
size_t output_utf8(struct slice s);

#endif
