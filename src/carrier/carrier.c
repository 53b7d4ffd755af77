/* carrier.c: the sensor's side of a carrier.
 * In: settings. Out: a process, what it says of itself. Owns: the process, the pipe that wakes it, the page
 * of counts. Knowingly: a carrier that died is not started anew, as a confined sensor cannot; batches wait
 * for the next run. */
#include "carrier/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"
#include "base/now.h"
#include "carrier/bulk.h"
#include "carrier/carry.h"
#include "carrier/clickhouse.h"
#include "carrier/kafka.h"
#include "carrier/nats.h"
#include "carrier/outbox.h"
#include "carrier/syslog.h"

enum { PEM_MOST = 256 << 10 };
static const double grace = 0.3; /* seconds beyond wait_most */

const struct carrier_ops *const carrier_table[] = {&carrier_nats,           &carrier_nats_tls,
                                                   &carrier_kafka,          &carrier_kafka_tls,
                                                   &carrier_clickhouse,     &carrier_clickhouses,
                                                   &carrier_syslog,         &carrier_syslog_tcp,
                                                   &carrier_syslogs,        &carrier_elasticsearch,
                                                   &carrier_elasticsearchs, &carrier_opensearch,
                                                   &carrier_opensearchs,    NULL};

struct carrier {
    const struct carrier_ops *ops;
    struct carrier_settings set; /* texts are copies */
    pid_t pid;                   /* 0: it has ended, with `status` */
    int status;
    int wake;     /* -1: it was told to end */
    double until; /* then, it is killed after that */
    bool finished;
    int result; /* of carrier_finish */
    struct carrier_page *page;
};

const struct carrier_ops *carrier_find(struct slice scheme)
{
    for (size_t i = 0; carrier_table[i]; i++)
        if (slice_eq(slice_str(carrier_table[i]->scheme), scheme))
            return carrier_table[i];
    return NULL;
}

int carrier_password(const char *path, char ret[static CARRIER_PASSWORD], struct error *reterr)
{
    FILE *file = fopen(path, "re");
    bool got = file && fgets(ret, CARRIER_PASSWORD, file);
    int err = file ? -EINVAL : -errno;
    if (file)
        fclose(file);
    if (got)
        ret[strcspn(ret, "\r\n")] = '\0';
    if (got && *ret)
        return 0;
    return error_set(reterr, err, "%.300s: %s", path,
                     err == -EINVAL ? "its first line is no password" : strerror(-err));
}

/* For erase(). */
static int read_pem(const char *path, const char **ret, struct error *reterr)
{
    char *text = calloc(1, PEM_MOST + 1);
    memory_check(text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -errno : io_read(fd, text, PEM_MOST);
    if (fd >= 0)
        close(fd);
    if (got > 0 && got < PEM_MOST && strstr(text, "-----BEGIN "))
        return *ret = text, 0;
    explicit_bzero(text, PEM_MOST);
    free(text);
    return error_set(reterr, got < 0 ? (int)got : -EINVAL, "%.300s: %s", path,
                     got < 0 ? strerror((int)-got) : "no certificate or key (PEM) is in it");
}

static void erase(const char **text)
{
    if (*text)
        explicit_bzero((char *)*text, PEM_MOST);
    free((char *)*text);
    *text = NULL;
}

int carrier_identity(struct carrier_settings *set, struct error *reterr)
{
    if (set->key_file && !set->cert_file)
        return error_set(reterr, -EINVAL, "carry_key_file is set, but carry_cert_file is not");
    int err = set->cert_file ? read_pem(set->cert_file, &set->certificate, reterr) : 0;
    if (!err && set->cert_file)
        err = read_pem(set->key_file ? set->key_file : set->cert_file, &set->key, reterr);
    return err;
}

void carrier_identity_erase(struct carrier_settings *set)
{
    erase(&set->certificate);
    erase(&set->key);
}

static const char *kept(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text)
        memory_check(copy);
    return copy;
}

static void copy_settings(struct carrier *c, const struct carrier_settings *set)
{
    c->set = *set;
    c->set.format = carrier_format(c->ops, set->format);
    c->set.url = kept(set->url);
    c->set.outbox = kept(set->outbox);
    c->set.sensor = kept(set->sensor);
    c->set.user = kept(set->user);
    c->set.password_file = kept(set->password_file);
    c->set.ca_file = kept(set->ca_file);
    c->set.cert_file = kept(set->cert_file);
    c->set.key_file = kept(set->key_file);
    c->set.certificate = c->set.key = NULL;
}

static void carrier_free(struct carrier *c)
{
    if (c->wake >= 0)
        close(c->wake);
    if (c->page)
        munmap(c->page, sizeof *c->page);
    free((char *)c->set.url);
    free((char *)c->set.outbox);
    free((char *)c->set.sensor);
    free((char *)c->set.user);
    free((char *)c->set.password_file);
    free((char *)c->set.ca_file);
    free((char *)c->set.cert_file);
    free((char *)c->set.key_file);
    free(c);
}

/* In the child it does not return. */
static int fork_carrier(struct carrier *c, const struct carry_start *start, struct error *reterr)
{
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    c->pid = fork();
    int err = errno;
    if (c->pid == 0) {
        close(c->wake);
        if (c->set.begin)
            c->set.begin(c->set.begin_ctx);
        carry_run(start);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return c->pid < 0 ? error_set(reterr, -err, "%s: fork: %s", c->set.url, strerror(err)) : 0;
}

int carrier_outbox(const struct carrier_settings *set, struct error *reterr)
{
    uid_t before = geteuid();
    if (set->owner && seteuid(set->owner) < 0)
        return error_set(reterr, -errno, "user %u: %s", set->owner, strerror(errno));
    int folder = outbox_open(set->outbox, reterr);
    if (set->owner && seteuid(before) < 0)
        return error_set(reterr, -errno, "user %u: %s", before, strerror(errno));
    return folder;
}

static int start(struct carrier *c, struct error *reterr)
{
    char password[CARRIER_PASSWORD] = "";
    int pair[2] = {-1, -1}, folder = carrier_outbox(&c->set, reterr);
    int err = folder < 0 ? folder : 0;
    if (!err && c->set.password_file)
        err = carrier_password(c->set.password_file, password, reterr);
    if (!err)
        err = carrier_identity(&c->set, reterr);
    if (!err && pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
        err = error_set(reterr, -errno, "%s: pipe: %s", c->set.url, strerror(errno));
    c->wake = pair[1];
    const struct carry_start with = {c->ops, &c->set, *password ? password : NULL, folder, pair[0], c->page};
    if (!err)
        err = fork_carrier(c, &with, reterr);
    explicit_bzero(password, sizeof password);
    carrier_identity_erase(&c->set);
    if (pair[0] >= 0)
        close(pair[0]);
    if (folder >= 0)
        close(folder);
    return err;
}

/* Everybody on this machine reads command lines. */
int carrier_check_url(const struct carrier_ops *ops, const char *url, struct error *reterr)
{
    if (!strchr(url, '@'))
        return 0;
    return error_set(reterr, -EINVAL,
                     "-o %s://...: no user or password belongs into the address; see carry_user and "
                     "carry_password_file",
                     ops->scheme);
}

enum carry_format carrier_format(const struct carrier_ops *ops, enum carry_format given)
{
    return given != CARRY_AUTO ? given : ops->format != CARRY_AUTO ? ops->format : CARRY_JSON;
}

static int check(const struct carrier_ops *ops, const struct carrier_settings *set, struct error *reterr)
{
    int err = carrier_check_url(ops, set->url, reterr);
    if (!err && ops->json_only && carrier_format(ops, set->format) != CARRY_JSON)
        err = error_set(reterr, -EINVAL, "-o %.300s: carry_format is %s, but only json goes there", set->url,
                        carry_format_names[set->format]);
    return err ? err : ops->check(set, reterr);
}

int carrier_start(const struct carrier_ops *ops, const struct carrier_settings *set, struct carrier **ret,
                  struct error *reterr)
{
    *ret = NULL;
    int err = check(ops, set, reterr);
    if (err < 0)
        return err;
    struct carrier *c = calloc(1, sizeof *c);
    memory_check(c);
    c->ops = ops;
    c->wake = -1;
    copy_settings(c, set);
    void *page = mmap(NULL, sizeof *c->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memory_check(page == MAP_FAILED ? NULL : page);
    c->page = page;
    err = start(c, reterr);
    if (err < 0)
        carrier_free(c);
    else
        *ret = c;
    return err;
}

pid_t carrier_process(const struct carrier *c)
{
    return c ? c->pid : 0;
}

const struct carrier_settings *carrier_settings(const struct carrier *c)
{
    return &c->set;
}

const struct carrier_page *carrier_page(const struct carrier *c)
{
    return c->page;
}

void carrier_wake(struct carrier *c)
{
    ssize_t sent = c->wake >= 0 ? write(c->wake, "", 1) : 0;
    (void)sent; /* a full pipe wakes it as well */
}

bool carrier_lives(struct carrier *c)
{
    if (c->pid && waitpid(c->pid, &c->status, WNOHANG) == c->pid) {
        c->pid = 0;
        if (c->wake >= 0)
            fprintf(stderr, "mailtap: %s: its carrier has ended; records wait in %s for the next start\n",
                    c->set.url, c->set.outbox);
    }
    return c->pid;
}

void carrier_end(struct carrier *c)
{
    if (!c || c->wake < 0)
        return;
    carrier_lives(c);
    close(c->wake);
    c->wake = -1;
    c->until = now_monotonic() + c->set.wait_most + grace;
}

/* Waits for its end, and brings it about where it takes too long: it may be in the midst of a batch, which
 * is then still in the outbox. */
static int reap(struct carrier *c)
{
    while (carrier_lives(c) && now_monotonic() < c->until)
        usleep(2000);
    if (c->pid) {
        kill(c->pid, SIGKILL);
        waitpid(c->pid, &c->status, 0);
        c->pid = 0;
        return 0;
    }
    if (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)
        return 0;
    fprintf(stderr, "mailtap: %s: its carrier ended badly\n", c->set.url);
    return -EIO;
}

static int say_left(const struct carrier *c)
{
    struct error err;
    int folder = outbox_open(c->set.outbox, &err);
    const struct outbox_sum sum = folder >= 0 ? outbox_sum(folder) : (struct outbox_sum){0};
    if (folder >= 0)
        close(folder);
    if (!sum.batches)
        return 0;
    fprintf(stderr, "mailtap: %s: %llu records wait in %s for the next run\n", c->set.url,
            (unsigned long long)sum.lines, c->set.outbox);
    return -EAGAIN;
}

int carrier_finish(struct carrier *c)
{
    if (!c)
        return 0;
    if (!c->finished) {
        carrier_end(c);
        int err = reap(c);
        int left = say_left(c);
        c->result = err ? err : left;
        c->finished = true;
    }
    return c->result;
}

int carrier_close(struct carrier **pc)
{
    struct carrier *c = *pc;
    int err = carrier_finish(c);
    *pc = NULL;
    if (c)
        carrier_free(c);
    return err;
}
