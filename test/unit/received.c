/* Received lines: what each server's form says. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <time.h>
#include "base/buf.h"
#include "mail/date.h"
#include "mail/received.h"

static void add_part(struct buf *out, const char *name, struct slice value)
{
    if (!value.data)
        return;
    buf_add(out, slice_str(name));
    buf_add_byte(out, '=');
    buf_add(out, value);
    buf_add_byte(out, '|');
}

static void add_ip(struct buf *out, const char *name, const struct address *a)
{
    char text[ADDRESS_TEXT];
    if (a->family)
        add_part(out, name, (struct slice){(uint8_t *)text, address_text(a, text)});
}

/* Reads a copy of exactly its size, so that a sanitizer sees what is read beyond it. */
static void shows(const char *value, struct buf *out)
{
    struct received_head head;
    struct received r;
    char number[24];
    size_t len = strlen(value);
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, value, len);
    received_head((struct slice){copy, len}, &head);
    received_parse(&head, &r);
    add_part(out, "helo", r.from_helo);
    add_part(out, "rdns", r.from_rdns);
    add_ip(out, "ip", &r.from_ip);
    add_part(out, "by", r.by);
    add_ip(out, "by_ip", &r.by_ip);
    add_part(out, "with", r.with);
    add_part(out, "tls", r.tls_version);
    add_part(out, "cipher", r.tls_cipher);
    add_part(out, "id", r.id);
    add_part(out, "for", r.recipient);
    snprintf(number, sizeof number, "%llu", (unsigned long long)r.time);
    if (r.time)
        add_part(out, "time", slice_str(number));
    free(copy);
}

static void says(const char *value, const char *want)
{
    struct buf got;
    buf_init(&got, 4096);
    shows(value, &got);
    buf_add_byte(&got, 0);
    if (strcmp((char *)got.data, want) != 0)
        print_message("%s\n", value);
    assert_string_equal((char *)got.data, want);
    buf_free(&got);
}

static void postfix(void **state)
{
    (void)state;
    says("from mail.example.org (mail.example.org [203.0.113.7])\t(using TLSv1.3 with cipher "
         "TLS_AES_256_GCM_SHA384 (256/256 bits)\t key-exchange X25519 server-signature RSA-PSS (2048 bits) "
         "server-digest SHA256)\t(No client certificate requested)\tby mx.example.com (Postfix) with ESMTPS "
         "id "
         "4XyZ1a2b3c\tfor <b@example.com>; Mon, 23 Nov 2026 08:00:00 +0100 (CET)",
         "helo=mail.example.org|rdns=mail.example.org|ip=203.0.113.7|by=mx.example.com|with=ESMTPS|tls=TLSv1."
         "3|"
         "cipher=TLS_AES_256_GCM_SHA384|id=4XyZ1a2b3c|for=b@example.com|time=1795417200|");
    /* Nobody knows the name, the client says an address, and it is another one. */
    says("from [10.0.0.1] (unknown [203.0.113.7])\tby mx (Postfix) with ESMTPSA id 9F8E7; Mon, 23 Nov 2026 "
         "07:00:00 +0000 (UTC)",
         "helo=[10.0.0.1]|ip=203.0.113.7|by=mx|with=ESMTPSA|id=9F8E7|time=1795417200|");
    says("from [IPv6:2001:db8::9] (mail [IPv6:2001:db8::1])\t(Authenticated sender: a@example.org)\tby mx "
         "(Postfix) "
         "with ESMTP id 1",
         "helo=[IPv6:2001:db8::9]|rdns=mail|ip=2001:db8::1|by=mx|with=ESMTP|id=1|");
    says("by mx.example.org (Postfix, from userid 1001)\tid 18D416E3; Sun, 20 Nov 2011 06:43:35 -0500 (EST)",
         "by=mx.example.org|id=18D416E3|time=1321789415|");
    /* Shared mails: a name of two words; certificates of clients. */
    says("from WOWLG POSTCARD (unknown [57.67.194.147])\tby lbn-int.qualimucho.com (Postfix) with SMTP id "
         "B33BE3F06\tfor <wowlgcard@cpostale.com>; Wed, 12 Jan 2005 08:08:12 +0100 (CET)",
         "helo=WOWLG POSTCARD|ip=57.67.194.147|by=lbn-int.qualimucho.com|with=SMTP|id=B33BE3F06|"
         "for=wowlgcard@cpostale.com|time=1105513692|");
    says("from a (a [203.0.113.7]) (using TLSv1.2 with cipher ADH-AES256-SHA (256/256 bits)) (Client CN \"a "
         "(b)\", "
         "Issuer \"c [192.0.2.1]\" (verified OK)) by mx (Postfix) with ESMTPS id 1",
         "helo=a|rdns=a|ip=203.0.113.7|by=mx|with=ESMTPS|tls=TLSv1.2|cipher=ADH-AES256-SHA|id=1|");
}

static void exim(void **state)
{
    (void)state;
    says("from [172.23.170.140] (helo=anti-virus02-07) by        smtp-out2.blueyonder.co.uk with smtp (Exim "
         "4.52) id "
         "1K0HMV-00087e-HY for        rdonkin@apache.org; Sun, 25 May 2008 15:38:15 +0100",
         "helo=anti-virus02-07|ip=172.23.170.140|by=smtp-out2.blueyonder.co.uk|with=smtp|id=1K0HMV-00087e-HY|"
         "for=rdonkin@apache.org|time=1211726295|");
    says("from [205.139.141.226] (helo=webmail.uwohali.com ident=root)\tby virtual.mrf.mail.rcn.net with "
         "esmtp (Exim "
         "2.12 #3)\tid 12k3VX-00012G-00\tfor eryq@zeegee.com; Tue, 25 Apr 2000 07:27:59 -0400",
         "helo=webmail.uwohali.com|ip=205.139.141.226|by=virtual.mrf.mail.rcn.net|with=esmtp|id=12k3VX-"
         "00012G-00|"
         "for=eryq@zeegee.com|time=956662079|");
    says("from mail.example.org ([203.0.113.7]:38654 helo=desk) by mx with esmtps  (TLS1.3) tls "
         "TLS_AES_256_GCM_SHA384 "
         "(Exim 4.96) (envelope-from <a@example.org>) id 1r-2 for b@example.com",
         "helo=desk|rdns=mail.example.org|ip=203.0.113.7|by=mx|with=esmtps|tls=TLS1.3|cipher=TLS_AES_256_GCM_"
         "SHA384|"
         "id=1r-2|for=b@example.com|");
    /* Both names are one, so it tells it once. */
    says("from mail.example.org ([203.0.113.7]) by mx with esmtps (TLSv1:ECDHE-RSA-AES128-SHA:128) (Exim "
         "4.87.1.2) id 1",
         "helo=mail.example.org|rdns=mail.example.org|ip=203.0.113.7|by=mx|with=esmtps|tls=TLSv1|"
         "cipher=ECDHE-RSA-AES128-SHA|id=1|");
    says("from [203.0.113.7] (port=1234 helo=[10.0.0.1]) by mx with esmtp (Exim 4.96) id 1",
         "helo=[10.0.0.1]|ip=203.0.113.7|by=mx|with=esmtp|id=1|");
    says("from joe by mx with local (Exim 4.94) (envelope-from <joe@mx>) id 1",
         "helo=joe|by=mx|with=local|id=1|");
}

static void sendmail(void **state)
{
    (void)state;
    says("from helo.example.org (IDENT:root@mail.example.org [203.0.113.7] (may be forged))\tby mx "
         "(8.14.4/8.14.4) with "
         "ESMTP id rBD3CcYO001718\t(version=TLSv1.2 cipher=ECDHE-RSA-AES256-GCM-SHA384 bits=256 "
         "verify=NO)\tfor "
         "<b@example.com>; Mon, 23 Nov 2026 02:00:00 -0500 (EST)",
         "helo=helo.example.org|rdns=mail.example.org|ip=203.0.113.7|by=mx|with=ESMTP|tls=TLSv1.2|"
         "cipher=ECDHE-RSA-AES256-GCM-SHA384|id=rBD3CcYO001718|for=b@example.com|time=1795417200|");
    says("from sina.hpc.uh.edu (lists@[10.1.1.1]) by farabi.hpc.uh.edu (8.7.3/8.7.3) with ESMTP id WAD14645; "
         "Mon, 27 Apr "
         "1998 22:20:19 -0500 (CDT)",
         "helo=sina.hpc.uh.edu|ip=10.1.1.1|by=farabi.hpc.uh.edu|with=ESMTP|id=WAD14645|time=893733619|");
    says("(from hermes@localhost) by kulturbox.netmbx.de (8.7.1/8.7.1) id SAA04513 for specht; Wed, 19 Jun "
         "1996 18:30:12 "
         "+0200",
         "by=kulturbox.netmbx.de|id=SAA04513|for=specht|time=835201812|");
}

static void exchange(void **state)
{
    (void)state;
    says("from HVD-Exch16-01.internal.contoso.dom (192.168.1.50) by HVD-Exch16-01.internal.contoso.dom "
         "(192.168.1.51) "
         "with Microsoft SMTP Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256_P256) id "
         "15.1.225.42; Sun, 20 Jan 2019 20:33:43 +0000",
         "helo=HVD-Exch16-01.internal.contoso.dom|ip=192.168.1.50|by=HVD-Exch16-01.internal.contoso.dom|"
         "by_ip=192.168.1.51|with=Microsoft SMTP "
         "Server|tls=TLS1_2|cipher=TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256_P256|"
         "id=15.1.225.42|time=1548016423|");
    says(
        "from A (2603:10b6:208::15) by B (2603:10b6:208::16) with Microsoft SMTP Server (TLS) id "
        "15.20.345.67 via "
        "Frontend Transport; Mon, 23 Nov 2026 07:00:00 +0000",
        "helo=A|ip=2603:10b6:208::15|by=B|by_ip=2603:10b6:208::16|with=Microsoft SMTP Server|id=15.20.345.67|"
        "time=1795417200|");
    says("from A ([fe80::1:2%12]) by B ([fe80::3%13]) with mapi id 15.01.0225.042",
         "helo=A|ip=fe80::1:2|by=B|by_ip=fe80::3|with=mapi|id=15.01.0225.042|");
    says("from mail pickup service by A with Microsoft SMTPSVC(5.0.2195.6713); Mon, 23 Nov 2026 07:00:00 "
         "+0000",
         "helo=mail pickup service|by=A|with=Microsoft SMTPSVC|time=1795417200|");
    says(
        "from A ([1.1.1.1] RDNS failed) by B over TLS secured channel with Microsoft SMTPSVC(8.5.9600.16384)",
        "helo=A|ip=1.1.1.1|by=B|with=Microsoft SMTPSVC|");
}

static void gmail(void **state)
{
    (void)state;
    says("by 2002:a05:6a10:1234:0:0:0:0 with SMTP id o3csp106612oap;        Fri, 10 Jul 2015 13:12:34 -0700 "
         "(PDT)",
         "by=2002:a05:6a10:1234:0:0:0:0|by_ip=2002:a05:6a10:1234::|with=SMTP|id=o3csp106612oap|time="
         "1436559154|");
    says("from mail135-10.atl141.mandrillapp.com (mail135-10.atl141.mandrillapp.com. [198.2.135.10])        "
         "by "
         "mx.google.com with ESMTPS id k184si6630505ywf.180.2015.07.10.13.12.34        for "
         "<deepak@redsift.io>        "
         "(version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128);        Fri, 10 Jul 2015 13:12:34 "
         "-0700 (PDT)",
         "helo=mail135-10.atl141.mandrillapp.com|rdns=mail135-10.atl141.mandrillapp.com.|ip=198.2.135.10|"
         "by=mx.google.com|with=ESMTPS|tls=TLS1_3|cipher=TLS_AES_128_GCM_SHA256|"
         "id=k184si6630505ywf.180.2015.07.10.13.12.34|for=deepak@redsift.io|time=1436559154|");
    says("from ?IPv6:2001:db8::9? ([2001:db8::1])        by smtp.gmail.com with ESMTPSA id h185.90.2016.12",
         "helo=?IPv6:2001:db8::9?|ip=2001:db8::1|by=smtp.gmail.com|with=ESMTPSA|id=h185.90.2016.12|");
}

static void qmail(void **state)
{
    (void)state;
    says("from unknown (HELO x) (joe@203.0.113.7)  by mx with SMTP; 25 May 2008 14:38:46 -0000",
         "helo=x|ip=203.0.113.7|by=mx|with=SMTP|time=1211726326|");
    says("from hermes.apache.org (HELO mail.apache.org) (140.211.11.2) by        minotaur.apache.org with "
         "SMTP; 25 May "
         "2008 14:38:46 -0000",
         "helo=mail.apache.org|rdns=hermes.apache.org|ip=140.211.11.2|by=minotaur.apache.org|with=SMTP|"
         "time=1211726326|");
    says("from mail.example.org (HELO 10.0.0.1) (203.0.113.7) by 0 with SMTP",
         "helo=10.0.0.1|rdns=mail.example.org|ip=203.0.113.7|by=0|with=SMTP|");
    says("from unknown (HELO p3presmtp01-16.prod.phx3.secureserver.net)        ([208.109.80.165]) "
         "(envelope-sender        "
         "<rdonkin-owner@locus.apache.org>) by        smtp20-01.prod.mesa1.secureserver.net (qmail-1.03) "
         "with SMTP for    "
         "    <asf@xmlmapt.org>; 25 May 2008 14:38:53 -0000",
         "helo=p3presmtp01-16.prod.phx3.secureserver.net|ip=208.109.80.165|by=smtp20-01.prod.mesa1."
         "secureserver.net|"
         "with=SMTP|for=asf@xmlmapt.org|time=1211726333|");
    says("(qmail 61272 invoked by uid 89); 25 May 2008 14:38:48 -0000", "time=1211726328|");
    says("(qmail 18554 invoked from network); 25 May 2008 14:38:53 -0000", "time=1211726333|");
}

static void newer_servers(void **state)
{
    (void)state;
    /* OpenSMTPD */
    says("from mail.example.org (rdns.example.org [203.0.113.7])\tby mx.example.net (OpenSMTPD) with ESMTPS "
         "id 1a2b3c4d "
         "(TLSv1.3:TLS_AES_256_GCM_SHA384:256:NO)\tfor <b@example.com>;\tMon, 23 Nov 2026 07:00:00 +0000 "
         "(UTC)",
         "helo=mail.example.org|rdns=rdns.example.org|ip=203.0.113.7|by=mx.example.net|with=ESMTPS|tls=TLSv1."
         "3|"
         "cipher=TLS_AES_256_GCM_SHA384|id=1a2b3c4d|for=b@example.com|time=1795417200|");
    /* Haraka */
    says("from mail.example.org (Unknown [203.0.113.7])\tby mx (Haraka/2.8.28) with ESMTPS id "
         "1F9A3D2B-8C1B-4E6B-9E0E-1.1\tenvelope-from <a@example.org>\t(version=TLSv1.3 "
         "cipher=TLS_AES_128_GCM_SHA256 "
         "verify=NO);\tMon, 23 Nov 2026 07:00:00 +0000",
         "helo=mail.example.org|ip=203.0.113.7|by=mx|with=ESMTPS|tls=TLSv1.3|cipher=TLS_AES_128_GCM_SHA256|"
         "id=1F9A3D2B-8C1B-4E6B-9E0E-1.1|time=1795417200|");
    /* PowerMTA: more stands behind its date. */
    says("from pmta03.mandrill.prod.atl01.rsglab.com (127.0.0.1) by mail135-10.atl141.mandrillapp.com "
         "(PowerMTA(TM) "
         "v4.5r8) id hk0jj41sau80 for <deepak@redsift.io>; Fri, 10 Jul 2015 20:12:33 +0000 (envelope-from "
         "<bounce;md@mandrill.papertrailapp.com>)",
         "helo=pmta03.mandrill.prod.atl01.rsglab.com|ip=127.0.0.1|by=mail135-10.atl141.mandrillapp.com|"
         "id=hk0jj41sau80|for=deepak@redsift.io|time=1436559153|");
    /* Zimbra */
    says("from zimbra.example.org (LHLO zimbra.example.net) (203.0.113.7) by mx with LMTP; Mon, 23 Nov 2026 "
         "07:00:00 "
         "+0000 (UTC)",
         "helo=zimbra.example.net|rdns=zimbra.example.org|ip=203.0.113.7|by=mx|with=LMTP|time=1795417200|");
    /* Domino: a blank before the semicolon */
    says("from mail.example.org ([203.0.113.7])          by mx (Lotus Domino Release 5.0.8)          with "
         "ESMTP id "
         "2001102408000057:1234 ;          Mon, 23 Nov 2026 07:00:00 +0000",
         "helo=mail.example.org|ip=203.0.113.7|by=mx|with=ESMTP|id=2001102408000057:1234|time=1795417200|");
}

static void older_servers(void **state)
{
    (void)state;
    /* Smail: who sent stands behind who received. */
    says("by methan.chemie.fu-berlin.de (Smail3.1.29.1)\t  from franz.ww.TU-Berlin.DE (130.149.200.51) with "
         "smtp\t  id "
         "<m0vbwzX-0009vcC>; Mon, 23 Dec 96 00:07 MET",
         "helo=franz.ww.TU-Berlin.DE|ip=130.149.200.51|by=methan.chemie.fu-berlin.de|with=smtp|id=m0vbwzX-"
         "0009vcC|");
    /* CommuniGate; a web mail; one that has two semicolons */
    says("from [203.0.113.7] (account joe@example.org HELO [10.0.0.1]) by mx (CommuniGate Pro SMTP 5.1.2.3) "
         "with ESMTPA "
         "id 1",
         "helo=[10.0.0.1]|ip=203.0.113.7|by=mx|with=ESMTPA|id=1|");
    says("from [93.48.39.139] by web28416.mail.ukl.yahoo.com via HTTP;\tWed, 09 Mar 2011 11:19:45 GMT",
         "ip=93.48.39.139|by=web28416.mail.ukl.yahoo.com|time=1299669585|");
    says("from ULM02.mnh.telekom.de by gatekeeper.telekom.de; (5.65v3.0/1.1.8.2/02Aug95-0132PM)\tid AA01376; "
         "Wed, 19 Jun "
         "1996 18:11:27 +0200",
         "helo=ULM02.mnh.telekom.de|by=gatekeeper.telekom.de|id=AA01376|time=835200687|");
    says("from unknown [203.0.113.7] (EHLO mail) by server-1", "helo=mail|ip=203.0.113.7|by=server-1|");
    says("from mail (unknown[203.0.113.7]) by app (Coremail) with SMTP id 1",
         "helo=mail|ip=203.0.113.7|by=app|with=SMTP|id=1|");
}

/* What a client can choose does not reach what the server found. */
static void claims(void **state)
{
    (void)state;
    says("from by (unknown [203.0.113.7]) by mx with SMTP", "helo=by|ip=203.0.113.7|by=mx|with=SMTP|");
    says("from with (unknown [203.0.113.7]) by mx", "helo=with|ip=203.0.113.7|by=mx|");
    says("from by mx with SMTP", "by=mx|with=SMTP|");
    says("from x (HELO 10.0.0.1) by mx", "helo=10.0.0.1|rdns=x|by=mx|");
    says("from [203.0.113.7] (helo=x ident=[10.0.0.1]) by mx", "helo=x|ip=203.0.113.7|by=mx|");
    says("from [203.0.113.7] (helo=version=TLSv1.3) by mx", "helo=version=TLSv1.3|ip=203.0.113.7|by=mx|");
    says("from a (b [203.0.113.7] [192.0.2.1]) (c [192.0.2.2]) by d", "helo=a|rdns=b|ip=203.0.113.7|by=d|");
    says("from a (10.0.0.1 [203.0.113.7]) by d", "helo=a|ip=203.0.113.7|by=d|");
}

/* Builds and dates are no addresses. */
static void numbers(void **state)
{
    (void)state;
    says("from A (v15.1.225.42) by B (8.12.9.1/8.12.9)", "helo=A|by=B|");
    says("from A (Postfix 2.11.3.16) by B (Domino 8.5.3.6) id 21.3.3.16; Sat, 21.3.3.16 00:00:00 +0000",
         "helo=A|by=B|id=21.3.3.16|");
    says("from A by B (Kerio Connect 8.0.0.1) with Version 1.2.3.4", "helo=A|by=B|with=Version 1.2.3.4|");
}

static void broken(void **state)
{
    (void)state;
    says("", "");
    says("from", "");
    says("from ", "");
    says("by", "");
    says(";", "");
    says("()", "");
    says("from (", "");
    says("from a (b [203.0.113.7] by c; Mon, 23 Nov 2026 07:00:00 +0000",
         "helo=a|ip=203.0.113.7|by=c|time=1795417200|");
    says("from a (b [203.0.113.7])) by c", "helo=a|rdns=b|ip=203.0.113.7|by=c|");
    says("from a (b\\) [203.0.113.7]) by c", "helo=a|ip=203.0.113.7|by=c|");
    says("from a (b\\", "helo=a|");
    says("from a by b for <\"c d\"@e> id \"x y\"", "helo=a|by=b|id=\"x y\"|for=\"c d\"@e|");
    says("from a by b for <c", "helo=a|by=b|for=c|");
    says("from a by b for <> id <", "helo=a|by=b|id=<|");
    says("from a ([) by b ([]) with ([1.2.3", "helo=a|by=b|with=[1.2.3|");
    says("from a from b by c by d", "helo=a|by=c|");
}

static void date_is(const char *text, int64_t want)
{
    int64_t got = -1;
    bool found = date_parse(slice_str(text), &got);
    if (!found || got != want)
        print_message("%s: %lld\n", text, (long long)got);
    assert_true(found);
    assert_int_equal(got, want);
}

static void no_date(const char *text)
{
    int64_t got = 7;
    bool found = date_parse(slice_str(text), &got);
    if (found)
        print_message("%s: %lld\n", text, (long long)got);
    assert_false(found);
    assert_int_equal(got, 7);
}

static void dates(void **state)
{
    (void)state;
    date_is("Thu, 1 Jan 1970 00:00:00 +0000", 0);
    date_is("Mon, 23 Nov 2026 07:00:00 +0000", 1795417200);
    date_is("23 Nov 2026 07:00 -0000", 1795417200);
    date_is(" Mon , 23  nov\t2026 (a (b) \\) c) 12 : 30 : 00 +0530 (IST)", 1795417200);
    date_is("Mon, 23 Nov 2026 02:00:00 EST", 1795417200);
    date_is("Mon, 23 Nov 2026 00:00:00 PDT", 1795417200);
    date_is("Mon, 23 Nov 2026 07:00:00 Z", 1795417200);
    date_is("Mon, 23 Nov 2026 07:00:00 A", 1795417200); /* 4.3: it says nothing */
    date_is("Mon, 23 Nov 26 07:00:00 GMT", 1795417200);
    date_is("Wed, 19 Jun 96 18:30:12 +0200", 835201812);
    date_is("Wed, 19 Jun 096 18:30:12 +0200", 835201812);
    date_is("Sat, 31 Dec 2016 23:59:60 +0000", 1483228800);
    date_is("Thu, 29 Feb 2024 00:00:00 +0000", 1709164800);
    date_is("Tue, 29 Feb 2000 00:00:00 +0000", 951782400);
    date_is("Fri, 31 Dec 9999 23:59:59 +0000", 253402300799);
    date_is("Mon, 1 Jan 1900 00:00:00 +0000", -2208988800);
}

static void no_dates(void **state)
{
    static const char *const texts[] = {"",
                                        "Mon",
                                        "Mon,",
                                        "(",
                                        "Mon, 23 Nov 2026 07:00:00",
                                        "Mon, 23 Nov 2026 07:00:00 MET",
                                        "Mon, 23 Nov 2026 07:00:00 J",
                                        "Mon, 23 Nov 2026 07:00:00 +000",
                                        "Mon, 23 Nov 2026 07:00:00 +00000",
                                        "Mon, 23 Nov 2026 07:00:00 +0060",
                                        "Mon, 23 Nov 2026 24:00:00 +0000",
                                        "Mon, 23 Nov 2026 07:60:00 +0000",
                                        "Mon, 23 Nov 2026 07:00:61 +0000",
                                        "Mon, 23 Nov 2026 07 +0000",
                                        "Mon, 23 Nov 20260 07:00:00 +0000",
                                        "Mon, 23 Nov 1899 07:00:00 +0000",
                                        "Mon, 23 Nov 6 07:00:00 +0000",
                                        "Mon, 0 Nov 2026 07:00:00 +0000",
                                        "Mon, 31 Nov 2026 07:00:00 +0000",
                                        "Sun, 29 Feb 2026 07:00:00 +0000",
                                        "Sun, 29 Feb 1900 07:00:00 +0000",
                                        "Mon, 23 Nov 2026 (07:00:00 +0000",
                                        "Mon, 23 November 2026 07:00:00 +0000",
                                        "Sat, 21.3.3.16 00:00:00 +0000"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        no_date(texts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postfix),       cmocka_unit_test(exim),          cmocka_unit_test(sendmail),
        cmocka_unit_test(exchange),      cmocka_unit_test(gmail),         cmocka_unit_test(qmail),
        cmocka_unit_test(newer_servers), cmocka_unit_test(older_servers), cmocka_unit_test(claims),
        cmocka_unit_test(numbers),       cmocka_unit_test(broken),        cmocka_unit_test(dates),
        cmocka_unit_test(no_dates)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
