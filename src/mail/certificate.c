/* certificate.c: a certificate to what a record shows of it.
 * In: DER. Out: texts and times. Owns: nothing; OpenSSL reads the DER. Limits: the arena's budget, `most`
 * names, SERIAL_MOST bytes of a serial number. Knowingly: nothing is verified; of two subjectAltName
 * extensions, which must not be, none is shown. Spec: RFC 5280 4.1, 4.2.1.6; RFC 2253. */
#include "mail/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>
#include "base/memory.h"
#include "base/net.h"

enum { SERIAL_MOST = 64 };

static struct slice hex_of(const uint8_t *bytes, size_t len, bool upper, struct arena *mem)
{
    static const char digits[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};
    uint8_t *text = arena_alloc(mem, 2 * len + !len);
    if (!text)
        return (struct slice){NULL, 0};
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = (uint8_t)digits[upper][bytes[i] >> 4];
        text[2 * i + 1] = (uint8_t)digits[upper][bytes[i] & 15];
    }
    return (struct slice){text, 2 * len};
}

static struct slice name_text(const X509_NAME *name, struct arena *mem)
{
    BIO *out = BIO_new(BIO_s_mem());
    struct slice text = {NULL, 0};
    char *data;
    memory_check(out);
    if (X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
        long len = BIO_get_mem_data(out, &data);
        if (len > 0)
            text = arena_copy(mem, (struct slice){(const uint8_t *)data, (size_t)len});
    }
    BIO_free(out);
    return text;
}

static int64_t time_of(const ASN1_TIME *t)
{
    struct tm tm;
    if (!t || !ASN1_TIME_to_tm(t, &tm))
        return 0;
    return timegm(&tm);
}

static struct slice address_of(const ASN1_OCTET_STRING *ip, struct arena *mem)
{
    char text[ADDRESS_TEXT];
    int len = ASN1_STRING_length(ip);
    struct address a = {.family = len == 4 ? 4 : 6};
    if (len != 4 && len != 16)
        return (struct slice){NULL, 0};
    memcpy(a.bytes, ASN1_STRING_get0_data(ip), (size_t)len);
    return arena_copy(mem, (struct slice){(const uint8_t *)text, address_text(&a, text)});
}

/* One that is of another kind, or empty, gives none. */
static struct slice alternative(const GENERAL_NAME *name, struct arena *mem)
{
    int kind;
    const void *value = GENERAL_NAME_get0_value(name, &kind);
    if (kind == GEN_IPADD)
        return address_of(value, mem);
    if (kind != GEN_DNS && kind != GEN_EMAIL && kind != GEN_URI)
        return (struct slice){NULL, 0};
    const ASN1_STRING *text = value;
    int len = ASN1_STRING_length(text);
    if (len <= 0)
        return (struct slice){NULL, 0};
    return arena_copy(mem, (struct slice){ASN1_STRING_get0_data(text), (size_t)len});
}

static void take_alternatives(X509 *x, size_t most, struct arena *mem, struct certificate *ret)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    if (!names)
        return;
    size_t count = (size_t)sk_GENERAL_NAME_num(names);
    ret->cut = count > most;
    if (count > most)
        count = most;
    ret->names = arena_alloc(mem, count * sizeof *ret->names);
    for (size_t i = 0; i < count && ret->names; i++) {
        struct slice text = alternative(sk_GENERAL_NAME_value(names, (int)i), mem);
        if (text.len)
            ret->names[ret->name_count++] = text;
    }
    GENERAL_NAMES_free(names);
}

static void take_serial(const X509 *x, struct arena *mem, struct certificate *ret)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    int len = serial ? ASN1_STRING_length(serial) : 0;
    if (len > SERIAL_MOST)
        len = SERIAL_MOST;
    if (len > 0)
        ret->serial = hex_of(ASN1_STRING_get0_data(serial), (size_t)len, true, mem);
}

bool certificate_read(struct slice der, size_t most, struct arena *mem, struct certificate *ret)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_len;
    const uint8_t *at = der.data;
    *ret = (struct certificate){0};
    if (!EVP_Digest(der.data, der.len, hash, &hash_len, EVP_sha256(), NULL))
        memory_out();
    ret->sha256 = hex_of(hash, hash_len, false, mem);
    X509 *x = d2i_X509(NULL, &at, (long)der.len);
    bool read = x != NULL;
    if (read) {
        const X509_NAME *subject = X509_get_subject_name(x), *issuer = X509_get_issuer_name(x);
        ret->subject = name_text(subject, mem);
        ret->issuer = name_text(issuer, mem);
        ret->self_issued = X509_NAME_cmp(subject, issuer) == 0;
        ret->not_before = time_of(X509_get0_notBefore(x));
        ret->not_after = time_of(X509_get0_notAfter(x));
        take_serial(x, mem, ret);
        take_alternatives(x, most, mem, ret);
        X509_free(x);
    }
    ERR_clear_error();
    return read;
}
