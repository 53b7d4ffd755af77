/* A log that lives on: a file in a folder, or standard output, that nothing stops from being written to. */
#ifndef SINK_LOGFILE_H
#define SINK_LOGFILE_H

#include "sink/line.h"
#include "sink/sink.h"

/* What a format puts around the records of a file, in whole lines. */
struct frame {
    void (*head)(size_t file, time_t now, struct line *out);
    void (*tail)(size_t file, time_t now, struct line *out); /* NULL: nothing */
    bool again; /* a file that has records already gets the head once more when it is opened */
};

struct logfile_settings {
    int dir;                          /* the folder; borrowed. -1: standard output */
    const char *name;                 /* name.log in it; copied */
    const char *shown;                /* what messages call it; copied */
    const struct frame *frame;        /* NULL: none */
    size_t file;                      /* handed to the frame */
    const struct sink_settings *sink; /* borrowed */
};

struct logfile;

/* Opens the file, or makes it, with mode 0640. A half line at its end, left by a crash, is cut off, and said.
 * 0 and *ret also where the disk is full or too many files are open: these pass. Else -errno and a text. */
int logfile_open(const struct logfile_settings *set, time_t now, struct logfile **ret, struct error *reterr);
/* Takes one line with its end. It is written later, or counted as lost. */
void logfile_add(struct logfile *log, struct slice line);
/* See struct sink_ops. `force`: at once. */
void logfile_tick(struct logfile *log, time_t now, bool force);
/* Adds its own to the sums. */
void logfile_counts(const struct logfile *log, struct sink_counts *sum);
/* Writes what waits, for up to a second of a reader's silence; frees it. 0, or -errno and a text where lines
 * are lost. */
int logfile_close(struct logfile **log, struct error *reterr);

#endif
