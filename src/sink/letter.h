/* A notice as a person gets it by mail. */
#ifndef SINK_LETTER_H
#define SINK_LETTER_H

#include "record/notice.h"
#include "sink/line.h"

/* Adds one line for the subject, without its end. What could steer a terminal is shown as '?'. */
void letter_subject(const struct notice *n, struct line *out);
/* Adds a paragraph: lines of "name: value", each with its end. */
void letter_text(const struct notice *n, struct line *out);

#endif
