/* What a server says of each record of a _bulk request. */
#ifndef CARRIER_BULK_ANSWER_H
#define CARRIER_BULK_ANSWER_H

#include "base/slice.h"

struct bulk_item {
    unsigned status;           /* as of HTTP; 0: it does not say */
    struct slice type, reason; /* of an error, without quotes, escapes as they are */
};

/* Tells of the items in their order, which is that of the request's actions. False: it is no such answer, or
 * is cut; then `take` may have heard some. */
bool bulk_answer(struct slice answer, void (*take)(void *ctx, const struct bulk_item *item), void *ctx);
/* The reason of an error of the whole request, or of an item; empty: there is none. */
struct slice bulk_reason(struct slice answer);

#endif
