/* secret.c: what the client gave away, looked for in what the server says.
 * In: lines of the client that are secret, or may be; replies. Out: replies without them. Owns: the last
 * SECRETS_KEPT bytes of secrets of a session. Limits: SECRET_BYTES of a secret, SECRETS_KEPT of all,
 * HELD_BYTES of what waits. Knowingly: a secret is known by its words, runs of the letters of base64, from
 * WORD_LEAST on, whatever the case, as some servers repeat a line in capitals; where the client's line was
 * not seen what looks like base64 goes. Spec: RFC 4954 4, RFC 4648 4. */
#include "mail/secret.h"

#include <stdlib.h>
#include "base/memory.h"

enum {
    SECRETS_KEPT = 512,
    SECRET_BYTES = 128,
    HELD_BYTES = 512,
    WORD_LEAST = 6,
    WORD_COMPARED = 24, /* of its beginning; what is longer is the same secret */
    BASE64_LEAST = 8,
};

struct secrets {
    size_t len;
    uint8_t bytes[SECRETS_KEPT];
};

void secret_add(struct secrets **ps, struct slice line)
{
    if (line.len < WORD_LEAST)
        return;
    if (!*ps)
        *ps = calloc(1, sizeof **ps);
    struct secrets *s = *ps;
    memory_check(s);
    line = slice_sub(line, 0, SECRET_BYTES);
    if (s->len + line.len + 1 > SECRETS_KEPT) {
        size_t gone = s->len + line.len + 1 - SECRETS_KEPT;
        memmove(s->bytes, s->bytes + gone, s->len - gone);
        s->len -= gone;
    }
    memcpy(s->bytes + s->len, line.data, line.len);
    s->len += line.len;
    s->bytes[s->len++] = '\n';
}

void secret_free(struct secrets **ps)
{
    free(*ps);
    *ps = NULL;
}

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_word(uint8_t c)
{
    return is_upper(c) || is_lower(c) || byte_is_digit(c) || c == '+' || c == '/' || c == '=';
}

static bool occurs(struct slice word, struct slice in)
{
    for (size_t i = 0; i + word.len <= in.len; i++)
        if (byte_lower(in.data[i]) == byte_lower(*word.data) &&
            slice_case_same(in.data + i, word.data, word.len))
            return true;
    return false;
}

/* Small and capital letters mixed as no person does. */
static bool like_base64(struct slice word)
{
    size_t turns = 0, others = 0;
    for (size_t i = 1; i < word.len; i++)
        turns += is_lower(word.data[i - 1]) && is_upper(word.data[i]);
    for (size_t i = 0; i < word.len; i++)
        others += !is_lower(word.data[i]) && !is_upper(word.data[i]);
    return word.len >= BASE64_LEAST && turns + others > 1 && others < word.len;
}

static bool is_secret(struct slice word, struct slice known, struct slice held, enum secret_care care)
{
    if (word.len < WORD_LEAST)
        return false;
    bool looks = like_base64(word);
    if (care == SECRET_CARE_MOST && looks)
        return true;
    if (care == SECRET_CARE_LITTLE && !looks)
        return false;
    word = slice_sub(word, 0, WORD_COMPARED);
    return occurs(word, known) || occurs(word, held);
}

/* The length of the word, or of what is none, at the start. */
static size_t run_of(struct slice s, bool word)
{
    size_t i = 0;
    while (i < s.len && is_word(s.data[i]) == word)
        i++;
    return i;
}

bool secret_hide(const struct secrets *s, struct slice held, enum secret_care care, struct slice text,
                 struct buf *ret)
{
    struct slice known = s ? (struct slice){s->bytes, s->len} : (struct slice){0};
    bool found = false;
    held = slice_sub(held, 0, HELD_BYTES);
    if (care != SECRET_CARE_MOST && !known.len && !held.len)
        return false;
    buf_init(ret, text.len);
    while (text.len) {
        size_t other = run_of(text, false), word = run_of(slice_sub(text, other, text.len), true);
        struct slice w = slice_sub(text, other, other + word);
        bool secret = is_secret(w, known, held, care);
        buf_add(ret, slice_sub(text, 0, other));
        buf_add(ret, secret ? slice_str("***") : w);
        found |= secret;
        text = slice_sub(text, other + word, text.len);
    }
    if (!found)
        buf_free(ret);
    return found;
}

struct slice secret_mechanism_name(struct slice word)
{
    static const char *const names[] = {"PLAIN",
                                        "LOGIN",
                                        "CRAM-MD5",
                                        "DIGEST-MD5",
                                        "NTLM",
                                        "GSSAPI",
                                        "GSS-SPNEGO",
                                        "XOAUTH",
                                        "XOAUTH2",
                                        "OAUTHBEARER",
                                        "OAUTH10A",
                                        "EXTERNAL",
                                        "ANONYMOUS",
                                        "SCRAM-SHA-1",
                                        "SCRAM-SHA-1-PLUS",
                                        "SCRAM-MD5",
                                        "SCRAM-SHA-256",
                                        "SCRAM-SHA-512",
                                        "SCRAM-SHA-256-PLUS",
                                        "SCRAM-SHA-512-PLUS",
                                        "KERBEROS_V4",
                                        "KERBEROS_V5",
                                        "OTP",
                                        "SKEY",
                                        "SECURID",
                                        "SRP",
                                        "MSN",
                                        "NMAS",
                                        "SAML20",
                                        "OPENID20",
                                        "PLAIN-CLIENTTOKEN"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_case_eq(word, slice_str(names[i])))
            return slice_str(names[i]);
    return (struct slice){0};
}

struct slice secret_mechanism(struct slice word)
{
    return secret_mechanism_name(word).len ? word : (struct slice){0};
}
