/* Settings that a courier cannot work with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include "courier/check.h"

static const char *const to[] = {"abuse@example.org", "noc@example.org"};
static const struct courier_settings good = {.email_server = "smtp://127.0.0.1:25",
                                             .email_from = "mailtap@example.org",
                                             .email_to = to,
                                             .email_to_count = 2,
                                             .webhook_url = "https://example.org/hook?secret=x",
                                             .retry_first = 1,
                                             .retry_most = 60,
                                             .timeout = 30,
                                             .courier_wait = 5};

static void assert_refused(struct courier_settings set, const char *says)
{
    struct error err = {""};
    int code = check_settings(&set, &err);
    if (code != -EINVAL || !strstr(err.text, says))
        fail_msg("wanted '%s', got %d: '%s'", says, code, err.text);
}

static void refused(void **state)
{
    (void)state;
    struct courier_settings s;
    static const char *const servers[] = {"ftp://host",
                                          "http://host",
                                          "mail.example.org",
                                          "smtp://",
                                          "smtp:// host",
                                          "",
                                          "sendmail:sendmail",
                                          "sendmail:/nowhere",
                                          "smtp://user:password@host",
                                          "smtp://host:99999999"};
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        s = good;
        s.email_server = servers[i];
        if (*servers[i])
            assert_refused(s, "email_server");
    }
    static const char *const hooks[] = {"ftp://host/", "file:///etc/passwd", "example.org/hook", "https://"};
    for (size_t i = 0; i < sizeof hooks / sizeof *hooks; i++) {
        s = good;
        s.webhook_url = hooks[i];
        assert_refused(s, "webhook_url");
    }
    static const char *const addresses[] = {
        "mailtap", "@x",    "a@",        "a b@c", "<a@b>", "-a@b", "a@b\r\nRCPT TO:<c@d>",
        "a@b@c",   "a,b@c", "\xc3\xa4@b"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        s = good;
        s.email_from = addresses[i];
        assert_refused(s, "email_from");
        s = good;
        s.email_to = &addresses[i];
        s.email_to_count = 1;
        assert_refused(s, "email_to");
    }
}

static void missing(void **state)
{
    struct courier_settings s = good;
    (void)state;
    s.email_from = NULL;
    assert_refused(s, "email_from: needed");
    s.email_from = "";
    assert_refused(s, "email_from: needed");
    s = good;
    s.email_to_count = 0;
    assert_refused(s, "email_to: needed");
    s = good;
    s.email_user = "me";
    assert_refused(s, "email_password_file");
    s = good;
    s.email_password_file = "/x";
    assert_refused(s, "email_user");
    s = good;
    s.timeout = 0;
    assert_refused(s, "timeout");
    s = good;
    s.retry_first = -1;
    assert_refused(s, "retry_first");
}

static void taken(void **state)
{
    struct error err;
    struct courier_settings s = good, none = {.retry_first = 1, .retry_most = 1, .timeout = 1};
    static const char *const servers[] = {
        "smtp://host", "smtps://host:465", "smtp://[::1]:25", "sendmail:/bin/true", "SMTP://host", NULL, ""};
    (void)state;
    for (size_t i = 0; i < sizeof servers / sizeof *servers; i++) {
        s.email_server = servers[i];
        if (check_settings(&s, &err))
            fail_msg("%s: %s", servers[i], err.text);
    }
    assert_int_equal(check_settings(&none, &err), 0);
}

static void assert_where(const char *url, const char *want)
{
    char where[CHECK_WHERE];
    check_where(url, where);
    assert_string_equal(where, want);
}

static void secrets_are_not_said(void **state)
{
    (void)state;
    assert_where("https://hooks.example.org/T00/secret", "https://hooks.example.org");
    assert_where("https://hooks.example.org:8443?secret", "https://hooks.example.org:8443");
    assert_where("https://me:secret@example.org/", "https://example.org");
    assert_where("smtp://127.0.0.1:25", "smtp://127.0.0.1:25");
    assert_where("sendmail:/usr/sbin/sendmail", "sendmail:/usr/sbin/sendmail");
    assert_true(check_is_here("smtp://127.0.0.1:25"));
    assert_true(check_is_here("smtp://[::1]"));
    assert_true(check_is_here("smtp://localhost"));
    assert_false(check_is_here("smtp://127.0.0.1.example.org"));
    assert_false(check_is_here("smtp://192.0.2.1"));
}

static void passwords(void **state)
{
    char path[] = "/tmp/mailtap-password-XXXXXX", password[CHECK_PASSWORD];
    struct error err;
    (void)state;
    int fd = mkstemp(path);
    assert_int_equal(check_password(path, password, &err), -EINVAL);
    assert_int_equal(write(fd, "a b\r\nc", 6), 6);
    assert_int_equal(check_password(path, password, &err), 0);
    assert_string_equal(password, "a b");
    close(fd);
    unlink(path);
    assert_int_equal(check_password(path, password, &err), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused),   cmocka_unit_test(missing),
        cmocka_unit_test(taken),     cmocka_unit_test(secrets_are_not_said),
        cmocka_unit_test(passwords),
    };
    return cmocka_run_group_tests_name("courier_check", tests, NULL, NULL);
}
