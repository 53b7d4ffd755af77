/* Least privilege for a process that reads what strangers send, or talks to them: a plain user without
 * capabilities, Landlock on files and ports, seccomp on system calls. There is no way back. To be called once
 * all that the process may not open later is open, and before it has threads. */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

/* All texts and lists are the caller's and need to live only until the call returns. What libraries open by
 * themselves (charset converters, time zones, other libraries, an interface's counts of losses, /dev/null,
 * /dev/urandom, /proc/self) is added. */
struct confine_settings {
    const char *user;              /* a name or a number, of a plain user; NULL or "": stay who we are */
    const char *const *read_paths; /* files, and folders with all below them, that may be read */
    size_t read_count;
    const char *const *reread_files; /* files that are opened again, maybe after another was renamed onto
                                        them: all files in their folders may be read */
    size_t reread_count;
    const char *const *write_paths; /* folders in which files may be read, written, made, renamed, removed; or
                                       files that may be written */
    size_t write_count;
    const int *capture_fds; /* sockets that must never send; to be left open, as their numbers may not */
    size_t capture_count;
    const pid_t *children; /* processes that may be sent signals beside ourselves */
    size_t child_count;
    bool connects; /* TCP and UDP sockets may be made and connected; nothing is bound to or listened on */
    const uint16_t
        *ports; /* TCP goes to these alone, where the kernel's Landlock knows ports; none: to all */
    size_t port_count;
    bool resolves;   /* names of hosts are looked up: the resolver's files may be read, all files of their
                        folder   where they are replaced by renaming */
    bool any_owner;  /* root stays able to use permitted files of whomever (CAP_DAC_OVERRIDE) */
    int refusals_to; /* a UNIX socket whose other end calls confine_refusals_take; -1: nobody is told */
};

enum { CONFINE_REMARKS = 2048 };

struct confine_report {
    uid_t uid;
    int landlock; /* version of its ABI; 0: this kernel has none, so permissions of files alone hold */
    unsigned paths, calls; /* how many of them are permitted */
    size_t of_system;      /* so many bytes of the remarks are of the kernel and the user; paths follow */
    char remarks[CONFINE_REMARKS]; /* lines that the owner should read: a path that is not there or not the
                                      user's to read, a protection that this kernel lacks */
};

/* Gives up all rights that are not in `set`. What is refused from then on fails with EPERM (system calls;
 * ENOSYS where who was told of them is gone) or EACCES (files). Paths that are not there are left out. A core
 * file, which would hold mails, is not written any more, and files of /proc/self that are not for everybody
 * belong to root. Returns 0; or -errno with a text, and then the process may be confined in part and should
 * end. */
int confine(const struct confine_settings *set, struct confine_report *ret, struct error *reterr);
/* Shows what was remarked on standard error, line by line. */
void confine_show(const struct confine_report *report);
/* The same of paths alone, where somebody else has said the rest. */
void confine_show_paths(const struct confine_report *report);
/* Only what concerns the user: no supplementary groups, the user's group and number, no capability of any
 * kind. Programs may still be run, and setuid ones work; PR_SET_PDEATHSIG stays. Returns as confine. */
int confine_user(const char *user, struct confine_report *ret, struct error *reterr);

struct confine_refusal {
    pid_t thread;
    int call;
    char name[32]; /* of the call, "" where it has none */
};

/* Takes from `socket` what confine sent to its other end, waiting for it. Returns a descriptor that is the
 * caller's: readable when a call was refused, hung up when no confined thread is left; or -errno. */
int confine_refusals_take(int socket);
/* Takes one refused call and lets its thread go on, which waits until then: whoever holds the descriptor must
 * call this soon after it became readable. Returns 1: *ret is the call; 0: there was none, or its thread is
 * gone; or -errno. */
int confine_refusal_next(int refusals, struct confine_refusal *ret);

#endif
