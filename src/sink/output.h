/* Where a sink's lines go: standard output, or a file a stream. */
#ifndef SINK_OUTPUT_H
#define SINK_OUTPUT_H

#include "record/entry.h"
#include "sink/line.h"
#include "sink/sink.h"

enum { OUTPUT_STREAMS = STREAM_ENTRY + ENTRY_STREAMS, OUTPUT_TABLES = 2, OUTPUT_COLUMNS = 32 };

struct output {
    FILE *file; /* NULL: not opened yet */
    char name[512];
    char stream[ENTRY_STREAM_NAME + 1]; /* of a script */
    char *buffer;                       /* the file's; NULL: the library's own */
};

struct sink {
    struct sink_settings set;
    struct output out[OUTPUT_STREAMS];
    struct line line;
    const struct field *columns[OUTPUT_TABLES][OUTPUT_COLUMNS]; /* the field in each, found once at open */
};

struct sink *output_new(const struct sink_settings *set);
/* Opens out[i] as standard output, or as directory/name.log. */
int output_open(struct sink *snk, size_t i, const char *name, struct error *reterr);
/* Where the lines of a script's stream go; opened when it is first written to. Negative: -errno. */
int output_entry(struct sink *snk, struct slice stream, struct error *reterr);
int output_write(struct sink *snk, size_t i, struct slice bytes, struct error *reterr);
/* Flushes and closes all, frees the sink. */
int output_close(struct sink **snk, struct error *reterr);
/* The value of a field in a record's body. */
static inline const void *output_value(const struct record *rec, const struct field *f)
{
    return (const char *)rec->body + f->offset;
}
bool output_is_absent(const struct field *f, const void *value);
/* Does the item stand among the SEEN_BEFORE before it already? For formats whose lists are sets. */
enum { SEEN_BEFORE = 1000 };
bool output_is_repeat(const struct text_list *list, size_t i);

#endif
