/* version.c: versions in pieces.
 * In: a version as it is written. Out: its numbers, and the rest. Owns: nothing. Limits: four numbers. */
#include "sink/version.h"

struct version_parts version_split(struct slice version)
{
    struct version_parts parts = {.count = 0};
    size_t digits;
    while (parts.count < VERSION_NUMBERS &&
           (digits = slice_number(version, &parts.numbers[parts.count])) > 0) {
        version = slice_sub(version, digits, version.len);
        parts.count++;
        if (version.len > 1 && strchr(".-_", version.data[0]) && byte_is_digit(version.data[1]) &&
            parts.count < VERSION_NUMBERS)
            version = slice_sub(version, 1, version.len);
        else
            break;
    }
    while (version.len && version.data[0] && strchr(".-_+~", version.data[0]))
        version = slice_sub(version, 1, version.len);
    parts.more = version;
    return parts;
}
