/* web_rights.c: what mailtap web gives up before it answers anybody.
 * In: settings. Out: a process that reads one folder, or asks one server. Owns: nothing. Knowingly: of the
 * folder only page.sqlite and its journal may be written; that is said by file, so SQLite must neither make
 * nor remove them: they are made here, and store/marks.c keeps the journal. A folder whose audit may be made
 * anew may be written as a whole. To which port of which machine it connects is held to as far as the kernel
 * can, see confine.h. */
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
#include "clickhouse/server.h"
#include "confine.h"

enum { PAGES = 2, FOLDERS = 2, AGAIN = 2, USER_TEXT = 64 };

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

/* Root becomes whoever owns the folder, as that one can read it; without a folder somebody plain. */
static const char *choose_user(const char *directory, const char *wanted, char ret[static USER_TEXT])
{
    struct stat st;
    if (wanted && *wanted)
        return wanted;
    if (geteuid() == 0 && !*directory)
        return getpwnam("mailtap") ? "mailtap" : "nobody";
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

/* Makes those files, and adds them to what may be written. How many are there then. */
static size_t make_pages(const char *directory, const struct passwd *owner,
                         char pages[static PAGES][PATH_MAX], const char *writes[static PAGES])
{
    static const char *const names[PAGES] = {"page.sqlite", "page.sqlite-journal"};
    size_t count = 0;
    for (size_t i = 0; i < PAGES && *directory; i++) {
        snprintf(pages[i], PATH_MAX, "%s/%s", directory, names[i]);
        make_file(pages[i], owner);
        if (access(pages[i], F_OK) == 0)
            writes[count++] = pages[i];
    }
    return count;
}

static int check_folders(const char *const *folders, size_t count, const char *user, struct error *reterr)
{
    int err = 0;
    for (size_t i = 0; i < count && !err; i++)
        err = check_folder(folders[i], user, reterr);
    return err;
}

int web_rights_drop(const struct web_rights *rights, struct error *reterr)
{
    const struct web_settings *web = rights->web;
    char pages[PAGES][PATH_MAX], audit[PATH_MAX], owner_name[USER_TEXT];
    const char *writes[PAGES + 1], *again[AGAIN], *folders[FOLDERS];
    snprintf(audit, sizeof audit, "%s", web->audit);
    const char *audit_folder = *web->audit ? dirname(audit) : "";
    const char *of = rights->folder ? rights->folder : *web->directory ? web->directory : audit_folder;
    const char *user = choose_user(of, rights->user, owner_name);
    struct chserver_target target = {0};
    size_t write_count = make_pages(web->directory, *user ? getpwnam(user) : NULL, pages, writes);
    size_t again_count = 0, folder_count = 0;
    int err = rights->folder ? 0 : chserver_target(rights->url, &target, reterr);
    if (err)
        return err;
    if (*web->audit)
        writes[write_count++] = audit_folder;
    if (*web->users)
        again[again_count++] = web->users;
    if (rights->ca_file)
        again[again_count++] = rights->ca_file;
    if (rights->folder)
        folders[folder_count++] = rights->folder;
    if (*web->directory && web->directory != rights->folder)
        folders[folder_count++] = web->directory;
    const struct confine_settings to = {.user = user,
                                        .read_paths = folders,
                                        .read_count = folder_count,
                                        .reread_files = again,
                                        .reread_count = again_count,
                                        .write_paths = writes,
                                        .write_count = write_count,
                                        .connects = !rights->folder,
                                        .ports = &target.port,
                                        .port_count = !rights->folder,
                                        .resolves = target.named,
                                        .refusals_to = -1};
    struct confine_report report;
    err = confine(&to, &report, reterr);
    confine_show(&report);
    return err ? err : check_folders(folders, folder_count, user, reterr);
}
