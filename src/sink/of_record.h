/* What conversions ask of a record as a whole, and forms that they share. */
#ifndef SINK_OF_RECORD_H
#define SINK_OF_RECORD_H

#include "sink/convert.h"

enum time_form { TIME_ISO, TIME_OFFSET, TIME_SECONDS, TIME_BARE };
/* Between quotes; to the microsecond in the first two. False: it has no form. */
bool convert_time(struct timespec t, enum time_form form, struct line *out);
/* "a=x;b=y;*=z": the word that stands for `word`. False: none does. */
bool convert_mapped(struct slice word, const char *with, struct slice *ret);
/* The same for the same bytes on every machine and in every run; nothing secret is in it. */
uint64_t convert_hash(struct slice s);
/* Is the client the host whom the record's country and autonomous system are those of? */
bool of_client(const struct record *rec);

#endif
