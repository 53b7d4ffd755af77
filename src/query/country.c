/* country.c: countries by their names, for those who write them where their two letters are meant.
 * In: a text. Out: the row that is likely meant. Owns: nothing. */
#include "base/nearest.h"
#include "query/value.h"

static const struct query_country countries[] = {
#define QUERY_COUNTRY(code, name) {code, name},
#include "query/countries.def"
#undef QUERY_COUNTRY
};
enum { COUNTRIES = sizeof countries / sizeof *countries };

const struct query_country *query_value_country(struct slice text)
{
    struct nearest near = nearest_to(text);
    for (size_t i = 0; i < COUNTRIES; i++) {
        if (slice_case_eq(text, slice_str(countries[i].name)))
            return &countries[i];
        nearest_try(&near, countries[i].name);
    }
    /* Of a short word too much would have to be guessed. */
    if (!near.name || near.edits * 4 > near.given.len)
        return NULL;
    size_t i = 0;
    while (countries[i].name != near.name)
        i++;
    return &countries[i];
}
