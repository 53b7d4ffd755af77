/* The country of an address and whose network it is, out of databases on disk: a pure look-up.
 * All files are opened, checked and mapped by countries_open; a look-up opens nothing, so it works in a
 * confined process. One thread at a time may use a struct countries. */
#ifndef BASE_COUNTRY_H
#define BASE_COUNTRY_H

#include "base/error.h"
#include "base/net.h"

/* Where Debian's package libloc-database puts its file. */
#define COUNTRIES_DEFAULT "/usr/share/libloc-location/location.db"

enum { COUNTRIES_FILES = 4 };

struct countries;

struct country_info {
    char country[3];      /* two letters in upper case, ISO 3166-1; "" where it is not known */
    uint32_t asn;         /* number of the autonomous system, 0 where it is not known */
    struct slice as_name; /* its name, empty where it is not known; lives until the next look-up or close */
};

/* Opens up to COUNTRIES_FILES databases: MaxMind DB (.mmdb) or libloc, told by their content; of what two of
 * them know the first has the word. NULL and "" among the paths are left out. Where nothing is left
 * `fallback` (COUNTRIES_DEFAULT; NULL or "" for none) is opened, and it alone may be absent: that is no
 * error. Returns 0: *ret is the databases, or NULL where there is none, which every function below takes and
 * countries_describe says. Returns -errno for a file that cannot be read, is damaged or is no such database;
 * the text names it, and *ret is NULL. */
int countries_open(const char *const *paths, size_t count, const char *fallback, struct countries **ret,
                   struct error *reterr);

/* True: the country or the network is known, *ret says what. False: neither, and *ret is empty. Nothing is
 * known of private, link-local and multicast addresses and of IPv6 outside of 2000::/3, whatever the files
 * say, nor by libloc of documentation and benchmark networks; an IPv4 address in IPv6 form (::ffff:192.0.2.1)
 * counts as that IPv4 address. */
bool countries_lookup(struct countries *cs, const struct address *a, struct country_info *ret);

/* Reads two letters of any case as a country's code, into capital letters with a terminator. False: it is
 * none, *ret is untouched. */
bool country_parse(struct slice text, char ret[static 3]);

/* A text for a message, as long as `cs` lives: "FILE (GeoLite2-Country, 2026-08-18), FILE (libloc,
 * 2022-10-29)", or that there is none. */
const char *countries_describe(const struct countries *cs);

/* How many look-ups found a database damaged inside; they gave nothing from that file. */
uint64_t countries_failed(const struct countries *cs);

/* Sets *pcs to NULL; NULL in it is fine. */
void countries_close(struct countries **pcs);

#endif
