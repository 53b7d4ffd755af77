/* counts.c: counts as a page.
 * In: counts. Out: text. Owns: nothing. Spec: the Prometheus text format. */
#include "load/counts.h"

static void add(struct buf *out, const char *name, bool rises, const char *text, uint64_t value)
{
    const char *total = rises ? "_total" : "";
    buf_printf(out, "# HELP mailtap_load_%s%s %s\n# TYPE mailtap_load_%s%s %s\nmailtap_load_%s%s %llu\n",
               name, total, text, name, total, rises ? "counter" : "gauge", name, total,
               (unsigned long long)value);
}

void load_counts_page(struct load_counts *counts, struct buf *out)
{
#define COUNT(name, rises, text) add(out, #name, rises, text, atomic_load(&counts->name));
#include "load/counts.def"
#undef COUNT
}
