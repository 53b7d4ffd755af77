/* The Received lines of a mail as hops of its record. */
#ifndef RECORD_HOPS_H
#define RECORD_HOPS_H

#include "record/headers.h"

/* Adds one line, each after the newer ones: its value `raw`, and the head of it as the draft keeps it
 * already; NULL where that is decoded. `scratch` is working room, cleared here. */
void hops_take(struct draft *d, const struct builder_settings *set, struct slice raw,
               const struct received_head *head, struct buf *scratch);

#endif
