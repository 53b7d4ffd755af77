/* Message-IDs of our own mails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "courier/own.h"

static const uint8_t key[OWN_KEY] = {1, 2, 3}, other_key[OWN_KEY] = {1, 2, 4};
static const char sender[] = "mailtap@example.org";

static bool is_own(const char *id, const char *from)
{
    return own_is(key, slice_str(id), slice_str(from));
}

static void ours(void **state)
{
    char id[OWN_ID], again[OWN_ID], bare[OWN_ID];
    (void)state;
    own_id(key, 1700000000, sender, id);
    own_id(key, 1700000000, sender, again);
    assert_string_not_equal(id, again);
    assert_int_equal(strncmp(id, "<mailtap.6553f100.", 18), 0);
    assert_string_equal(strchr(id, '@'), "@example.org>");
    assert_true(is_own(id, sender));
    assert_true(is_own(id, "<mailtap@example.org>"));
    assert_true(is_own(id, "MailTap@Example.ORG"));
    snprintf(bare, sizeof bare, " %.*s\t", (int)strlen(id) - 2, id + 1);
    assert_true(is_own(bare, sender));
    assert_false(own_is(other_key, slice_str(id), slice_str(sender)));
    assert_false(is_own(id, "spam@example.org"));
    assert_false(is_own(id, ""));
}

/* Each character in front of the @ counts, as does each that is missing. */
static void forged(void **state)
{
    char id[OWN_ID], bad[OWN_ID];
    (void)state;
    own_id(key, 1700000000, sender, id);
    size_t at = (size_t)(strchr(id, '@') - id);
    for (size_t i = 1; i < at; i++) {
        strcpy(bad, id);
        bad[i] = bad[i] == '0' ? '1' : '0';
        if (is_own(bad, sender))
            fail_msg("%s was taken for our own", bad);
        memmove(bad + i, id + i + 1, strlen(id + i));
        if (is_own(bad, sender))
            fail_msg("%s was taken for our own", bad);
        if (own_is(key, (struct slice){(const uint8_t *)id, i}, slice_str(sender)))
            fail_msg("the first %zu bytes were taken for our own", i);
    }
    static const char *const no[] = {"",
                                     "<>",
                                     "<",
                                     "mailtap.",
                                     "<mailtap.@x>",
                                     "<mailtap..@x>",
                                     "<a@b>",
                                     "mailtap.00000000000000000000000000000000@x"};
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(is_own(no[i], sender));
    char longest[2000];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    memcpy(longest, "mailtap.", 8);
    longest[1900] = '.';
    assert_false(is_own(longest, sender));
    assert_false(is_own(id, longest));
    assert_false(own_is(key, (struct slice){NULL, 0}, (struct slice){NULL, 0}));
}

static void random_keys_differ(void **state)
{
    uint8_t a[OWN_KEY], b[OWN_KEY];
    struct error err;
    (void)state;
    assert_int_equal(own_key_random(a, &err), 0);
    assert_int_equal(own_key_random(b, &err), 0);
    assert_memory_not_equal(a, b, OWN_KEY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ours),
        cmocka_unit_test(forged),
        cmocka_unit_test(random_keys_differ),
    };
    return cmocka_run_group_tests_name("own", tests, NULL, NULL);
}
