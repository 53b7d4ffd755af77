/* auth_user.c: the name of a user in a decoded answer.
 * In: an answer, with secrets in it. Out: the name. Owns: nothing. Limits: AUTH_USER_MOST; a longer one is
 * none. Knowingly: each grammar is taken strictly: what does not fit it may be a password in the wrong place.
 * Spec: RFC 4616, 2195, 2831, 5802 5.1, 7628 3.1; MS-NLMP 2.2.1.3. */
#include "mail/auth_user.h"

/* A name, if it can be one. */
static bool take(struct slice name, struct buf *ret)
{
    if (!name.len || name.len > AUTH_USER_MOST)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < ' ' || name.data[i] == 127)
            return false;
    return buf_add(ret, name);
}

bool auth_user_plain(struct slice answer, struct buf *ret)
{
    size_t first = slice_index(answer, 0);
    struct slice rest = slice_sub(answer, first + 1, answer.len);
    size_t second = slice_index(rest, 0);
    struct slice secret = slice_sub(rest, second + 1, rest.len);
    if (first == answer.len || second == rest.len || slice_index(secret, 0) < secret.len)
        return false;
    return take(slice_sub(rest, 0, second), ret);
}

bool auth_user_whole(struct slice answer, struct buf *ret)
{
    return take(answer, ret);
}

static bool is_hex(uint8_t c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

bool auth_user_cram(struct slice answer, struct buf *ret)
{
    enum { DIGEST = 32 };
    size_t name = answer.len > DIGEST ? answer.len - DIGEST - 1 : 0;
    if (!name || answer.data[name] != ' ')
        return false;
    for (size_t i = name + 1; i < answer.len; i++)
        if (!is_hex(answer.data[i]))
            return false;
    return take(slice_sub(answer, 0, name), ret);
}

/* The end of a quoted string behind its first quote, or s.len. */
static size_t quoted_end(struct slice s)
{
    size_t i = 0;
    while (i < s.len && s.data[i] != '"')
        i += s.data[i] == '\\' ? 2 : 1;
    return i < s.len ? i : s.len;
}

static bool take_quoted(struct slice text, struct buf *ret)
{
    struct buf name;
    buf_init(&name, AUTH_USER_MOST + 1);
    for (size_t i = 0; i < text.len; i++) {
        i += text.data[i] == '\\';
        buf_add_byte(&name, text.data[i]);
    }
    bool fits = take(buf_slice(&name), ret);
    buf_free(&name);
    return fits;
}

/* Directives between commas; commas in quotes are none. */
bool auth_user_digest(struct slice answer, struct buf *ret)
{
    while (answer.len) {
        size_t equals = slice_index(answer, '=');
        bool name = slice_case_eq(slice_trim(slice_sub(answer, 0, equals)), slice_str("username"));
        answer = slice_sub(answer, equals + 1, answer.len);
        if (answer.len && answer.data[0] == '"') {
            answer = slice_sub(answer, 1, answer.len);
            size_t end = quoted_end(answer);
            if (name)
                return end < answer.len && take_quoted(slice_sub(answer, 0, end), ret);
            answer = slice_sub(answer, end + 1, answer.len);
        } else if (name) {
            return false;
        }
        answer = slice_sub(answer, slice_index(answer, ',') + 1, answer.len);
    }
    return false;
}

/* The header of GS2, "n," or "y," or "p=...,", then a=NAME or nothing, then a comma (RFC 5801 4). *ret_name
 * is NAME as sent. False: it is none. */
static bool gs2_header(struct slice *answer, struct slice *ret_name)
{
    struct slice s = *answer;
    if (!s.len || (s.data[0] != 'n' && s.data[0] != 'y' && s.data[0] != 'p'))
        return false;
    size_t flag = slice_index(s, ',');
    if (flag == s.len || (s.data[0] == 'p' ? s.data[1] != '=' : flag != 1))
        return false;
    s = slice_sub(s, flag + 1, s.len);
    size_t comma = slice_index(s, ',');
    struct slice name = slice_sub(s, 0, comma);
    if (comma == s.len || (comma && (comma < 2 || s.data[0] != 'a' || s.data[1] != '=')))
        return false;
    *ret_name = slice_sub(name, 2, name.len);
    *answer = slice_sub(s, comma + 1, s.len);
    return true;
}

/* A name in which "," is =2C and "=" is =3D. */
static bool take_saslname(struct slice text, struct buf *ret)
{
    struct buf name;
    bool fits = true;
    buf_init(&name, AUTH_USER_MOST + 1);
    for (size_t i = 0; i < text.len && fits; i++) {
        struct slice rest = slice_sub(text, i, text.len);
        bool comma = slice_case_starts(rest, "=2C"), equals = slice_case_starts(rest, "=3D");
        fits = rest.data[0] != '=' || comma || equals;
        buf_add_byte(&name, comma ? ',' : equals ? '=' : rest.data[0]);
        i += comma || equals ? 2 : 0;
    }
    fits = fits && take(buf_slice(&name), ret);
    buf_free(&name);
    return fits;
}

bool auth_user_scram(struct slice answer, struct buf *ret)
{
    struct slice other;
    if (!gs2_header(&answer, &other) || !slice_case_starts(answer, "n="))
        return false;
    answer = slice_sub(answer, 2, answer.len);
    size_t comma = slice_index(answer, ',');
    struct slice rest = slice_sub(answer, comma + 1, answer.len);
    return slice_case_starts(rest, "r=") && take_saslname(slice_sub(answer, 0, comma), ret);
}

bool auth_user_xoauth2(struct slice answer, struct buf *ret)
{
    if (!slice_case_starts(answer, "user="))
        return false;
    answer = slice_sub(answer, 5, answer.len);
    size_t end = slice_index(answer, 1);
    return slice_case_starts(slice_sub(answer, end + 1, answer.len), "auth=") &&
           take(slice_sub(answer, 0, end), ret);
}

bool auth_user_bearer(struct slice answer, struct buf *ret)
{
    struct slice name;
    return gs2_header(&answer, &name) && answer.len && answer.data[0] == 1 && take_saslname(name, ret);
}

static size_t little(struct slice s, size_t at, size_t bytes)
{
    size_t v = 0;
    for (size_t i = bytes; i--;)
        v = v << 8 | s.data[at + i];
    return v;
}

struct range {
    size_t from, to;
};

/* A length, the room for it, and where it stands. False: not inside of the message. */
static bool ntlm_range(struct slice message, size_t at, struct range *ret)
{
    size_t len = little(message, at, 2), from = little(message, at + 4, 4);
    *ret = (struct range){from, from + len};
    return from <= message.len && len <= message.len - from;
}

static bool overlap(struct range a, struct range b)
{
    return a.from < b.to && b.from < a.to;
}

static void add_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_add_byte(out, (uint8_t)c);
    } else if (c < 0x800) {
        buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 63)));
    } else {
        if (c >= 0x10000) {
            buf_add_byte(out, (uint8_t)(0xf0 | c >> 18));
            buf_add_byte(out, (uint8_t)(0x80 | (c >> 12 & 63)));
        } else {
            buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
        }
        buf_add_byte(out, (uint8_t)(0x80 | (c >> 6 & 63)));
        buf_add_byte(out, (uint8_t)(0x80 | (c & 63)));
    }
}

static void add_ntlm(struct buf *out, struct slice text, bool unicode)
{
    if (!unicode)
        buf_add(out, text);
    for (size_t i = 0; i + 1 < text.len && unicode; i += 2) {
        uint32_t c = (uint32_t)little(text, i, 2);
        uint32_t low = c >= 0xd800 && c < 0xdc00 && i + 3 < text.len ? (uint32_t)little(text, i + 2, 2) : 0;
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
            i += 2;
        } else if (c >= 0xd800 && c < 0xe000) {
            c = 0xfffd;
        }
        add_utf8(out, c);
    }
}

bool auth_user_ntlm(struct slice answer, struct buf *ret)
{
    enum { LM = 12, NT = 20, DOMAIN = 28, USER = 36, FLAGS = 60, HEAD = 64, UNICODE = 1 };
    static const uint8_t start[12] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0, 3, 0, 0, 0};
    struct range lm, nt, domain, user;
    if (answer.len < HEAD || memcmp(answer.data, start, sizeof start) != 0)
        return false;
    if (!ntlm_range(answer, LM, &lm) || !ntlm_range(answer, NT, &nt) ||
        !ntlm_range(answer, DOMAIN, &domain) || !ntlm_range(answer, USER, &user))
        return false;
    /* Neither lies where the responses do, which are as good as passwords. */
    if (overlap(domain, lm) || overlap(domain, nt) || overlap(user, lm) || overlap(user, nt))
        return false;
    bool unicode = little(answer, FLAGS, 4) & UNICODE;
    struct buf name;
    buf_init(&name, AUTH_USER_MOST + 1);
    add_ntlm(&name, slice_sub(answer, domain.from, domain.to), unicode);
    if (name.len)
        buf_add_byte(&name, '\\');
    add_ntlm(&name, slice_sub(answer, user.from, user.to), unicode);
    bool fits = user.from < user.to && take(buf_slice(&name), ret);
    buf_free(&name);
    return fits;
}
