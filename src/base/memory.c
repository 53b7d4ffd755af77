/* memory.c: the end of a program that gets no memory.
 * In: nothing. Out: a line on standard error, then SIGABRT. Owns: nothing. Knowingly: who asked is in the
 * core file alone. */
#include "base/memory.h"

#include <stdlib.h>
#include <unistd.h>

void memory_out(void)
{
    static const char text[] = "mailtap: out of memory\n";
    ssize_t said = write(STDERR_FILENO, text, sizeof text - 1);
    (void)said;
    abort();
}
