/* The table of everything that the API answers, out of route.def. */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include "web/answer.h"
#include "web/request.h"

enum method { METHOD_GET, METHOD_POST, METHOD_DELETE };

enum who {
    WHO_ANYBODY, /* without a log-in too */
    WHO_USERS,   /* whoever has logged in, or where nobody must */
    WHO_FULL     /* not those to whom records are redacted */
};

/* Which threads answer. */
enum desk_kind {
    DESK_NONE,      /* at once, by the thread that reads the request: what costs nothing */
    DESK_QUESTIONS, /* what asks the store */
    DESK_LOG_INS,   /* one thread for what is made to be slow */
    DESK_EXPORTS,   /* what is sent in pieces, as fast as the client takes it */
    DESKS
};

struct route {
    const char *name;
    enum method method;
    const char *path; /* behind /api/v1; at most one {parameter} */
    enum who who;
    enum desk_kind desk;
    uint64_t takes, body; /* parameters behind the '?', and members of a JSON body: 1 << PARAM_... */
    const char *schema;   /* of the answer, in schema.def; "": none */
    void (*handler)(const struct request *r, struct answer *a);
    const char *doc;
};

extern const struct route route_table[];
extern const size_t route_count;

#define ROUTE_API "/api/v1"

struct route_match {
    const struct route *route; /* NULL: none */
    struct slice part;         /* what {parameter} stands for, undecoded; data NULL: the path has none */
    enum param which;          /* that parameter */
    unsigned allowed;          /* where no route was found: 1 << METHOD_... of those of this path */
};

/* `path` stands behind /api/v1, undecoded. */
struct route_match route_find(enum method method, struct slice path);
const char *route_method(enum method method);
/* The nearest path that there is. */
const char *route_nearest(struct slice path);

#define ROUTE(name, method, path, who, desk, takes, body, schema, doc)                                       \
    void handle_##name(const struct request *r, struct answer *a);
#include "web/route.def"

#endif
