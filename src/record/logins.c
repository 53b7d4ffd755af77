/* logins.c: AUTH exchanges of a session, kept for its record.
 * In: struct auth_facts. Out: a list. Owns: it, with its texts. Limits: list_items, session_bytes for the
 * texts.
 */
#include "record/logins.h"

#include <stdlib.h>
#include "base/memory.h"
#include "mail/charset.h"
#include "record/spare.h"

struct logins {
    struct login_list list;
    struct arena mem;
};

static struct slice keep(struct logins *l, struct spares *with, struct slice text)
{
    return text.data ? utf8_copy(&l->mem, text, &with->scratch) : (struct slice){NULL, 0};
}

static struct login *next(struct login_list *list, size_t most)
{
    if (list->len == most)
        return NULL;
    if (list->len == list->room) {
        list->room = list->room ? list->room * 2 : 1; /* most clients log in once */
        list->items = realloc(list->items, list->room * sizeof *list->items);
        memory_check(list->items);
    }
    return &list->items[list->len++];
}

bool logins_add(struct logins **pl, struct spares *with, const struct auth_facts *facts)
{
    if (!*pl) {
        *pl = calloc(1, sizeof **pl);
        memory_check(*pl);
        arena_init(&(*pl)->mem, with->set->session_bytes);
    }
    struct logins *l = *pl;
    struct login *login = next(&l->list, with->set->list_items);
    if (!login)
        return false;
    *login = (struct login){.mechanism = facts->mechanism,
                            .outcome = slice_str(auth_outcome_name(facts->outcome)),
                            .code = facts->code};
    login->user = keep(l, with, facts->user);
    login->enhanced = keep(l, with, facts->enhanced);
    return !l->mem.over;
}

struct login_list logins_list(const struct logins *l)
{
    return l ? l->list : (struct login_list){NULL, 0, 0};
}

void logins_free(struct logins **pl)
{
    struct logins *l = *pl;
    *pl = NULL;
    if (!l)
        return;
    free(l->list.items);
    arena_free(&l->mem);
    free(l);
}
