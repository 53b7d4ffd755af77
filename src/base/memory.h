/* When the system has no memory left: the program ends with a word. The C library's assert() needs memory to
 * say which one failed. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Says so on standard error, and aborts. */
_Noreturn void memory_out(void);
/* For what an allocation gave. */
static inline void memory_check(const void *p)
{
    if (__builtin_expect(!p, 0))
        memory_out();
}

#endif
