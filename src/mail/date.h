/* The date of a mail's header. */
#ifndef MAIL_DATE_H
#define MAIL_DATE_H

#include "base/slice.h"

/* Reads "Mon, 1 Jan 2024 00:00:00 +0100 (CET)" (RFC 5322 3.3 and 4.3) into seconds since 1970. The day's
 * name, its comma and the seconds may be missing; years of two or three digits and zones by letters are
 * known. False: it is none, or its zone is not known; *ret is untouched. Linear. */
bool date_parse(struct slice text, int64_t *ret);

#endif
