/* Records out. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "base/error.h"
#include "record/record.h"

struct carrier;

struct sink_settings {
    const char *directory; /* DIR/<path>.log, a file a stream; NULL: standard output */
    bool color;            /* text form: terminal colours */
    /* For a process that lives on: files are appended to, rotated and opened anew, and no error of theirs
     * ends anything. Without it files are made anew, and the first error is told. */
    bool lasting;
    /* What follows counts only where it is lasting. */
    uint64_t output_bytes;   /* lines that wait in memory for a file; over it they are lost, and counted */
    uint64_t rotate_size;    /* 0: never */
    double rotate_interval;  /* seconds; 0: never */
    uint64_t rotate_keep;    /* rotated files of each stream; 0: all */
    struct carrier *carrier; /* of what is carried away, borrowed; NULL: nothing is */
    /* Of the store, in any case; see docs/settings.md. */
    struct store_limits {
        uint64_t queue_bytes, cache_bytes, find_bytes, keys, days, bytes;
        double commit; /* seconds */
    } store;
};

/* Records since it was opened, over all of its files. Given to it = written + waiting + lost +
 * known. */
struct sink_counts {
    uint64_t written;   /* the system took them */
    uint64_t waiting;   /* in memory */
    uint64_t lost;      /* could not be written, and there was no room to wait */
    uint64_t rotations; /* by size or time; not those of others */
    uint64_t failing;   /* files that cannot be written now; a state, not a sum */
    uint64_t dropped;   /* old files that it has removed over a limit */
    uint64_t known;     /* it has them already, so they were left out */
    /* Of what is carried over a network; what was there before it was opened is among them. */
    uint64_t carried, refused; /* the other side has them; it refused them, and they were put aside */
    uint64_t outbox;           /* they wait on disk now; a state */
    uint64_t outbox_full;      /* of `lost` */
    uint64_t down;             /* 1: the other side cannot be reached now; a state */
};

struct sink;

/* One row per format: json, text, zeek, smtp-ext. Where an int is returned it is 0 or -errno, with a text in
 * *reterr. Whoever uses a lasting sink ignores SIGPIPE and SIGXFSZ, or these end the process before an error
 * can be counted. */
struct sink_ops {
    const char *name, *summary;
    /* A lasting sink opens where only time is needed for the error to pass (a full disk). */
    int (*open)(const struct sink_settings *set, struct sink **ret, struct error *reterr);
    /* 1: the format has no place for this stream. Never negative where it is lasting. */
    int (*write)(struct sink *snk, const struct record *rec, struct error *reterr);
    /* Flushes; nulls *snk. Where it is lasting, negative means that records were waiting and are lost now. */
    int (*close)(struct sink **snk, struct error *reterr);
    /* These three are for lasting sinks. To others a tick, and a reopening, means that what was written
     * arrives; what fails then is told by `close`. */
    /* Writes what waits, tries again what failed, follows files that others moved, rotates. By the caller's
     * wall clock; the work is done once a second (on standard output each time), so it may be called as often
     * as is convenient, and must be at least once a second. */
    void (*tick)(struct sink *snk, struct timespec now);
    /* The same at once: after a signal, or before counts are read for the last time. */
    void (*reopen)(struct sink *snk);
    struct sink_counts (*counts)(const struct sink *snk);
    /* What it has taken is written, or cannot be; before counts are read for the last time. NULL: the others
     * see to that. */
    void (*drain)(struct sink *snk);
};

extern const struct sink_ops sink_json, sink_text, sink_zeek, sink_smtp_ext;
/* The format of that name, or NULL. */
const struct sink_ops *sink_find(const char *name);
extern const struct sink_ops *const sink_table[]; /* ends with NULL */
/* Writes the JSON Schema (draft 2020-12) of all streams, out of the field tables. */
void schema_print(FILE *out);

#endif
