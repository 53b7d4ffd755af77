/* What a zip archive has in it, by its headers alone: also of documents and programs that are zip archives
 * (docx, odt, jar, apk). By push; nothing is inflated. Pure. */
#ifndef MAIL_ZIP_H
#define MAIL_ZIP_H

#include "mail/pull.h"

enum zip_kind {
    ZIP_LOCAL,   /* the header before a member's bytes */
    ZIP_SIZE,    /* of the last member: its size stands behind its bytes */
    ZIP_CENTRAL, /* its entry in the directory */
    ZIP_END,     /* the directory is over */
};

struct zip_event {
    enum zip_kind kind;
    struct slice name; /* as written */
    bool utf8; /* the archive says that it is UTF-8; else it is code page 437, or what its writer used */
    bool encrypted;
    bool known;      /* `size` is: it is not where it stands behind the member */
    uint64_t size;   /* before it was compressed */
    uint64_t offset; /* LOCAL: where this header is. CENTRAL: where it says that it is */
    bool lost;       /* members before this one may not have been found */
};
typedef void zip_fn(void *ctx, const struct zip_event *ev); /* slices die on return */

enum { ZIP_NAME = 1024, ZIP_EXTRA = 512 };

struct zip {
    zip_fn *fn;
    void *ctx;
    struct pull pull;
    struct buf name, extra;
    uint8_t state, matched;
    bool central, descriptor, lost, scanned, doubted;
    struct zip_event member;
    uint64_t packed, begin, header_at; /* bytes of the member, where they begin; where its header does */
    uint32_t name_len, extra_len, comment_len, first_name;
    bool has_first;
};

/* `fn` and `ctx` are borrowed and outlive it. What stands before the first member is passed over. */
void zip_init(struct zip *z, zip_fn *fn, void *ctx);
/* Starts over with another archive. */
void zip_begin(struct zip *z);
/* Any split gives the same events. */
void zip_feed(struct zip *z, struct slice bytes);
void zip_free(struct zip *z);
/* Adds a name as UTF-8. */
void zip_name(struct slice name, bool utf8, struct buf *out);
/* Does a name say that it is an archive itself? */
bool zip_is_archive(struct slice name);

#endif
