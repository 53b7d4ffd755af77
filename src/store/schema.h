/* The tables of a day's file, and how those of older programs become them. */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>
#include "base/error.h"

enum { SCHEMA_VERSION = 1 /* PRAGMA user_version of what this program writes */ };

/* Brings a file of `version` (0: a new one) to SCHEMA_VERSION, with every column that this program knows. To
 * be called in a transaction. 0, or -errno with `path` in the text: it is to be rolled back. */
int schema_make(sqlite3 *db, const char *path, int version, struct error *reterr);

#endif
