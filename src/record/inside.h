/* What the bytes of a part have in them: URLs, members of archives. */
#ifndef RECORD_INSIDE_H
#define RECORD_INSIDE_H

#include "record/headers.h"

struct spares;

/* Of one mail: its URLs so far, and the part that is read. */
struct inside;
struct inside *inside_new(const struct builder_settings *set);
void inside_free(struct inside **in);
/* For the next mail. */
void inside_reset(struct inside *in);
/* From PART_BEGIN: a part begins. What of its bytes is wanted. */
enum mime_want inside_begin(struct inside *in, struct draft *d, struct spares *with,
                            const struct mime_event *ev);
/* From its BODY. What is wanted from now on. */
enum mime_want inside_body(struct inside *in, struct draft *d, struct spares *with,
                           const struct mime_event *ev);
/* It is over: what is in it goes to its row. */
void inside_end(struct inside *in, struct draft *d, struct spares *with, struct file *file);

#endif
