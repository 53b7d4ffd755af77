/* The parts of a mail, and its whole text in a store, as its record has them. */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

#include "record/envelope.h"

/* What an attached mail says of itself. */
struct attached {
    struct slice from, subject, msg_id;
};

/* Of an archive, or of TNEF. */
struct member {
    struct slice name;
    uint64_t size; /* 0: not known, or none */
    bool encrypted, archive;
    /* No fields of their own: where its header is in the archive, and that the directory has it. */
    bool listed;
    uint64_t offset;
};

struct member_list {
    struct member *items;
    size_t len, room;
};

/* A leaf part, or an attached mail. */
struct file {
    struct slice name; /* data is NULL where it has none */
    struct slice name_raw, type, mime_type, disposition, encoding;
    uint64_t size; /* decoded bytes */
    uint64_t part; /* its number in the mail */
    uint64_t depth;
    struct slice md5, sha1, sha256;
    struct interval entropy; /* bits per byte */
    struct text_list anomalies;
    struct attached attached;
    uint64_t stored; /* no field: its number in the store, see store.h; 0: it is in none */
    struct slice extracted;
    struct member_list members;
    bool encrypted, nested; /* some member is; is an archive itself */
};

/* A whole mail in the store, see store.h. */
struct stored_mail {
    uint64_t number; /* no field, nor is the next; 0: it is in none */
    uint64_t bytes;
    struct slice name; /* of the file that it is to be, then is */
};

/* Each once in a mail. */
struct url {
    struct slice url, host, host_unicode, unwrapped, unwrapped_host;
    struct slice source; /* "text" or "html" */
    struct slice text;   /* of a link that shows another host */
    uint64_t part;       /* in files, from 0 */
};

struct url_list {
    struct url *items;
    size_t len, room;
};

struct file_list {
    struct file *items;
    size_t len, room;
};

#endif
