/* own.c: Message-IDs that tell our mails from all others.
 * In: a key, a time, a sender; Message-IDs off the wire. Out: Message-IDs, yes or no. Owns: nothing.
 * Limits: senders over SENDER bytes are nobody's. Knowingly: who was sent one of our mails knows one ID and
 * can use it again, with our envelope sender only. Spec: RFC 5322 3.6.4, RFC 2104. */
#include "courier/own.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/io.h"
#include "base/memory.h"

enum { SENDER = 512, MAC = 32, STAMP = 64 }; /* MAC: hex digits of 128 bits */

static const char prefix[] = "mailtap.";

int own_key_random(uint8_t ret[static OWN_KEY], struct error *reterr)
{
    if (getrandom(ret, OWN_KEY, 0) != OWN_KEY)
        return error_set(reterr, -errno, "no random numbers: %s", strerror(errno));
    return 0;
}

/* Writes the key to a file of another name first, so that a killed program leaves no half of one. */
static int key_write(int directory, const uint8_t key[static OWN_KEY])
{
    int fd = openat(directory, "key.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int err = io_write(fd, (struct slice){key, OWN_KEY});
    if (close(fd) < 0 && !err)
        err = -errno;
    if (!err && renameat(directory, "key.tmp", directory, "key") < 0)
        err = -errno;
    if (err)
        unlinkat(directory, "key.tmp", 0);
    return err;
}

int own_key_kept(int directory, const char *name, uint8_t ret[static OWN_KEY], struct error *reterr)
{
    uint8_t bytes[OWN_KEY + 1];
    int fd = openat(directory, "key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        int err = own_key_random(ret, reterr);
        if (!err && (err = key_write(directory, ret)) < 0)
            error_set(reterr, err, "%.300s/key: %s", name, strerror(-err));
        return err;
    }
    ssize_t got = fd < 0 ? -errno : io_read(fd, bytes, sizeof bytes);
    if (fd >= 0)
        close(fd);
    if (got < 0)
        return error_set(reterr, (int)got, "%.300s/key: %s", name, strerror((int)-got));
    if (got != OWN_KEY)
        return error_set(reterr, -EINVAL, "%.300s/key: a key has %d bytes; remove the file", name, OWN_KEY);
    memcpy(ret, bytes, OWN_KEY);
    return 0;
}

static struct slice without_brackets(struct slice s)
{
    s = slice_trim(s);
    return s.len > 1 && s.data[0] == '<' && s.data[s.len - 1] == '>' ? slice_sub(s, 1, s.len - 1) : s;
}

/* Over the stamp, a zero byte, and the sender in lower case. False: the sender is too long. */
static bool mac_of(const uint8_t key[static OWN_KEY], struct slice stamp, struct slice from,
                   char ret[static MAC + 1])
{
    uint8_t bytes[STAMP + 1 + SENDER], hash[EVP_MAX_MD_SIZE];
    size_t len = stamp.len;
    if (stamp.len > STAMP || from.len > SENDER)
        return false;
    memcpy(bytes, stamp.data, stamp.len);
    bytes[len++] = 0;
    for (size_t i = 0; i < from.len; i++)
        bytes[len++] = byte_lower(from.data[i]);
    if (!HMAC(EVP_sha256(), key, OWN_KEY, bytes, len, hash, NULL))
        return false;
    for (size_t i = 0; i < MAC / 2; i++)
        snprintf(ret + 2 * i, 3, "%02x", hash[i]);
    return true;
}

void own_id(const uint8_t key[static OWN_KEY], int64_t time, const char *from, char ret[static OWN_ID])
{
    char stamp[STAMP], mac[MAC + 1];
    uint64_t random;
    const char *at = strrchr(from, '@');
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        abort(); /* cannot be for so few bytes */
    snprintf(stamp, sizeof stamp, "%" PRIx64 ".%016" PRIx64, (uint64_t)time, random);
    if (!mac_of(key, slice_str(stamp), slice_str(from), mac))
        memory_out(); /* check.c let the sender through, so nothing else can be wrong */
    snprintf(ret, OWN_ID, "<%s%s.%s@%.255s>", prefix, stamp, mac, at ? at + 1 : "localhost");
}

bool own_is(const uint8_t key[static OWN_KEY], struct slice id, struct slice from)
{
    char mac[MAC + 1];
    id = without_brackets(id);
    if (id.len < sizeof prefix - 1 || memcmp(id.data, prefix, sizeof prefix - 1) != 0)
        return false;
    struct slice local = slice_sub(id, sizeof prefix - 1, slice_index(id, '@'));
    if (local.len <= MAC + 1 || local.data[local.len - MAC - 1] != '.')
        return false;
    struct slice stamp = slice_sub(local, 0, local.len - MAC - 1);
    return mac_of(key, stamp, without_brackets(from), mac) &&
           CRYPTO_memcmp(mac, local.data + stamp.len + 1, MAC) == 0;
}
