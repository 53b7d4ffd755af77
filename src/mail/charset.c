/* charset.c: any charset to UTF-8.
 * In: bytes and a charset's name. Out: UTF-8. Owns: iconv handles, HANDLES at most.
 * Knowingly: what is labelled us-ascii or has no known label and is no valid UTF-8 is read as windows-1252, as mail programs do.
 * Spec: RFC 3629, RFC 2978 names. */
#include "mail/charset.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

enum { HANDLES = 32, NAME_MAX_LEN = 40 };

struct handle {
    char name[NAME_MAX_LEN + 1];
    iconv_t to_utf8;
};

struct charsets {
    struct handle handles[HANDLES];
    unsigned count, next;
};

struct charsets *charsets_new(void)
{
    struct charsets *cs = calloc(1, sizeof *cs);
    assert(cs);
    return cs;
}

void charsets_free(struct charsets **pcs)
{
    struct charsets *cs = *pcs;
    *pcs = NULL;
    if (!cs)
        return;
    for (unsigned i = 0; i < cs->count; i++)
        iconv_close(cs->handles[i].to_utf8);
    free(cs);
}

/* Length of the valid sequence at the start of `s`, 0 where there is none. */
static size_t sequence(struct slice s)
{
    const uint8_t *b = s.data;
    if (b[0] < 0x80)
        return 1;
    size_t len = b[0] >= 0xc2 && b[0] <= 0xdf ? 2 : (b[0] & 0xf0) == 0xe0 ? 3 : b[0] >= 0xf0 && b[0] <= 0xf4 ? 4 : 0;
    if (!len || s.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) || (b[0] == 0xf0 && b[1] < 0x90) ||
        (b[0] == 0xf4 && b[1] > 0x8f))
        return 0;
    return len;
}

static size_t valid_prefix(struct slice s)
{
    size_t i = 0;
    while (i < s.len) {
        if (s.data[i] < 0x80) {
            i++;
            continue;
        }
        size_t n = sequence(slice_sub(s, i, s.len));
        if (!n)
            break;
        i += n;
    }
    return i;
}

bool utf8_valid(struct slice bytes)
{
    return valid_prefix(bytes) == bytes.len;
}

void utf8_clean(struct slice bytes, struct buf *out)
{
    while (bytes.len) {
        size_t n = valid_prefix(bytes);
        buf_add(out, slice_sub(bytes, 0, n));
        if (n < bytes.len)
            buf_add_str(out, "\xef\xbf\xbd");
        bytes = slice_sub(bytes, n + 1, bytes.len);
    }
}

static const char *alias_of(const char *name)
{
    static const struct {
        const char *from, *to;
    } table[] = {
        {"KS_C_5601-1987", "CP949"}, {"KS_C_5601", "CP949"},      {"EUC-KR", "CP949"},       {"GB2312", "GB18030"},
        {"GBK", "GB18030"},          {"X-GBK", "GB18030"},        {"X-SJIS", "CP932"},       {"SHIFT_JIS", "CP932"},
        {"UTF8", "UTF-8"},           {"X-UNKNOWN", "WINDOWS-1252"}, {"ISO-8859-8-I", "ISO-8859-8"},
        {"UNICODE-1-1-UTF-7", "UTF-7"}, {"ISO-8859-1", "WINDOWS-1252"}, {"LATIN1", "WINDOWS-1252"},
        {"CP-850", "CP850"},         {"ISO-2022-JP", "ISO-2022-JP-2"}, {"ISO8859-1", "WINDOWS-1252"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].from, name) == 0)
            return table[i].to;
    return name;
}

/* NULL: no such charset. */
static struct handle *handle_of(struct charsets *cs, struct slice charset)
{
    char name[NAME_MAX_LEN + 1];
    if (!charset.len || charset.len > NAME_MAX_LEN)
        return NULL;
    for (size_t i = 0; i < charset.len; i++) {
        uint8_t c = charset.data[i];
        if (c <= ' ' || c >= 127 || c == '/' || c == ',')
            return NULL;
        name[i] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    name[charset.len] = '\0';
    const char *real = alias_of(name);
    for (unsigned i = 0; i < cs->count; i++)
        if (strcmp(cs->handles[i].name, real) == 0)
            return &cs->handles[i];
    iconv_t made = iconv_open("UTF-8", real);
    if (made == (iconv_t)-1)
        return NULL;
    struct handle *h = &cs->handles[cs->count < HANDLES ? cs->count : cs->next++ % HANDLES];
    if (cs->count < HANDLES)
        cs->count++;
    else
        iconv_close(h->to_utf8);
    h->to_utf8 = made;
    memcpy(h->name, real, strlen(real) + 1);
    return h;
}

static void convert(struct handle *h, struct slice bytes, struct buf *out)
{
    char room[512];
    char *in = (char *)bytes.data;
    size_t left = bytes.len;
    iconv(h->to_utf8, NULL, NULL, NULL, NULL);
    while (left) {
        char *to = room;
        size_t space = sizeof room;
        size_t got = iconv(h->to_utf8, &in, &left, &to, &space);
        /* Some converters give surrogates or noncharacters; what leaves here is valid. */
        utf8_clean((struct slice){(uint8_t *)room, (size_t)(to - room)}, out);
        if (got != (size_t)-1 || errno == E2BIG)
            continue;
        buf_add_str(out, "\xef\xbf\xbd");
        in++;
        left--;
    }
}

void charset_to_utf8(struct charsets *cs, struct slice name, struct slice bytes, struct buf *out)
{
    bool ascii_label = slice_case_eq(name, slice_str("us-ascii"));
    struct handle *h = NULL;
    if (!ascii_label && !slice_case_eq(name, slice_str("utf-8")))
        h = handle_of(cs, name);
    else if (!ascii_label) {
        utf8_clean(bytes, out);
        return;
    }
    if (!h && utf8_valid(bytes)) {
        buf_add(out, bytes);
        return;
    }
    if (!h)
        h = handle_of(cs, slice_str("WINDOWS-1252"));
    if (h)
        convert(h, bytes, out);
    else
        utf8_clean(bytes, out);
}
