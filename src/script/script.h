/* Lua scripts that hear what passes: docs/scripting.md tells what they can do. Each script file is a Lua
 * state of its own, which reaches neither files nor network and has a budget of instructions and memory. */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H

#include "base/country.h"
#include "mail/smtp.h"
#include "record/entry.h"
#include "record/notice.h"

struct script_limits {
    size_t memory_bytes; /* of one script */
    uint64_t steps;      /* Lua instructions of one call of a hook */
    uint32_t counters;   /* keys that all counters together may hold */
    size_t line_bytes;   /* of a line that on_data hears; what is longer is cut */
};

/* What the program does for scripts. Notices and entries are borrowed for the call. */
struct script_host {
    void (*notice)(void *ctx, struct notice *n);
    void (*entry)(void *ctx, struct entry *e);
    void (*complain)(void *ctx, const char *text); /* an error in a script: "FILE:LINE: ..." */
    void *ctx;
    struct countries *countries; /* for lookup(); or NULL */
    const struct network *local_nets;
    size_t local_net_count;
    struct counters
        *counters;  /* of all workers (script/counter.h), which outlives the scripts; NULL: their own */
    unsigned hooks; /* bits of enum script_hook: only these are heard; 0: all */
};

/* What an event of the dialogue belongs to. */
struct script_scene {
    const struct connection *id;
    const struct transaction *mail; /* as far as it is known; NULL: the session itself */
    bool (*tag)(void *ctx, uint32_t mail, struct slice tag);
    void *ctx;
};

enum script_hook {
    HOOK_MAIL = 1,
    HOOK_SESSION = 2,
    HOOK_REQUEST = 4,
    HOOK_REPLY = 8,
    HOOK_DATA = 16,
    HOOK_NOTICE = 32,
    HOOK_TICK = 64,
};
/* Those that hear the dialogue while it goes on. */
enum { SCRIPT_EVENT_HOOKS = HOOK_REQUEST | HOOK_REPLY | HOOK_DATA };

struct script_counts {
    uint64_t calls;         /* of hooks */
    uint64_t errors;        /* of them, ended by an error */
    uint64_t stopped;       /* of the errors, ended by a budget */
    uint64_t deaf;          /* messages of which on_data heard no more, having been stopped too often */
    uint64_t counters_shed; /* keys given up over script_limits.counters */
    uint64_t notices, entries;
};

struct scripts;

/* Loads and runs the files. -errno with "FILE:LINE: ..." where one cannot be read, does not compile, or fails
 * while it runs, or where a global function is named on_... but is no hook (the nearest is said). `lim` and
 * `host` are copied. */
int scripts_open(const char *const *files, size_t count, const struct script_limits *lim,
                 const struct script_host *host, struct scripts **ret, struct error *reterr);
/* Bits of enum script_hook: which of them any script has. */
unsigned scripts_hooks(const struct scripts *s);
/* on_mail and on_session, by the record's stream. Tags go into the record. */
void scripts_record(struct scripts *s, struct record *rec);
/* on_request, on_reply and on_data, by the event's kind; events of other kinds keep the lines of on_data
 * apart, so all events of a session have to come here. `*data` is the session's own place, NULL at first.
 * Where a script has on_tick, time moves on to the event's before, as by scripts_tick. */
struct script_data;
void scripts_event(struct scripts *s, struct script_data **data, const struct script_scene *scene,
                   const struct smtp_event *ev);
void script_data_free(struct script_data **data);
/* on_notice, in the order of the files, until one decides. True: it did, *ret is bits of enum notice_action.
 */
bool scripts_notice(struct scripts *s, const struct notice *n, unsigned *ret);
/* Time moves on to `now`, packet time: on_tick of each script that is due (script says how often by
 * tick_every, in seconds, 1 where it does not), expiry of counters. */
void scripts_tick(struct scripts *s, struct timespec now);
/* The input is over at `now`: on_tick once more, amid an interval, so that a script can tell what it has. */
void scripts_finish(struct scripts *s, struct timespec now);
struct script_counts scripts_counts(const struct scripts *s);
void script_counts_add(struct script_counts *sum, struct script_counts more);
void scripts_close(struct scripts **s);

#endif
