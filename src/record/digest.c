/* digest.c: hashes of a part's bytes, and their entropy.
 * In: bytes. Out: hexadecimal texts, a number. Owns: OpenSSL's contexts, kept for the next text. Knowingly:
 * an algorithm that OpenSSL does not give (MD5 under FIPS) is left out. Spec: RFC 1321, RFC 6234. */
#include "record/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include "base/memory.h"

struct digest_methods {
    EVP_MD *of[DIGESTS];
};

struct digest {
    EVP_MD_CTX *ctx[DIGESTS];
    bool computes[DIGESTS], spread;
    uint64_t told;        /* bytes so far */
    uint64_t counts[256]; /* of each byte value */
    char hex[DIGESTS][DIGEST_HEX];
    size_t hex_len[DIGESTS];
};

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    void *p = size ? malloc(size) : NULL;
    if (size)
        memory_check(p);
    return p;
}

static void *take_again(void *before, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    if (!size) {
        free(before);
        return NULL;
    }
    void *p = realloc(before, size);
    memory_check(p);
    return p;
}

static void give(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

void digest_memory(void)
{
    CRYPTO_set_mem_functions(take, take_again, give);
}

struct digest_methods *digest_methods_new(enum hash_mode mode)
{
    static const char *const names[DIGESTS] = {"MD5", "SHA1", "SHA256"};
    struct digest_methods *m = calloc(1, sizeof *m);
    memory_check(m);
    for (int i = 0; i < DIGESTS; i++)
        if (mode == HASH_ALL || (mode == HASH_SHA256 && i == DIGEST_SHA256))
            m->of[i] = EVP_MD_fetch(NULL, names[i], NULL);
    return m;
}

void digest_methods_free(struct digest_methods **pm)
{
    for (int i = 0; *pm && i < DIGESTS; i++)
        EVP_MD_free((*pm)->of[i]);
    free(*pm);
    *pm = NULL;
}

struct digest *digest_new(void)
{
    struct digest *d = calloc(1, sizeof *d);
    memory_check(d);
    return d;
}

void digest_free(struct digest **pd)
{
    for (int i = 0; *pd && i < DIGESTS; i++)
        EVP_MD_CTX_free((*pd)->ctx[i]);
    free(*pd);
    *pd = NULL;
}

void digest_begin(struct digest *d, const struct digest_methods *methods, bool spread)
{
    d->spread = spread;
    memset(d->counts, 0, sizeof d->counts);
    d->told = 0;
    for (int i = 0; i < DIGESTS; i++) {
        d->hex_len[i] = 0;
        d->computes[i] = methods->of[i];
        if (!methods->of[i])
            continue;
        if (!d->ctx[i])
            d->ctx[i] = EVP_MD_CTX_new();
        memory_check(d->ctx[i]);
        d->computes[i] = EVP_DigestInit_ex2(d->ctx[i], methods->of[i], NULL);
    }
}

/* Four tables, as one byte is often followed by the same, whose count would not be stored yet. */
static void count_bytes(uint64_t counts[256], struct slice bytes)
{
    enum { PIECE = 4096, LEAST = 512 };
    while (bytes.len >= LEAST) {
        uint16_t tables[4][256] = {{0}};
        size_t n = (bytes.len < PIECE ? bytes.len : PIECE) & ~(size_t)7;
        for (size_t i = 0; i < n; i += 8) {
            uint64_t w;
            memcpy(&w, bytes.data + i, sizeof w);
            for (int k = 0; k < 8; k++, w >>= 8)
                tables[k % 4][w & 255]++;
        }
        for (int i = 0; i < 256; i++)
            counts[i] += (uint64_t)tables[0][i] + tables[1][i] + tables[2][i] + tables[3][i];
        bytes = slice_sub(bytes, n, bytes.len);
    }
    for (size_t i = 0; i < bytes.len; i++)
        counts[bytes.data[i]]++;
}

/* All of the first 256 KiB, then one block in sixteen, whatever pieces they come in: counting takes longer
 * than hashing where the processor has instructions for that, and so many say the same. */
static void count_some(struct digest *d, struct slice bytes)
{
    enum { WHOLE = 1 << 18, BLOCK = 4096, ONE_IN = 16 };
    while (bytes.len) {
        bool all = d->told < WHOLE;
        uint64_t left = all ? WHOLE - d->told : BLOCK - d->told % BLOCK;
        size_t n = left < bytes.len ? (size_t)left : bytes.len;
        if (all || d->told / BLOCK % ONE_IN == 0)
            count_bytes(d->counts, slice_sub(bytes, 0, n));
        d->told += n;
        bytes = slice_sub(bytes, n, bytes.len);
    }
}

void digest_add(struct digest *d, struct slice bytes)
{
    for (int i = 0; i < DIGESTS; i++)
        if (d->computes[i])
            d->computes[i] = EVP_DigestUpdate(d->ctx[i], bytes.data, bytes.len);
    if (d->spread)
        count_some(d, bytes);
}

void digest_end(struct digest *d)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < DIGESTS; i++) {
        unsigned char raw[EVP_MAX_MD_SIZE];
        unsigned len = 0;
        if (!d->computes[i] || !EVP_DigestFinal_ex(d->ctx[i], raw, &len))
            continue;
        for (unsigned k = 0; k < len; k++) {
            d->hex[i][2 * k] = digits[raw[k] >> 4];
            d->hex[i][2 * k + 1] = digits[raw[k] & 15];
        }
        d->hex_len[i] = 2 * (size_t)len;
    }
}

struct slice digest_hex(const struct digest *d, enum digest_index which)
{
    return (struct slice){(const uint8_t *)d->hex[which], d->hex_len[which]};
}

/* The C library's is exact to the last bit, and ten times as slow: this is to eleven digits. */
static double log2_of(uint64_t n)
{
    const double sqrt2 = 1.4142135623730951, twice_log2e = 2.8853900817779268;
    int exponent = 63 - __builtin_clzll(n);
    double m = (double)n / (double)((uint64_t)1 << exponent);
    if (m > sqrt2) {
        m /= 2;
        exponent++;
    }
    double s = (m - 1) / (m + 1), q = s * s;
    return exponent +
           twice_log2e * s * (1 + q * (1. / 3 + q * (1. / 5 + q * (1. / 7 + q * (1. / 9 + q / 11)))));
}

double digest_entropy(const struct digest *d)
{
    uint64_t total = 0;
    double sum = 0;
    for (int i = 0; i < 256; i++) {
        uint64_t n = d->counts[i];
        total += n;
        if (n > 1)
            sum += (double)n * log2_of(n);
    }
    double bits = total ? log2_of(total) - sum / (double)total : 0;
    return bits > 0 ? (double)(uint64_t)(bits * 1e4 + 0.5) / 1e4 : 0;
}
