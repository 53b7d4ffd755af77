/* What the people who watch a store decide of its notices: which are dealt with, which nobody wants to see,
 * and who said so when. It lives beside the days, in DIR/page.sqlite, which nobody else writes. */
#ifndef STORE_MARKS_H
#define STORE_MARKS_H

#include "base/error.h"
#include "base/slice.h"

enum {
    MARKS_TEXT = 500,    /* bytes of a name, an identifier, a host */
    MARKS_REMARK = 2000, /* of a remark */
    MARKS_MUTES = 1000,  /* mutes at a time */
    MARKS_KEPT = 100000  /* acknowledgements, and what happened: beyond it the oldest go */
};

struct marks;

/* Opens a folder's marks. To read: where there are none yet, none are found. To write: the file is made where
 * it is not there. `directory` "" is no folder: none are found, and none can be kept (-EROFS). 0, or -errno
 * with a text: -EROFS, -EACCES, -EPERM, where the folder cannot be written; -EPROTO, where a newer program
 * made it. A struct marks is for one thread at a time. */
int marks_open(const char *directory, bool write, struct marks **ret, struct error *reterr);
void marks_close(struct marks **m);

enum mark_state { MARK_OPEN, MARK_ACKNOWLEDGED, MARK_MUTED, MARK_STATES };
/* "open" and so on: constants. */
const char *mark_state_name(enum mark_state s);

/* What of a notice decides; slices without data are absent. */
struct marked {
    int64_t id, micros; /* when it was */
    struct slice note, identifier, host;
};
/* Texts live until the next call with the same marks. */
struct mark {
    enum mark_state state;
    int64_t at; /* microseconds; 0: open */
    struct slice by, remark;
    int64_t mute; /* the id of the mute; 0: none */
};
/* Acknowledged counts before muted. A mute hides what happened before its end, also what came before it was
 * made. 0 or -errno. */
int marks_state(struct marks *m, const struct marked *notice, struct mark *ret, struct error *reterr);

/* Who does it, when (microseconds), and why; data NULL: nobody, nothing. Longer texts than the limits are the
 * caller's to refuse. */
struct mark_act {
    struct slice by, remark;
    int64_t at;
};
/* Acknowledges a notice, or says so again with another remark. 0 or -errno. */
int marks_acknowledge(struct marks *m, int64_t notice, const struct mark_act *act, struct error *reterr);
/* 0, or -ENOENT: it was not acknowledged. */
int marks_reopen(struct marks *m, int64_t notice, const struct mark_act *act, struct error *reterr);

/* Notices of that kind, with that identifier or about that host; of both none: all of the kind. No kind: all
 * about that host, which is there then. */
struct mute {
    int64_t id; /* of a new one: not looked at */
    struct slice note, identifier, host;
    int64_t until; /* microseconds; 0: for good */
    struct mark_act act;
};
/* 0 and its id, or -ENOSPC: there are MARKS_MUTES. */
int marks_mute(struct marks *m, const struct mute *mute, int64_t *ret, struct error *reterr);
/* 0, or -ENOENT: there is no such mute. */
int marks_unmute(struct marks *m, int64_t id, const struct mark_act *act, struct error *reterr);
/* All mutes, newest first; texts live until it returns. */
typedef void marks_mute_fn(void *ctx, const struct mute *mute);
int marks_mutes(struct marks *m, marks_mute_fn *each, void *ctx, struct error *reterr);

/* What happened to one notice, newest first: "acknowledged", "reopened", and the mutes that fit it. */
typedef void marks_event_fn(void *ctx, const char *what, const struct mark_act *act);
int marks_history(struct marks *m, const struct marked *notice, marks_event_fn *each, void *ctx,
                  struct error *reterr);

#endif
