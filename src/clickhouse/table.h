/* The columns of the tables, out of the tables of fields, of places and taken.def. */
#ifndef CLICKHOUSE_TABLE_H
#define CLICKHOUSE_TABLE_H

#include "record/field.h"

enum chtype {
    CHTYPE_DATE,
    CHTYPE_SECONDS, /* since 1970, 32 bits */
    CHTYPE_INT64,
    CHTYPE_UINT8,
    CHTYPE_UINT16,
    CHTYPE_UINT64,
    CHTYPE_FLOAT64,
    CHTYPE_STRING,
    CHTYPE_UINT8S, /* from here on lists, each of the type of its name */
    CHTYPE_UINT64S,
    CHTYPE_FLOAT64S,
    CHTYPE_STRINGS,
};
/* As the server writes it. */
const char *chtype_name(enum chtype type);
bool chtype_is_list(enum chtype type);

enum chcolumn_kind {
    CHCOLUMN_COMPUTED, /* a row of taken.def */
    CHCOLUMN_FIELD,    /* a field's */
    CHCOLUMN_INSIDE,   /* what lies inside of a field */
    CHCOLUMN_ALIAS,    /* the server computes it; nothing is stored */
};

enum chcomputed {
#define COMPUTED(stream, index, column, type, doc) CHCOMPUTED_##index,
#include "clickhouse/taken.def"
#undef COMPUTED
    CHCOMPUTEDS
};

enum { CHCOLUMN_NAME = 48, CHTABLE_MOST = 176 };

struct chcolumn {
    char name[CHCOLUMN_NAME];
    enum chtype type; /* not of an ALIAS */
    enum chcolumn_kind kind;
    enum chcomputed computed;    /* COMPUTED */
    size_t field;                /* FIELD: index in the stream's table */
    const char *path;            /* INSIDE: as in places.def, with or without [] */
    enum field_kind leaf;        /* INSIDE: of what is taken */
    const char *alias_type, *as; /* ALIAS: SQL */
};

struct chtable {
    const struct stream *stream;
    const char *name; /* "entry" is that of scripts' lines */
    size_t count;
    struct chcolumn columns[CHTABLE_MOST];
};

/* Lives for ever; any thread may ask. */
const struct chtable *chtable_of(enum stream_index stream);
/* The column of that name, or NULL. */
const struct chcolumn *chtable_find(const struct chtable *t, struct slice name);
/* Fields of these kinds json.c never leaves out: 0 is a value too, and `empties` says where there is none all
 * the same. */
bool chtable_always(enum field_kind kind);

#endif
