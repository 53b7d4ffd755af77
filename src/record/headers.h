/* The top header block of a mail into the fields of its record. */
#ifndef RECORD_HEADERS_H
#define RECORD_HEADERS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/text.h"
#include "record/builder.h"

/* What a reply answered. */
enum stage { STAGE_NONE, STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_CONTENT };

/* What decides on the mail, as far as is known: see outcome.c. */
struct ruling {
    enum stage stage;
    unsigned code;
    bool taken, refused; /* some recipient was; refused for good */
    bool ended_seen;     /* the message's end was */
    bool answered;       /* the message was */
    uint32_t own_next;   /* LMTP: the recipient whose reply comes next, or one behind it that was taken */
    struct timespec begun, ended; /* the message */
};

/* One mail under construction. Its texts live in `mem`. */
struct draft {
    struct draft *next;
    uint32_t number;     /* of the transaction in its session */
    uint16_t names_room; /* bytes behind the last of t.header_names that are for more of them */
    bool path_done;
    struct arena mem;
    struct transaction t;
    struct text *last_reply, *last_error; /* replaced by every reply, so outside of the arena */
    struct text *decision;                /* text of the reply that decides, so far */
    struct ruling ruling;
    struct mime *mime; /* while its text is read, as the next */
    struct parts *parts;
    struct keeping *keeping; /* keeping.h; NULL until one is wanted */
};

/* Adds one header field. `scratch` is working room, cleared here. */
void headers_take(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                  const struct mime_event *ev, struct buf *scratch);
/* Copies `text` into the draft as valid UTF-8; what does not fit sets flags.truncated. */
struct slice draft_text(struct draft *d, struct slice text, struct buf *scratch);
/* The same of text that is valid. */
struct slice draft_utf8(struct draft *d, struct slice text);
/* The same of a header value, decoded. */
struct slice draft_readable(struct draft *d, struct charsets *cs, struct slice value, struct buf *scratch);
/* The object that the pointer at `offset` of struct transaction is to; a new one of `size` bytes, all 0,
 * where there is none yet. NULL: there is no room. */
void *draft_apart(struct draft *d, size_t offset, size_t size);
/* Makes room in a full list whose items lie in the draft, up to `most`, by doubling. False: there is none,
 * and flags.truncated is set. The second one looks first whether it is full. */
bool draft_list_grow(struct draft *d, size_t most, void **items, size_t len, size_t *room, size_t size);
static inline bool draft_list_room(struct draft *d, size_t most, void **items, size_t len, size_t *room,
                                   size_t size)
{
    return len < *room || draft_list_grow(d, most, items, len, room, size);
}
/* Appends to a list of the draft, up to list_items; over it, flags.truncated is set, and the first one
 * returns false. */
bool draft_add_text(struct draft *d, const struct builder_settings *set, struct text_list *list,
                    struct slice text);
void draft_add_address(struct draft *d, const struct builder_settings *set, const struct address *a);
/* The next recipient; `addr` is a text of the draft. NULL where there is no room. */
struct recipient *draft_add_recipient(struct draft *d, const struct builder_settings *set, struct slice addr);
/* `text` is copied. */
void draft_add_anomaly(struct draft *d, const struct builder_settings *set, const struct found_anomaly *a,
                       struct buf *scratch);
/* The same, but only the first of its kind, and none behind a gap, where it may be another mail's. */
void draft_note_anomaly(struct draft *d, const struct builder_settings *set, const struct found_anomaly *a,
                        struct buf *scratch);
void draft_add_file(struct draft *d, const struct builder_settings *set, const struct file *file);
/* A row more in a list of that form, zero, up to `most`, to be filled in; `size` is that of a row. NULL where
 * there is no room, then flags.truncated is set. Those before it may have moved. */
void *draft_add_row(struct draft *d, size_t most, struct object_list *list, size_t size);
/* A new one, up to hop_items, to be filled in; NULL where there is no room. Those before it may have moved.
 */
struct hop *draft_add_hop(struct draft *d, const struct builder_settings *set);

#endif
