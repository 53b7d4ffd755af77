/* field.c: small questions about fields.
 * In: tables, values. Out: answers. Owns: nothing. */
#include "record/absent.h"

static bool is_empty(const struct shape *of, const char *object)
{
    size_t i = 0;
    while (i < of->count && field_is_absent(&of->fields[i], object + of->fields[i].offset))
        i++;
    return i == of->count;
}

bool field_is_absent(const struct field *f, const void *value)
{
    if (f->kind == FIELD_APART)
        return !field_pointer(value) || is_empty(f->of, field_pointer(value));
    return f->kind == FIELD_OBJECT ? is_empty(f->of, value) : value_is_absent(f->kind, value);
}
