/* Hashes of a part's bytes, and how evenly its byte values are spread. */
#ifndef RECORD_DIGEST_H
#define RECORD_DIGEST_H

#include "base/slice.h"

enum hash_mode { HASH_NONE, HASH_SHA256, HASH_ALL }; /* ALL: MD5, SHA-1 and SHA-256 */
enum digest_index { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGESTS };
enum { DIGEST_HEX = 64 };

/* OpenSSL takes no memory but by functions that die loudly where there is none: by itself it goes on without
 * in places, and crashes, or says that there is no such algorithm. Once, before anything else of OpenSSL's.
 */
void digest_memory(void);

/* The algorithms of a mode, looked up once: to look them up takes longer than to hash a short text. */
struct digest_methods;
struct digest_methods *digest_methods_new(enum hash_mode mode);
void digest_methods_free(struct digest_methods **methods);

/* One text; it is used again for the next, and takes no memory then. */
struct digest;
struct digest *digest_new(void);
void digest_free(struct digest **d);
/* `methods` outlive the text. `spread`: its entropy is wanted too. */
void digest_begin(struct digest *d, const struct digest_methods *methods, bool spread);
void digest_add(struct digest *d, struct slice bytes);
/* The text is over. */
void digest_end(struct digest *d);
/* After it: in lower case hexadecimal, valid until the next digest_begin; empty where it was not computed. */
struct slice digest_hex(const struct digest *d, enum digest_index which);
/* Shannon's entropy in bits per byte, 0 to 8, to four decimals; 0 of no bytes, and where it
 * was not wanted. Of what lies beyond 256 KiB
 * the first 4 KiB of each 64 KiB count. */
double digest_entropy(const struct digest *d);

#endif
