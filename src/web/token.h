/* Secrets of 256 random bits, and what is kept of them. */
#ifndef WEB_TOKEN_H
#define WEB_TOKEN_H

#include "base/slice.h"

enum {
    TOKEN_TEXT = 44, /* 43 characters of base64url and a NUL */
    TOKEN_HASH = 32,
    TOKEN_LINE = 80 /* "$sha256$" and 64 hexadecimal digits */
};

void token_make(char ret[static TOKEN_TEXT]);
/* They are random enough for a fast hash without salt. */
void token_hash(struct slice token, uint8_t ret[static TOKEN_HASH]);
void token_line(struct slice token, char ret[static TOKEN_LINE]);
bool token_parse_line(struct slice line, uint8_t ret[static TOKEN_HASH]);
/* In a time that says nothing of where they differ. */
bool token_same(const uint8_t a[static TOKEN_HASH], const uint8_t b[static TOKEN_HASH]);

#endif
