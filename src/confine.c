/* confine.c: gives up the rights of a process, in the one order that works.
 * In: who to become, what to keep. Out: a process that can do little, a report. Owns: nothing. Limits:
 * remarks are cut at CONFINE_REMARKS. Knowingly: capabilities, Landlock and the user are a thread's own, so a
 * process with threads is refused. The bounding set stays where we have no CAP_SETPCAP; without a capability
 * and with no_new_privs nothing can come out of it. Spec: capabilities(7), prctl(2). */
#include "confine_parts.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void confine_remark(struct confine_report *report, const char *format, ...)
{
    size_t len = strlen(report->remarks);
    va_list args;
    va_start(args, format);
    vsnprintf(report->remarks + len, sizeof report->remarks - len, format, args);
    va_end(args);
    len = strlen(report->remarks);
    if (len + 1 < sizeof report->remarks)
        strcpy(report->remarks + len, "\n");
}

/* Each thread is a folder there. */
static int check_alone(struct error *reterr)
{
    struct stat st;
    if (stat("/proc/self/task", &st) == 0 && st.st_nlink > 2 + CONFINE_THREADS)
        return error_set(reterr, -EBUSY, "confine: %lu threads run already", (unsigned long)st.st_nlink - 2);
    return 0;
}

static int find_user(const char *name, uid_t *retuid, gid_t *retgid, struct error *reterr)
{
    char *end;
    errno = 0;
    struct passwd *pw = getpwnam(name);
    unsigned long number = strtoul(name, &end, 10);
    if (!pw && *name >= '0' && *name <= '9' && !*end && number < (uid_t)-1)
        pw = getpwuid((uid_t)number);
    if (!pw)
        return error_set(reterr, errno ? -errno : -ENOENT, "confine: no user '%.60s'%s%s", name,
                         errno ? ": " : "", errno ? strerror(errno) : "");
    if (pw->pw_uid == 0 || pw->pw_gid == 0)
        return error_set(reterr, -EINVAL, "confine: user '%.60s' has root's rights", name);
    *retuid = pw->pw_uid;
    *retgid = pw->pw_gid;
    return 0;
}

static int become(const char *name, struct error *reterr)
{
    uid_t uid = 0, real, effective, saved;
    gid_t gid = 0;
    int err = find_user(name, &uid, &gid, reterr);
    if (err < 0)
        return err;
    bool same = getresuid(&real, &effective, &saved) == 0 && real == uid && effective == uid && saved == uid;
    /* Who is that user already may not be permitted to change groups, and has those that somebody gave it. */
    if ((setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0) && !same)
        return error_set(reterr, -errno, "confine: group of user '%.60s': %s", name, strerror(errno));
    if (!same && setresuid(uid, uid, uid) < 0)
        return error_set(reterr, -errno, "confine: user '%.60s': %s", name, strerror(errno));
    return 0;
}

static void drop_bounding(struct confine_report *ret)
{
    for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
            if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) > 0 && geteuid() == 0)
                confine_remark(ret, "the bounding set of capabilities stays: %s", strerror(errno));
            return;
        }
}

static int drop_capabilities(bool any_owner, struct error *reterr)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct few[2] = {{0}}, left[2];
    const uint32_t kept = any_owner && geteuid() == 0 ? 1u << CAP_DAC_OVERRIDE : 0;
    few[0].effective = few[0].permitted = kept;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &head, few) < 0 || syscall(SYS_capget, &head, left) < 0)
        return error_set(reterr, -errno, "confine: capabilities: %s", strerror(errno));
    return memcmp(few, left, sizeof few) == 0 ? 0 : error_set(reterr, -EPERM, "confine: capabilities stay");
}

/* The kernel forgets, with the user, which signal the end of the parent is to send. */
static void keep_parent_signal(int sig, pid_t parent)
{
    if (!sig)
        return;
    prctl(PR_SET_PDEATHSIG, (unsigned long)sig, 0, 0, 0);
    if (getppid() != parent)
        raise(sig);
}

static int drop_user(const char *user, bool any_owner, struct confine_report *ret, struct error *reterr)
{
    int sig = 0;
    pid_t parent = getppid();
    prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0);
    drop_bounding(ret);
    int err = user && *user ? become(user, reterr) : 0;
    if (err == 0)
        err = drop_capabilities(any_owner, reterr);
    keep_parent_signal(sig, parent);
    ret->uid = getuid();
    if (err == 0 && ret->uid == 0)
        confine_remark(ret, "still user root, whose files it may write");
    else if (err == 0 && setuid(0) == 0)
        err = error_set(reterr, -EPERM, "confine: user %u can still become root", ret->uid);
    return err;
}

static void show(const char *remarks)
{
    for (const char *line = remarks, *end; *line; line = end + 1) {
        end = strchrnul(line, '\n');
        fprintf(stderr, "mailtap: %.*s\n", (int)(end - line), line);
        if (!*end)
            return;
    }
}

void confine_show(const struct confine_report *report)
{
    show(report->remarks);
}

void confine_show_paths(const struct confine_report *report)
{
    show(report->remarks + report->of_system);
}

int confine_user(const char *user, struct confine_report *ret, struct error *reterr)
{
    *ret = (struct confine_report){0};
    int err = check_alone(reterr);
    return err < 0 ? err : drop_user(user, false, ret, reterr);
}

int confine(const struct confine_settings *set, struct confine_report *ret, struct error *reterr)
{
    *ret = (struct confine_report){0};
    int err = check_alone(reterr);
    if (err == 0)
        err = drop_user(set->user, set->any_owner, ret, reterr);
    if (err < 0)
        return err;
    if (!CONFINE_SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return error_set(reterr, -errno, "confine: core files: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(reterr, -errno, "confine: no_new_privs: %s", strerror(errno));
    err = confine_files(set, ret, reterr);
    return err < 0 ? err : confine_calls(set, ret, reterr);
}
