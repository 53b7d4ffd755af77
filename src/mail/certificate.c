/* certificate.c: a certificate to what a record shows of it.
 * In: DER. Out: texts and times. Owns: nothing; OpenSSL reads the names, the times and the subjectAltName
 * that are found here. Limits: the arena's budget, `most` names, SERIAL_MOST bytes of a serial number.
 * Knowingly: nothing is verified; of two subjectAltName extensions, which must not be, the first is shown.
 * Spec: RFC 5280 4.1, 4.2.1.6; RFC 2253. */
#include "mail/certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>
#include "base/cursor.h"
#include "base/memory.h"
#include "base/net.h"

enum { SERIAL_MOST = 64 };

static struct slice hex_of(struct slice bytes, bool upper, struct arena *mem)
{
    static const char digits[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};
    uint8_t *text = bytes.len ? arena_alloc(mem, 2 * bytes.len) : NULL;
    if (!text)
        return (struct slice){NULL, 0};
    for (size_t i = 0; i < 2 * bytes.len; i++)
        text[i] = (uint8_t)digits[upper][bytes.data[i / 2] >> (i % 2 ? 0 : 4) & 15];
    return (struct slice){text, 2 * bytes.len};
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

static void take_alternatives(struct slice der, size_t most, struct arena *mem, struct certificate *ret)
{
    const uint8_t *at = der.data;
    GENERAL_NAMES *names = d2i_GENERAL_NAMES(NULL, &at, (long)der.len);
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

/* One element of DER: its tag, all of it, what is in it. */
struct element {
    uint8_t tag;
    struct slice whole, body;
};

/* False: there is none, it is torn, or its length is not definite. */
static bool element_next(struct cursor *c, struct element *ret)
{
    struct slice from = c->rest;
    ret->tag = cursor_u8(c);
    size_t len = cursor_u8(c);
    if (len > 0x80 && len <= 0x84) {
        size_t bytes = len - 0x80;
        for (len = 0; bytes; bytes--)
            len = len << 8 | cursor_u8(c);
    } else if (len >= 0x80) {
        c->broken = true;
    }
    ret->body = cursor_take(c, len);
    ret->whole = slice_sub(from, 0, from.len - c->rest.len);
    return !c->broken;
}

static bool element_is(struct cursor *c, uint8_t tag, struct element *ret)
{
    return element_next(c, ret) && ret->tag == tag;
}

enum {
    DER_INTEGER = 0x02,
    DER_OCTETS = 0x04,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_VERSION = 0xa0,
    DER_EXTENSIONS = 0xa3
};

static void take_extensions(struct slice der, size_t most, struct arena *mem, struct certificate *ret)
{
    static const uint8_t subject_alt_name[] = {0x55, 0x1d, 0x11};
    struct cursor outer = cursor_of(der);
    struct element all, one, part;
    if (!element_is(&outer, DER_SEQUENCE, &all))
        return;
    struct cursor c = cursor_of(all.body);
    while (!ret->names && element_is(&c, DER_SEQUENCE, &one)) {
        struct cursor inner = cursor_of(one.body);
        if (!element_is(&inner, DER_OID, &part) ||
            !slice_eq(part.body, (struct slice){subject_alt_name, sizeof subject_alt_name}))
            continue;
        /* It may be marked as critical. */
        while (element_next(&inner, &part))
            if (part.tag == DER_OCTETS)
                take_alternatives(part.body, most, mem, ret);
    }
}

static struct slice name_of(struct slice der, struct arena *mem)
{
    const uint8_t *at = der.data;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    struct slice text = {NULL, 0};
    if (name)
        text = name_text(name, mem);
    X509_NAME_free(name);
    return text;
}

static int64_t time_next(struct cursor *c)
{
    struct element e;
    if (!element_next(c, &e))
        return 0;
    const uint8_t *at = e.whole.data;
    ASN1_TIME *t = d2i_ASN1_TIME(NULL, &at, (long)e.whole.len);
    int64_t time = time_of(t);
    ASN1_TIME_free(t);
    return time;
}

/* What is signed (RFC 5280 4.1.2), without the key: nothing of it is shown, and to decode it takes longer
 * than all the rest. */
static bool take_signed(struct slice der, size_t most, struct arena *mem, struct certificate *ret)
{
    struct cursor c = cursor_of(der);
    struct element e, issuer, validity, subject;
    if (!element_next(&c, &e) || (e.tag == DER_VERSION && !element_next(&c, &e)) || e.tag != DER_INTEGER)
        return false;
    /* A zero says that it is positive. */
    struct slice serial = slice_sub(e.body, e.body.len > 1 && !e.body.data[0], e.body.len);
    serial = slice_sub(serial, 0, SERIAL_MOST);
    if (!element_is(&c, DER_SEQUENCE, &e) || !element_is(&c, DER_SEQUENCE, &issuer) ||
        !element_is(&c, DER_SEQUENCE, &validity) || !element_is(&c, DER_SEQUENCE, &subject))
        return false;
    ret->serial = hex_of(serial, true, mem);
    ret->issuer = name_of(issuer.whole, mem);
    ret->subject = name_of(subject.whole, mem);
    ret->self_issued = slice_eq(issuer.whole, subject.whole);
    struct cursor times = cursor_of(validity.body);
    ret->not_before = time_next(&times);
    ret->not_after = time_next(&times);
    while (element_next(&c, &e))
        if (e.tag == DER_EXTENSIONS)
            take_extensions(e.body, most, mem, ret);
    return true;
}

bool certificate_read(struct slice der, size_t most, struct arena *mem, struct certificate *ret)
{
    uint8_t hash[EVP_MAX_MD_SIZE];
    unsigned hash_len;
    struct cursor c = cursor_of(der);
    struct element whole, part;
    *ret = (struct certificate){0};
    if (!EVP_Digest(der.data, der.len, hash, &hash_len, EVP_sha256(), NULL))
        memory_out();
    ret->sha256 = hex_of((struct slice){hash, hash_len}, false, mem);
    if (!element_is(&c, DER_SEQUENCE, &whole))
        return false;
    c = cursor_of(whole.body);
    bool read = element_is(&c, DER_SEQUENCE, &part) && take_signed(part.body, most, mem, ret);
    if (ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE)
        memory_out();
    ERR_clear_error();
    return read;
}
