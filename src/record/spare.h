/* What the sessions of one pipeline share: working memory, and the drafts and MIME parsers with their parts
 * that no mail needs now, the talks that no session does. So a connection without an open mail holds none,
 * and the next mail of any of them finds one ready. */
#ifndef RECORD_SPARE_H
#define RECORD_SPARE_H

#include "record/digest.h"
#include "record/headers.h"
#include "record/parts.h"

enum { SPARES_MOST = 64 };

struct talk; /* mail/talk.h */

struct spares {
    const struct builder_settings *set;
    struct charsets *cs;
    struct buf scratch, line;   /* hold nothing from one call of a builder to the next */
    struct arena mem, keywords; /* the texts of a session's record, for the time of that record */
    struct draft *drafts[SPARES_MOST];
    struct mime *mimes[SPARES_MOST];
    struct parts *parts[SPARES_MOST];
    struct talk *talks[SPARES_MOST];
    uint32_t draft_count, mime_count, parts_count, talk_count;
    struct digest_methods *methods, *mail_methods; /* of parts; of whole mails, or NULL */
};

/* `set` and `cs` are borrowed and outlive it. */
struct spares *spares_new(const struct builder_settings *set, struct charsets *cs);
/* After all builders that work with it. */
void spares_free(struct spares **s);

/* An empty draft, the caller's until it comes back. */
struct draft *spares_take_draft(struct spares *s);
void spares_give_draft(struct spares *s, struct draft *d);
/* A parser that stands at the beginning of a mail, the caller's until it comes back. */
struct mime *spares_take_mime(struct spares *s, mime_fn *fn, void *ctx);
void spares_give_mime(struct spares *s, struct mime *m);
/* Without an open part, the caller's until they come back. */
struct parts *spares_take_parts(struct spares *s);
void spares_give_parts(struct spares *s, struct parts *p);
/* An empty one, the caller's until it comes back, then NULL. `most` of talk_new is the same in all calls. */
struct talk *spares_take_talk(struct spares *s, size_t most);
void spares_give_talk(struct spares *s, struct talk **t);

#endif
