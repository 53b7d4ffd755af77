/* The text beside a negative errno: what the environment did to us, for a person to read. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdarg.h>
#include <stdio.h>

struct error {
    char text[512];
};

/* Sets the text and returns `code`, so that `return error_set(err, -EINVAL, ...)` reads as one step. */
__attribute__((format(printf, 3, 4))) static inline int error_set(struct error *err, int code,
                                                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    return code;
}

#endif
