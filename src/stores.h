/* The store that a command was given, of whatever kind it is. */
#ifndef STORES_H
#define STORES_H

#include "settings.h"
#include "view/reader.h"

struct stores_settings {
    const char *where;   /* a folder, also as -o takes it: sqlite:DIR; or clickhouse://HOST[:PORT]/DATABASE */
    uint64_t sums_bytes; /* sums of days that are over, kept in memory for all its readers */
    /* Of a server; NULL, 0: none. */
    const char *user, *password, *ca_file;
    double timeout; /* seconds */
};

struct stores;

/* All is copied. 0, or -errno with a text: it is none. Whether a server is there is no matter yet. */
int stores_open(const struct stores_settings *set, struct stores **ret, struct error *reterr);
/* The same by the settings of outputs (carry_user and so on), of which the password's file is read now. */
int stores_open_by(const struct settings *set, const char *where, uint64_t sums_bytes, struct stores **ret,
                   struct error *reterr);
/* Opens a reader of it; for several threads at a time. The struct stores must outlive it. */
int stores_reader(struct stores *s, struct reader **ret, struct error *reterr);
/* Of readers opened from now on: errors do not repeat what a server says, see struct chserver_settings. */
void stores_discreet(struct stores *s);
/* What it is called for people. */
const char *stores_name(const struct stores *s);
/* NULL: it is no folder but a server. */
const char *stores_folder(const struct stores *s);
void stores_close(struct stores **s);

#endif
