/* The store that a command was given, of whatever kind it is. */
#ifndef STORES_H
#define STORES_H

#include "settings.h"
#include "view/reader.h"

struct stores_settings {
    /* A folder, also as -o takes it: sqlite:DIR; or clickhouse://HOST[:PORT]/DATABASE, clickhouses://...;
     * copied. */
    const char *where;
    uint64_t sums_bytes; /* sums of days that are over, kept in memory for all its readers */
    /* Of a server: */
    const char *user, *password_file, *ca_file; /* NULL, or as carry_user and so on */
    double timeout;                             /* seconds that each part of a question may take */
};

/* Who logs in where, by the settings; these are borrowed. */
struct stores_settings stores_settings_of(const char *where, uint64_t sums_bytes, const struct settings *set);
/* It is a server's URL, no folder's name. */
bool stores_is_server(const char *where);

struct stores;

/* 0, or -errno with a text: it is none. */
int stores_open(const struct stores_settings *set, struct stores **ret, struct error *reterr);
/* Opens a reader of it; for several threads at a time. The struct stores must outlive it. */
int stores_reader(struct stores *s, struct reader **ret, struct error *reterr);
/* What it is called for people. */
const char *stores_name(const struct stores *s);
void stores_close(struct stores **s);

#endif
