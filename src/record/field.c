/* field.c: small questions about fields.
 * In: tables, values. Out: answers. Owns: nothing. */
#include "record/record.h"

static bool is_empty(const struct shape *of, const char *object)
{
    size_t i = 0;
    while (i < of->count && field_is_absent(&of->fields[i], object + of->fields[i].offset))
        i++;
    return i == of->count;
}

_Static_assert(offsetof(struct text_list, len) == offsetof(struct object_list, len) &&
                   offsetof(struct address_list, len) == offsetof(struct object_list, len),
               "all lists have one form");

bool field_is_absent_else(const struct field *f, const void *value)
{
    static const struct flags none;
    switch (f->kind) {
    case FIELD_FLAGS:
        return memcmp(value, &none, sizeof none) == 0;
    case FIELD_ADDRESS:
        return !((const struct address *)value)->family;
    case FIELD_OBJECT:
        return is_empty(f->of, value);
    case FIELD_APART:
        return !field_apart(value) || is_empty(f->of, field_apart(value));
    case FIELD_TRUE:
        return !*(const bool *)value;
    case FIELD_MAYBE:
        return *(const enum maybe *)value == MAYBE;
    case FIELD_SPAN:
        return !((const struct interval *)value)->known;
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
    case FIELD_TEXT:
    case FIELD_TEXTS:
    case FIELD_ADDRESSES:
    case FIELD_LIST:
        break;
    }
    return false;
}
