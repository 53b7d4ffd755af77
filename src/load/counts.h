/* What a loader counts. One thread writes, others read. */
#ifndef LOAD_COUNTS_H
#define LOAD_COUNTS_H

#include <stdatomic.h>
#include "base/buf.h"

struct load_counts {
#define COUNT(name, rises, text) _Atomic uint64_t name;
#include "load/counts.def"
#undef COUNT
};

/* All of them as a page for Prometheus, names mailtap_load_...; exposition format 0.0.4. */
void load_counts_page(struct load_counts *counts, struct buf *out);

#endif
