/* Parts of mails, and mails, as files, each under the SHA-256 of its bytes. Fronts write them under names for
 * the time being; the back, which has the records in their order, decides which of them stay, so that it does
 * not matter how many fronts there are. */
#ifndef EXTRACT_H
#define EXTRACT_H

#include "record/record.h"
#include "record/store.h"
#include "settings.h"

/* As setting extract counts them. */
enum extract_mode { EXTRACT_FILES, EXTRACT_MAILS, EXTRACT_ALL };

struct extract_counts {
    uint64_t written; /* files that are there now and were not before */
    uint64_t over;    /* that a limit kept out */
    uint64_t failed;  /* that could not be written */
};

struct extract;

/* Opens the folder of `set`, and makes it where it is not there; *ret is NULL where none is set. -errno with
 * a text. */
int extract_open(const struct settings *set, struct extract **ret, struct error *reterr);
/* For the fronts; lives as long. NULL of NULL. */
const struct part_store *extract_store(const struct extract *e);
/* The next record: its files get their names, or are dropped. */
void extract_record(struct extract *e, struct record *rec);
struct extract_counts extract_counts(const struct extract *e);
/* After all fronts; drops what no record came for. */
void extract_close(struct extract **e);

#endif
