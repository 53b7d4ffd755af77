/* In what shape records leave over a network, and what a line of any of them says of itself. */
#ifndef CARRIER_FORM_H
#define CARRIER_FORM_H

#include "carrier/format.h"
#include "record/record.h"
#include "sink/line.h"

/* What makes lines of records. */
struct form;
/* `format` is not CARRY_AUTO. Free with the next. */
struct form *form_new(enum carry_format format);
void form_free(struct form **form);
/* Adds the record as one JSON object and LF. 1: the shape has no place for its stream, nothing was added. */
int form_record(struct form *form, const struct record *rec, struct line *out);

enum { FORM_TIME = 28 };

/* Of a line in whatever shape: an outbox may hold lines of an earlier run, which had another setting. */
struct form_facts {
    struct slice path;    /* the stream's; escapes as they are; empty: it does not say */
    char time[FORM_TIME]; /* 2026-11-30T09:55:06.123456Z; "": it has none */
    struct slice uid;     /* of the connection that it is about; empty: of none */
};
/* `line` is one JSON object. Path and time, and no more of it is read than that wants. Linear; what is no
 * JSON is read as far as it is. */
void form_look(struct slice line, struct form_facts *ret);
/* The uid alone. */
struct slice form_uid(struct slice line);

#endif
