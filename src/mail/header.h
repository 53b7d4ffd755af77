/* Header values of a mail: encoded words, parameters. Pure; input is one unfolded value. */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "mail/charset.h"

/* Adds the readable form of `value` to `out`: RFC 2047 encoded words decoded (blanks between two of them
 * dropped, a character split over two adjacent words of one charset joined), raw 8-bit bytes taken as UTF-8
 * or else windows-1252. Always valid UTF-8. Linear in the input. */
void header_text(struct charsets *cs, struct slice value, struct buf *out);

/* A value with parameters (RFC 2045 5.1, RFC 2231): "attachment; filename=x". */
struct header_params {
    struct slice value; /* before the first ';' outside of comments, trimmed; inside the input */
    struct slice rest;  /* from there on */
};
struct header_params header_params(struct slice value);
/* A parameter in all ways that it is given. */
struct header_given {
    struct slice name;                   /* the caller's: any case, no '*' in it */
    struct slice params;                 /* among which it was looked for */
    struct slice extended, plain, again; /* as written, without quotes; NULL where it is not given so */
    bool plain_quoted, again_quoted, sections;
};
/* Looks for some at once, whose `name` alone is set; the rest is 0. What is found lies inside of `params`. */
void header_find(struct slice params, struct header_given *given, size_t count);
/* Adds the parameter to `out` as UTF-8: plain, quoted, RFC 2231 extended and continued (name*, name*0,
 * name*0*), and encoded words inside, as mailers write them. False: it is not there. Extended wins over
 * continued, that over plain; of two of one kind the first wins. Stray blanks around '=', missing closing
 * quotes, a missing first semicolon and missing or misordered sections are tolerated. Where it is given in a
 * second way that reads otherwise, that goes to `other`, which is empty before, or NULL. */
bool header_given_text(struct charsets *cs, const struct header_given *g, struct buf *out, struct buf *other);
/* The same, undecoded bytes, plain before continued; unquoted it ends at a blank: for boundaries. */
bool header_given_raw(const struct header_given *g, struct buf *out, struct buf *other);
/* The form of it that header_given_text takes, as it is written: without quotes, sections joined, nothing
 * decoded. */
void header_given_written(const struct header_given *g, struct buf *out);
/* The first two for one parameter, without `other`. */
bool header_param(struct charsets *cs, struct slice params, const char *name, struct buf *out);
bool header_param_raw(struct slice params, const char *name, struct buf *out);

#endif
