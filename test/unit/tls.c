/* Handshakes of TLS, at every cut; fingerprints as their authors published them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "base/buf.h"
#include "mail/tls.h"
#include "mail/tls_names.h"

static void add_u16(struct buf *b, size_t v)
{
    buf_add_byte(b, (uint8_t)(v >> 8));
    buf_add_byte(b, (uint8_t)v);
}

/* Hex numbers of four digits between commas. */
static void add_hex(struct buf *b, const char *list)
{
    for (char *end; *list; list = *end ? end + 1 : end)
        add_u16(b, strtoul(list, &end, 16));
}

static void add_extension(struct buf *b, uint16_t type, struct slice data)
{
    add_u16(b, type);
    add_u16(b, data.len);
    buf_add(b, data);
}

struct want {
    uint16_t version;
    const char *ciphers, *extensions; /* hex, in order */
    const char *groups, *signatures, *versions, *alpn;
    const char *formats; /* one byte each, hex of two bytes */
};

static struct slice data_of(const struct want *w, uint16_t type, struct buf *data)
{
    struct buf list;
    buf_init(&list, 4096);
    if (type == 0) {
        buf_add_str(&list, "\x01");
        list.data[0] = 0;
        add_u16(&list, 11);
        buf_add_str(&list, "example.net");
        add_u16(data, list.len);
    } else if (type == 10 && w->groups) {
        add_hex(&list, w->groups);
        add_u16(data, list.len);
    } else if (type == 11) {
        buf_add_byte(&list, 0);
        buf_add_byte(data, 1);
    } else if (type == 13 && w->signatures) {
        add_hex(&list, w->signatures);
        add_u16(data, list.len);
    } else if (type == 16 && w->alpn) {
        buf_add_byte(&list, (uint8_t)strlen(w->alpn));
        buf_add_str(&list, w->alpn);
        add_u16(data, list.len);
    } else if (type == 43 && w->versions) {
        add_hex(&list, w->versions);
        buf_add_byte(data, (uint8_t)list.len);
    }
    buf_add(data, buf_slice(&list));
    buf_free(&list);
    return buf_slice(data);
}

/* The body of a ClientHello. */
static void hello_of(const struct want *w, struct buf *b)
{
    struct buf part, extensions;
    buf_init(&part, 65536);
    buf_init(&extensions, 65536);
    add_u16(b, w->version);
    for (int i = 0; i < 33; i++)
        buf_add_byte(b, 0);
    add_hex(&part, w->ciphers);
    add_u16(b, part.len);
    buf_add(b, buf_slice(&part));
    buf_add_byte(b, 1);
    buf_add_byte(b, 0);
    for (const char *list = w->extensions; list && *list;) {
        char *end;
        uint16_t type = (uint16_t)strtoul(list, &end, 16);
        buf_clear(&part);
        add_extension(&extensions, type, data_of(w, type, &part));
        list = *end ? end + 1 : end;
    }
    if (w->extensions) {
        add_u16(b, extensions.len);
        buf_add(b, buf_slice(&extensions));
    }
    buf_free(&part);
    buf_free(&extensions);
}

static void prints(const struct want *w, const char *ja3, const char *ja4)
{
    struct buf body;
    struct tls_hello h;
    char text[TLS_JA4];
    buf_init(&body, 65536);
    hello_of(w, &body);
    assert_true(tls_client_hello(buf_slice(&body), &h));
    if (ja3) {
        tls_ja3(&h, text);
        assert_string_equal(text, ja3);
    }
    if (ja4) {
        tls_ja4(&h, text);
        assert_string_equal(text, ja4);
    }
    buf_free(&body);
}

/* The two examples in the description of JA3. */
static void ja3(void **state)
{
    (void)state;
    prints(&(struct want){.version = 0x301,
                          .ciphers = "002f,0035,0005,000a,c009,c00a,c013,c014,0032,0038,0013,0004",
                          .extensions = "0000,000a,000b",
                          .groups = "0017,0018,0019"},
           "ada70206e40642a3e4461f35503241d5", NULL);
    prints(
        &(struct want){.version = 0x301, .ciphers = "0004,0005,000a,0009,0064,0062,0003,0006,0013,0012,0063"},
        "de350869b8c85de67a350c8d186f11e6", "t10i110000_3609b414f052_000000000000");
}

/* The example in the description of JA4, with made up numbers among all its lists; and what it says of edges.
 */
static void ja4(void **state)
{
    (void)state;
    struct want chrome = {
        .version = 0x303,
        .ciphers = "2a2a,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035",
        .extensions =
            "3a3a,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015,dada",
        .groups = "0a0a,001d,0017",
        .signatures = "0403,0804,0401,0503,0805,0501,0806,0601",
        .versions = "fafa,0304,0303",
        .alpn = "h2"};
    prints(&chrome, NULL, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    chrome.signatures = NULL;
    prints(&chrome, NULL, "t13d1516h2_8daaf6152771_6d807ffa2a79");
    chrome.signatures = "0403,0804,0401,0503,0805,0501,0806,0601";
    static const struct {
        const char *alpn, *shown;
    } rows[] = {{"http/1.1", "h1"},
                {"x", "xx"},
                {"\xab", "ab"},
                {"\xab\xcd", "ad"},
                {"0\xab", "3b"},
                {"01\xab\xcd", "3d"},
                {"0\xab\xcd"
                 "1",
                 "01"},
                {"", "00"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char want[TLS_JA4];
        chrome.alpn = rows[i].alpn;
        snprintf(want, sizeof want, "t13d1516%s_8daaf6152771_e5627efa2ab1", rows[i].shown);
        prints(&chrome, NULL, want);
    }
}

/* Over a hundred of each, and the same one twice. */
static void ja4_many(void **state)
{
    (void)state;
    struct buf list;
    buf_init(&list, 65536);
    for (unsigned i = 0; i < 130; i++)
        buf_printf(&list, "%s%04x", i ? "," : "", 300 - i / 2);
    buf_add_byte(&list, 0);
    prints(&(struct want){.version = 0x303,
                          .ciphers = (const char *)list.data,
                          .extensions = (const char *)list.data},
           NULL, "t12i999900_daa5cb51249e_daa5cb51249e");
    buf_free(&list);
}

static void names(void **state)
{
    (void)state;
    char room[TLS_NAME];
    assert_string_equal(tls_version_name(0x303, room), "TLSv12");
    assert_string_equal(tls_version_name(0x304, room), "TLSv13");
    assert_string_equal(tls_version_name(0x7f1c, room), "0x7f1c");
    assert_string_equal(tls_cipher_name(0x1301, room), "TLS_AES_128_GCM_SHA256");
    assert_string_equal(tls_cipher_name(0xc02f, room), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_string_equal(tls_cipher_name(0, room), "TLS_NULL_WITH_NULL_NULL");
    assert_string_equal(tls_cipher_name(0xeeee, room), "0xeeee");
    assert_string_equal(tls_group_name(29, room), "x25519");
    assert_string_equal(tls_group_name(4588, room), "X25519MLKEM768");
    assert_string_equal(tls_alert_name(48, room), "unknown_ca");
    assert_string_equal(tls_alert_name(255, room), "0x00ff");
    /* In order, or the search misses some. */
    for (unsigned i = 0; i < 0x10000; i++) {
        const char *name = tls_cipher_name((uint16_t)i, room);
        assert_true(name == room || strncmp(name, "TLS_", 4) == 0);
    }
}

/* A play of both sides: records, each of them whole. */
struct step {
    enum side side;
    struct buf bytes;
};

enum { STEPS = 16 };

struct talk_of {
    struct step steps[STEPS];
    size_t count;
};

static void record(struct talk_of *t, enum side side, uint8_t type, struct slice body)
{
    assert_true(t->count < STEPS);
    struct step *s = &t->steps[t->count++];
    s->side = side;
    buf_init(&s->bytes, 65536);
    buf_add_byte(&s->bytes, type);
    add_u16(&s->bytes, 0x303);
    add_u16(&s->bytes, body.len);
    buf_add(&s->bytes, body);
}

static void message(struct talk_of *t, enum side side, uint8_t type, struct slice body)
{
    struct buf b;
    buf_init(&b, 65536);
    buf_add_byte(&b, type);
    buf_add_byte(&b, 0);
    add_u16(&b, body.len);
    buf_add(&b, body);
    record(t, side, 22, buf_slice(&b));
    buf_free(&b);
}

static const uint8_t zeros[256];
static const struct slice one_byte = {(const uint8_t *)"\x01", 1}, finished = {zeros, 52}, key = {zeros, 40};
static const struct want client = {.version = 0x303,
                                   .ciphers = "1301,c02f",
                                   .extensions = "0000,000a,000b,000d,0010,002b",
                                   .groups = "001d",
                                   .signatures = "0403",
                                   .versions = "0304,0303",
                                   .alpn = "smtp"};

static void client_hello(struct talk_of *t)
{
    struct buf body;
    buf_init(&body, 65536);
    hello_of(&client, &body);
    message(t, SIDE_CLIENT, 1, buf_slice(&body));
    buf_free(&body);
}

static void server_hello(struct talk_of *t, uint16_t cipher, bool new, bool retry)
{
    static const uint8_t again[] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                    0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                    0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct buf body;
    buf_init(&body, 65536);
    add_u16(&body, 0x303);
    buf_add(&body, (struct slice){retry ? again : zeros, 32});
    buf_add_byte(&body, 0);
    add_u16(&body, cipher);
    buf_add_byte(&body, 0);
    add_u16(&body, new ? 12 : 11);
    if (new) {
        add_extension(&body, 43, (struct slice){(const uint8_t *)"\x03\x04", 2});
        add_extension(&body, 51, (struct slice){(const uint8_t *)"\x00\x1d", 2});
    } else {
        add_extension(&body, 16, (struct slice){(const uint8_t *)"\x00\x05\x04smtp", 7});
    }
    message(t, SIDE_SERVER, 2, buf_slice(&body));
    buf_free(&body);
}

/* Fed in pieces of `step` bytes, or cut at `cut` alone; what is known then, as text. */
static void run(const struct talk_of *t, size_t step, size_t cut, size_t most, char text[static 1000])
{
    size_t at = 0;
    struct tls *tls = tls_new(most);
    for (size_t i = 0; i < t->count; i++) {
        struct slice bytes = buf_slice(&t->steps[i].bytes);
        for (size_t from = 0, to; from < bytes.len; from = to) {
            to = step ? from + step : bytes.len;
            if (at < cut && cut < at + bytes.len && from < cut - at)
                to = cut - at < to ? cut - at : to;
            struct slice part = slice_sub(bytes, from, to);
            uint8_t *copy = malloc(part.len);
            memcpy(copy, part.data, part.len);
            if (!tls_is_over(tls))
                tls_feed(tls, t->steps[i].side, (struct slice){copy, part.len});
            free(copy);
        }
        at += bytes.len;
    }
    tls_dump(tls_facts(tls, true), text, 1000);
    tls_free(&tls);
}

static size_t length(const struct talk_of *t)
{
    size_t sum = 0;
    for (size_t i = 0; i < t->count; i++)
        sum += t->steps[i].bytes.len;
    return sum;
}

static void says(struct talk_of *t, const char *want)
{
    char text[1000], other[1000];
    run(t, 0, 0, 65536, text);
    assert_string_equal(text, want);
    for (size_t step = 1; step < 8; step++) {
        run(t, step, 0, 65536, other);
        assert_string_equal(other, text);
    }
    for (size_t cut = 1; cut < length(t); cut++) {
        run(t, 0, cut, 65536, other);
        assert_string_equal(other, text);
    }
    while (t->count)
        buf_free(&t->steps[--t->count].bytes);
}

/* What the hellos say, hashed by another program. */
#define JA3 " ja3=e857756ff458633748388d5dc1486381 ja4=t13d0206sp_c1929292aa6b_5e519ef2b8a0 name=example.net"
#define OLD                                                                                                  \
    " version=TLSv12 cipher=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 ja3s=896415616b22361262d7a961b6325cfd"
#define NEW " version=TLSv13 cipher=TLS_AES_128_GCM_SHA256 ja3s=f4febc55ea12b31ae17cfb7e614afda8 group=x25519"

static void tls12(void **state)
{
    (void)state;
    struct talk_of t = {.count = 0};
    client_hello(&t);
    server_hello(&t, 0xc02f, false, false);
    message(&t, SIDE_SERVER, 11, (struct slice){(const uint8_t *)"\0\0\x0c\0\0\x02\x30\x00\0\0\x04zzzz", 15});
    message(&t, SIDE_SERVER, 12, (struct slice){(const uint8_t *)"\x03\x00\x17", 3});
    message(&t, SIDE_SERVER, 14, (struct slice){NULL, 0});
    message(&t, SIDE_CLIENT, 16, key);
    record(&t, SIDE_CLIENT, 20, one_byte);
    record(&t, SIDE_CLIENT, 22, key);
    record(&t, SIDE_SERVER, 20, one_byte);
    record(&t, SIDE_SERVER, 22, key);
    record(&t, SIDE_CLIENT, 23, key);
    says(&t, " outcome=established" OLD " group=secp256r1" JA3 " protocol=smtp chain=2 bytes=2");
}

static void tls13(void **state)
{
    (void)state;
    struct talk_of t = {.count = 0};
    client_hello(&t);
    server_hello(&t, 0x1301, true, false);
    record(&t, SIDE_SERVER, 20, one_byte);
    record(&t, SIDE_SERVER, 23, finished);
    record(&t, SIDE_CLIENT, 20, one_byte);
    record(&t, SIDE_CLIENT, 23, finished);
    says(&t, " outcome=established" NEW JA3);
}

/* The client's CCS comes before its second hello (RFC 8446 D.4). */
static void tls13_retry(void **state)
{
    (void)state;
    struct talk_of t = {.count = 0};
    client_hello(&t);
    server_hello(&t, 0x1301, true, true);
    record(&t, SIDE_CLIENT, 20, one_byte);
    client_hello(&t);
    server_hello(&t, 0x1301, true, false);
    record(&t, SIDE_SERVER, 23, finished);
    record(&t, SIDE_CLIENT, 23, finished);
    says(&t, " outcome=established" NEW JA3);
}

/* It does not like the certificate, and says so under the keys. */
static void tls13_refused(void **state)
{
    (void)state;
    struct talk_of t = {.count = 0};
    client_hello(&t);
    server_hello(&t, 0x1301, true, false);
    record(&t, SIDE_SERVER, 23, finished);
    record(&t, SIDE_CLIENT, 23, slice_sub(finished, 0, 19));
    says(&t, " outcome=failed" NEW JA3);
}

static void alert(void **state)
{
    (void)state;
    struct talk_of t = {.count = 0};
    client_hello(&t);
    record(&t, SIDE_SERVER, 21, (struct slice){(const uint8_t *)"\x01\x70", 2});
    record(&t, SIDE_SERVER, 21, (struct slice){(const uint8_t *)"\x02\x28", 2});
    says(&t, " outcome=failed" JA3 " alert=handshake_failure");
    /* Nothing came to the hello. */
    client_hello(&t);
    says(&t, " outcome=unknown" JA3);
    /* What is no TLS. */
    record(&t, SIDE_CLIENT, 'Q', one_byte);
    says(&t, " outcome=unknown");
}

/* A message over the limit is left out, what stands behind it is read. */
static void limit(void **state)
{
    (void)state;
    char text[1000];
    struct talk_of t = {.count = 0};
    server_hello(&t, 0xc02f, false, false);
    message(&t, SIDE_SERVER, 11, (struct slice){zeros, 256});
    message(&t, SIDE_SERVER, 12, (struct slice){(const uint8_t *)"\x03\x00\x17", 3});
    run(&t, 0, 0, 255, text);
    assert_non_null(strstr(text, "group=secp256r1"));
    while (t.count)
        buf_free(&t.steps[--t.count].bytes);
}

/* Torn at each place: no more is said than there is. */
static void torn(void **state)
{
    (void)state;
    struct buf body;
    struct tls_hello h;
    buf_init(&body, 65536);
    hello_of(&client, &body);
    for (size_t len = 0; len < body.len; len++) {
        uint8_t *copy = malloc(len + !len);
        memcpy(copy, body.data, len);
        bool read = tls_client_hello((struct slice){copy, len}, &h);
        /* Without extensions it is whole. */
        assert_true(!read || !h.extensions.len);
        free(copy);
    }
    buf_free(&body);
}

static void gap(void **state)
{
    (void)state;
    char text[1000];
    struct talk_of t = {.count = 0};
    client_hello(&t);
    server_hello(&t, 0x1301, true, false);
    struct tls *tls = tls_new(65536);
    tls_feed(tls, SIDE_CLIENT, buf_slice(&t.steps[0].bytes));
    tls_gap(tls, SIDE_SERVER);
    tls_feed(tls, SIDE_SERVER, buf_slice(&t.steps[1].bytes));
    assert_false(tls_is_over(tls));
    tls_gap(tls, SIDE_CLIENT);
    assert_true(tls_is_over(tls));
    tls_dump(tls_facts(tls, true), text, sizeof text);
    assert_non_null(strstr(text, "outcome=unknown"));
    assert_non_null(strstr(text, "ja3="));
    assert_null(strstr(text, "version="));
    tls_free(&tls);
    while (t.count)
        buf_free(&t.steps[--t.count].bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ja3),   cmocka_unit_test(ja4),         cmocka_unit_test(ja4_many),
        cmocka_unit_test(names), cmocka_unit_test(tls12),       cmocka_unit_test(tls13),
        cmocka_unit_test(limit), cmocka_unit_test(tls13_retry), cmocka_unit_test(tls13_refused),
        cmocka_unit_test(alert), cmocka_unit_test(torn),        cmocka_unit_test(gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
