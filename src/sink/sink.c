/* sink.c: the table of formats, and small questions that they share.
 * In: names, fields. Out: answers. Owns: nothing. */
#include "sink/sink.h"

#include "sink/output.h"

const struct sink_ops *const sink_table[] = {&sink_json, &sink_text, &sink_zeek, &sink_smtp_ext, NULL};

const struct sink_ops *sink_find(const char *name)
{
    for (size_t i = 0; sink_table[i]; i++)
        if (strcmp(sink_table[i]->name, name) == 0)
            return sink_table[i];
    return NULL;
}

static bool is_empty(const struct shape *of, const char *object)
{
    size_t i = 0;
    while (i < of->count && output_is_absent(&of->fields[i], object + of->fields[i].offset))
        i++;
    return i == of->count;
}

bool output_is_absent(const struct field *f, const void *value)
{
    static const struct flags none;
    switch (f->kind) {
    case FIELD_TEXT:
        return !((const struct slice *)value)->data;
    case FIELD_TEXTS:
        return !((const struct text_list *)value)->len;
    case FIELD_ADDRESSES:
        return !((const struct address_list *)value)->len;
    case FIELD_LIST:
        return !((const struct object_list *)value)->len;
    case FIELD_FLAGS:
        return memcmp(value, &none, sizeof none) == 0;
    case FIELD_ADDRESS:
        return !((const struct address *)value)->family;
    case FIELD_OBJECT:
        return is_empty(f->of, value);
    case FIELD_TRUE:
        return !*(const bool *)value;
    case FIELD_MAYBE:
        return *(const enum maybe *)value == MAYBE;
    case FIELD_SPAN:
        return *(const double *)value < 0;
    case FIELD_SOME:
        return !*(const uint64_t *)value;
    case FIELD_SOME_PORT:
        return !*(const uint16_t *)value;
    case FIELD_TIME:
    case FIELD_DOUBLE:
    case FIELD_PORT:
    case FIELD_COUNT:
    case FIELD_BOOL:
    case FIELD_ANOMALY:
        break;
    }
    return false;
}

bool output_is_repeat(const struct text_list *list, size_t i)
{
    for (size_t k = i > SEEN_BEFORE ? i - SEEN_BEFORE : 0; k < i; k++)
        if (slice_eq(list->items[k], list->items[i]))
            return true;
    return false;
}
