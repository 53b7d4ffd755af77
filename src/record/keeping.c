/* keeping.c: whole mails for the store.
 * In: the text of a message. Out: a file in the store, its number and name in the record. Owns: the file's
 * descriptor until the mail is over, a hash. Limits: the store's `most`. Knowingly: it stays open until the
 * mail's last reply, as a second message may yet come, and then neither is kept. */
#include "record/keeping.h"

#include <stdlib.h>
#include "base/memory.h"

struct keeping {
    const struct part_store *store;
    int fd; /* -1: none is open */
    uint64_t number, bytes;
    struct digest *digest;
};

struct keeping *keeping_new(void)
{
    struct keeping *k = calloc(1, sizeof *k);
    memory_check(k);
    k->fd = -1;
    k->digest = digest_new();
    return k;
}

void keeping_free(struct keeping **pk)
{
    struct keeping *k = *pk;
    *pk = NULL;
    if (!k)
        return;
    keeping_drop(k);
    digest_free(&k->digest);
    free(k);
}

void keeping_begin(struct keeping *k, const struct part_store *store, const struct digest_methods *methods)
{
    k->store = store;
    k->bytes = 0;
    k->fd = store->open(store->ctx, &k->number);
    digest_begin(k->digest, methods, false);
}

void keeping_add(struct keeping *k, struct slice bytes)
{
    const struct part_store *to = k->store;
    if (k->fd < 0)
        return;
    k->bytes += bytes.len;
    bool fits = k->bytes <= to->most;
    if (!fits)
        to->over(to->ctx);
    if (!fits || !to->add(to->ctx, k->fd, bytes))
        keeping_drop(k);
    else
        digest_add(k->digest, bytes);
}

void keeping_drop(struct keeping *k)
{
    if (k->fd >= 0)
        k->store->close(k->store->ctx, k->fd, k->number, false);
    k->fd = -1;
}

void keeping_settle(struct keeping *k, struct draft *d)
{
    char name[DIGEST_HEX + sizeof ".eml" - 1];
    if (k->fd < 0)
        return;
    digest_end(k->digest);
    struct slice hex = digest_hex(k->digest, DIGEST_SHA256), text = {(const uint8_t *)name, sizeof name};
    memcpy(name, hex.data, hex.len);
    memcpy(name + hex.len, ".eml", 4);
    struct slice copy = hex.len == DIGEST_HEX && k->bytes ? arena_copy(&d->mem, text) : (struct slice){0};
    if (copy.len != sizeof name) {
        keeping_drop(k);
        return;
    }
    k->store->close(k->store->ctx, k->fd, k->number, true);
    k->fd = -1;
    d->t.stored = (struct stored_mail){k->number, k->bytes, copy};
}
