/* The table of settings, for the files that read and print them. */
#ifndef SETTINGS_ROW_H
#define SETTINGS_ROW_H

#include "base/shown.h"
#include "settings.h"

enum setting_type {
    CHECKSUMS,
    EXTRACTS,
    HASHES,
    CAPTURE,
    HEADERS,
    SCOPE,
    FORMATS,
    FACILITY,
    SEVERITY,
    FRAMING,
    LOADS,
    NETWORKS,
    PORTS,
    COUNTRIES,
    TEXTS,
    KINDS,
    TEXT,
    POLICY,
    COUNT,
    SIZE,
    DURATION,
    SHARE,
    SWITCH
};

struct setting_row {
    const char *name;
    enum setting_type type;
    size_t offset; /* in struct settings */
    const char *fallback;
    const char *lowest, *highest; /* of an amount; "" otherwise */
    const char *meaning;
};

/* The row of that name; or NULL, and *reterr names the nearest one. `where` goes before every message. */
const struct setting_row *row_find(struct slice name, const char *where, struct error *reterr);
/* Its place in the table, under SETTINGS_MOST. */
size_t row_index(const struct setting_row *row);
bool row_is_list(const struct setting_row *row);
/* The list's own kinds of items, in settings_list.c. */
void list_clear(const struct setting_row *row, void *field);
int list_add(const struct setting_row *row, void *field, struct slice item, const char *where,
             struct error *reterr);
/* Sets a whole value; a list's items stand between commas. */
int row_set(const struct setting_row *row, struct settings *set, struct slice text, const char *where,
            struct error *reterr);
/* For a list, item by item. */
void row_clear(const struct setting_row *row, struct settings *set);
int row_add(const struct setting_row *row, struct settings *set, struct slice item, const char *where,
            struct error *reterr);
/* What the row wants, for a person: "count, 4 to 64". */
void row_wants(const struct setting_row *row, char *ret, size_t room);

#endif
