/* over_page.c: what a loader has counted over all sensors, for Prometheus.
 * In: counts. Out: text. Owns: nothing. Spec: the Prometheus text format. */
#include "over.h"

#include <stddef.h>

static const struct {
    const char *name, *text;
    size_t offset;
} rows[] = {
#define ROW(name, text)                                                                                      \
    {                                                                                                        \
#name, text, offsetof(struct over_counts, name)                                                      \
    }
    ROW(lines, "Lines looked at."),
    ROW(unread, "Lines that look like records, and are none; they went on."),
    ROW(again, "Lines that came once more, and were not counted again."),
    ROW(late, "Lines older than load_lateness allows."),
    ROW(ahead, "Lines of a time that is not yet."),
    ROW(notices, "Notices of sensors."),
    ROW(folded, "Notices that repeat one, of any sensor, and were left out."),
    ROW(dropped, "Notices that the policy drops."),
    ROW(raised, "Notices of scripts in the loader."),
    ROW(left, "Notices left to another loader."),
    ROW(made, "Lines that the loader made."),
    ROW(shed, "Notices told early, over max_suppressed."),
    ROW(script_errors, "Errors in scripts."),
#undef ROW
};

void over_page(const struct over_counts *counts, struct buf *out)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const uint64_t *value = (const uint64_t *)(const void *)((const char *)counts + rows[i].offset);
        buf_printf(out, "# HELP mailtap_over_%s_total %s\n# TYPE mailtap_over_%s_total counter\n",
                   rows[i].name, rows[i].text, rows[i].name);
        buf_printf(out, "mailtap_over_%s_total %llu\n", rows[i].name, (unsigned long long)*value);
    }
}
