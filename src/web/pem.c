/* pem.c: the files of TLS.
 * In: paths. Out: bytes, for libmicrohttpd. Owns: nothing. Limits: PEM_MOST bytes a file. Knowingly: they are
 * read once; a new certificate counts from the next start on. */
#include "web/pem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <unistd.h>
#include "base/io.h"

enum { PEM_MOST = 1 << 20 };

static int read_file(const char *path, struct buf *ret, struct error *reterr)
{
    static uint8_t none;
    buf_init(ret, PEM_MOST + 2);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(reterr, -errno, "web: %.300s: %s", path, strerror(errno));
    uint8_t piece[4096];
    ssize_t got = 0;
    while (ret->len <= PEM_MOST && (got = io_read(fd, piece, sizeof piece)) > 0)
        buf_add(ret, (struct slice){piece, (size_t)got});
    OPENSSL_cleanse(piece, sizeof piece);
    close(fd);
    if (got < 0)
        return error_set(reterr, (int)got, "web: %.300s: %s", path, strerror((int)-got));
    if (ret->len > PEM_MOST)
        return error_set(reterr, -EFBIG, "web: %.300s: too large", path);
    buf_add(ret, (struct slice){&none, 1});
    return 0;
}

static void say_times(const char *path, const X509 *x)
{
    if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
        fprintf(stderr, "mailtap: web: %s: the certificate has expired\n", path);
    else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
        fprintf(stderr, "mailtap: web: %s: the certificate does not count yet\n", path);
}

/* A password is not asked for. */
static int no_password(char *ret, int size, int writing, void *ctx)
{
    (void)ret;
    (void)size;
    (void)writing;
    (void)ctx;
    return 0;
}

static int check(const char *certificate, const char *key, const struct buf *c, const struct buf *k,
                 struct error *reterr)
{
    BIO *cb = BIO_new_mem_buf(c->data, (int)c->len - 1), *kb = BIO_new_mem_buf(k->data, (int)k->len - 1);
    X509 *x = cb ? PEM_read_bio_X509(cb, NULL, no_password, NULL) : NULL;
    EVP_PKEY *p = kb ? PEM_read_bio_PrivateKey(kb, NULL, no_password, NULL) : NULL;
    int err = 0;
    if (!x)
        err = error_set(reterr, -EINVAL, "web: %.300s: no certificate in PEM", certificate);
    else if (!p)
        err = error_set(reterr, -EINVAL, "web: %.300s: no private key in PEM without a password", key);
    else if (X509_check_private_key(x, p) != 1)
        err = error_set(reterr, -EINVAL, "web: %.200s is not the key of %.200s", key, certificate);
    else
        say_times(certificate, x);
    EVP_PKEY_free(p);
    X509_free(x);
    BIO_free(cb);
    BIO_free(kb);
    return err;
}

int pem_read(const char *certificate, const char *key, struct buf *retcertificate, struct buf *retkey,
             struct error *reterr)
{
    int err = read_file(certificate, retcertificate, reterr);
    if (!err)
        err = read_file(key, retkey, reterr);
    return err ? err : check(certificate, key, retcertificate, retkey, reterr);
}

void pem_forget(struct buf *key)
{
    if (key->data)
        OPENSSL_cleanse(key->data, key->room);
    buf_free(key);
}
