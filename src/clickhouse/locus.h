/* Where the tables of ClickHouse have what a path of view/places.def leads to. */
#ifndef CLICKHOUSE_LOCUS_H
#define CLICKHOUSE_LOCUS_H

#include "view/places.h"

enum { LOCUS_NAME = 64 };

struct locus {
    char name[LOCUS_NAME]; /* of the column */
    enum field_kind kind;  /* of one value */
    bool many;             /* the column is a list of them, of those that are there */
    bool counted;          /* its length is what is asked for */
};

void locus_of(const struct place *p, struct locus *ret);

#endif
