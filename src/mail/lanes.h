/* Many bytes at once, said outright: GCC 12 finds it by itself in some forms of a loop, and miscounts in one
 * of them. */
#ifndef MAIL_LANES_H
#define MAIL_LANES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t lanes __attribute__((vector_size(32)));
typedef int8_t signed_lanes __attribute__((vector_size(32)));
enum { LANES = sizeof(lanes) };

/* Before a function: twice as wide where the processor can, told when the program starts; ThreadSanitizer
 * would be asked before it has begun. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__SANITIZE_THREAD__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif
#define LANES_INLINE static inline __attribute__((always_inline))

/* By pointers: a vector of this width as a value would depend on the processor that is called for. */
LANES_INLINE void lanes_load(lanes *ret, const uint8_t *p)
{
    memcpy(ret, p, sizeof *ret);
}

/* Is any of them not 0? */
LANES_INLINE bool lanes_any(const lanes *l)
{
    uint64_t parts[LANES / 8];
    memcpy(parts, l, sizeof parts);
    return parts[0] | parts[1] | parts[2] | parts[3];
}

#endif
