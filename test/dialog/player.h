/* Plays a dialogue into the parsers, and writes down what comes out. The one driver of the dialogue
 * tests. */
#ifndef TEST_DIALOG_PLAYER_H
#define TEST_DIALOG_PLAYER_H

#include "base/buf.h"
#include "base/net.h"

/* A span of wire positions that one transaction took, in the order of the dialogue's bytes. */
struct span {
    size_t from, to;
    bool done;
};

enum { PLAYER_MAILS = 64 };

struct player;

struct player *player_new(bool midstream);
struct smtp_limits;
/* `lim` is borrowed and outlives the player; NULL: those of player_new. */
struct player *player_new_limited(bool midstream, const struct smtp_limits *lim);
void player_feed(struct player *p, enum side side, struct slice bytes);
void player_gap(struct player *p, enum side side, uint64_t len);
/* Ends the connection. What the getters give is valid until player_free. */
void player_finish(struct player *p);
/* The events, a line each; message text that came in pieces is one event. */
struct slice player_events(struct player *p);
/* The records as JSON, a line each, without times. */
struct slice player_records(struct player *p);
/* Where in the fed bytes mail `number` (from 1) began and ended. */
const struct span *player_span(const struct player *p, uint32_t number);
/* Mails begun and ended; they must be the same after player_finish. */
void player_counts(const struct player *p, uint32_t *ret_begun, uint32_t *ret_ended);
void player_free(struct player **p);

#endif
