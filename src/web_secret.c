/* web_secret.c: lines for the file of users.
 * In: a terminal, or standard input. Out: lines on standard output. Owns: nothing, and forgets what it read.
 */
#include "web_secret.h"

#include <errno.h>
#include <signal.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "read.h"
#include "web/password.h"
#include "web/token.h"

enum { TYPED = PASSWORD_MOST + 2 };

static int fail(const char *text)
{
    fprintf(stderr, "mailtap: %s\n", text);
    return EXIT_USAGE;
}

/* A line without its end, byte by byte, so that none stays in a buffer of the C library. -1: there is none,
 * or it is too long. */
static ssize_t read_line(char ret[static TYPED])
{
    size_t len = 0;
    ssize_t got;
    while ((got = read(STDIN_FILENO, ret + len, 1)) == 1 && ret[len] != '\n')
        if (++len == TYPED)
            return -1;
    if (got < 0 || (got == 0 && !len))
        return -1;
    return (ssize_t)(len && ret[len - 1] == '\r' ? len - 1 : len);
}

/* Ctrl-C must not leave the terminal without echo. */
static ssize_t ask(const char *prompt, char ret[static TYPED])
{
    struct termios old, quiet;
    sigset_t set, before;
    if (tcgetattr(STDIN_FILENO, &old) < 0)
        return -1;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, &before);
    quiet = old;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    /* Before the prompt: what is typed at it must not be shown, nor lost. */
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    fputs(prompt, stderr);
    ssize_t len = read_line(ret);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &old);
    fputc('\n', stderr);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return len;
}

static int print(const char *line)
{
    puts(line);
    return fflush(stdout) == 0 ? EXIT_DONE : fail("standard output cannot be written");
}

int web_hash_password(void)
{
    char typed[TYPED], again[TYPED], line[PASSWORD_LINE];
    struct error err;
    bool terminal = isatty(STDIN_FILENO);
    ssize_t len = terminal ? ask("Password: ", typed) : read_line(typed);
    if (len < 0)
        return fail("no password was given, or one that is too long");
    if (terminal) {
        ssize_t second = ask("Again: ", again);
        bool same = second == len && CRYPTO_memcmp(typed, again, (size_t)len) == 0;
        OPENSSL_cleanse(again, sizeof again);
        if (!same)
            return fail("the two are not the same");
    }
    int code = password_make((struct slice){(const uint8_t *)typed, (size_t)len}, line, &err);
    OPENSSL_cleanse(typed, sizeof typed);
    return code < 0 ? fail(err.text) : print(line);
}

int web_make_token(void)
{
    char token[TOKEN_TEXT], line[TOKEN_LINE];
    token_make(token);
    token_line(slice_str(token), line);
    fputs("the token, which is shown this once, and its line for the file of users:\n", stderr);
    puts(token);
    return print(line);
}
