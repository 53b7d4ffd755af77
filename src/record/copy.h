/* Records that outlive the call that told them, as when they go from one thread to another. */
#ifndef RECORD_COPY_H
#define RECORD_COPY_H

#include "record/record.h"

/* A copy with all that it points to, in `to`, `room` bytes aligned for any type; tags can be added as long as
 * they could be to `rec`. NULL where they do not suffice. *ret_size is what it takes in any case. */
struct record *record_copy(const struct record *rec, void *to, size_t room, size_t *ret_size);
/* Frees what was added to a copy, but not what it lies in. */
void record_drop(struct record *rec);
/* The same of a body alone, for free(); texts are cut to `most` bytes each, at a whole character. */
void *record_body_copy(const struct stream *stream, const void *body, size_t most);
/* The same of an object of that shape, all of it, in one piece. */
void *record_object_copy(const struct shape *of, const void *object);

#endif
