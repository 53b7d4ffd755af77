/* Who asked what: a line of JSON each. Safe from several threads. */
#ifndef WEB_AUDIT_H
#define WEB_AUDIT_H

#include "base/error.h"
#include "base/slice.h"

struct audit;

enum { AUDIT_MORE = 32 };

struct audit_line {
    const char *user; /* NULL: nobody */
    const char *address, *method;
    struct slice path, query; /* query: the parameter q; data NULL: none */
    /* The other parameters that were given: names, as they stand in the line, and texts. */
    struct {
        const char *name;
        struct slice text;
    } more[AUDIT_MORE];
    size_t more_count;
    unsigned status;
    uint64_t rows;
    double seconds;
};

/* Opens the file to append to. 0, or -errno with a text. */
int audit_open(const char *path, struct audit **ret, struct error *reterr);
void audit_close(struct audit *a); /* NULL is fine, and so for the others: then nothing is done */
/* In one write. What cannot be written is said once on standard error, until it can again. */
void audit_write(struct audit *a, const struct audit_line *line);
/* After the file was moved away: opens a new one. Where that fails, says so and goes on with the old one. */
void audit_reopen(struct audit *a);

#endif
