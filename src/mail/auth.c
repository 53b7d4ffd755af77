/* auth.c: an AUTH exchange to who it was and what became of it.
 * In: the mechanism, challenges, answers. Out: struct auth_facts. Owns: the name of the user, nothing else of
 * what was said. Limits: AUTH_USER_MOST. Knowingly: an answer is decoded into memory that is wiped before the
 * call returns; what is not valid base64 is not looked at. Spec: RFC 4954 4, RFC 4648 4. */
#include "mail/auth.h"

#include <stdlib.h>
#include "base/memory.h"
#include "base/text.h"
#include "mail/auth_user.h"
#include "mail/reply.h"
#include "mail/transfer.h"

/* How the name is found in an answer; those that are not here give none. */
static const struct way {
    const char *prefix; /* of the mechanism */
    auth_user_fn *user;
    bool first; /* in the first answer only */
} ways[] = {
    {"PLAIN", auth_user_plain, true},        {"LOGIN", auth_user_whole, true},
    {"CRAM-MD5", auth_user_cram, true},      {"DIGEST-MD5", auth_user_digest, true},
    {"SCRAM-", auth_user_scram, true},       {"XOAUTH2", auth_user_xoauth2, true},
    {"OAUTHBEARER", auth_user_bearer, true}, {"EXTERNAL", auth_user_whole, true},
    {"NTLM", auth_user_ntlm, false},         {"GSS-SPNEGO", auth_user_ntlm, false},
};

struct auth {
    struct slice mechanism;
    const struct way *way; /* or NULL */
    struct text *user;
    uint32_t answers;
    bool password; /* the server asks for one */
    bool aborted;
};

static const struct way *way_of(struct slice mechanism)
{
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (slice_case_starts(mechanism, ways[i].prefix))
            return &ways[i];
    return NULL;
}

struct auth *auth_new(struct slice mechanism, bool users)
{
    struct auth *a = calloc(1, sizeof *a);
    memory_check(a);
    a->mechanism = mechanism;
    /* One that only begins as a known one, as PLAIN-CLIENTTOKEN, has a form of its own. */
    a->way = users && !slice_case_eq(mechanism, slice_str("PLAIN-CLIENTTOKEN")) ? way_of(mechanism) : NULL;
    return a;
}

void auth_free(struct auth **pa)
{
    struct auth *a = *pa;
    *pa = NULL;
    if (!a)
        return;
    text_free(&a->user);
    free(a);
}

static bool is_base64(struct slice s)
{
    size_t i = 0, pads = 0;
    for (; i < s.len && s.data[i] != '='; i++) {
        uint8_t c = s.data[i];
        if (!byte_is_digit(c) && !(byte_lower(c) >= 'a' && byte_lower(c) <= 'z') && c != '+' && c != '/')
            return false;
    }
    for (; i < s.len && s.data[i] == '='; i++)
        pads++;
    return i == s.len && pads < 3;
}

/* The memory is that of one piece, so that nothing stays behind when it grows. */
static bool decode(struct slice line, struct buf *ret)
{
    buf_init(ret, line.len);
    if (!line.len || !is_base64(line))
        return false;
    buf_add(ret, line);
    buf_clear(ret);
    transfer_base64(line, ret);
    return true;
}

static void wipe(struct buf *b)
{
    if (b->data)
        explicit_bzero(b->data, b->room);
    buf_free(b);
}

void auth_challenge(struct auth *a, struct slice text)
{
    struct buf plain;
    if (!a || !a->way)
        return;
    /* Some servers ask in plain words. */
    struct slice asked = decode(slice_trim(text), &plain) ? buf_slice(&plain) : text;
    a->password = slice_case_find(asked, "pass") < asked.len;
    wipe(&plain);
}

void auth_answer(struct auth *a, struct slice line)
{
    struct buf plain, user;
    if (!a)
        return;
    line = slice_trim(line);
    a->aborted = slice_eq(line, slice_str("*"));
    /* An empty one: the client has the server ask, though its mechanism lets the client begin. */
    if (!line.len || slice_eq(line, slice_str("=")))
        return;
    bool first = !a->answers++;
    if (!a->way || a->user || a->password || (a->way->first && !first))
        return;
    buf_init(&user, AUTH_USER_MOST);
    if (decode(line, &plain) && a->way->user(buf_slice(&plain), &user))
        text_set(&a->user, buf_slice(&user));
    wipe(&plain);
    buf_free(&user);
}

static enum auth_outcome outcome_of(const struct auth *a, unsigned code, bool gave_up)
{
    if (a->aborted)
        return AUTH_ABORTED;
    if (!code)
        return gave_up ? AUTH_ABORTED : AUTH_UNKNOWN;
    if (code / 100 == 2)
        return AUTH_ACCEPTED;
    return code >= 500 ? AUTH_REJECTED : code >= 400 ? AUTH_DEFERRED : AUTH_UNKNOWN;
}

struct auth_facts auth_end(struct auth *a, unsigned code, struct slice text, bool gave_up)
{
    struct auth_facts f = {.mechanism = a->mechanism,
                           .user = text_slice(a->user),
                           .outcome = outcome_of(a, code, gave_up),
                           .code = code};
    if (code)
        (void)reply_enhanced(text, &f.enhanced);
    return f;
}

const char *auth_outcome_name(enum auth_outcome outcome)
{
    static const char *const names[] = {"unknown", "accepted", "rejected", "deferred", "aborted"};
    return names[outcome];
}
