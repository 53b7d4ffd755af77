/* audit.c: who asked what.
 * In: requests that were answered. Out: lines of JSON in a file. Owns: the file. Limits: LINE bytes a line,
 * of which path and query take TEXT each, other texts of the asker SHORT. Knowingly: what a full disk refuses
 * is lost, and said. */
#include "web/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"
#include "base/now.h"
#include "web/say.h"

enum { LINE = 128 << 10, TEXT = 4096, SHORT = 256 };

struct audit {
    pthread_mutex_t lock;
    const char *path;
    int fd;
    bool failed;
};

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    return fd < 0 ? -errno : fd;
}

int audit_open(const char *path, struct audit **ret, struct error *reterr)
{
    int fd = open_file(path);
    if (fd < 0)
        return error_set(reterr, fd, "web_audit: %.300s: %s", path, strerror(-fd));
    struct audit *a = calloc(1, sizeof *a);
    memory_check(a);
    pthread_mutex_init(&a->lock, NULL);
    a->path = path;
    a->fd = fd;
    *ret = a;
    return 0;
}

void audit_close(struct audit *a)
{
    if (!a)
        return;
    close(a->fd);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static void key(struct buf *b, const char *name)
{
    buf_printf(b, "%s\"%s\":", b->len ? "," : "{", name);
}

static void key_text(struct buf *b, const char *name, struct slice text)
{
    if (!text.data)
        return;
    key(b, name);
    say_quote(b, slice_sub(text, 0, TEXT));
}

void audit_write(struct audit *a, const struct audit_line *line)
{
    struct buf b;
    const struct timespec now = now_wall();
    if (!a)
        return;
    buf_init(&b, LINE);
    key(&b, "ts");
    buf_printf(&b, "%lld.%06ld", (long long)now.tv_sec, now.tv_nsec / 1000);
    if (line->user)
        key_text(&b, "user", slice_str(line->user));
    key_text(&b, "address", slice_str(line->address));
    key_text(&b, "method", slice_str(line->method));
    key_text(&b, "path", line->path);
    key_text(&b, "q", line->query);
    for (size_t i = 0; i < line->more_count; i++)
        key_text(&b, line->more[i].name, slice_sub(line->more[i].text, 0, SHORT));
    key(&b, "status");
    buf_add_number(&b, line->status);
    key(&b, "rows");
    buf_add_number(&b, line->rows);
    key(&b, "milliseconds");
    buf_printf(&b, "%.3f", line->seconds * 1000);
    buf_add_str(&b, "}\n");
    pthread_mutex_lock(&a->lock);
    int err = io_write(a->fd, buf_slice(&b));
    if (err < 0 && !a->failed)
        fprintf(stderr, "mailtap: web_audit: %s: %s; lines are lost\n", a->path, strerror(-err));
    a->failed = err < 0;
    pthread_mutex_unlock(&a->lock);
    buf_free(&b);
}

void audit_reopen(struct audit *a)
{
    if (!a)
        return;
    int fd = open_file(a->path);
    if (fd < 0) {
        fprintf(stderr, "mailtap: web_audit: %s: %s; the old file goes on\n", a->path, strerror(-fd));
        return;
    }
    pthread_mutex_lock(&a->lock);
    int old = a->fd;
    a->fd = fd;
    pthread_mutex_unlock(&a->lock);
    close(old);
}
