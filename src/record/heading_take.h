/* Header fields that are more than a text, into the record: names, ids, URIs. */
#ifndef RECORD_HEADING_TAKE_H
#define RECORD_HEADING_TAKE_H

#include "record/headers.h"

/* The field's name, and with setting headers its value, up to header_items. */
void heading_take_name(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                       const struct mime_event *ev, struct buf *scratch);
/* What stands in the last angle brackets of the value, else all of it; "<>" where they are empty. A text of
 * the draft. */
struct slice heading_bracketed(struct draft *d, struct charsets *cs, const struct mime_event *ev,
                               struct buf *scratch);
/* Adds message ids to `list` (RFC 5322 3.6.4), with their brackets; words without brackets too. */
void heading_take_ids(struct draft *d, const struct builder_settings *set, const struct mime_event *ev,
                      struct text_list *list, struct buf *scratch);
/* Adds URIs to `list` (RFC 2369 2), without their brackets and blanks; a value without brackets as it is. */
void heading_take_uris(struct draft *d, const struct builder_settings *set, const struct mime_event *ev,
                       struct text_list *list, struct buf *scratch);

#endif
