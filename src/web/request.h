/* What was asked: the parameters by the table of route.def, checked and decoded, and who asks. Handlers read
 * it; server.c fills it. */
#ifndef WEB_REQUEST_H
#define WEB_REQUEST_H

#include "base/buf.h"
#include "base/error.h"
#include "base/net.h"
#include "web/role.h"

struct web_settings;
struct reader;
struct route;
struct web;

enum { REQUEST_URI = 32768, REQUEST_BODY = 16384 };

/* PARAM_q, PARAM_since ... */
enum param {
#define PARAMETER(name, kind, choices, doc) PARAM_##name,
#include "web/route.def"
    PARAM_COUNT
};

enum param_kind {
    PARAM_IS_TEXT,
    PARAM_IS_NUMBER, /* a count */
    PARAM_IS_ID,     /* of a record, decimal */
    PARAM_IS_TIME,   /* epoch seconds, RFC 3339, or so long ago: 7d */
    PARAM_IS_CHOICE, /* one of `choices`, which stand between blanks */
    PARAM_IS_NAMES   /* texts between commas */
};

struct param_row {
    const char *name;
    enum param_kind kind;
    const char *choices, *doc;
};
extern const struct param_row param_table[PARAM_COUNT];

struct param_value {
    bool given;
    struct slice text; /* decoded, valid UTF-8 without NUL; lives as long as the request */
    uint64_t number;   /* of a number or an id; of a choice: its place in the list, from 0 */
    double seconds;    /* of a time: since the epoch */
};

/* What a handler knows. The reader is its thread's own for this call. */
struct request {
    const struct route *route;
    const struct web_settings *set;
    struct param_value values[PARAM_COUNT];
    const char *user; /* NULL: nobody logs in here */
    enum role role;
    struct web *web;       /* for what the server says and does of itself */
    struct address from;   /* of the client */
    struct slice cookie;   /* of its session; data NULL: none */
    const char *csrf;      /* what X-CSRF-Token of this user must be */
    struct reader *reader; /* of the store; NULL where the route asks no store */
    double deadline;       /* on now_monotonic(): when a question should end, incomplete if need be */
    struct buf texts;      /* owns what is decoded */
};

/* What was wrong with a request, for an answer. */
struct refusal {
    unsigned status;
    struct error text;
};

void request_init(struct request *r);
void request_free(struct request *r);
/* Takes `query` (what stands behind the '?', undecoded) apart by the route's table: percent signs are decoded
 * once, '+' is a blank, no parameter comes twice, an unknown one is refused and the nearest named. False:
 * *reterr has the status and the text. Times that are relative count from `now`. */
bool request_take_query(struct request *r, struct slice query, double now, struct refusal *reterr);
/* The same of a JSON object whose members are texts, numbers or null, which counts as not given. */
bool request_take_body(struct request *r, struct slice body, double now, struct refusal *reterr);
/* Sets what {name} of the route's path stands for, undecoded. */
bool request_take_path(struct request *r, enum param which, struct slice text, double now,
                       struct refusal *reterr);
/* Percent signs decoded into `out`; valid UTF-8 without NUL. False: it is not. */
bool request_decode(struct slice text, bool plus_is_blank, struct buf *out);

static inline bool request_has(const struct request *r, enum param p)
{
    return r->values[p].given;
}
/* data is NULL where it was not given. */
static inline struct slice request_text(const struct request *r, enum param p)
{
    return r->values[p].text;
}
static inline uint64_t request_number(const struct request *r, enum param p, uint64_t otherwise)
{
    return r->values[p].given ? r->values[p].number : otherwise;
}
static inline double request_time(const struct request *r, enum param p, double otherwise)
{
    return r->values[p].given ? r->values[p].seconds : otherwise;
}
/* limit, within web_page_rows. */
uint64_t request_limit(const struct request *r, uint64_t otherwise);
/* The names of a list one after the other: false where there is none left. *at begins as 0. */
bool request_name(struct slice list, size_t *at, struct slice *ret);

#endif
