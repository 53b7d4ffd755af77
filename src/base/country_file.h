/* What country.c needs of one database file, and the two kinds there are. Nobody else includes this. */
#ifndef BASE_COUNTRY_FILE_H
#define BASE_COUNTRY_FILE_H

#include "base/country.h"

enum { COUNTRY_AS_NAME = 255 };

/* What a file knows of an address; all zero where it knows nothing. */
struct country_fact {
    char country[3];
    uint8_t as_name_len;
    uint32_t asn;
    char as_name[COUNTRY_AS_NAME];
};

struct country_file_ops {
    /* The path names a regular file that is not empty. 0 and *ret, or -errno and a text that names the file.
     */
    int (*open)(const char *path, void **ret, struct error *reterr);
    /* What kind of database it calls itself, as long as it is open, and when it was made: epoch seconds. */
    void (*describe)(const void *file, struct slice *retkind, int64_t *rettime);
    /* Fills *ret, which is zero before. Returns 0, or -errno where the file is damaged. `a` is IPv4, or IPv6
     * but not mapped. */
    int (*lookup)(void *file, const struct address *a, struct country_fact *ret);
    void (*close)(void *file);
};

extern const struct country_file_ops country_loc, country_mmdb;

/* The first bytes of a libloc database. */
#define COUNTRY_LOC_MAGIC "LOCDBXX"

/* Takes two letters of any case as a country; leaves it empty for all else and for codes that mean no
 * country. */
void country_fact_country(struct country_fact *fact, struct slice code);
/* Takes the name, cut to whole characters of UTF-8 where it is too long. */
void country_fact_as_name(struct country_fact *fact, struct slice name);

#endif
