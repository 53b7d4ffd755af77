/* What a run has counted, put together and told. */
#ifndef REPORT_H
#define REPORT_H

#include "back.h"
#include "capture/source.h"
#include "pipeline.h"
#include "record/stats.h"

/* All of these add to *ret. */
void report_add_source(struct stats *ret, const struct source_stats *s);
void report_add_pipeline(struct stats *ret, const struct pipeline_stats *s);
void report_add_decoder(struct stats *ret, const struct decode_stats *s);
void report_add_back(struct stats *ret, const struct back_counts *s);
/* The closing line, on standard error; `who` stands before it, "" for all. */
void report_print(const char *who, const struct stats *s, double seconds);

#endif
