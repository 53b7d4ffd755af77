/* The parts of a mail, as its record has them. */
#ifndef RECORD_FILE_H
#define RECORD_FILE_H

#include "record/envelope.h"

/* What an attached mail says of itself. */
struct attached {
    struct slice from, subject, msg_id;
};

/* A leaf part, or an attached mail. */
struct file {
    struct slice name; /* data is NULL where it has none */
    struct slice name_raw, type, mime_type, disposition, encoding;
    uint64_t size; /* decoded bytes */
    uint64_t depth;
    struct slice md5, sha1, sha256;
    struct interval entropy; /* bits per byte */
    struct text_list anomalies;
    struct attached attached;
};

struct file_list {
    struct file *items;
    size_t len, room;
};

#endif
