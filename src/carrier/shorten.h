/* A JSON object that is too long, made to fit. */
#ifndef CARRIER_SHORTEN_H
#define CARRIER_SHORTEN_H

#include "base/error.h"
#include "sink/line.h"

/* Adds `json`, an object of more than `room` bytes, without its longest members, but for the first ones,
 * until `room` bytes are enough: of those of objects in it each counts by itself. A last member, "_left_out",
 * is the list of their names, with a dot between the two. True, and *retwhy says what was left out; false: it
 * cannot be made so short, nothing was added. */
bool shorten(struct slice json, size_t room, struct line *out, struct error *retwhy);

#endif
