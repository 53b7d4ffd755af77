/* The charsets that a group of tests shares. */
#ifndef TEST_CHARSET_FIXTURE_H
#define TEST_CHARSET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mail/charset.h"

static struct charsets *cs;

static inline int charsets_begin(void **state)
{
    (void)state;
    cs = charsets_new();
    return 0;
}

static inline int charsets_end(void **state)
{
    (void)state;
    charsets_free(&cs);
    assert_null(cs);
    return 0;
}

#endif
