/* gzip, piece by piece. */
#ifndef WEB_GZIP_H
#define WEB_GZIP_H

#include "base/buf.h"

struct gzip;

struct gzip *gzip_new(void);
/* Adds to `out` what of `bytes` comes out by now; all of it where it is the last piece. False: it did not
 * fit. */
bool gzip_add(struct gzip *g, struct slice bytes, bool last, struct buf *out);
void gzip_free(struct gzip *g); /* NULL is fine */
/* All at once. False: it did not become smaller, or did not fit. */
bool gzip_whole(struct slice bytes, struct buf *out);

#endif
