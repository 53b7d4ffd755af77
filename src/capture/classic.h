/* Classic pcap as it is usually written: the packets behind the file's header. */
#ifndef CAPTURE_CLASSIC_H
#define CAPTURE_CLASSIC_H

#include "capture/source.h"
#include "capture/window.h"

enum { CLASSIC_HEADER = 24 };

struct classic {
    struct window *window;
    bool swap, nano;
    uint32_t snap_len;
    uint16_t link_type;
    char reason[80];
};

/* True: `first`, the file's beginning, is the header of a dialect that is read here. *ret then holds what it
 * says of numbers; window, link type and snap length are the caller's to fill in. */
bool classic_is(struct slice first, struct classic *ret);
/* The next packet, or the place where it is cut, is there. */
bool classic_is_ready(const struct classic *c);
/* As source_next_few. The window stands behind the file's header. The reason of an error is in c->reason. */
int classic_next(struct classic *c, struct packet *ret, int most);

#endif
