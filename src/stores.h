/* The store that a command was given, of whatever kind it is. */
#ifndef STORES_H
#define STORES_H

#include "view/reader.h"

struct stores_settings {
    const char *where;   /* a folder, also as -o takes it: sqlite:DIR; copied */
    uint64_t sums_bytes; /* sums of days that are over, kept in memory for all its readers */
};

struct stores;

/* 0, or -errno with a text: it is none. */
int stores_open(const struct stores_settings *set, struct stores **ret, struct error *reterr);
/* Opens a reader of it; for several threads at a time. The struct stores must outlive it. */
int stores_reader(struct stores *s, struct reader **ret, struct error *reterr);
/* What it is called for people. */
const char *stores_name(const struct stores *s);
void stores_close(struct stores **s);

#endif
