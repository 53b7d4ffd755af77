/* A reader of a folder of day files. Files are opened as they are needed, and kept open, so many at most. A
 * file that is damaged, of a newer version, or gone in between is left out, counted, and said. */
#ifndef STORE_OPEN_H
#define STORE_OPEN_H

#include "view/reader.h"

struct past;

struct store_settings {
    const char *directory; /* copied */
    size_t files;          /* kept open at most; 0: a default */
    size_t cache_bytes;    /* of each; 0: a default */
    struct past *past;     /* sums of days that are over, of this folder; NULL: they are not kept */
};

/* 0, or -errno where the folder cannot be read. A folder without day files is a store without records. */
int store_open(const struct store_settings *set, struct reader **ret, struct error *reterr);

#endif
