/* web_rights.c: what mailtap web gives up before it answers anybody.
 * In: settings. Out: a process that reads one folder. Owns: nothing. Knowingly: of DIR only page.sqlite and
 * its journal may be written; that is said by file, so SQLite must neither make nor remove them: they are
 * made here, and store/marks.c keeps the journal. A folder whose audit may be made anew may be written as a
 * whole. */
#include "web_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"
#include "confine.h"

enum { PAGES = 2, USER_TEXT = 64 };

/* One that is there already stays as it is. What cannot be made is said when somebody wants to write it. */
static void make_file(const char *path, const struct passwd *owner)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return;
    if (owner && geteuid() == 0 && fchown(fd, owner->pw_uid, owner->pw_gid) < 0)
        unlink(path);
    close(fd);
}

/* Root becomes whoever owns the store, as that one can read it. */
static const char *choose_user(const char *directory, const char *wanted, char ret[static USER_TEXT])
{
    struct stat st;
    if (wanted && *wanted)
        return wanted;
    if (geteuid() != 0 || stat(directory, &st) < 0)
        return "";
    if (!st.st_uid) {
        fprintf(
            stderr,
            "mailtap: web: %s belongs to root, so web stays root, if one without capabilities; see --user\n",
            directory);
        return "";
    }
    const struct passwd *owner = getpwuid(st.st_uid);
    if (owner)
        snprintf(ret, USER_TEXT, "%s", owner->pw_name);
    else
        snprintf(ret, USER_TEXT, "%u", st.st_uid);
    return ret;
}

static int check_folder(const char *path, const char *user, struct error *reterr)
{
    int err = eaccess(path, R_OK | X_OK) == 0 ? 0 : -errno;
    return err ? error_set(reterr, err, "%.300s: %s; it is read by user %s", path, strerror(-err),
                           *user ? user : "who started mailtap")
               : 0;
}

int web_rights_drop(const struct web_settings *set, const char *wanted, struct error *reterr)
{
    char pages[PAGES][PATH_MAX], audit[PATH_MAX];
    static const char *const names[PAGES] = {"page.sqlite", "page.sqlite-journal"};
    char owner_name[USER_TEXT];
    const char *user = choose_user(set->directory, wanted, owner_name), *writes[PAGES + 1];
    const struct passwd *owner = *user ? getpwnam(user) : NULL;
    size_t write_count = 0;
    for (size_t i = 0; i < PAGES; i++) {
        snprintf(pages[i], sizeof pages[i], "%s/%s", set->directory, names[i]);
        make_file(pages[i], owner);
        if (access(pages[i], F_OK) == 0)
            writes[write_count++] = pages[i];
    }
    if (*set->audit) {
        snprintf(audit, sizeof audit, "%s", set->audit);
        writes[write_count++] = dirname(audit);
    }
    const struct confine_settings to = {.user = user,
                                        .read_paths = &set->directory,
                                        .read_count = 1,
                                        .reread_files = &set->users,
                                        .reread_count = *set->users ? 1 : 0,
                                        .write_paths = writes,
                                        .write_count = write_count,
                                        .refusals_to = -1};
    struct confine_report report;
    int err = confine(&to, &report, reterr);
    confine_show(&report);
    return err ? err : check_folder(set->directory, user, reterr);
}
