/* email.c: digests.
 * In: notices, time. Out: mails. Owns: the mail on its way, the ways. Limits: one mail at a time;
 * email_interval and email_rate. Knowingly: the first notice after a quiet interval goes out at once, so that
 * an abuse desk hears of a new thing in seconds, and what follows as one digest an interval. A mail that
 * failed is made anew, with what came since; if the server took it and its reply was lost, its notices arrive
 * twice. */
#include "courier/email.h"

#include <math.h>
#include <time.h>
#include "courier/clean.h"
#include "courier/compose.h"

enum { HOUR = 3600, SUBJECT_SPOOLED = 1000 };

void email_init(struct email *e, CURLM *multi, const struct courier_settings *set, const char *password,
                const uint8_t key[static OWN_KEY], int directory, struct wire_page *page)
{
    *e = (struct email){.key = key, .password = password, .program = check_program(set->email_server)};
    target_init(&e->target, "email", set->email_server, WIRE_EMAIL, directory, set, page);
    transfer_init(&e->smtp, multi);
    sendmail_init(&e->sendmail);
    rate_init(&e->rate, set->email_rate, HOUR);
    buf_init(&e->mail, SIZE_MAX / 2);
}

void email_take(struct email *e, struct slice subject, struct slice text)
{
    struct buf item;
    buf_init(&item, SIZE_MAX / 2);
    clean_line(&item, subject, SUBJECT_SPOOLED);
    buf_add_byte(&item, '\n');
    buf_add(&item, text);
    target_take(&e->target, buf_slice(&item));
    buf_free(&item);
}

double email_due(const struct email *e, bool closing)
{
    double due = target_due(&e->target), free_at = rate_free_at(&e->rate, closing);
    if (e->sendmail.fd >= 0)
        return e->sendmail.deadline;
    if (!closing && due < e->next)
        due = e->next;
    return due < free_at ? free_at : due;
}

static void begin(struct email *e, double now)
{
    const struct courier_settings *set = e->target.set;
    const struct spool_item *first = e->target.spool.first;
    char id[OWN_ID];
    struct outcome failed;
    struct compose_head head = {set->email_from,           set->email_to, set->email_to_count, id, time(NULL),
                                e->program ? "\n" : "\r\n"};
    own_id(e->key, head.time, set->email_from, id);
    e->target.flying = compose_fits(first);
    compose(&e->mail, &head, first, e->target.flying);
    if (!e->program)
        transfer_smtp(&e->smtp, set, e->password, buf_slice(&e->mail));
    else if (!sendmail_start(&e->sendmail, e->program, set, buf_slice(&e->mail), now, &failed))
        target_landed(&e->target, &failed, now);
}

void email_step(struct email *e, double now, bool closing)
{
    struct outcome o;
    if (transfer_done(&e->smtp, &o) || sendmail_done(&e->sendmail, now, &o)) {
        buf_free(&e->mail);
        target_landed(&e->target, &o, now);
        if (o.delivered) {
            rate_add(&e->rate, now);
            e->next = now + e->target.set->email_interval;
        }
    }
    if (!e->target.flying && email_due(e, closing) <= now)
        begin(e, now);
}

void email_end(struct email *e)
{
    transfer_free(&e->smtp);
    sendmail_free(&e->sendmail);
    target_end(&e->target);
    rate_free(&e->rate);
    buf_free(&e->mail);
}
