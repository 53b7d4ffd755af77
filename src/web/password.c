/* password.c: passwords by scrypt.
 * In: passwords, lines. Out: lines, yes or no. Owns: nothing. Limits: log_n 10 to 18, r and p 1 to 16, memory
 * and work bounded together, so that no line of a file can take the machine. Spec: RFC 7914; the PHC string
 * format. */
#include "web/password.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { SALT = 16, HASH = 32, LOG_N = 16, R = 8, P = 1 };
static const uint64_t MEMORY_MOST = 256U << 20, WORK_MOST = 1U << 30; /* 128 N r; 128 N r p */

struct line {
    unsigned log_n, r, p;
    uint8_t salt[64], hash[HASH];
    size_t salt_len;
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t encode(const uint8_t *bytes, size_t len, char *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (i + 2 < len ? bytes[i + 2] : 0);
        size_t have = len - i < 3 ? len - i + 1 : 4;
        for (size_t k = 0; k < have; k++)
            ret[n++] = letters[v >> (18 - 6 * k) & 63];
    }
    ret[n] = '\0';
    return n;
}

/* How many bytes it became; 0: no base64, or more than `room`. */
static size_t decode(struct slice text, uint8_t *ret, size_t room)
{
    uint32_t v = 0;
    size_t n = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *p = text.data[i] ? strchr(letters, text.data[i]) : NULL;
        if (!p)
            return 0;
        v = v << 6 | (uint32_t)(p - letters);
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (n == room)
            return 0;
        ret[n++] = (uint8_t)(v >> bits);
        v &= (1U << bits) - 1;
    }
    return v ? 0 : n;
}

/* The text before the next '$' of *rest. */
static struct slice take(struct slice *rest)
{
    struct slice ret = slice_sub(*rest, 0, slice_index(*rest, '$'));
    *rest = slice_sub(*rest, ret.len + 1, rest->len);
    return ret;
}

static bool take_number(struct slice *rest, const char *name, unsigned lowest, unsigned highest,
                        unsigned *ret)
{
    size_t len = strlen(name);
    uint64_t v;
    if (!slice_eq(slice_sub(*rest, 0, len), slice_str(name)))
        return false;
    *rest = slice_sub(*rest, len, rest->len);
    size_t n = slice_number(*rest, &v);
    if (!n || v < lowest || v > highest)
        return false;
    *rest = slice_sub(*rest, n, rest->len);
    *ret = (unsigned)v;
    return true;
}

static uint64_t memory_of(const struct line *l)
{
    return (UINT64_C(128) << l->log_n) * l->r;
}

static bool parse(struct slice text, struct line *ret)
{
    struct slice rest = text, none = take(&rest), name = take(&rest), cost = take(&rest);
    struct slice salt = take(&rest), hash = rest;
    if (none.len || !slice_eq(name, slice_str("scrypt")) || text.len >= PASSWORD_LINE)
        return false;
    if (!take_number(&cost, "ln=", 10, 18, &ret->log_n) || !take_number(&cost, ",r=", 1, 16, &ret->r) ||
        !take_number(&cost, ",p=", 1, 16, &ret->p) || cost.len)
        return false;
    ret->salt_len = decode(salt, ret->salt, sizeof ret->salt);
    return ret->salt_len >= 8 && decode(hash, ret->hash, HASH) == HASH && memory_of(ret) <= MEMORY_MOST &&
           memory_of(ret) * ret->p <= WORK_MOST;
}

bool password_is_line(struct slice line)
{
    struct line l;
    return parse(line, &l);
}

uint64_t password_cost(struct slice line)
{
    struct line l;
    return parse(line, &l) ? memory_of(&l) * l.p : 0;
}

static bool derive(struct slice password, const struct line *l, uint8_t ret[static HASH])
{
    return password.len <= PASSWORD_MOST &&
           EVP_PBE_scrypt((const char *)password.data, password.len, l->salt, l->salt_len,
                          UINT64_C(1) << l->log_n, l->r, l->p, MEMORY_MOST + (16 << 20), ret, HASH) == 1;
}

int password_make(struct slice password, char ret[static PASSWORD_LINE], struct error *reterr)
{
    struct line l = {.log_n = LOG_N, .r = R, .p = P, .salt_len = SALT};
    char salt[2 * SALT], hash[2 * HASH];
    if (!password.len || password.len > PASSWORD_MOST)
        return error_set(reterr, -EINVAL, "a password has 1 to %d bytes", PASSWORD_MOST);
    if (RAND_bytes(l.salt, SALT) != 1 || !derive(password, &l, l.hash))
        return error_set(reterr, -ENOMEM, "scrypt: %s", strerror(ENOMEM));
    encode(l.salt, SALT, salt);
    encode(l.hash, HASH, hash);
    snprintf(ret, PASSWORD_LINE, "$scrypt$ln=%u,r=%u,p=%u$%s$%s", l.log_n, l.r, l.p, salt, hash);
    return 0;
}

bool password_check(struct slice password, struct slice line)
{
    struct line l;
    uint8_t hash[HASH];
    if (!parse(line, &l) || !derive(password, &l, hash))
        return false;
    bool same = CRYPTO_memcmp(hash, l.hash, HASH) == 0;
    OPENSSL_cleanse(hash, sizeof hash);
    return same;
}
