/* aside.c: what was refused, into a file.
 * In: lines. Out: refused.ndjson, a word on standard error. Owns: nothing. Limits: aside.most bytes.
 * Knowingly: several processes may write to the same file; a lock keeps their lines whole. */
#include "carrier/aside.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "base/error.h"
#include "base/now.h"
#include "base/shown.h"
#include "sink/json.h"

enum { TELL_EVERY = 60 };

static bool add_line(const struct aside *a, struct slice bytes)
{
    struct stat st;
    int fd =
        openat(a->folder, "refused.ndjson", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool good = fd >= 0 && flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 &&
                (uint64_t)st.st_size + bytes.len <= a->most;
    if (good && io_write(fd, bytes) < 0) {
        good = false;
        /* No half line for the next one to stand behind. */
        if (ftruncate(fd, st.st_size) < 0)
            good = false;
    }
    /* What it was in goes once this returns. */
    if (good && a->sync && fdatasync(fd) < 0)
        good = false;
    if (fd >= 0)
        close(fd);
    return good;
}

bool aside_put(struct aside *a, struct slice line, bool record, const char *why, uint64_t before)
{
    struct line out = {0};
    line_str(&out, "{\"error\":");
    json_text(slice_str(why), &out);
    line_str(&out, ",\"record\":");
    if (record)
        line_add(&out, line);
    else
        json_text(line, &out);
    line_str(&out, "}\n");
    struct error said;
    error_set(&said, 0, "%s", why);
    shown_clean(said.text);
    bool kept = add_line(a, line_slice(&out));
    line_free(&out);
    double now = now_monotonic();
    if (now < a->tell_at)
        return kept;
    fprintf(stderr, "mailtap: %s: a record is %s (%llu so far): %s\n", a->url,
            kept ? "put aside in refused.ndjson" : "lost, as refused.ndjson takes no more",
            (unsigned long long)before + 1, said.text);
    a->tell_at = now + TELL_EVERY;
    return kept;
}
