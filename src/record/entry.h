/* A line that a script writes into a stream of its own. */
#ifndef RECORD_ENTRY_H
#define RECORD_ENTRY_H

#include "record/record.h"

enum { ENTRY_STREAM_NAME = 40, ENTRY_STREAMS = 16, ENTRY_PAIRS = 64 };

enum entry_kind { ENTRY_TEXT, ENTRY_INTEGER, ENTRY_NUMBER, ENTRY_BOOL, ENTRY_TEXTS };

struct entry_pair {
    struct slice name; /* letters, digits, '_' and '.', never "ts" or "_path" */
    enum entry_kind kind;
    union {
        struct slice text; /* valid UTF-8 */
        int64_t integer;
        double number; /* finite */
        bool boolean;
        struct text_list texts;
    };
};

/* All of it is borrowed from whoever writes it until that call returns. */
struct entry {
    struct timespec ts;
    struct slice stream; /* entry_name_fits() */
    const struct entry_pair *pairs;
    size_t count;
};

/* Puts the sensor's name behind its values, unless the script gives that name to something of its own. The
 * entry then has its values in `room`. */
void entry_name_sensor(struct entry *e, struct entry_pair room[static ENTRY_PAIRS + 1], struct slice sensor);
/* May a stream have that name? Small letters, digits and '_', a letter first, up to ENTRY_STREAM_NAME of
 * them, and none of mailtap's own. */
bool entry_name_fits(struct slice name);

#endif
