/* keep.c: which days stay.
 * In: the folder. Out: files that are gone; words on standard error. Owns: nothing.
 * Knowingly: a file that somebody reads goes too; who has it open reads on in it. */
#include "store/keep.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "store/day.h"

/* A file, and what SQLite has beside it; the file first, as the others are nothing without it. */
static const char *const ends[] = {"", "-wal", "-shm"};
enum { ENDS = sizeof ends / sizeof *ends, NAME = DAY_PATH + 8 };

static uint64_t size_of(const char *directory, int32_t day)
{
    char path[DAY_PATH], name[NAME];
    uint64_t sum = 0;
    struct stat st;
    for (size_t i = 0; i < ENDS && day_path(directory, day, path); i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        sum += stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
    }
    return sum;
}

static bool drop(const char *directory, int32_t day, const char *why)
{
    char path[DAY_PATH], name[NAME];
    bool gone = true;
    for (size_t i = 0; i < ENDS && day_path(directory, day, path); i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        gone &= unlink(name) == 0 || errno == ENOENT;
    }
    if (gone)
        fprintf(stderr, "mailtap: %s: dropped, over %s\n", path, why);
    else
        fprintf(stderr, "mailtap: %s: cannot be dropped: %s\n", path, strerror(errno));
    return gone;
}

size_t keep_days(const char *directory, const struct keep_limits *limits, int32_t today)
{
    struct day_list list;
    struct error err;
    uint64_t sum = 0;
    size_t dropped = 0;
    if ((!limits->days && !limits->bytes) || day_list(directory, &list, &err) < 0)
        return 0;
    for (size_t i = 0; i < list.count; i++)
        sum += size_of(directory, list.items[i]);
    for (size_t i = list.count; i-- > 0 && list.items[i] < today;) {
        bool old = limits->days && (uint64_t)(today - list.items[i]) >= limits->days;
        bool over = limits->bytes && sum > limits->bytes;
        if (!old && !over)
            break;
        sum -= size_of(directory, list.items[i]);
        dropped += drop(directory, list.items[i], old ? "store_days" : "store_bytes");
    }
    free(list.items);
    return dropped;
}

void keep_end(const char *directory, int32_t before)
{
    struct day_list list;
    struct error err;
    char path[DAY_PATH], wal[NAME];
    struct stat st;
    if (day_list(directory, &list, &err) < 0)
        return;
    for (size_t i = 0; i < list.count; i++) {
        if (list.items[i] >= before || !day_path(directory, list.items[i], path))
            continue;
        snprintf(wal, sizeof wal, "%s-wal", path);
        if (stat(wal, &st) == 0)
            day_end(path, &err);
    }
    free(list.items);
}
