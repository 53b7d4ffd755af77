/* What is answered: a status, headers, and a body, whole or in pieces. JSON is written by web/say.h, lists
 * by web/table.h. */
#ifndef WEB_ANSWER_H
#define WEB_ANSWER_H

#include "base/buf.h"

struct outlet;

enum { ANSWER_HEADERS = 8, ANSWER_VALUE = 192, ANSWER_DEPTH = 32 };
enum { ANSWER_BYTES = 64 << 20 }; /* of a whole one */

struct answer_header {
    const char *name; /* a literal */
    char value[ANSWER_VALUE];
};

struct answer {
    unsigned status;
    const char *type; /* media type, a literal; NULL: there is no body */
    struct buf body;
    size_t header_count;
    struct answer_header headers[ANSWER_HEADERS];
    uint64_t rows;      /* of a list, for the audit */
    bool own_note;      /* the notice that is written has a msg of ours, see redact.def */
    bool redacts;       /* the asker is not to see persons: json.h and table.h see to it */
    bool over;          /* it did not fit ANSWER_BYTES */
    struct outlet *out; /* where pieces go; NULL: it leaves as a whole */
    /* Of web/say.h: the objects and lists that are open. */
    unsigned depth;
    char closing[ANSWER_DEPTH];
    bool filled[ANSWER_DEPTH], key;
};

void answer_init(struct answer *a);
void answer_free(struct answer *a);
/* 204: done, nothing to say. */
void answer_nothing(struct answer *a);
/* Replaces all that was written by {"error":{"text":...}}; too late where pieces have gone out, which then
 * end amid the answer, so that nobody takes them for the whole. */
void answer_error(struct answer *a, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 400 of a query: where in it, in bytes, and the nearest right name (data NULL: none). */
void answer_query_error(struct answer *a, struct slice text, size_t at, size_t len, struct slice nearest);
/* Name is a literal; what would break a header line in the value is left out, and what is too long cut. */
void answer_header(struct answer *a, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* To be called now and then while a body grows: passes on what is there, where it leaves in pieces, and waits
 * for the client to take it. False: nobody wants the rest (the client has gone, the server ends, the answer
 * is too large); the handler should return. */
bool answer_flows(struct answer *a);

#endif
