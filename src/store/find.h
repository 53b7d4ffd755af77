/* What a mail is found by: the texts of its row in the full-text index `find`. */
#ifndef STORE_FIND_H
#define STORE_FIND_H

#include "record/record.h"
#include "sink/line.h"

/* The columns of `find`, in order. */
enum find_column {
    FIND_SUBJECT,
    FIND_SENDER,
    FIND_RECIPIENT,
    FIND_FILE,
    FIND_URL,
    FIND_HOST,
    FIND_TEXT,
    FIND_KEY,
    FIND_COLUMNS
};

/* Kinds of exact tokens in the column `key`; a token is 'k', the kind's letter, then the value in small
 * letters and digits. */
enum find_kind {
    FIND_DISPOSITION = 'd', /* kdrejected */
    FIND_COUNTRY = 'c',     /* of the origin: kcru */
    FIND_CLIENT = 'i',      /* orig_h in hex, 8 or 32 digits: kic0000201, so that a network is a prefix */
    FIND_SERVER = 's',      /* resp_h */
    FIND_HOP = 'h',         /* any address of path and hops */
    FIND_UID = 'u',         /* as hex of its bytes, as its letters differ by case */
    FIND_SHA256 = 'x',      /* of any part */
    FIND_TLS = 't',         /* kt1, kt0 */
    FIND_ANOMALY = 'a',     /* kacommandpipelined: its name without what is no letter or digit */
    FIND_ASN = 'n'          /* kn64500 */
};

/* Adds the token of a text, of which only letters and digits count; false: none is left of it. */
bool find_key_text(enum find_kind kind, struct slice text, struct line *out);
/* The same of an address; `bits` is how many of it count: all of them, or a network's prefix, of which whole
 * hex digits are told. */
void find_key_address(enum find_kind kind, const struct address *a, unsigned bits, struct line *out);
/* The same of bytes that are told apart by case, as hex. */
void find_key_bytes(enum find_kind kind, struct slice bytes, struct line *out);
/* Fills the texts of a mail, one behind the other in `out`; text i ends at ends[i]. */
void find_texts(const struct transaction *mail, struct line *out, size_t ends[static FIND_COLUMNS]);

#endif
