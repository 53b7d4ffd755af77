/* Authentication-Results and its kin: what each server's form says. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "base/buf.h"
#include "mail/authres.h"

/* Of exactly its size, so that a sanitizer sees what is read beyond it. */
static struct slice exact(const char *text, uint8_t **ret)
{
    size_t len = strlen(text);
    *ret = malloc(len ? len : 1);
    assert_non_null(*ret);
    memcpy(*ret, text, len);
    return (struct slice){*ret, len};
}

static void add_result(struct authres_result *r, struct buf *out)
{
    struct slice key, value;
    buf_add(out, r->method);
    buf_add_byte(out, '=');
    buf_add(out, r->result);
    if (r->comment.data) {
        buf_add_str(out, " (");
        buf_add(out, r->comment);
        buf_add_byte(out, ')');
    }
    if (r->reason.data) {
        buf_add_str(out, " reason:");
        buf_add(out, r->reason);
    }
    while (authres_property(&r->properties, &key, &value)) {
        buf_add_byte(out, ' ');
        buf_add(out, key);
        buf_add_byte(out, '=');
        buf_add(out, value);
    }
    buf_add_byte(out, '|');
}

/* "instance authserv-id: method=result (comment) reason:text key=value ...|" */
static void says(const char *text, const char *want)
{
    uint8_t *copy;
    struct buf out;
    struct authres a;
    struct authres_result r;
    buf_init(&out, 1 << 16);
    authres_open(exact(text, &copy), &a);
    if (a.instance) {
        buf_add_number(&out, a.instance);
        buf_add_byte(&out, ' ');
    }
    buf_add(&out, a.authserv_id);
    buf_add_str(&out, ": ");
    while (authres_next(&a, &r))
        add_result(&r, &out);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
    free(copy);
}

/* RFC 8601 appendix B. */
static void of_rfc(void **state)
{
    (void)state;
    says("example.org 1; none", "example.org: =none|");
    says("example.com; spf=pass smtp.mailfrom=example.net",
         "example.com: spf=pass smtp.mailfrom=example.net|");
    says(
        "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net",
        "example.com: auth=pass (cram-md5) smtp.auth=sender@example.net|spf=pass smtp.mailfrom=example.net|");
    says("example.com; sender-id=fail header.from=example.com; dkim=pass (good signature) "
         "header.d=example.com",
         "example.com: sender-id=fail header.from=example.com|dkim=pass (good signature) "
         "header.d=example.com|");
    says("example.com; dkim=pass reason=\"good signature\" header.i=@mail-router.example.net; dkim=fail "
         "reason=\"bad signature\" header.i=@newyork.example.com",
         "example.com: dkim=pass reason:good signature header.i=@mail-router.example.net|dkim=fail "
         "reason:bad signature header.i=@newyork.example.com|");
    says("foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail "
         "policy (A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) "
         "1362471462",
         "foo.example.net: dkim=fail (Because I like it) expired=1362471462|");
    says("example.com; dkim/1=pass header.d=a.example", "example.com: dkim=pass header.d=a.example|");
    says("example.com; dkim = pass header.d = a.example", "example.com: dkim=pass header.d=a.example|");
    says("\"my server\" 1; spf=pass smtp.mailfrom=\"a b\"@example.net",
         "my server: spf=pass smtp.mailfrom=\"a b\"@example.net|");
}

static void gmail(void **state)
{
    (void)state;
    says("mx.google.com;       dkim=pass header.i=@example.org header.s=sel header.b=AbC/dE+f;       "
         "arc=pass (i=1 spf=pass spfdomain=example.org dkim=pass);"
         "       spf=pass (google.com: domain of bounce-1@example.org designates 192.0.2.1 as permitted "
         "sender) smtp.mailfrom=bounce-1@example.org;"
         "       dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org",
         "mx.google.com: dkim=pass header.i=@example.org header.s=sel header.b=AbC/dE+f|arc=pass (i=1 "
         "spf=pass spfdomain=example.org dkim=pass)|"
         "spf=pass (google.com: domain of bounce-1@example.org designates 192.0.2.1 as permitted sender) "
         "smtp.mailfrom=bounce-1@example.org|"
         "dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org|");
    says("i=2; mx.google.com;       dkim=pass header.i=@example.org",
         "2 mx.google.com: dkim=pass header.i=@example.org|");
}

static void exchange(void **state)
{
    (void)state;
    says("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org; dkim=pass (signature was verified) "
         "header.d=example.org;dmarc=pass action=none header.from=example.org;compauth=pass reason=100",
         ": spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.org|dkim=pass (signature was verified) "
         "header.d=example.org|dmarc=pass action=none header.from=example.org|compauth=pass reason:100|");
    says("spf=none (sender IP is 192.0.2.1) smtp.helo=mail.example.org; contoso.example; dkim=none (message "
         "not signed) header.d=none;contoso.example; dmarc=none action=none header.from=example.org;",
         ": spf=none (sender IP is 192.0.2.1) smtp.helo=mail.example.org|dkim=none (message not signed) "
         "header.d=none|dmarc=none action=none header.from=example.org|");
    says("i=1; mx.microsoft.com 1; spf=pass smtp.mailfrom=example.org; dmarc=pass action=none "
         "header.from=example.org; dkim=pass header.d=example.org; arc=none",
         "1 mx.microsoft.com: spf=pass smtp.mailfrom=example.org|dmarc=pass action=none "
         "header.from=example.org|dkim=pass header.d=example.org|arc=none|");
    says("dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=example.org;",
         ": dkim=none (message not signed) header.d=none|dmarc=none action=none header.from=example.org|");
}

static void yahoo(void **state)
{
    (void)state;
    says("atlas-production.v2-mail-prod1-gq1.omega.yahoo.com; dkim=pass header.i=@example.org header.s=sel; "
         "spf=pass smtp.mailfrom=example.org; dmarc=pass(p=REJECT) header.from=example.org;",
         "atlas-production.v2-mail-prod1-gq1.omega.yahoo.com: dkim=pass header.i=@example.org "
         "header.s=sel|spf=pass smtp.mailfrom=example.org|dmarc=pass (p=REJECT) header.from=example.org|");
    says("mta1.mail.bf1.yahoo.com  from=example.org; domainkeys=neutral (no sig);  from=example.org; "
         "dkim=pass (ok)",
         "mta1.mail.bf1.yahoo.com: domainkeys=neutral (no sig)|from=example.org|dkim=pass (ok)|");
}

static void others(void **state)
{
    (void)state;
    /* Fastmail */
    says(
        "mx5.messagingengine.com;    arc=none (no signatures found);    bimi=pass header.d=example.org "
        "header.selector=default policy.authority-uri=https://example.org/vmc.pem;"
        "    dkim=pass (2048-bit rsa key sha256) header.d=example.org header.i=@example.org header.b=AbCd "
        "header.a=rsa-sha256 header.s=sel x-bits=2048;"
        "    dmarc=pass policy.published-domain-policy=reject (p=reject,d=none,d.eval=none) "
        "policy.policy-from=p header.from=example.org;    iprev=pass smtp.remote-ip=192.0.2.1 "
        "(mail.example.org);"
        "    x-tls=pass smtp.version=TLSv1.3 smtp.cipher=TLS_AES_256_GCM_SHA384 smtp.bits=256/256",
        "mx5.messagingengine.com: arc=none (no signatures found)|bimi=pass header.d=example.org "
        "header.selector=default policy.authority-uri=https://example.org/vmc.pem|"
        "dkim=pass (2048-bit rsa key sha256) header.d=example.org header.i=@example.org header.b=AbCd "
        "header.a=rsa-sha256 header.s=sel x-bits=2048|"
        "dmarc=pass (p=reject,d=none,d.eval=none) policy.published-domain-policy=reject policy.policy-from=p "
        "header.from=example.org|iprev=pass (mail.example.org) smtp.remote-ip=192.0.2.1|"
        "x-tls=pass smtp.version=TLSv1.3 smtp.cipher=TLS_AES_256_GCM_SHA384 smtp.bits=256/256|");
    /* OpenDKIM, OpenDMARC, a policy server of Postfix, amavis */
    says("mail.example.com;\tdkim=pass (2048-bit key; unprotected) header.d=example.org "
         "header.i=@example.org header.b=\"AbCd/+\";\tdkim-atps=neutral",
         "mail.example.com: dkim=pass (2048-bit key; unprotected) header.d=example.org header.i=@example.org "
         "header.b=AbCd/+|dkim-atps=neutral|");
    says("OpenDMARC; dmarc=pass (p=none dis=none) header.from=example.org",
         "OpenDMARC: dmarc=pass (p=none dis=none) header.from=example.org|");
    says("mail.example.com; spf=pass (sender SPF authorized) smtp.mailfrom=example.org (client-ip=192.0.2.1; "
         "helo=mail.example.org; envelope-from=a@example.org; receiver=<UNKNOWN>)",
         "mail.example.com: spf=pass (sender SPF authorized) smtp.mailfrom=example.org|");
    says("mail.example.com (amavisd-new); dkim=pass (2048-bit key) header.d=example.org",
         "mail.example.com: dkim=pass (2048-bit key) header.d=example.org|");
    /* rspamd */
    says("mail.example.com;\tdkim=pass header.d=example.org header.s=sel header.b=AbCd;\tarc=pass "
         "(\"example.org:s=arc-20160816:i=1\");\tdmarc=fail reason=\"SPF not aligned (relaxed)\" "
         "header.from=example.org (policy=none)",
         "mail.example.com: dkim=pass header.d=example.org header.s=sel header.b=AbCd|arc=pass "
         "(\"example.org:s=arc-20160816:i=1\")|"
         "dmarc=fail (policy=none) reason:SPF not aligned (relaxed) header.from=example.org|");
    /* Shared mails: GMX; a server that writes each in a field of its own. */
    says("gmx.net; dkim=pass header.i=@proxforge.de", "gmx.net: dkim=pass header.i=@proxforge.de|");
}

static void broken(void **state)
{
    (void)state;
    says("", ": ");
    says(";;;", ": ");
    says("none", ": =none|");
    says("mail.example.com", "mail.example.com: ");
    says("mail.example.com; =pass; dkim=; spf", "mail.example.com: dkim=|");
    says("mail.example.com; dkim=pass (never ends; spf=pass", "mail.example.com: dkim=pass|spf=pass|");
    says("mail.example.com; dkim=pass header.b=\"never ends; spf=pass",
         "mail.example.com: dkim=pass header.b=\"never|spf=pass|");
    says("i=x; mail.example.com; dkim=pass", ": i=x|dkim=pass|");
    says("i=1", "1 : ");
}

static void spf_says(const char *text, const char *want)
{
    uint8_t *copy;
    struct buf out;
    struct spf_parts spf;
    buf_init(&out, 1 << 16);
    spf_parse(exact(text, &copy), &spf);
    add_result(
        &(struct authres_result){.result = spf.result, .comment = spf.comment, .properties = spf.pairs},
        &out);
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
    free(copy);
}

static void received_spf(void **state)
{
    (void)state;
    spf_says("pass (mybox.example.org: domain of myname@example.com designates 192.0.2.1 as permitted "
             "sender) receiver=mybox.example.org; client-ip=192.0.2.1; envelope-from=\"myname@example.com\"; "
             "helo=foo.example.com;",
             "=pass (mybox.example.org: domain of myname@example.com designates 192.0.2.1 as permitted "
             "sender) receiver=mybox.example.org client-ip=192.0.2.1 envelope-from=myname@example.com "
             "helo=foo.example.com|");
    spf_says("Pass (protection.outlook.com: domain of example.org designates 192.0.2.1 as permitted sender) "
             "receiver=protection.outlook.com; client-ip=192.0.2.1; helo=mail.example.org; pr=C",
             "=Pass (protection.outlook.com: domain of example.org designates 192.0.2.1 as permitted sender) "
             "receiver=protection.outlook.com client-ip=192.0.2.1 helo=mail.example.org pr=C|");
    spf_says("Softfail (mailfrom) identity=mailfrom; client-ip=2001:db8::1; helo=mail.example.org; "
             "envelope-from=a@example.org; receiver=<UNKNOWN>",
             "=Softfail (mailfrom) identity=mailfrom client-ip=2001:db8::1 helo=mail.example.org "
             "envelope-from=a@example.org receiver=<UNKNOWN>|");
    spf_says("none", "=none|");
    spf_says("", "=|");
    spf_says("neutral client-ip=192.0.2.1", "=neutral client-ip=192.0.2.1|");
}

static void tags_are(const char *text, const char *want)
{
    uint8_t *copy;
    struct buf out;
    struct slice rest = exact(text, &copy), name, value;
    buf_init(&out, 1 << 16);
    while (tag_next(&rest, &name, &value)) {
        buf_add(&out, name);
        buf_add_byte(&out, '=');
        buf_add(&out, value);
        buf_add_byte(&out, '|');
    }
    buf_add_byte(&out, 0);
    assert_string_equal((char *)out.data, want);
    buf_free(&out);
    free(copy);
}

static void tags(void **state)
{
    (void)state;
    tags_are("v=1; a=rsa-sha256; d=example.net; s=brisbane;\tc=simple; q=dns/txt; "
             "i=@eng.example.net;\tt=1117574938; x=1118006938; l=10; h=from:to; "
             "b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ==",
             "v=1|a=rsa-sha256|d=example.net|s=brisbane|c=simple|q=dns/"
             "txt|i=@eng.example.net|t=1117574938|x=1118006938|l=10|h=from:to|b="
             "dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZ==|");
    tags_are("i=1; a=rsa-sha256; cv=none; d=example.org ; s = arc; t=12345",
             "i=1|a=rsa-sha256|cv=none|d=example.org|s=arc|t=12345|");
    tags_are("", "");
    tags_are(";=;a;=b; c=", "c=|");
}

static void hostile(void **state)
{
    (void)state;
    static const char *const patterns[] = {"(",   "\"", ";",       "=",  "a=", "a=b ", "a=b;", "a=\"",
                                           "(a)", "(;", "\"\\\";", "a ", "\\", "a=(",  ")"};
    struct buf in;
    struct authres a;
    struct authres_result r;
    struct slice key, value;
    buf_init(&in, 1 << 21);
    clock_t begin = clock();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        buf_clear(&in);
        while (in.len < 1 << 19)
            buf_add_str(&in, patterns[i]);
        authres_open(buf_slice(&in), &a);
        while (authres_next(&a, &r))
            while (authres_property(&r.properties, &key, &value))
                assert_true(key.len > 0);
        struct spf_parts spf;
        spf_parse(buf_slice(&in), &spf);
        while (authres_property(&spf.pairs, &key, &value))
            assert_true(key.len > 0);
    }
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
    buf_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_rfc),       cmocka_unit_test(gmail),  cmocka_unit_test(exchange),
        cmocka_unit_test(yahoo),        cmocka_unit_test(others), cmocka_unit_test(broken),
        cmocka_unit_test(received_spf), cmocka_unit_test(tags),   cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
