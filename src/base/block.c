/* block.c: memory that is held by several.
 * In: sizes. Out: blocks. Owns: those in a pool. Limits: none; a pool has as many as were held at once. */
#include "base/block.h"

#include <stdlib.h>
#include "base/memory.h"

struct block *block_new(size_t room)
{
    struct block *b = malloc(sizeof *b + room);
    memory_check(b);
    atomic_init(&b->users, 1);
    b->room = room;
    return b;
}

void block_release(struct block **pb)
{
    struct block *b = *pb;
    *pb = NULL;
    if (b && atomic_fetch_sub_explicit(&b->users, 1, memory_order_acq_rel) == 1)
        free(b);
}

struct block *block_pool_take(struct block_pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (block_is_alone(p->blocks[i])) {
            struct block *b = p->blocks[i];
            p->blocks[i] = p->blocks[--p->count];
            return b;
        }
    return block_new(p->size);
}

void block_pool_put(struct block_pool *p, struct block *b)
{
    if (b->room != p->size) {
        block_release(&b);
        return;
    }
    if (p->count == p->room) {
        p->room = p->room ? 2 * p->room : 8;
        p->blocks = realloc(p->blocks, p->room * sizeof(struct block *));
        memory_check(p->blocks);
    }
    p->blocks[p->count++] = b;
}

void block_pool_free(struct block_pool *p)
{
    for (size_t i = 0; i < p->count; i++)
        block_release(&p->blocks[i]);
    free(p->blocks);
    *p = (struct block_pool){.size = p->size};
}
