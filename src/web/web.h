/* mailtap web: the HTTP server that shows a store to people and programs. This is the folder's door; the
 * program settles who we are and what may be opened, then calls web_run. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"
#include "base/net.h"

struct reader;

enum { WEB_HOSTS = 16 };

/* All texts are the caller's and outlive the server. */
struct web_settings {
    /* Opens a reader of the store; called by several threads. 0 or -errno. */
    int (*open_reader)(void *store, struct reader **ret, struct error *reterr);
    void *store;
    const char *directory; /* where what people decide of notices lies */
    const char *version;   /* of the program */
    struct endpoint listen;
    const char *certificate, *key; /* files; "": no TLS */
    const char *users;             /* a file; "": nobody logs in */
    const char *audit;             /* a file; "": none */
    const char *hosts[WEB_HOSTS];  /* names by which others may call us, with or without a port */
    size_t host_count;
    double session_idle, session_most; /* seconds */
    uint64_t log_ins;                  /* a minute, of one address, and of one user */
    uint64_t connections, threads, page_rows;
    double client_timeout; /* seconds for a request, or a piece of an answer */
    double seconds;        /* the budget of one question */
};

struct web;

/* "127.0.0.1:8025", "[::1]:8025". False: it is none. */
bool web_address(const char *text, struct endpoint *ret);
/* Reads the certificate and the users, and listens; with port 0 the system chooses one. Returns 0; or -errno
 * with a text, also where strangers could come in: another address than loopback without TLS and users. */
int web_open(const struct web_settings *set, struct web **ret, struct error *reterr);
/* Where it listens. */
struct endpoint web_endpoint(const struct web *w);
/* Whether by TLS. */
bool web_is_secure(const struct web *w);
/* Opens the audit and starts threads; from here on requests are answered. 0, or -errno with a text. */
int web_start(struct web *w, struct error *reterr);
/* Returns at SIGTERM or SIGINT, which the caller has blocked before web_start, and SIGHUP too: that one has
 * the users read again and the audit opened anew. */
void web_serve(struct web *w);
/* Ends what runs: answers that are ready still leave. False: a question goes on for too long; nothing was
 * freed, and the process should end by _exit. */
bool web_close(struct web *w);

#endif
