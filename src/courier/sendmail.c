/* sendmail.c: a mail to the standard input of a program.
 * In: a mail. Out: whether the program took it. Owns: its process, a group of its own, and the mail's file in
 * memory. Limits: `timeout`; then the group is killed. Knowingly: recipients are arguments, never read from
 * the header (-t), and stand behind --; what the program says goes to our stderr. */
#include "courier/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"

void sendmail_init(struct sendmail *s)
{
    *s = (struct sendmail){.fd = -1};
}

/* A pipe would need a writer that waits for the program. */
static int mail_file(struct slice mail)
{
    int fd = memfd_create("mail", MFD_CLOEXEC);
    int err = fd < 0 ? 0 : io_write(fd, mail);
    if (err) {
        close(fd);
        errno = -err;
        return -1;
    }
    if (fd >= 0)
        lseek(fd, 0, SEEK_SET);
    return fd;
}

/* 0 or an errno. */
static int spawn(pid_t *ret, const char *program, char *const argv[], int input)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t set;
    posix_spawn_file_actions_init(&files);
    posix_spawnattr_init(&attr);
    posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&attr, &set);
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attr, &set);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
    int err = posix_spawn(ret, program, &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    return err;
}

static void wait_for_end(pid_t pid, int *retstatus)
{
    while (waitpid(pid, retstatus, 0) < 0 && errno == EINTR)
        ;
}

bool sendmail_start(struct sendmail *s, const char *program, const struct courier_settings *set,
                    struct slice mail, double now, struct outcome *ret)
{
    char *argv[CHECK_RECIPIENTS + 6] = {(char *)program, "-i", "-f", (char *)set->email_from, "--"};
    for (size_t i = 0; i < set->email_to_count; i++)
        argv[5 + i] = (char *)set->email_to[i];
    int input = mail_file(mail);
    int err = input < 0 ? errno : spawn(&s->pid, program, argv, input);
    if (input >= 0)
        close(input);
    if (!err && (s->fd = pidfd_open(s->pid, 0)) < 0) {
        err = errno;
        kill(-s->pid, SIGKILL);
        wait_for_end(s->pid, NULL);
    }
    s->deadline = now + set->timeout;
    *ret = (struct outcome){.delivered = false};
    if (err)
        snprintf(ret->text, sizeof ret->text, "%s", strerror(err));
    return !err;
}

static void finish(struct sendmail *s, int *retstatus)
{
    wait_for_end(s->pid, retstatus);
    close(s->fd);
    s->fd = -1;
}

/* An interrupted look is none: at the deadline a program that has taken the mail would count as one that has
 * not, and get it again. */
static bool has_ended(const struct sendmail *s)
{
    int got;
    do
        got = poll(&(struct pollfd){.fd = s->fd, .events = POLLIN}, 1, 0);
    while (got < 0 && errno == EINTR);
    return got > 0;
}

bool sendmail_done(struct sendmail *s, double now, struct outcome *ret)
{
    int status = 0;
    if (s->fd < 0)
        return false;
    bool ended = has_ended(s);
    if (!ended && now < s->deadline)
        return false;
    if (!ended)
        kill(-s->pid, SIGKILL);
    finish(s, &status);
    *ret = (struct outcome){.delivered = ended && WIFEXITED(status) && WEXITSTATUS(status) == 0};
    if (!ended)
        snprintf(ret->text, sizeof ret->text, "took too long and was killed");
    else if (WIFSIGNALED(status))
        snprintf(ret->text, sizeof ret->text, "ended by signal %d", WTERMSIG(status));
    else
        snprintf(ret->text, sizeof ret->text, "exit code %d", WEXITSTATUS(status));
    return true;
}

void sendmail_free(struct sendmail *s)
{
    int status;
    if (s->fd < 0)
        return;
    kill(-s->pid, SIGKILL);
    finish(s, &status);
}
