/* Records to where others keep them: a bus, a column store, a log. What is to go there waits in an outbox on
 * disk; a process of its own, started first of all, carries it away, and takes a batch out only once the
 * other side has it. The sensor never waits for it, except in carrier_close. */
#ifndef CARRIER_CARRIER_H
#define CARRIER_CARRIER_H

#include <stdatomic.h>
#include <sys/types.h>
#include "base/error.h"
#include "base/slice.h"
#include "carrier/format.h"

struct carrier_ops;

struct carrier_settings {
    const char *url;                  /* nats://host:4222/stream */
    const char *outbox;               /* the folder of this one alone */
    const char *sensor;               /* our name, the first half of a batch's id */
    uint64_t outbox_bytes;            /* what may wait there; over it the newest is lost, and counted */
    bool sync;                        /* a batch is kept once the disk has it */
    uint64_t batch_bytes;             /* of one batch */
    uint64_t group_bytes;             /* of batches that wait and go together, where that is cheaper */
    double batch_wait;                /* seconds until one goes, though it is not full */
    double timeout;                   /* seconds for one batch to be taken */
    double wait_most;                 /* seconds that carrier_close may take for what is left */
    const char *user, *password_file; /* or NULL: nobody logs in */
    const char *ca_file;              /* who is believed beside the system's; NULL: nobody */
    /* By whom we show who we are, PEM, the key's behind it where that file is NULL; or NULL. Read before
     * rights are given up; the texts are there in the carrier's process alone. */
    const char *cert_file, *key_file, *certificate, *key;
    enum carry_format format; /* of the lines that are put there; CARRY_AUTO: what the ops has as its own */
    struct carrier_syslog {
        unsigned facility, severity, notice_severity; /* numbers of RFC 5424 */
        bool lines;                                   /* LF behind each message, not its length before it */
        uint64_t bytes;                               /* of one message, at most */
    } syslog;
    uid_t owner; /* whom the outbox belongs to, where root starts what `begin` makes that user; else 0 */
    void (*begin)(void *ctx); /* called first of all in the new process, to become another user; or NULL */
    void *begin_ctx;
    /* Called in the new process once it has nothing of the sensor's any more, and no thread: to give up what
     * carrying does not need. 0, or -errno with a text: then it ends. NULL: nothing is given up. */
    int (*confine)(const struct carrier_ops *ops, const struct carrier_settings *set, struct error *reterr);
};

/* One batch, as who carries it sees it. */
struct carrier_batch {
    const char *id;     /* the same whenever these lines are tried again, and never that of others; letters,
                           digits, dots and hyphens of a host's name, at most 100 */
    struct slice lines; /* JSON objects, each with LF */
    size_t count;
    /* Puts one of them aside that the other side will never take, with why; once for each, by who then
     * returns CARRIED for the batch. Counted as refused. */
    void (*refuse)(void *ctx, struct slice line, const char *why);
    void *ctx;
};

enum carried {
    CARRIED,       /* the other side has it, for good */
    CARRY_AGAIN,   /* not now: it is not there, too slow, or says so */
    CARRY_REFUSED, /* never: it refuses these lines, whatever happens */
};

/* A kind of destination. */
struct carrier_ops {
    const char *scheme, *summary;
    /* Before anything is started. 0, or -EINVAL with what is wrong with the URL. */
    int (*check)(const struct carrier_settings *set, struct error *reterr);
    /* In the carrier's process. Whether the other side can be reached is no matter. 0 or -errno. */
    int (*open)(const struct carrier_settings *set, const char *password, void **ret, struct error *reterr);
    /* With a text where it is not CARRIED. Takes set->timeout at most. */
    enum carried (*send)(void *ctx, const struct carrier_batch *batch, struct error *reterr);
    void (*close)(void *ctx);
    /* Where the URL names none. 0: the other side may send us to hosts and ports that are not in the URL. */
    uint16_t port;
    bool rereads;             /* the password's file is opened for each connection, too */
    enum carry_format format; /* what it gets where nobody says; CARRY_AUTO: JSON as -f json */
    bool json_only;
    /* What waits may go together, as one batch of group_bytes at most, under the id of its first, which need
     * not be the same when it is tried again. Called before `send` with the lines that come behind those that
     * are sent now, or none; they live until the next call. NULL: batches go one by one. */
    void (*ahead)(void *ctx, struct slice lines);
};
extern const struct carrier_ops *const carrier_table[]; /* ends with NULL */
/* The row whose scheme stands before "://" there, or NULL. */
const struct carrier_ops *carrier_find(struct slice scheme);

/* The carrier process writes, the sensor reads. */
struct carrier_page {
    _Atomic uint64_t lines, batches; /* carried away */
    _Atomic uint64_t bytes;          /* of batches that are gone from the outbox */
    _Atomic uint64_t refused;        /* lines that were put aside */
    _Atomic uint32_t down;           /* it cannot be reached now */
};

struct carrier;

/* In what shape lines go there, where the setting carry_format is `given`; never CARRY_AUTO. */
enum carry_format carrier_format(const struct carrier_ops *ops, enum carry_format given);
enum { CARRIER_PASSWORD = 512 };
/* The first line of that file; 0, or -errno. Who has used it overwrites it. */
int carrier_password(const char *path, char ret[static CARRIER_PASSWORD], struct error *reterr);
/* Reads certificate and key of the settings' files into them, where there are such files. 0, or -errno. In
 * any case they are to be erased once they are used. */
int carrier_identity(struct carrier_settings *set, struct error *reterr);
void carrier_identity_erase(struct carrier_settings *set);
/* Opens the outbox of the settings, as their owner; its descriptor or -errno. */
int carrier_outbox(const struct carrier_settings *set, struct error *reterr);
/* 0, or -EINVAL: a user or password is in the URL, which the text does not repeat. */
int carrier_check_url(const struct carrier_ops *ops, const char *url, struct error *reterr);
/* Checks, makes the outbox and forks; before there are threads. 0, or -errno: nothing was started. */
int carrier_start(const struct carrier_ops *ops, const struct carrier_settings *set, struct carrier **ret,
                  struct error *reterr);
pid_t carrier_process(const struct carrier *c);
const struct carrier_settings *carrier_settings(const struct carrier *c);
const struct carrier_page *carrier_page(const struct carrier *c);
/* A batch is in the outbox; never waits. */
void carrier_wake(struct carrier *c);
/* Does its process live? The first false is said on standard error. */
bool carrier_lives(struct carrier *c);
/* No batch follows: it has wait_most from now on for what is left. Of several, all are told first. */
void carrier_end(struct carrier *c);
/* Waits for that, kills it where it takes longer (what it was at goes again in the next run, under the same
 * id), and says what is left. Counts stay. 0: nothing is left; -EAGAIN: something waits in the outbox for the
 * next run; -EIO: it ended badly. NULL is 0. */
int carrier_finish(struct carrier *c);
/* After carrier_finish, which it calls where that was not done. Nulls *c. Returns as that. */
int carrier_close(struct carrier **c);

#endif
