/* clock.c: packet time.
 * In: times of packets. Out: the time, what is to be done at it. Owns: nothing. Knowingly: of packet times
 * that run backwards the largest stands, until BACK packets in a row are long behind it. */
#include "flow/clock.h"

#include "base/now.h"

enum { BACK = 100 };
static const double TIDY_SECONDS = 0.01; /* time-outs need be no finer */

/* A file of an earlier day follows: nothing of what is known can go on in it. */
static bool was_set_back(struct flow_clock *c, double behind)
{
    if (behind < c->back_after) {
        c->behind = 0;
        return false;
    }
    if (++c->behind < BACK)
        return false;
    c->behind = 0;
    return true;
}

struct flow_moment flow_clock_advance(struct flow_clock *c, struct timespec ts)
{
    struct timespec now = c->now;
    unsigned step = 0;
    c->number++;
    if (time_is_later(ts, now)) {
        c->behind = 0;
        c->now = now = ts;
    } else if (time_is_later(now, ts) && was_set_back(c, seconds_between(ts, now))) {
        c->now = c->tidied = now = ts;
        step = FLOW_STEP_BACK;
    }
    if (seconds_between(c->tidied, now) >= TIDY_SECONDS) {
        c->tidied = now;
        step |= FLOW_STEP_TIDY;
    }
    return (struct flow_moment){now, c->number, step};
}
