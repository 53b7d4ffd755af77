/* The shapes in which records leave over a network, by name. */
#ifndef CARRIER_FORMAT_H
#define CARRIER_FORMAT_H

enum carry_format {
#define CARRY_FORM(id, name) CARRY_##id,
#include "carrier/format.def"
#undef CARRY_FORM
    CARRY_FORMS
};
extern const char *const carry_format_names[CARRY_FORMS];

#endif
