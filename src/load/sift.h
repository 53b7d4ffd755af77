/* Messages of a bus, sifted to lines that are records. */
#ifndef LOAD_SIFT_H
#define LOAD_SIFT_H

#include "load/counts.h"
#include "load/source.h"
#include "sink/line.h"

struct sift {
    struct line lines;          /* the records, each with LF */
    struct load_counts *counts; /* messages, again, records, unnamed rise */
    /* What is no record: a line, or a message of which no line is one. `record`: it is JSON all the same. */
    void (*refuse)(void *ctx, struct slice text, bool record, const char *why);
    void *ctx;
};

/* Adds the records of a message. Where one names no sensor, but the bus does, that name is put into it behind
 * _path. What is in no line is not looked at: whether a record's fields are as they should be is for the
 * other side to say. */
void sift_message(struct sift *s, const struct source_message *message);
/* Empties the lines; counts stay. */
void sift_clear(struct sift *s);
void sift_free(struct sift *s);

#endif
