/* What a mail is found by: the texts of its row in the full-text index `find`. Sessions and notices have a
 * row there too, whose key alone is filled, with what joins them to mails. */
#ifndef STORE_FIND_H
#define STORE_FIND_H

#include "record/record.h"
#include "sink/line.h"

/* The columns of `find`, in order. */
enum find_column {
    FIND_SUBJECT,
    FIND_SENDER, /* mailfrom, from, sender, reply_to, and their addresses where these are written otherwise */
    FIND_RECIPIENT, /* rcptto, to, cc, and the addresses of to, cc and bcc */
    FIND_FILE,      /* names of files and of their members */
    FIND_URL,       /* urls, what they lead to, the hosts of both */
    FIND_HOST,      /* helo, names of hops */
    FIND_TEXT,      /* replies, queue_id, msg_id, the user agent, tags, list.id, domains that signed */
    FIND_KEY,
    FIND_COLUMNS
};

/* Kinds of exact tokens in the column `key`; a token is 'k', the kind's letter, then the value: of a text its
 * ASCII letters and digits, small, up to FIND_VALUE of them. It narrows a search, which then looks at the
 * values themselves. */
enum find_kind {
    FIND_DISPOSITION = 'd',   /* kdrejected */
    FIND_COUNTRY = 'c',       /* of the origin: kcru */
    FIND_ASN = 'n',           /* of the origin: kn64500 */
    FIND_TLS = 't',           /* kt1, kt0 */
    FIND_UID = 'u',           /* of a mail */
    FIND_ANOMALY = 'a',       /* kacommandpipelined */
    FIND_CODE = 'r',          /* of the reply: kr550 */
    FIND_ENHANCED = 'e',      /* ke571 */
    FIND_CLIENT = 'i',        /* orig_h in hex, 8 or 32 digits: kic0000201, so that a network is a prefix */
    FIND_SERVER = 's',        /* resp_h */
    FIND_HOP = 'h',           /* both, and any address of path, hops and origin */
    FIND_HASH = 'x',          /* md5, sha1 and sha256 of files and parts */
    FIND_TYPE = 'y',          /* type and mime_type of files and parts */
    FIND_SENDER_DOMAIN = 'f', /* see find_key_domain */
    FIND_RECIPIENT_DOMAIN = 'g', /* the same */
    FIND_SENDER_AT = 'o',        /* see find_key_at */
    FIND_RECIPIENT_AT = 'l',     /* the same */
    FIND_HAS = 'b',            /* kbfile, kburl, kbanomaly, kbtag, kblist, kbdkim, kbencrypted: it has one */
    FIND_URL_DOMAIN = 'w',     /* the same, of the hosts of URLs */
    FIND_SIGNER = 'j',         /* the same, of DKIM signatures */
    FIND_SENSOR = 'm',         /* of a mail */
    FIND_SESSION_UID = 'q',    /* in the row of a session */
    FIND_SESSION_CLIENT = 'p', /* in the row of a session: orig_h */
    FIND_NOTICE_UID = 'v',     /* in the row of a notice */
    FIND_CUT = 'z' /* kzcut: a limit left something out, so this mail has to be looked at in any case */
};

enum { FIND_VALUE = 64, FIND_LABELS = 8 /* a domain has a token for so many of its ends */ };

/* Adds the token of a text; false: nothing is left of it, and nothing was added. */
bool find_key_text(enum find_kind kind, struct slice text, struct line *out);
/* The same of an address; `bits` is how many of it count: all of them, or a network's prefix, of which whole
 * hex digits are told. */
void find_key_address(enum find_kind kind, const struct address *a, unsigned bits, struct line *out);
/* A domain, and each of its parents that has a dot, a blank behind each: kfabexamplecom kfbexamplecom
 * kfexamplecom. False: it has more than FIND_LABELS of them, and the shortest ones are there. */
bool find_key_domains(enum find_kind kind, struct slice domain, struct line *out);
/* A domain alone, and so that nothing of it is lost but its case: what is no digit or letter, and z, as z and
 * two hex digits. False: it is longer than a token may be; nothing was added. */
bool find_key_at(enum find_kind kind, struct slice domain, struct line *out);
/* What is behind the last @, or nothing. */
struct slice find_domain(struct slice address);
/* Fills the texts of a mail, one behind the other in `out`; text i ends at ends[i]. Words beyond `most` bytes
 * are left out, and so are keys beyond as many; then FIND_CUT is among these. */
void find_texts(const struct transaction *mail, size_t most, struct line *out,
                size_t ends[static FIND_COLUMNS]);
/* The key of a session or a notice; false: it has none. */
bool find_keys(const struct record *rec, struct line *out);

#endif
