/* amount.c: amounts that a person writes.
 * In: text. Out: numbers. Owns: nothing. Knowingly: a duration needs its unit, as nobody remembers whether a
 * bare number is seconds or milliseconds. */
#include "base/amount.h"

struct unit {
    const char *name;
    double factor;
};

static bool parse_unit(const struct unit *units, struct slice name, double *ret)
{
    for (; units->name; units++) {
        if (slice_case_eq(name, slice_str(units->name))) {
            *ret = units->factor;
            return true;
        }
    }
    return false;
}

bool amount_parse(enum amount_kind kind, struct slice text, double *ret)
{
    static const struct unit counts[] = {{"", 1}, {NULL, 0}};
    static const struct unit sizes[] = {
        {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};
    static const struct unit times[] = {{"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}, {NULL, 0}};
    static const struct unit shares[] = {{"%", 0.01}, {NULL, 0}};
    static const struct unit *const units[] = {
        [AMOUNT_COUNT] = counts, [AMOUNT_SIZE] = sizes, [AMOUNT_DURATION] = times, [AMOUNT_SHARE] = shares};
    uint64_t whole = 0;
    double factor = 1;
    size_t n = slice_number(text, &whole);
    double amount = (double)whole;
    if (n && kind != AMOUNT_COUNT && n < text.len && text.data[n] == '.') {
        size_t first = ++n;
        for (double place = 0.1; n < text.len && byte_is_digit(text.data[n]); n++, place /= 10)
            amount += (text.data[n] - '0') * place;
        if (n == first)
            return false;
    }
    if (!n || !parse_unit(units[kind], slice_trim(slice_sub(text, n, text.len)), &factor))
        return false;
    *ret = amount * factor;
    return true;
}
