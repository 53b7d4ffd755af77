/* What became of lines, by their hashes, for those that a bus gives once more: the latest so many. */
#ifndef OVER_SEEN_H
#define OVER_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct over_seen;

enum over_fate { OVER_NEW, OVER_WENT, OVER_LEFT };

/* `most`: lines remembered; over it the oldest is forgotten. */
struct over_seen *over_seen_new(size_t most);
void over_seen_free(struct over_seen **s);
enum over_fate over_seen_find(const struct over_seen *s, uint64_t hash);
/* One that is new, and what became of it. */
void over_seen_put(struct over_seen *s, uint64_t hash, bool went);
/* All of them, the oldest first, each with what became of it in one number, for over_seen_again. */
void over_seen_each(const struct over_seen *s, void (*take)(void *ctx, uint64_t item), void *ctx);
void over_seen_again(struct over_seen *s, uint64_t item);

#endif
