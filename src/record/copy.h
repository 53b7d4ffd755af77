/* Records that outlive the call that told them, as when they go from one thread to another. */
#ifndef RECORD_COPY_H
#define RECORD_COPY_H

#include "record/record.h"

/* A copy with all that it points to, in one piece of memory but for what is added to it later; tags can be
 * added as long as they could be to `rec`. The caller's until record_free. */
struct record *record_copy(const struct record *rec);
void record_free(struct record **rec);
/* The same of a body alone, for free(); texts are cut to `most` bytes each, at a whole character. `head`
 * bytes, a multiple of 16, stay free before it. */
void *record_body_copy(const struct stream *stream, const void *body, size_t most, size_t head);

#endif
