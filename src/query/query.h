/* The query language: a text to a tree, which any store may answer. docs/query.md is its manual. */
#ifndef QUERY_QUERY_H
#define QUERY_QUERY_H

#include <time.h>
#include "base/buf.h"
#include "base/net.h"

enum {
    QUERY_BYTES = 8192, /* the longest text */
    QUERY_TERMS = 100,
    QUERY_DEPTH =
        20, /* parentheses and negations in each other; the stack of SQLite's parser has 100 places */
};

/* The streams of records, as a set. */
enum query_stream {
    QUERY_SMTP = 1,
    QUERY_SESSION = 2,
    QUERY_NOTICE = 4,
    QUERY_SOFTWARE = 8,
    QUERY_STATS = 16,
    QUERY_ENTRY = 32,
    QUERY_ALL = 63
};

/* What a field's value is, and so how it is compared. */
enum query_kind {
    QUERY_WORDS,   /* text: words in it, one after another */
    QUERY_MAIL,    /* mail addresses: words in them and in the names beside; whole where the value has an @ */
    QUERY_NAME,    /* all of it, whatever the case */
    QUERY_MSGID,   /* the same, with or without angle brackets */
    QUERY_CHOICE,  /* one of the words of the table */
    QUERY_DOMAIN,  /* that domain, or one below it */
    QUERY_NET,     /* address or network */
    QUERY_HOST,    /* address or network, else words of a name */
    QUERY_NUMBER,  /* a count */
    QUERY_SIZE,    /* bytes: 10M, 10MiB */
    QUERY_SECONDS, /* 5m, 1.5 s */
    QUERY_TIME,    /* 7d ago, a date, RFC 3339, epoch seconds */
    QUERY_BOOL,    /* yes, no */
    QUERY_HAS,     /* name of a field */
    QUERY_ID,
};

enum query_field_index {
#define QUERY_FIELD(id, name, aliases, kind, streams, doc, example) QUERY_FIELD_##id,
#include "query/query.def"
#undef QUERY_FIELD
    QUERY_FIELDS
};

struct query_field {
    const char *name;
    const char *aliases; /* between blanks; "": none */
    enum query_kind kind;
    unsigned streams; /* enum query_stream */
    const char *doc, *example;
};

extern const struct query_field query_fields[QUERY_FIELDS];
/* Word `i` of a field of kind CHOICE; NULL behind the last, and of other fields. */
const char *query_choice(enum query_field_index field, size_t i);
/* In English, for people: "words", "address or network". */
const char *query_kind_name(enum query_kind kind);
/* The first of a set of streams, by the name that `mailtap query --stream` takes. */
const char *query_stream_name(unsigned streams);

/* How a term's value is compared. All texts ignore the case of ASCII letters. */
enum query_match {
    QUERY_IS_THERE,  /* there is a value */
    QUERY_HAS_WORDS, /* the words of `text` stand in it one after another */
    QUERY_HAS_START, /* the same, and the last may be the start of a word */
    QUERY_EQUALS,    /* it is `text` */
    QUERY_LIKE,      /* it is `text`, in which each * stands for anything, and nothing else is special */
    QUERY_BELOW,     /* it is the domain `text`, or one below it */
    QUERY_INSIDE,    /* it is in `network` */
    QUERY_COMPARES,  /* `number` (kind SECONDS: `seconds`), by `compare` */
    QUERY_IS_TRUE,
    QUERY_IS_FALSE,
    QUERY_NOTICED, /* a notice is about it */
};

enum query_compare { QUERY_EQ, QUERY_GT, QUERY_GE, QUERY_LT, QUERY_LE };

struct query_term {
    enum query_field_index field;
    enum query_match match;
    enum query_compare compare;
    int64_t number; /* a count, bytes, an id; kind TIME: microseconds since the epoch */
    double seconds;
    struct slice text; /* valid UTF-8 without NUL, not empty */
    struct network network;
};

enum query_node_kind { QUERY_AND, QUERY_OR, QUERY_NOT, QUERY_TERM };

struct query_node {
    enum query_node_kind kind;
    struct query_node *first, *next; /* its parts (two or more; NOT: one), and the next part of its parent */
    struct query_term term;          /* TERM */
    uint32_t at, len;                /* of a term: bytes of the text that it came from */
};

struct query {
    const struct query_node *root; /* NULL: everything is wanted */
    size_t terms;
};

struct query_options {
    unsigned streams;    /* those that it is for: a field that none of them has is an error */
    struct timespec now; /* what 7d is before */
};

/* What is wrong: a sentence for a person, the bytes of the text that it is about, and the name that was
 * likely meant ("": none). */
struct query_error {
    char text[256];
    size_t at, len;
    char nearest[64];
};

/* 0 and a tree, which lives on its own until query_free; -EINVAL and *reterr. An empty text asks for
 * everything. Time is linear in the text. */
int query_parse(struct slice text, const struct query_options *opt, struct query **ret,
                struct query_error *reterr);
void query_free(struct query **q);
/* Adds the query in its plainest form: it parses to the same tree. Times are absolute in it. */
void query_print(const struct query *q, struct buf *out);
/* Adds a value so that behind a field's name it is taken as it is: in quotes where it needs them. */
void query_value_print(struct slice value, struct buf *out);
/* The field of that name or other name, in any of the streams; or QUERY_FIELDS. */
enum query_field_index query_field_find(struct slice name, unsigned streams);
/* Reads a point in time as since: does ("7d", "2026-11-23", RFC 3339, epoch seconds): microseconds since the
 * epoch. For parameters of the same form elsewhere. */
bool query_time_parse(struct slice text, struct timespec now, int64_t *ret);

#endif
