/* The email target: when a mail is due, what goes into it, and its way out. */
#ifndef COURIER_EMAIL_H
#define COURIER_EMAIL_H

#include "base/buf.h"
#include "courier/own.h"
#include "courier/rate.h"
#include "courier/sendmail.h"
#include "courier/transfer.h"

struct email {
    struct target target;
    const uint8_t *key;
    const char *password; /* NULL: no user */
    const char *program;  /* NULL: by SMTP */
    struct transfer smtp;
    struct sendmail sendmail;
    struct rate rate;
    struct buf mail; /* on its way */
    double next;     /* when the interval of the last mail ends */
};

/* Texts and the key are the caller's and must outlive it. */
void email_init(struct email *e, CURLM *multi, const struct courier_settings *set, const char *password,
                const uint8_t key[static OWN_KEY], int directory, struct wire_page *page);
/* `subject`, LF, `text`, into the spool. */
void email_take(struct email *e, struct slice subject, struct slice text);
/* Ends what is over, starts what is due. `closing`: the interval does not matter any more. */
void email_step(struct email *e, double now, bool closing);
/* When to call email_step again at the latest; INFINITY: when something comes or ends. */
double email_due(const struct email *e, bool closing);
void email_end(struct email *e);

#endif
