/* sink.c: the table of formats, and small questions that they share.
 * In: names, fields. Out: answers. Owns: nothing. */
#include "sink/sink.h"

#include "sink/output.h"

const struct sink_ops *const sink_table[] = {&sink_json,     &sink_text,      &sink_zeek,
                                             &sink_smtp_ext, &sink_zeek_json, &sink_ecs,
                                             &sink_ocsf,     &sink_eve,       NULL};

const struct sink_ops *sink_find(const char *name)
{
    for (size_t i = 0; sink_table[i]; i++)
        if (strcmp(sink_table[i]->name, name) == 0)
            return sink_table[i];
    return NULL;
}

bool output_is_repeat(const struct text_list *list, size_t i)
{
    for (size_t k = i > SEEN_BEFORE ? i - SEEN_BEFORE : 0; k < i; k++)
        if (slice_eq(list->items[k], list->items[i]))
            return true;
    return false;
}
