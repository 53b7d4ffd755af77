/* The way a mail came, out of its Received lines, as the ancestor built it. */
#ifndef RECORD_PATH_H
#define RECORD_PATH_H

#include "base/net.h"

enum path_capture { PATH_LOCAL, PATH_REMOTE, PATH_ALL, PATH_NONE };

struct path_settings {
    enum path_capture capture;
    const struct network *local_nets;
    size_t local_net_count;
};

/* The sending host's address in one Received value: looked for in its from clause; of two (the name it gave
 * and the one that was looked up) the second, unless that one follows "helo". Version numbers, ids and dates
 * are never taken; ::ffff:192.0.2.1 is 192.0.2.1. `ret_text` is it as written, inside `value`. False: none.
 */
bool path_received_address(struct slice value, struct address *ret, struct slice *ret_text);
/* Does the path go on below this hop? LOCAL: while hops are ours; REMOTE: until one is; private addresses
 * never end it. */
bool path_goes_on(const struct path_settings *set, const struct address *hop);
/* The first address anywhere in `value`. */
bool path_first_address(struct slice value, struct address *ret, struct slice *ret_text);

#endif
