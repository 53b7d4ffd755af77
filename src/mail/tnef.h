/* What a TNEF file (winmail.dat) has in it: attached files, by name and size. By push. Pure. */
#ifndef MAIL_TNEF_H
#define MAIL_TNEF_H

#include "mail/pull.h"

struct tnef_file {
    struct slice name; /* UTF-8; empty where it has none */
    uint64_t size;
};
typedef void tnef_fn(void *ctx, const struct tnef_file *file); /* slices die on return */

enum { TNEF_NAME = 1024 };

struct tnef {
    tnef_fn *fn;
    void *ctx;
    struct pull pull;
    struct buf text;                   /* a property's value, as written */
    struct buf title, name, long_name; /* of the open attachment, UTF-8 */
    uint8_t state;
    bool open; /* an attachment is */
    uint32_t attribute, length;
    uint64_t left; /* of the attribute's value */
    uint32_t properties, values, type, id;
    uint64_t size;
};

/* `fn` and `ctx` are borrowed and outlive it. */
void tnef_init(struct tnef *t, tnef_fn *fn, void *ctx);
/* Starts over with another file. */
void tnef_begin(struct tnef *t);
/* Any split gives the same files. */
void tnef_feed(struct tnef *t, struct slice bytes);
/* The file is over: the last attachment is told. */
void tnef_end(struct tnef *t);
void tnef_free(struct tnef *t);

#endif
