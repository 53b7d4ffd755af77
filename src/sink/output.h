/* Where a sink's lines go: standard output, or a file a stream. */
#ifndef SINK_OUTPUT_H
#define SINK_OUTPUT_H

#include "record/entry.h"
#include "sink/line.h"
#include "sink/logfile.h"
#include "sink/sink.h"

enum { OUTPUT_STREAMS = STREAM_ENTRY + ENTRY_STREAMS, OUTPUT_TABLES = 3, OUTPUT_COLUMNS = 32 };

/* Open where it has one of the first two. */
struct output {
    int failed;          /* -errno of a flush, told when it is closed */
    FILE *file;          /* where the sink is not lasting */
    struct logfile *log; /* where it is; all of standard output share the first one's */
    char name[512];
    char stream[ENTRY_STREAM_NAME + 1]; /* of a script */
    char *buffer;                       /* the file's; NULL: the library's own */
};

struct shape_tree;

struct sink {
    struct sink_settings set;
    const struct frame *frame; /* NULL: none */
    int dir;                   /* the folder of a lasting sink; -1: none */
    time_t now;                /* of a lasting sink's last tick */
    uint64_t homeless;         /* lines of a lasting sink that no file could be opened for */
    struct output out[OUTPUT_STREAMS];
    struct line line;
    struct shape_tree *trees[STREAMS];                          /* of the formats of shape.c */
    const struct field *columns[OUTPUT_TABLES][OUTPUT_COLUMNS]; /* the field in each, found once at open */
};

/* `frame`, which may be NULL, must live as long as the sink. */
struct sink *output_new(const struct sink_settings *set, const struct frame *frame);
/* Opens out[i] as standard output, or as directory/name.log, and writes the frame's head. */
int output_open(struct sink *snk, size_t i, const char *name, struct error *reterr);
static inline bool output_is_open(const struct sink *snk, size_t i)
{
    return snk->out[i].file || snk->out[i].log;
}
/* `bytes`: one line, with its end. */
int output_write(struct sink *snk, size_t i, struct slice bytes, struct error *reterr);
/* The same to a script's stream, whose file is opened when it is first written to. */
int output_write_entry(struct sink *snk, struct slice stream, struct slice bytes, struct error *reterr);
/* The rest of struct sink_ops, for all formats. Closing writes the frame's tail. */
int output_close(struct sink **snk, struct error *reterr);
void output_tick(struct sink *snk, struct timespec now);
void output_reopen(struct sink *snk);
struct sink_counts output_counts(const struct sink *snk);

/* The value of a field in a record's body. */
static inline const void *output_value(const struct record *rec, const struct field *f)
{
    return (const char *)rec->body + f->offset;
}
/* Does the item stand among the SEEN_BEFORE before it already? For formats whose lists are sets. */
enum { SEEN_BEFORE = 1000 };
bool output_is_repeat(const struct text_list *list, size_t i);

#endif
