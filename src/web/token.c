/* token.c: secrets of 256 random bits.
 * In: the system's random numbers. Out: texts, hashes. Owns: nothing. */
#include "web/token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include "base/memory.h"

enum { BYTES = 32 };

void token_make(char ret[static TOKEN_TEXT])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[BYTES + 1] = {0};
    if (RAND_bytes(bytes, BYTES) != 1)
        memory_out();
    for (size_t i = 0, bit = 0; i < TOKEN_TEXT - 1; i++, bit += 6) {
        unsigned two = (unsigned)bytes[bit / 8] << 8 | bytes[bit / 8 + 1];
        ret[i] = letters[two >> (10 - bit % 8) & 63];
    }
    ret[TOKEN_TEXT - 1] = '\0';
    OPENSSL_cleanse(bytes, sizeof bytes);
}

void token_hash(struct slice token, uint8_t ret[static TOKEN_HASH])
{
    SHA256(token.data ? token.data : (const uint8_t *)"", token.len, ret);
}

void token_line(struct slice token, char ret[static TOKEN_LINE])
{
    uint8_t hash[TOKEN_HASH];
    token_hash(token, hash);
    int n = snprintf(ret, TOKEN_LINE, "$sha256$");
    for (size_t i = 0; i < TOKEN_HASH; i++)
        snprintf(ret + n + 2 * i, 3, "%02x", hash[i]);
}

static int hex(uint8_t c)
{
    c = byte_lower(c);
    return byte_is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool token_parse_line(struct slice line, uint8_t ret[static TOKEN_HASH])
{
    size_t from = strlen("$sha256$");
    if (line.len != from + 2 * TOKEN_HASH || !slice_eq(slice_sub(line, 0, from), slice_str("$sha256$")))
        return false;
    for (size_t i = 0; i < TOKEN_HASH; i++) {
        int high = hex(line.data[from + 2 * i]), low = hex(line.data[from + 2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool token_same(const uint8_t a[static TOKEN_HASH], const uint8_t b[static TOKEN_HASH])
{
    return CRYPTO_memcmp(a, b, TOKEN_HASH) == 0;
}
