/* Received lines: which address is the sending host's. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <time.h>
#include "base/buf.h"
#include "mail/received.h"
#include "record/path.h"

/* `want` is the address as written, or NULL; `canonical` its text form where that is another. */
static void hop_is(const char *value, const char *want, const char *canonical)
{
    struct address a = {0};
    struct slice text = {0};
    char got[ADDRESS_TEXT] = "", *copy = malloc(strlen(value) + 1);
    assert_non_null(copy);
    memcpy(copy, value, strlen(value));
    bool found = path_received_address((struct slice){(uint8_t *)copy, strlen(value)}, &a, &text);
    /* What is told from a line's head alone is the same. */
    struct received_head head;
    received_head((struct slice){(uint8_t *)copy, strlen(value)}, &head);
    if (head.end) {
        assert_true(found && address_eq(&head.ip, &a));
        assert_ptr_equal(head.written.data, text.data);
        assert_int_equal(head.written.len, text.len);
    }
    if (found != (want != NULL))
        print_message("%s\n", value);
    assert_int_equal(found, want != NULL);
    if (found) {
        char written[100];
        snprintf(written, sizeof written, "%.*s", (int)text.len, (const char *)text.data);
        if (strcmp(written, want) != 0)
            print_message("%s\n", value);
        assert_string_equal(written, want);
        address_text(&a, got);
        assert_string_equal(got, canonical ? canonical : want);
    }
    free(copy);
}

static void servers(void **state)
{
    static const struct {
        const char *value, *hop;
    } table[] = {
        /* Postfix */
        {"from mail.example.org (mail.example.org [203.0.113.7])\tby mx (Postfix) with ESMTP id 9F8E7; Mon, "
         "1 Jan 2024 00:00:00 +0000",
         "203.0.113.7"},
        {"from [10.0.0.1] (unknown [203.0.113.7]) by mx", "203.0.113.7"},
        {"from mail (mail [IPv6:2001:db8::1]) (using TLSv1.2 with cipher ECDHE (256/256 bits)) (No client "
         "certificate requested) by mx",
         "2001:db8::1"},
        {"from [IPv6:2001:db8::9] (unknown [IPv6:2001:db8::1]) by mx", "2001:db8::1"},
        {"by mx.example.org (Postfix, from userid 1001) id 18D416E3; Sun, 20 Nov 2011 06:43:35 -0500", NULL},
        {"from mail.example.org (mail.example.org [203.0.113.7]) (ident=x) [203.0.113.8]\tby mx",
         "203.0.113.8"},
        {"from by (mail.example.org [203.0.113.7])        by mx", NULL},
        /* Exim: what the client said comes last */
        {"from [203.0.113.7] (helo=[10.0.0.1]) by mx with esmtp (Exim 4.87.1.2) id 1dm", "203.0.113.7"},
        {"from [203.0.113.7] (port=1234 helo=10.0.0.1) by mx", "203.0.113.7"},
        {"from mail.example.org ([203.0.113.7] helo=[IPv6:2001:db8::9]) by mx", "203.0.113.7"},
        {"from mail.example.org ([203.0.113.7]:38654) by mx with esmtps (TLSv1:ECDHE-RSA-AES128-SHA:128)",
         "203.0.113.7"},
        {"from mail.example.org ([2001:db8::1]:38654) by mx", "2001:db8::1"},
        /* Sendmail */
        {"from mail (root@mail.example.org [203.0.113.7] (may be forged)) by mx (8.14.4/8.14.4) with ESMTP "
         "id rBD3CcYO001718",
         "203.0.113.7"},
        {"(from root@localhost) by mx (8.14.4/8.14.4/Submit) id rBD3CcYO001718", NULL},
        /* qmail */
        {"from unknown (HELO mail) (203.0.113.7) by mx with SMTP; 8 Jun 2018 16:30:48 +0000", "203.0.113.7"},
        {"from unknown (HELO ?10.0.0.1?) (joe@203.0.113.7) by mx with SMTP", "203.0.113.7"},
        {"from mail.example.org (HELO 10.0.0.1) (203.0.113.7) by 0 with SMTP", "203.0.113.7"},
        {"(qmail 44185 invoked by uid 441); 8 Jun 2018 16:30:48 +0000", NULL},
        {"(qmail 1 invoked from network); 10.0.0.1", NULL},
        /* Exchange: the by clause has an address too, and the version looks like one */
        {"from A (1.1.1.1) by B (2.2.2.2) with Microsoft SMTP Server id 15.1.225.42; Mon, 1 Jan 2024 "
         "00:00:00 +0000",
         "1.1.1.1"},
        {"from A (2603:10b6:208::15) by B (2603:10b6:208::16) with Microsoft SMTP Server (version=TLS1_2, "
         "cipher=X) id 15.20.345.67",
         "2603:10b6:208::15"},
        {"from A ([fe80::1:2%12]) by B ([fe80::3%13]) with mapi id 15.01.0225.042", "fe80::1:2"},
        {"from A with Microsoft SMTP Server id 15.1.225.42 via Mailbox Transport; Mon, 1 Jan 2024 00:00:00 "
         "+0000",
         NULL},
        {"from mail pickup service by A with Microsoft SMTPSVC; Mon, 1 Jan 2024 00:00:00 +0000", NULL},
        {"from x.example.net ([169.254.4.195]) by y.example.net ([10.180.121.108]) with mapi id "
         "14.03.0123.003",
         "169.254.4.195"},
        /* Gmail */
        {"from mail-lf1-f41.google.com (mail-lf1-f41.google.com. [209.85.167.41])        by mx.google.com "
         "with ESMTPS id zv10sm2760749pbc.76.2012.10.31.13.20.18",
         "209.85.167.41"},
        {"from ?IPv6:2001:db8::1? ([2001:db8::1])        by smtp.gmail.com with ESMTPSA id "
         "h185sm26347354pfg.90.2016.12.10.20.51.28",
         "2001:db8::1"},
        {"by 10.66.90.65 with SMTP id bu1mr105234351pab.31.1351714827546;        Wed, 31 Oct 2012 13:20:27 "
         "-0700 (PDT)",
         NULL},
        {"by 2002:a05:6a10:1234:0:0:0:0 with SMTP id x1", NULL},
        /* and others */
        {"from vyrhm ([203.0.113.7]) by 5113.com with MailEnable ESMTP; Tue, 3 Jan 2017 06:43:03 +0200",
         "203.0.113.7"},
        {"from [203.0.113.7] (account joe@example.org HELO [10.0.0.1]) by mx (CommuniGate Pro SMTP 5.1.2.3)",
         "203.0.113.7"},
        {"from unknown [203.0.113.7] (EHLO mail) by server-1.tower.example.net", "203.0.113.7"},
        {"from [203.0.113.7] by web1234.mail.example.com via HTTP; Mon, 1 Jan 2024 00:00:00 PST",
         "203.0.113.7"},
        {"from 127.0.0.1 (EHLO mail) (203.0.113.7) by mta1", "203.0.113.7"},
        {"FROM mail ([203.0.113.7]) BY mx", "203.0.113.7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        hop_is(table[i].value, table[i].hop, NULL);
}

static void more_servers(void **state)
{
    static const struct {
        const char *value, *hop;
    } table[] = {
        /* OpenSMTPD, Haraka, PowerMTA, Domino, Zimbra, Exim with an ident, a proxy's mapped address in the
           name */
        {"from mail.example.org (mail.example.org [203.0.113.7])\tby mx.example.net (OpenSMTPD) with ESMTPS "
         "id "
         "1a2b3c4d (TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)\tfor <b@example.com>;\tMon, 1 Jan 2024 00:00:00 "
         "+0000 "
         "(UTC)",
         "203.0.113.7"},
        {"from mail.example.org (Unknown [203.0.113.7])\tby mx (Haraka/2.8.28) with ESMTPS id "
         "1F9A3D2B-8C1B-4E6B-9E0E-1.1\tenvelope-from <a@example.org>",
         "203.0.113.7"},
        {"from mail.example.org (203.0.113.7) by mx (PowerMTA(TM) v4.5r8) id h1.2.3.4 for <b@example.com>; "
         "Mon, 1 "
         "Jan 2024 00:00:00 +0000 (envelope-from <a@example.org>)",
         "203.0.113.7"},
        {"from mail.example.org ([203.0.113.7])          by mx (Lotus Domino Release 8.5.3.6 HF5.1.2.3)      "
         "    "
         "with ESMTP id 2024010100000-1.2.3.4 ;          Mon, 1 Jan 2024 00:00:00 +0000",
         "203.0.113.7"},
        {"from zimbra.example.org (LHLO zimbra.example.org) (203.0.113.7) by zimbra.example.org with LMTP; "
         "Mon, 1 "
         "Jan 2024 00:00:00 +0000 (UTC)",
         "203.0.113.7"},
        {"from localhost (localhost [127.0.0.1]) by mx (amavisd-new, port 10032) with ESMTP id 1.2.3.4",
         "127.0.0.1"},
        {"from [203.0.113.7] (helo=mail.example.org ident=10.0.0.1) by mx with esmtp (Exim 4.96.1.1)",
         "203.0.113.7"},
        {"from ?IPv6:::ffff:203.0.113.7? (mail.example.org [203.0.113.7]) by mx with ESMTPSA", "203.0.113.7"},
        /* Dates, builds and serial numbers of four numbers, in and behind the from clause */
        {"from A by B (2.2.2.2); Sat, 21.3.3.16 00:00:00 +0000", NULL},
        {"from A (v15.1.225.42) by B", NULL},
        {"from A by B with Microsoft SMTP Server (TLS) id 15.1.225.42 via Frontend Transport; Sat, 21.3.3.16",
         NULL},
        {"from A (Postfix-2.11.3.16) by B id 21.3.3.16", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        hop_is(table[i].value, table[i].hop, NULL);
}

static void forms(void **state)
{
    (void)state;
    hop_is("from a (012.034.056.007) by b", "012.034.056.007", "12.34.56.7");
    hop_is("from a ([::ffff:203.0.113.7]) by b", "::ffff:203.0.113.7", "203.0.113.7");
    hop_is("from a ([IPv6:::ffff:203.0.113.7]) by b", "::ffff:203.0.113.7", "203.0.113.7");
    hop_is("from a ([IPv6:2001:DB8:0:0:0:0:0:1]) by b", "2001:DB8:0:0:0:0:0:1", "2001:db8::1");
    hop_is("from a ([::1]) by b", "::1", NULL);
    hop_is("from 203.0.113.7", "203.0.113.7", NULL);
    hop_is("from [203.0.113.7]", "203.0.113.7", NULL);
    hop_is("from\t203.0.113.7:25\tby b", "203.0.113.7", NULL);
    hop_is("from x:203.0.113.7 by b", "203.0.113.7", NULL);
    hop_is("from (helo=10.0.0.1) by b", "10.0.0.1", NULL); /* better than nothing */
    hop_is("from a (helo=10.0.0.1) (helo=10.0.0.2) by b", "10.0.0.1", NULL);
    /* Of three the second. */
    hop_is("from [10.0.0.1] (10.0.0.2 [10.0.0.3]) by b", "10.0.0.2", NULL);
}

static void no_addresses(void **state)
{
    static const char *const values[] = {
        "",
        "from",
        "from ",
        "fromage 203.0.113.7",
        "203.0.113.7",
        "from a by b (2.2.2.2)",
        "from  by b (2.2.2.2)",
        "from a (x) by [2.2.2.2]",
        "from a; 2.2.2.2",
        "from a for <b@c> id 2.2.2.2",
        "from a id 2.2.2.2 by b",
        "from a 256.1.1.1 by b",
        "from a 1.2.3 by b",
        "from a 1.2.3.4.5 by b",
        "from a 1111.2.3.4 by b",
        "from a 1.2.3.4567 by b",
        "from 1-2-3-4.example.net by b",
        "from 1.2.3.4.example.net by b",
        "from host-1.2.3.4 by b",
        "from v1.2.3.4 by b",
        "from 1.2.3.4a by b",
        "from Mail::Internet by b",
        "from a:b by b",
        "from 12:34:56 by b",
        "from 1:2:3:4:5:6:7 by b",
        "from 1:2:3:4:5:6:7:8:9 by b",
        "from a ([IPv6:]) by b",
        "from a ([IPv6:xyz]) by b",
        "from 2012.10.31 by b",
        "from a (v=TLS1.2.3.4) by b",
        "from [1.2.3.4",
    };
    (void)state;
    for (size_t i = 0; i + 1 < sizeof values / sizeof *values; i++)
        hop_is(values[i], NULL, NULL);
    hop_is("from [1.2.3.4", "1.2.3.4", NULL);
}

static void clauses(void **state)
{
    (void)state;
    hop_is("from by (1.1.1.1) by b (2.2.2.2)", NULL, NULL);
    hop_is("from id (1.1.1.1) by b (2.2.2.2)", "1.1.1.1", NULL);
    hop_is("from a (x by y (3.3.3.3) z) (1.1.1.1) by b (2.2.2.2)", "1.1.1.1", NULL);
    hop_is("from a (1.1.1.1)by b (2.2.2.2)", "1.1.1.1", NULL);
    hop_is("from a (1.1.1.1) byx (2.2.2.2)", "2.2.2.2", NULL);
    /* Comments that do not close do not hide the by. */
    hop_is("from a ((1.1.1.1) by b (2.2.2.2)", "1.1.1.1", NULL);
    hop_is("from a (1.1.1.1 by b (2.2.2.2)", "1.1.1.1", NULL);
    hop_is("from a 1.1.1.1) by b (2.2.2.2)", "1.1.1.1", NULL);
}

static void first_address(void **state)
{
    struct address a;
    struct slice text;
    (void)state;
    assert_true(path_first_address(slice_str("[203.0.113.7]"), &a, &text));
    assert_true(slice_eq(text, slice_str("203.0.113.7")));
    assert_true(path_first_address(slice_str("unknown, 203.0.113.7, 203.0.113.8"), &a, &text));
    assert_true(slice_eq(text, slice_str("203.0.113.7")));
    assert_true(path_first_address(slice_str("[IPv6:2001:db8::1]"), &a, &text));
    assert_int_equal(a.family, 6);
    assert_false(path_first_address(slice_str("unknown"), &a, &text));
    assert_false(path_first_address(slice_str("1.2.3.400"), &a, &text));
    assert_false(path_first_address((struct slice){NULL, 0}, &a, &text));
}

static bool goes_on(enum path_capture capture, const char *hop)
{
    struct network ours;
    struct address a;
    assert_true(network_parse(slice_str("203.0.113.0/24"), &ours));
    assert_true(address_parse(slice_str(hop), &a));
    return path_goes_on(&(struct path_settings){capture, &ours, 1}, &a);
}

static void captures(void **state)
{
    static const enum path_capture all[] = {PATH_LOCAL, PATH_REMOTE, PATH_ALL, PATH_NONE};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(goes_on(all[i], "10.1.2.3"));
        assert_true(goes_on(all[i], "172.31.0.1"));
        assert_int_equal(goes_on(all[i], "172.32.0.1"), all[i] == PATH_REMOTE || all[i] == PATH_ALL);
        assert_int_equal(goes_on(all[i], "203.0.113.7"), all[i] == PATH_LOCAL || all[i] == PATH_ALL);
        assert_int_equal(goes_on(all[i], "2001:db8::1"), all[i] == PATH_REMOTE || all[i] == PATH_ALL);
    }
}

static void hostile(void **state)
{
    static const char *const patterns[] = {
        "1",           ".", ":",   "[", "1.",       "1:",    "1.1.1.",        "::1:",
        "(",           ")", " by", "b", " 1.2.3.4", "IPv6:", " helo=1.1.1.1", "[1:1:1:1:1:1:1:1",
        "(((1.1.1.1)", "%", ";",   " "};
    (void)state;
    struct buf in;
    struct address a;
    struct slice text;
    buf_init(&in, 1 << 21);
    clock_t begin = clock();
    for (size_t i = 0; i < 2 * sizeof patterns / sizeof *patterns; i++) {
        buf_clear(&in);
        buf_add_str(&in, i % 2 ? "from [" : "from ");
        while (in.len < 1 << 20)
            buf_add_str(&in, patterns[i / 2]);
        (void)path_received_address(buf_slice(&in), &a, &text);
        (void)path_first_address(buf_slice(&in), &a, &text);
    }
    assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
    buf_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(servers),  cmocka_unit_test(more_servers),
                                       cmocka_unit_test(forms),    cmocka_unit_test(no_addresses),
                                       cmocka_unit_test(clauses),  cmocka_unit_test(first_address),
                                       cmocka_unit_test(captures), cmocka_unit_test(hostile)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
