/* Block lists, and providers that refuse mail: rows of a file, and which of them a server's refusal speaks
 * of. The file (data/blocklists.yaml) says in its head how it is written and which row wins. */
#ifndef RULE_BLOCKLIST_H
#define RULE_BLOCKLIST_H

#include "base/error.h"
#include "base/slice.h"

enum blocklist_kind {
    BLOCKLIST_LISTED,         /* an address or domain of the sender's is on this list */
    BLOCKLIST_POLICY,         /* a rule of the receiver's that no list is behind */
    BLOCKLIST_RATE_LIMIT,     /* too much, too fast */
    BLOCKLIST_QUERY_FAILED,   /* the receiver's own query of the list went wrong: nobody is listed */
    BLOCKLIST_AUTHENTICATION, /* SPF, DKIM or DMARC */
    BLOCKLIST_KINDS,
};

struct blocklist {
    struct slice name;
    enum blocklist_kind kind;
    bool domains; /* domains and URLs are on it, so that an address beside its name is not */
    struct slice
        removal; /* page (http, https) or address (mailto) that takes off the list; empty: none known */
    struct slice retired; /* "2024-06-05", "2024-06" or "2024": in service no more since; empty: in service */
};

enum {
    BLOCKLISTS_FILE = 1 << 20,       /* bytes of a file */
    BLOCKLISTS_ROWS = 1000,          /* rows of a file */
    BLOCKLISTS_PATTERNS = 4000,      /* patterns of all its rows */
    BLOCKLISTS_PATTERN = 2000,       /* bytes of a pattern */
    BLOCKLISTS_NAME = 64,            /* bytes of a name */
    BLOCKLISTS_TEXT = 16384,         /* bytes of a reply that are looked at */
    BLOCKLISTS_MATCH_STEPS = 5000,   /* steps from one place of a text, for one pattern */
    BLOCKLISTS_MATCH_DEPTH = 1000,   /* places to go back to, of one pattern (without JIT) */
    BLOCKLISTS_MATCH_HEAP_KIB = 256, /* memory of one match (without JIT) */
};

struct blocklists_counts {
    uint64_t texts;   /* replies looked at */
    uint64_t matched; /* of these, those of which a row spoke */
    uint64_t cut;     /* replies longer than BLOCKLISTS_TEXT */
    uint64_t limits;  /* a pattern that was tried on a text and given up at one of the limits above */
};

struct blocklists;

/* Reads the rows of a file; NULL: those that were built in. -errno: the file cannot be read, or is not as it
 * should be; *reterr says where.
 */
int blocklists_open(const char *path, struct blocklists **ret, struct error *reterr);
/* The same lists for another thread, with counts of its own; for blocklists_close, in any order. */
struct blocklists *blocklists_share(const struct blocklists *b);
void blocklists_close(struct blocklists *b);
/* The row that speaks of this refusal, or NULL; it lives until all that share the lists are closed.
 * `reply_text`: all lines of one reply, joined by a blank, without the code in front of each. One thread at a
 * time. */
const struct blocklist *blocklists_match(struct blocklists *b, struct slice reply_text);
struct blocklists_counts blocklists_counts(const struct blocklists *b);
size_t blocklists_rows(const struct blocklists *b);
/* "listed", "policy", "rate_limit", "query_failed", "authentication". */
const char *blocklist_kind_name(enum blocklist_kind kind);

#endif
