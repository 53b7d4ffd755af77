/* kept.c: bytes that were passed on and are not acknowledged yet, for comparison.
 * In: bytes, acknowledgements. Out: whether a copy says the same. Owns: the bytes. Limits: struct
 * kept_budget. Knowingly: what went over a limit is not compared. Spec: RFC 9293 3.10.7.4. */
#include "flow/kept.h"

#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

enum { LEAST = 128 }; /* of one allocation, which holds most commands and replies */

static struct kept **slot_of(struct kept **kept, int dir)
{
    while (*kept && (*kept)->dir != dir)
        kept = &(*kept)->next;
    return kept;
}

static void drop(struct kept **slot, struct kept_budget *budget)
{
    struct kept *k = *slot;
    *slot = k->next;
    budget->held -= sizeof *k + k->room;
    free(k);
}

/* Room for `need` bytes, or as many of them as the budget allows. */
static struct kept *make_room(struct kept **slot, struct kept_budget *budget, int dir, size_t need)
{
    struct kept *k = *slot;
    size_t before = k ? sizeof *k + k->room : 0, size = before > LEAST ? before : LEAST;
    need = sizeof *k + (need < budget->most ? need : budget->most);
    while (size < need)
        size *= 2;
    if (size == before || budget->held - before + size > budget->all)
        return k;
    struct kept *more = realloc(k, size);
    memory_check(more);
    if (!k)
        *more = (struct kept){.dir = dir};
    more->room = (uint32_t)(size - sizeof *more);
    budget->held += size - before;
    *slot = more;
    return more;
}

void kept_add(struct kept **kept, struct kept_budget *budget, int dir, uint32_t seq, struct slice bytes)
{
    struct kept **slot = slot_of(kept, dir), *k = *slot;
    /* What came after the first byte that did not fit does not follow. */
    if (k && k->seq + k->len != seq)
        return;
    size_t have = k ? k->len : 0;
    if (!k || bytes.len > k->room - have)
        k = make_room(slot, budget, dir, have + bytes.len);
    if (!k)
        return;
    if (!k->len)
        k->seq = seq;
    size_t room = (k->room < budget->most ? k->room : budget->most);
    size_t left = room > k->len ? room - k->len : 0, count = bytes.len < left ? bytes.len : left;
    memcpy(k->data + k->len, bytes.data, count);
    k->len += (uint32_t)count;
}

void kept_forget(struct kept **kept, struct kept_budget *budget, int dir, uint32_t seq)
{
    struct kept **slot = slot_of(kept, dir), *k = *slot;
    int32_t count = k ? (int32_t)(seq - k->seq) : 0;
    if (count <= 0)
        return;
    if ((uint32_t)count >= k->len) {
        drop(slot, budget);
        return;
    }
    memmove(k->data, k->data + count, k->len - (uint32_t)count);
    k->seq = seq;
    k->len -= (uint32_t)count;
}

enum kept_verdict kept_compare(const struct kept *k, int dir, uint32_t seq, struct slice bytes)
{
    while (k && k->dir != dir)
        k = k->next;
    int32_t at = k ? (int32_t)(seq - k->seq) : 0;
    if (!k)
        return KEPT_UNKNOWN;
    size_t skip = at < 0 ? (size_t) - (int64_t)at : 0, from = at > 0 ? (size_t)at : 0;
    bool all = !skip && from + bytes.len <= k->len;
    bytes = slice_sub(bytes, skip, bytes.len);
    size_t there = from < k->len ? k->len - from : 0, count = bytes.len < there ? bytes.len : there;
    if (count && memcmp(bytes.data, k->data + from, count) != 0)
        return KEPT_DIFFERS;
    return all ? KEPT_SAME : KEPT_UNKNOWN;
}

void kept_clear(struct kept **kept, struct kept_budget *budget)
{
    while (*kept)
        drop(kept, budget);
}
