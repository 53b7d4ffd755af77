/* Records out. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/error.h"
#include "record/record.h"

struct sink_settings {
    const char *directory; /* DIR/<path>.log, a file a stream; NULL: standard output */
    bool color;            /* text form: terminal colours */
};

struct sink;

/* One row per format: json, text, zeek, smtp-ext. All return 0 or -errno, with a text in *reterr. */
struct sink_ops {
    const char *name, *summary;
    int (*open)(const struct sink_settings *set, struct sink **ret, struct error *reterr);
    int (*write)(struct sink *snk, const struct record *rec,
                 struct error *reterr);                    /* 1: the format has no place for this stream */
    int (*close)(struct sink **snk, struct error *reterr); /* flushes; nulls *snk */
};

extern const struct sink_ops sink_json, sink_text, sink_zeek, sink_smtp_ext;
/* The format of that name, or NULL. */
const struct sink_ops *sink_find(const char *name);
extern const struct sink_ops *const sink_table[]; /* ends with NULL */
/* Writes the JSON Schema (draft 2020-12) of all streams, out of the field tables. */
void schema_print(FILE *out);

#endif
