/* Delivers notices by email and by webhook, off the packet path: a process of its own, started first of all,
 * holds what talks to a network or runs a program. The sensor hands it notices through a socket and never
 * waits for it, except in courier_close. One thread at a time may use a struct courier. */
#ifndef COURIER_COURIER_H
#define COURIER_COURIER_H

#include <sys/types.h>
#include "base/error.h"
#include "base/slice.h"

/* What to do with a notice; bits. */
enum { COURIER_EMAIL = 1, COURIER_WEBHOOK = 2 };

/* All texts are the caller's and need to live only until courier_start returns. */
struct courier_settings {
    const char
        *email_server;      /* smtp://host[:port], smtps://host[:port] or sendmail:/path; NULL or "": none */
    const char *email_from; /* a bare address, of the envelope and of From */
    const char *const *email_to; /* bare addresses */
    size_t email_to_count;
    const char *email_user, *email_password_file; /* both or none; the file's first line is the password */
    double email_interval; /* seconds from one mail to the next. What comes after a quiet interval goes out
                              at once, what comes within one goes out in one mail at its end: a digest */
    uint64_t email_rate;   /* mails an hour at most, 0: as many as there are; what is over it waits. The last
                              one is kept for courier_close, so that nothing is stranded there */
    const char *webhook_url;        /* http://... or https://..., NULL or "": none */
    double retry_first, retry_most; /* seconds from a failure to the next try: doubled from the first to the
                                       most, give or take a quarter */
    double timeout;                 /* seconds that one delivery may take */
    size_t spool_bytes;             /* what waits for one target; over it the newest notice is lost */
    const char *spool_directory;    /* where it survives the end of the program; NULL or "": nowhere */
    double courier_wait;            /* seconds that courier_close may take */
    uid_t owner; /* whom the spool directory belongs to, where root starts what `begin` makes that user; else
                    0 */
    void (*begin)(void *ctx); /* called first of all in the new process, to give up rights; or NULL */
    void *begin_ctx;
};

/* Of one target, in notices: pushed + found = delivered + lost + left. */
struct courier_tally {
    uint64_t pushed;
    uint64_t found;     /* in the spool directory, at the start */
    uint64_t delivered; /* the target took it */
    uint64_t lost;      /* over a bound, or without a spool directory at the end */
    uint64_t left;      /* on its way; after courier_close: in the spool directory */
};
struct courier_counts {
    struct courier_tally email, webhook;
};

struct courier;

/* Checks the settings, opens the spool directory and forks; to be called before anything else is opened and
 * before there are threads. Returns 0: *ret is the courier, or NULL where no target is set, which every
 * function below takes. Returns -errno: nothing was started, the text says why. May take ten seconds where
 * the courier of a program that was killed still finishes in the spool directory. */
int courier_start(const struct courier_settings *set, struct courier **ret, struct error *reterr);
/* The new process, for who limits whom this one may send signals; 0: there is none. */
pid_t courier_process(const struct courier *c);
/* Hands over a notice; never waits. `json` is the notice as one object without LF, `subject` a line for the
 * mail's Subject, `text` a paragraph for its body, lines with LF; all are copied. Actions whose target is not
 * set are nothing. */
void courier_push(struct courier *c, unsigned actions, struct slice json, struct slice subject,
                  struct slice text);
/* Hands over what the socket did not take before; never waits. For where no push comes for a while. */
void courier_poll(struct courier *c);
struct courier_counts courier_counts(const struct courier *c);
/* Lets the courier deliver what is left, for courier_wait at most, and ends it; says per target what became
 * of its notices on stderr. Sets *pc to NULL. Returns 0, or -EIO where the courier ended badly. */
int courier_close(struct courier **pc, struct courier_counts *ret);
/* True: the mail with this Message-ID and envelope sender is one that this courier sent, or an earlier one
 * with the same spool directory. Angle brackets around them do not matter. */
bool courier_is_own(const struct courier *c, struct slice message_id, struct slice envelope_from);

#endif
