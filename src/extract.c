/* extract.c: parts of mails, and mails, as files.
 * In: bytes of them, records. Out: files in one folder, by its descriptor. Owns: the folder's descriptor.
 * Limits: extract_part_bytes, extract_bytes, extract_files. Knowingly: a part's file has no extension, so
 * that nothing opens it by mistake; one that is there already is left as it is. A full disk costs files, and
 * nothing else. */
#include "extract.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

enum { NAME_ROOM = 80 };

struct extract {
    int dir;
    struct part_store store;
    char prefix[32];                     /* of names for the time being: of this process alone */
    _Atomic uint64_t next, failed, over; /* these by all fronts */
    uint64_t written, files_most, bytes, bytes_most;
};

static void name_of(const struct extract *e, uint64_t number, char ret[NAME_ROOM])
{
    snprintf(ret, NAME_ROOM, "%s%llu", e->prefix, (unsigned long long)number);
}

static int open_part(void *ctx, uint64_t *ret_number)
{
    struct extract *e = ctx;
    char name[NAME_ROOM];
    *ret_number = atomic_fetch_add(&e->next, 1) + 1;
    name_of(e, *ret_number, name);
    int fd = openat(e->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        atomic_fetch_add(&e->failed, 1);
    return fd;
}

static bool add_bytes(void *ctx, int fd, struct slice bytes)
{
    struct extract *e = ctx;
    while (bytes.len) {
        ssize_t n = write(fd, bytes.data, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            atomic_fetch_add(&e->failed, 1);
            return false;
        }
        bytes = slice_sub(bytes, (size_t)n, bytes.len);
    }
    return true;
}

static void close_part(void *ctx, int fd, uint64_t number, bool keep)
{
    struct extract *e = ctx;
    char name[NAME_ROOM];
    name_of(e, number, name);
    close(fd);
    if (!keep)
        unlinkat(e->dir, name, 0);
}

static void part_over(void *ctx)
{
    struct extract *e = ctx;
    atomic_fetch_add(&e->over, 1);
}

int extract_open(const struct settings *set, struct extract **ret, struct error *reterr)
{
    const char *path = set->extract_directory.text;
    *ret = NULL;
    if (!*path)
        return 0;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    struct extract *e = calloc(1, sizeof *e);
    memory_check(e);
    e->dir = dir;
    e->files_most = set->extract_files;
    e->bytes_most = set->extract_bytes;
    e->store = (struct part_store){.ctx = e,
                                   .parts = set->extract != EXTRACT_MAILS,
                                   .mails = set->extract != EXTRACT_FILES,
                                   .most = set->extract_part_bytes,
                                   .open = open_part,
                                   .add = add_bytes,
                                   .close = close_part,
                                   .over = part_over};
    snprintf(e->prefix, sizeof e->prefix, ".part-%ld-", (long)getpid());
    *ret = e;
    return 0;
}

const struct part_store *extract_store(const struct extract *e)
{
    return e ? &e->store : NULL;
}

/* True: it is there under its name, now or before. */
static bool settle(struct extract *e, const char *temporary, const char *name, uint64_t size)
{
    struct stat there;
    if (fstatat(e->dir, name, &there, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISREG(there.st_mode);
    if (e->written >= e->files_most || size > e->bytes_most - e->bytes) {
        atomic_fetch_add(&e->over, 1);
        return false;
    }
    /* Whatever somebody has made under this name meanwhile stays. Not every file system can do so by one
     * call. */
    if (renameat2(e->dir, temporary, e->dir, name, RENAME_NOREPLACE) < 0 &&
        (errno != EINVAL || linkat(e->dir, temporary, e->dir, name, 0) < 0)) {
        atomic_fetch_add(&e->failed, 1);
        return false;
    }
    e->written++;
    e->bytes += size;
    return true;
}

static void settle_file(struct extract *e, struct file *file, struct arena *mem)
{
    char temporary[NAME_ROOM], name[NAME_ROOM];
    if (!file->stored)
        return;
    name_of(e, file->stored, temporary);
    snprintf(name, sizeof name, "%.*s", (int)file->sha256.len, (const char *)file->sha256.data);
    if (file->sha256.len == 64 && settle(e, temporary, name, file->size))
        file->extracted = mem ? arena_copy(mem, file->sha256) : file->sha256;
    unlinkat(e->dir, temporary, 0);
    file->stored = 0;
}

static void settle_mail(struct extract *e, struct stored_mail *mail)
{
    char temporary[NAME_ROOM], name[NAME_ROOM];
    if (!mail->number)
        return;
    name_of(e, mail->number, temporary);
    snprintf(name, sizeof name, "%.*s", (int)mail->name.len, (const char *)mail->name.data);
    if (!settle(e, temporary, name, mail->bytes))
        mail->name = (struct slice){0};
    unlinkat(e->dir, temporary, 0);
    mail->number = 0;
}

void extract_record(struct extract *e, struct record *rec)
{
    if (rec->stream != &stream_smtp)
        return;
    struct transaction *t = rec->body;
    settle_mail(e, &t->stored);
    for (size_t i = 0; i < t->files.len; i++)
        settle_file(e, &t->files.items[i], rec->mem);
    for (size_t i = 0; i < t->parts.len; i++)
        settle_file(e, &t->parts.items[i], rec->mem);
}

struct extract_counts extract_counts(const struct extract *e)
{
    if (!e)
        return (struct extract_counts){0};
    return (struct extract_counts){e->written, atomic_load(&e->over), atomic_load(&e->failed)};
}

static void drop_left(struct extract *e)
{
    int fd = dup(e->dir);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(d));)
        if (strncmp(entry->d_name, e->prefix, strlen(e->prefix)) == 0)
            unlinkat(e->dir, entry->d_name, 0);
    closedir(d);
}

void extract_close(struct extract **pe)
{
    struct extract *e = *pe;
    *pe = NULL;
    if (!e)
        return;
    drop_left(e);
    close(e->dir);
    free(e);
}
