/* What the handlers of the API have in common. */
#ifndef WEB_API_H
#define WEB_API_H

#include "view/reader.h"
#include "view/sums.h"
#include "view/timeline.h"
#include "web/answer.h"
#include "web/request.h"
#include "web/table.h"

enum {
    API_ENOUGH = 2,      /* what a row's callback returns to end a question */
    API_KEYS = 200000,   /* of a table of sums: what is over it counts as others */
    API_LINE = 64 << 20, /* bytes of one record, as JSON */
    API_DAY = 86400      /* seconds */
};
#define API_SECOND INT64_C(1000000) /* an id's */

/* Microseconds: since <= id < until. */
struct api_span {
    int64_t since, until;
};
/* The time that a summary is of: up to `until`, else up to now, or to the end of the store's newest day where
 * that is over; from `since`, else `usual` seconds before its end. False: it is answered what is wrong with
 * it. */
bool api_span(const struct request *r, struct answer *a, int64_t usual, struct api_span *ret);
/* The bounds that since, until and before set to a question, where they are given. */
void api_bounds(const struct request *r, struct reader_question *q);

/* The query in q; NULL in *ret: there is none. False: it is answered what is wrong with it, or that its
 * fields are not for the asker. The caller frees it. */
bool api_query(const struct request *r, struct answer *a, unsigned streams, struct query **ret);
/* A query of ours, whose values came through api_term; the caller frees it. */
struct query *api_ask(const struct buf *text);
/* Adds field:"value" and a blank. */
void api_term(struct buf *text, const char *field, struct slice value);

/* Whether values of a field of queries tell of persons, so that those to whom records are redacted may
 * neither search nor count them. */
bool api_is_personal(enum query_field_index field);

/* The index of the stream's field of that name, which it has. */
size_t api_field(enum stream_index stream, const char *name);

/* 503: the store could not be read. */
void api_failed(struct answer *a, const struct error *err);
/* Members "complete" and, where a time budget ended it, "searched_to". */
void api_searched(const struct request *r, struct answer *a);
/* The same for what stands behind a table's rows. */
struct table_end api_end(const struct request *r);
/* The members of sums: mails, accepted, rejected, deferred, tls, recipients, bytes. */
void api_sums(struct answer *a, const struct sums *s);
void api_key_seconds(struct answer *a, const char *name, int64_t seconds);
/* The members of a timeline up to "series", whose object is open then; and one of these series. */
void api_times(struct answer *a, const struct timeline *t);
void api_series(struct answer *a, const struct timeline *t, const char *name, enum timeline_series which);

/* A text of the store as it is for this asker: what looks like an address loses its local part where needed.
 */

#endif
