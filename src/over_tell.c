/* over_tell.c: what a loader has counted over all sensors, for people.
 * In: counts. Out: a line on standard error. Owns: nothing. */
#include "over.h"

#include <stdio.h>

static void tell(struct line *out, uint64_t count, const char *what)
{
    if (count)
        line_printf(out, "%s%llu %s", out->len ? ", " : "", (unsigned long long)count, what);
}

void over_tell(const struct over *o)
{
    const struct over_counts c = over_counts(o);
    struct line text = {0};
    tell(&text, c.notices, "notices of sensors");
    tell(&text, c.raised, "raised by scripts here");
    tell(&text, c.folded, "of them folded");
    tell(&text, c.dropped, "dropped");
    tell(&text, c.shed, "told early over max_suppressed");
    tell(&text, c.left, "notices left to another loader");
    tell(&text, c.made, "lines made here");
    tell(&text, c.again, "lines that came again, not counted again");
    tell(&text, c.late, "lines later than load_lateness");
    tell(&text, c.ahead, "lines ahead of this machine's clock");
    tell(&text, c.unread, "lines that are no records");
    tell(&text, c.script_errors, "errors in scripts");
    if (text.len)
        fprintf(stderr, "mailtap: over all sensors: %.*s\n", (int)text.len, (const char *)text.data);
    line_free(&text);
}
