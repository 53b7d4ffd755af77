/* Who a mail's header names: From, Sender, Reply-To, To, Cc, Bcc. */
#ifndef RECORD_PEOPLE_H
#define RECORD_PEOPLE_H

#include "record/headers.h"

/* Adds the mailboxes of the field in `ev` to `list`, a member of d->t.addresses, up to list_items; where
 * `texts` is not NULL, its elements as texts to that too. `writes`: the field says whom the mail is from. */
void people_take(struct draft *d, const struct builder_settings *set, struct charsets *cs,
                 const struct mime_event *ev, struct mailbox_list *list, struct text_list *texts, bool writes,
                 struct buf *scratch);

#endif
