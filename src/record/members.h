/* What an attached archive or TNEF file has in it, for the row of its part. */
#ifndef RECORD_MEMBERS_H
#define RECORD_MEMBERS_H

#include "mail/tnef.h"
#include "mail/zip.h"
#include "record/headers.h"

struct spares;

/* Of the part that is read. */
struct members {
    struct member_list list;
    size_t first;    /* of the archive that is read: there may be several in one file */
    size_t left_out; /* members of it that are not in the list */
    bool encrypted, nested, lost, directory, told;
};

/* `at`: place of the part's first byte in the mail. */
void members_zip(struct members *m, struct draft *d, struct spares *with, const struct zip_event *ev,
                 uint64_t at);
void members_tnef(struct members *m, struct draft *d, struct spares *with, const struct tnef_file *file);

#endif
