/* stores.c: which kind of store a text names.
 * In: what commands are given. Out: readers. Owns: what readers of one store share. */
#include "stores.h"

#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "store/open.h"
#include "view/past.h"

struct stores {
    char *folder;
    struct past *past;
};

static const char *folder_of_text(const char *where)
{
    return where + (strncmp(where, "sqlite:", 7) == 0 ? 7 : 0);
}

int stores_open(const struct stores_settings *set, struct stores **ret, struct error *reterr)
{
    struct stores *s = calloc(1, sizeof *s);
    (void)reterr;
    memory_check(s);
    s->folder = strdup(folder_of_text(set->where));
    memory_check(s->folder);
    s->past = set->sums_bytes ? past_new(set->sums_bytes) : NULL;
    *ret = s;
    return 0;
}

int stores_reader(struct stores *s, struct reader **ret, struct error *reterr)
{
    const struct store_settings set = {.directory = s->folder, .past = s->past};
    return store_open(&set, ret, reterr);
}

const char *stores_name(const struct stores *s)
{
    return s->folder;
}

void stores_close(struct stores **ps)
{
    struct stores *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    past_free(&s->past);
    free(s->folder);
    free(s);
}
