/* notice.c: notices as values.
 * In: notices. Out: copies, names of actions. Owns: nothing. */
#include "record/notice.h"

#include <assert.h>
#include <stdlib.h>

const char *notice_action_name(enum notice_action action)
{
    switch (action) {
    case ACTION_LOG:
        return "log";
    case ACTION_EMAIL:
        return "email";
    case ACTION_WEBHOOK:
        return "webhook";
    case ACTION_DROP:
        break;
    }
    return "drop";
}

unsigned notice_action(struct slice name)
{
    for (unsigned i = 0; i < ACTIONS; i++)
        if (slice_eq(name, slice_str(notice_action_name(1u << i))))
            return 1u << i;
    return 0;
}

void notice_complete(struct notice *n)
{
    if (!n->src.family)
        n->src = n->id.orig.addr;
    if (!n->dst.family)
        n->dst = n->id.resp.addr;
    if (!n->host.family)
        n->host = n->src;
}

/* Cut to `most`, and then to a whole character. */
static size_t kept(struct slice s, size_t most)
{
    size_t len = s.len < most ? s.len : most;
    while (len < s.len && len && (s.data[len] & 0xc0) == 0x80)
        len--;
    return len;
}

struct notice *notice_copy(const struct notice *n, size_t most)
{
    static const size_t texts[] = {offsetof(struct notice, id.uid),    offsetof(struct notice, note),
                                   offsetof(struct notice, msg),       offsetof(struct notice, sub),
                                   offsetof(struct notice, mailfrom),  offsetof(struct notice, msg_id),
                                   offsetof(struct notice, country),   offsetof(struct notice, list),
                                   offsetof(struct notice, kind),      offsetof(struct notice, removal),
                                   offsetof(struct notice, retired),   offsetof(struct notice, enhanced),
                                   offsetof(struct notice, identifier)};
    enum { TEXTS = sizeof texts / sizeof *texts };
    size_t room = 0;
    for (size_t i = 0; i < TEXTS; i++)
        room += kept(*(const struct slice *)((const char *)n + texts[i]), most);
    struct notice *copy = malloc(sizeof *copy + room);
    assert(copy);
    *copy = *n;
    copy->actions = (struct text_list){0};
    uint8_t *to = (uint8_t *)(copy + 1);
    for (size_t i = 0; i < TEXTS; i++) {
        struct slice *s = (struct slice *)((char *)copy + texts[i]);
        s->len = kept(*s, most);
        if (s->len)
            memcpy(to, s->data, s->len);
        s->data = s->data ? to : NULL;
        to += s->len;
    }
    return copy;
}
