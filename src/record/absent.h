/* Which values stand for none, by kind: the one place that says so. Here, as a writer that knows the kind has
 * nothing left to ask. */
#ifndef RECORD_ABSENT_H
#define RECORD_ABSENT_H

#include "record/record.h"

/* Of any kind but OBJECT and APART, which have to be walked: see field_is_absent. */
static inline __attribute__((always_inline)) bool value_is_absent(enum field_kind kind, const void *value)
{
    static const struct flags none;
    switch (kind) {
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
    case FIELD_OBJECT:
    case FIELD_APART:
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

#endif
