/* What software hosts show: what is told of once, what again, what is forgotten. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "rule/software.h"

struct told {
    char text[4096];
};

static void on_software(void *ctx, struct software *s)
{
    struct told *told = ctx;
    size_t len = strlen(told->text);
    snprintf(told->text + len, sizeof told->text - len, "%d:%d %.*s %.*s %.*s\n", s->host.bytes[3], s->host_p,
             (int)s->software_type.len - 6, (const char *)s->software_type.data + 6, (int)s->product.name.len,
             (const char *)s->product.name.data, (int)s->product.version.len,
             (const char *)s->product.version.data);
}

static struct address host(int last)
{
    return (struct address){4, {10, 0, 0, (uint8_t)last}};
}

static struct address far(int last)
{
    return (struct address){4, {8, 8, 8, (uint8_t)last}};
}

static const struct software_settings local = {SOFTWARE_LOCAL, {NULL, 0}, 100};

/* A mail by way of these addresses: server, client, hops. */
static void mail(struct software_table *t, const struct software_settings *set, long at, struct address *path,
                 size_t len, const char *name, const char *version, bool webmail, const char *received)
{
    struct product agent = {slice_str(name), slice_str(version), {NULL, 0}};
    struct transaction m = {.id.resp.addr = path[0],
                            .id.orig.addr = path[1],
                            .path = {path, len, len},
                            .agent = *name ? &agent : NULL,
                            .is_webmail = webmail,
                            .first_received = slice_str(received)};
    software_record(t, set, &(struct record){&stream_smtp, &m, {at, 0}, NULL});
}

static void client(struct software_table *t, long at, int last, const char *name, const char *version)
{
    struct address path[] = {host(1), host(last)};
    mail(t, &local, at, path, 2, name, version, false, "");
}

static void server(struct software_table *t, const struct software_settings *set, long at, struct address a,
                   uint16_t port, const char *name)
{
    struct session s = {.id.resp = {.addr = a, .port = port}, .server = {.name = slice_str(name)}};
    software_record(t, set, &(struct record){&stream_session, &s, {at, 0}, NULL});
}

static void expect(struct told *told, const char *want)
{
    assert_string_equal(told->text, want);
    *told->text = '\0';
}

static void once(void **state)
{
    struct told told = {""};
    struct software_table *t = software_table_new(100, on_software, &told);
    (void)state;
    client(t, 1000, 2, "Foo", "1.0");
    client(t, 1001, 2, "Foo", "1.0");
    client(t, 1002, 3, "Foo", "1.0");
    client(t, 1003, 2, "Foo", "1.1");
    client(t, 1004, 2, "Foo", "1.0");
    client(t, 1005, 2, "Bar", "1.0");
    client(t, 1006, 2, "", "");
    expect(&told, "2:0 MAIL_CLIENT Foo 1.0\n3:0 MAIL_CLIENT Foo 1.0\n2:0 MAIL_CLIENT Foo 1.1\n"
                  "2:0 MAIL_CLIENT Bar 1.0\n");
    server(t, &local, 1007, host(2), 25, "Foo");
    server(t, &local, 1008, host(2), 587, "Foo");
    server(t, &local, 1009, host(2), 25, "Foo");
    expect(&told, "2:25 MAIL_SERVER Foo \n2:587 MAIL_SERVER Foo \n");
    /* It is told of again once it has expired, counted from when it was told; and where time has gone back.
     */
    client(t, 1099, 2, "Foo", "1.0");
    expect(&told, "");
    client(t, 1100, 2, "Foo", "1.0");
    client(t, 1101, 2, "Foo", "1.0");
    expect(&told, "2:0 MAIL_CLIENT Foo 1.0\n");
    client(t, 1000, 2, "Foo", "1.0");
    expect(&told, "2:0 MAIL_CLIENT Foo 1.0\n");
    assert_int_equal(software_shed(t), 0);
    software_table_free(&t);
}

static void whose(void **state)
{
    struct told told = {""};
    struct software_table *t = software_table_new(100, on_software, &told);
    struct address hops[] = {host(1), host(2), host(3), host(4)};
    struct address outside[] = {host(1), far(2), host(3)}, gone[] = {host(1), host(2), far(3)};
    static const struct network nets[] = {{{4, {8, 8, 8, 0}}, 24}};
    struct software_settings set = local;
    (void)state;
    mail(t, &set, 1, hops, 4, "A", "", false, "from x by y via HTTP");
    mail(t, &set, 2, hops, 4, "B", "", true, "from x by y with ESMTP");
    mail(t, &set, 3, hops, 4, "C", "", true, "from x by y via HTTP");
    mail(t, &set, 4, hops, 2, "D", "", true, "from x by y via HTTP");
    expect(&told,
           "4:0 MAIL_CLIENT A \n4:0 WEBMAIL_SERVER B \n3:0 WEBMAIL_SERVER C \n2:0 WEBMAIL_SERVER D \n");
    /* From outside anything may be written; of other people's hosts we tell nothing. */
    mail(t, &set, 5, outside, 3, "E", "", false, "");
    mail(t, &set, 6, gone, 3, "F", "", false, "");
    server(t, &set, 7, far(1), 25, "G");
    expect(&told, "");
    set.local_nets = (struct networks){nets, 1};
    mail(t, &set, 8, gone, 3, "F", "", false, "");
    server(t, &set, 9, far(1), 25, "G");
    expect(&told, "3:0 MAIL_CLIENT F \n1:25 MAIL_SERVER G \n");
    set = (struct software_settings){SOFTWARE_ALL, {NULL, 0}, 100};
    mail(t, &set, 10, outside, 3, "E", "", false, "");
    server(t, &set, 11, far(9), 25, "G");
    expect(&told, "3:0 MAIL_CLIENT E \n9:25 MAIL_SERVER G \n");
    set.scope = SOFTWARE_NONE;
    server(t, &set, 12, far(8), 25, "G");
    expect(&told, "");
    software_table_free(&t);
}

static void full(void **state)
{
    struct told told = {""};
    struct software_table *t = software_table_new(4, on_software, &told);
    (void)state;
    for (int i = 1; i <= 5; i++)
        client(t, i, i, "Foo", "1");
    assert_int_equal(software_shed(t), 1);
    *told.text = '\0';
    client(t, 6, 1, "Foo", "1");
    client(t, 6, 3, "Foo", "1");
    expect(&told, "1:0 MAIL_CLIENT Foo 1\n");
    assert_int_equal(software_shed(t), 2);
    /* What has expired is not missed. */
    for (int i = 1; i <= 4; i++)
        client(t, 1000 + i, i, "Foo", "1");
    assert_int_equal(software_shed(t), 2);
    for (int round = 0; round < 3000; round++)
        client(t, 2000 + round / 7, round % 11, "Foo", round % 3 ? "1" : "2");
    software_table_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once),
        cmocka_unit_test(whose),
        cmocka_unit_test(full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
