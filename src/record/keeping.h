/* A mail's whole text on its way to the store. */
#ifndef RECORD_KEEPING_H
#define RECORD_KEEPING_H

#include "record/digest.h"
#include "record/headers.h"
#include "record/store.h"

/* One mail at a time; between two it keeps its memory. */
struct keeping;
struct keeping *keeping_new(void);
/* Drops what is in it. */
void keeping_free(struct keeping **k);
/* A message begins; nothing is in `k`. `store` and `methods`, of SHA-256, are borrowed until it is settled or
 * dropped. */
void keeping_begin(struct keeping *k, const struct part_store *store, const struct digest_methods *methods);
/* Its next bytes. Over the store's limit, and where they cannot be written, it is dropped. */
void keeping_add(struct keeping *k, struct slice bytes);
/* Of no more use: its file is gone. Does nothing where none is open. */
void keeping_drop(struct keeping *k);
/* The mail of `d` is over: where its message is in `k`, and is not empty, d->t.stored is set, with its name
 * as a text of the draft, and who hears the record decides on the file. */
void keeping_settle(struct keeping *k, struct draft *d);

#endif
