/* tls_print.c: fingerprints of hellos.
 * In: struct tls_hello. Out: hex digits. Owns: nothing. Limits: the hello's own size. Knowingly: JA3 of a
 * client that shuffles its extensions is another one each time; JA4 sorts them.
 * Spec: github.com/salesforce/ja3, archived; github.com/FoxIO-LLC/ja4, technical_details/JA4.md. */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "mail/tls_hello.h"

enum { TEXT_MOST = 1 << 20 }; /* over what a hello of 64 KiB makes, at six characters a number */

static const char hex[] = "0123456789abcdef";

/* `digits` of them, and a zero; none where there is no such hash. */
static void digest(const EVP_MD *kind, struct slice text, size_t digits, char *ret)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    *ret = '\0';
    if (!EVP_Digest(text.len ? text.data : (const uint8_t *)"", text.len, hash, NULL, kind, NULL)) {
        /* Or the machine's OpenSSL is not to use MD5. */
        if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE)
            memory_out();
        ERR_clear_error();
        return;
    }
    for (size_t i = 0; i < digits; i++)
        ret[i] = hex[hash[i / 2] >> (i % 2 ? 0 : 4) & 15];
    ret[digits] = '\0';
}

static bool number_next(struct slice *list, uint16_t *ret)
{
    while (list->len > 1) {
        *ret = (uint16_t)(list->data[0] << 8 | list->data[1]);
        *list = slice_sub(*list, 2, list->len);
        if (!tls_is_grease(*ret))
            return true;
    }
    return false;
}

static void add_numbers(struct buf *out, struct slice list)
{
    uint16_t number;
    for (bool first = true; number_next(&list, &number); first = false) {
        if (!first)
            buf_add_byte(out, '-');
        buf_add_number(out, number);
    }
}

static void add_extensions(struct buf *out, struct slice rest)
{
    uint16_t type;
    struct slice data;
    for (bool first = true; tls_extension_next(&rest, &type, &data);) {
        if (tls_is_grease(type))
            continue;
        if (!first)
            buf_add_byte(out, '-');
        buf_add_number(out, type);
        first = false;
    }
}

void tls_ja3(const struct tls_hello *client, char ret[static TLS_JA3])
{
    struct buf text;
    buf_init(&text, TEXT_MOST);
    buf_add_number(&text, client->legacy);
    buf_add_byte(&text, ',');
    add_numbers(&text, client->ciphers);
    buf_add_byte(&text, ',');
    add_extensions(&text, client->extensions);
    buf_add_byte(&text, ',');
    add_numbers(&text, client->groups);
    buf_add_byte(&text, ',');
    for (size_t i = 0; i < client->formats.len; i++) {
        if (i)
            buf_add_byte(&text, '-');
        buf_add_number(&text, client->formats.data[i]);
    }
    digest(EVP_md5(), buf_slice(&text), 32, ret);
    buf_free(&text);
}

void tls_ja3s(const struct tls_hello *server, char ret[static TLS_JA3])
{
    struct buf text;
    buf_init(&text, TEXT_MOST);
    buf_add_number(&text, server->legacy);
    buf_add_byte(&text, ',');
    buf_add_number(&text, server->cipher);
    buf_add_byte(&text, ',');
    add_extensions(&text, server->extensions);
    digest(EVP_md5(), buf_slice(&text), 32, ret);
    buf_free(&text);
}

/* Numbers of a hello that are to be sorted. */
struct numbers {
    uint16_t *items;
    size_t len;
};

/* By each byte in turn, so that a hello of many takes no longer for each. */
static void sort(struct numbers *n)
{
    uint16_t *other = malloc((n->len + 1) * sizeof *other);
    memory_check(other);
    for (int shift = 0; shift < 16; shift += 8) {
        size_t at[257] = {0};
        for (size_t i = 0; i < n->len; i++)
            at[(n->items[i] >> shift & 0xff) + 1]++;
        for (size_t i = 1; i < 257; i++)
            at[i] += at[i - 1];
        for (size_t i = 0; i < n->len; i++)
            other[at[n->items[i] >> shift & 0xff]++] = n->items[i];
        uint16_t *sorted = other;
        other = n->items;
        n->items = sorted;
    }
    free(other);
}

static struct numbers numbers_new(size_t most)
{
    struct numbers n = {.items = malloc((most + 1) * sizeof *n.items)};
    memory_check(n.items);
    return n;
}

static struct numbers ciphers_of(const struct tls_hello *h)
{
    struct slice list = h->ciphers;
    struct numbers n = numbers_new(list.len / 2);
    while (number_next(&list, &n.items[n.len]))
        n.len++;
    sort(&n);
    return n;
}

/* But for those of the server's name and of ALPN; *ret_count counts these too. */
static struct numbers extensions_of(const struct tls_hello *h, size_t *ret_count)
{
    struct slice rest = h->extensions, data;
    struct numbers n = numbers_new(rest.len / 4);
    uint16_t type;
    *ret_count = 0;
    while (tls_extension_next(&rest, &type, &data)) {
        if (tls_is_grease(type))
            continue;
        ++*ret_count;
        if (type && type != 16)
            n.items[n.len++] = type;
    }
    sort(&n);
    return n;
}

static void add_hex(struct buf *out, uint16_t number, bool first)
{
    if (!first)
        buf_add_byte(out, ',');
    for (int shift = 12; shift >= 0; shift -= 4)
        buf_add_byte(out, (uint8_t)hex[number >> shift & 15]);
}

/* Twelve digits of the hash over numbers, and signature algorithms where there are some; zeros for none. */
static void hash_numbers(const struct numbers *n, struct slice signatures, char ret[static 13])
{
    struct buf text;
    uint16_t number;
    buf_init(&text, TEXT_MOST);
    for (size_t i = 0; i < n->len; i++)
        add_hex(&text, n->items[i], !i);
    for (bool first = true; number_next(&signatures, &number); first = false) {
        if (first)
            buf_add_byte(&text, '_');
        add_hex(&text, number, first);
    }
    if (n->len)
        digest(EVP_sha256(), buf_slice(&text), 12, ret);
    else
        snprintf(ret, 13, "000000000000");
    buf_free(&text);
}

static const char *version_of(const struct tls_hello *h)
{
    struct slice list = h->versions;
    uint16_t highest = 0, number;
    while (number_next(&list, &number))
        highest = number > highest ? number : highest;
    switch (h->versions.data ? highest : h->legacy) {
    case 0x0304:
        return "13";
    case 0x0303:
        return "12";
    case 0x0302:
        return "11";
    case 0x0301:
        return "10";
    case 0x0300:
        return "s3";
    case 0x0002:
        return "s2";
    }
    return "00";
}

static bool is_alphanumeric(uint8_t c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z');
}

/* The first and the last character of the first protocol, or of its hex digits. */
static void protocol_of(const struct tls_hello *h, char ret[static 3])
{
    struct slice rest = h->alpn, first = {0};
    memcpy(ret, "00", 3);
    if (!tls_protocol_next(&rest, &first) || !first.len)
        return;
    uint8_t from = first.data[0], to = first.data[first.len - 1];
    bool text = is_alphanumeric(from) && is_alphanumeric(to);
    ret[0] = text ? (char)from : hex[from >> 4];
    ret[1] = text ? (char)to : hex[to & 15];
}

void tls_ja4(const struct tls_hello *client, char ret[static TLS_JA4])
{
    size_t extension_count;
    struct numbers ciphers = ciphers_of(client), extensions = extensions_of(client, &extension_count);
    unsigned cipher_shown = ciphers.len > 99 ? 99 : (unsigned)ciphers.len;
    unsigned extension_shown = extension_count > 99 ? 99 : (unsigned)extension_count;
    char protocol[3], first[13], second[13];
    protocol_of(client, protocol);
    hash_numbers(&ciphers, (struct slice){0}, first);
    hash_numbers(&extensions, client->signatures, second);
    snprintf(ret, TLS_JA4, "t%s%c%02u%02u%s_%s_%s", version_of(client), client->named ? 'd' : 'i',
             cipher_shown, extension_shown, protocol, first, second);
    free(ciphers.items);
    free(extensions.items);
}
