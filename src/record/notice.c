/* notice.c: notices as values.
 * In: notices. Out: copies, names of actions. Owns: nothing. */
#include "record/notice.h"

#include "record/copy.h"

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

struct notice *notice_copy(const struct notice *n, size_t most)
{
    struct notice bare = *n;
    bare.actions = (struct text_list){0};
    return record_body_copy(&stream_notice, &bare, most);
}
