/* charset.c: any charset of mail to UTF-8.
 * In: bytes and a charset's name. Out: UTF-8, whole characters only. Owns: one iconv handle per converter,
 * opened at first use. Limits: the table below. A name outside of it is unknown, so that hostile mail cannot
 * have a module loaded per word, nor reach converters that nobody writes mail in. Knowingly: what is labelled
 * us-ascii or has no known label and is no valid UTF-8 is read as windows-1252, as mail programs do. Spec:
 * RFC 3629, RFC 2978 names. */
#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include "base/memory.h"

enum { NAME_MAX_LEN = 40 };
#define REPLACEMENT "\xef\xbf\xbd"

/* Names as mail writes them, in upper case, and the converter that reads them: often a superset, as mail
 * programs take it. */
static const struct {
    const char *name, *converter;
} table[] = {
    {"ISO-8859-1", "WINDOWS-1252"},
    {"ISO8859-1", "WINDOWS-1252"},
    {"LATIN1", "WINDOWS-1252"},
    {"ISO_8859-1", "WINDOWS-1252"},
    {"L1", "WINDOWS-1252"},
    {"WINDOWS-1252", "WINDOWS-1252"},
    {"CP1252", "WINDOWS-1252"},
    {"CP-1252", "WINDOWS-1252"},
    {"X-ANSI", "WINDOWS-1252"},
    {"ISO-8859-2", "ISO-8859-2"},
    {"ISO8859-2", "ISO-8859-2"},
    {"LATIN2", "ISO-8859-2"},
    {"ISO-8859-3", "ISO-8859-3"},
    {"ISO-8859-4", "ISO-8859-4"},
    {"ISO-8859-5", "ISO-8859-5"},
    {"ISO-8859-6", "ISO-8859-6"},
    {"ISO-8859-7", "ISO-8859-7"},
    {"ISO8859-7", "ISO-8859-7"},
    {"ISO-8859-8", "ISO-8859-8"},
    {"ISO-8859-8-I", "ISO-8859-8"},
    {"ISO-8859-8-E", "ISO-8859-8"},
    {"ISO-8859-9", "WINDOWS-1254"},
    {"ISO8859-9", "WINDOWS-1254"},
    {"LATIN5", "WINDOWS-1254"},
    {"ISO-8859-10", "ISO-8859-10"},
    {"ISO-8859-11", "CP874"},
    {"ISO-8859-13", "ISO-8859-13"},
    {"ISO-8859-14", "ISO-8859-14"},
    {"ISO-8859-15", "ISO-8859-15"},
    {"ISO8859-15", "ISO-8859-15"},
    {"LATIN9", "ISO-8859-15"},
    {"ISO-8859-16", "ISO-8859-16"},
    {"WINDOWS-1250", "WINDOWS-1250"},
    {"CP1250", "WINDOWS-1250"},
    {"WINDOWS-1251", "WINDOWS-1251"},
    {"CP1251", "WINDOWS-1251"},
    {"CP-1251", "WINDOWS-1251"},
    {"WIN-1251", "WINDOWS-1251"},
    {"WINDOWS-1253", "WINDOWS-1253"},
    {"CP1253", "WINDOWS-1253"},
    {"WINDOWS-1254", "WINDOWS-1254"},
    {"CP1254", "WINDOWS-1254"},
    {"WINDOWS-1255", "WINDOWS-1255"},
    {"CP1255", "WINDOWS-1255"},
    {"WINDOWS-1256", "WINDOWS-1256"},
    {"CP1256", "WINDOWS-1256"},
    {"WINDOWS-1257", "WINDOWS-1257"},
    {"CP1257", "WINDOWS-1257"},
    {"WINDOWS-1258", "WINDOWS-1258"},
    {"CP1258", "WINDOWS-1258"},
    {"WINDOWS-874", "CP874"},
    {"CP874", "CP874"},
    {"TIS-620", "CP874"},
    {"KOI8-R", "KOI8-R"},
    {"KOI8R", "KOI8-R"},
    {"CSKOI8R", "KOI8-R"},
    {"KOI8-U", "KOI8-U"},
    {"KOI8-RU", "KOI8-U"},
    {"CP437", "CP437"},
    {"IBM437", "CP437"},
    {"CP850", "CP850"},
    {"CP-850", "CP850"},
    {"IBM850", "CP850"},
    {"CP852", "CP852"},
    {"IBM852", "CP852"},
    {"CP866", "CP866"},
    {"IBM866", "CP866"},
    {"CP1125", "CP1125"},
    {"MACINTOSH", "MACINTOSH"},
    {"X-MAC-ROMAN", "MACINTOSH"},
    {"MAC", "MACINTOSH"},
    {"X-MAC-CYRILLIC", "MAC-CYRILLIC"},
    {"GB2312", "GB18030"},
    {"GB_2312-80", "GB18030"},
    {"CN-GB", "GB18030"},
    {"EUC-CN", "GB18030"},
    {"GBK", "GB18030"},
    {"X-GBK", "GB18030"},
    {"CP936", "GB18030"},
    {"GB18030", "GB18030"},
    {"ISO-2022-CN", "ISO-2022-CN"},
    {"BIG5", "BIG5-HKSCS"},
    {"BIG-5", "BIG5-HKSCS"},
    {"CN-BIG5", "BIG5-HKSCS"},
    {"BIG5-HKSCS", "BIG5-HKSCS"},
    {"CP950", "CP950"},
    {"X-X-BIG5", "BIG5-HKSCS"},
    {"EUC-TW", "EUC-TW"},
    {"ISO-2022-JP", "ISO-2022-JP-2"},
    {"ISO-2022-JP-1", "ISO-2022-JP-2"},
    {"ISO-2022-JP-2", "ISO-2022-JP-2"},
    {"ISO-2022-JP-3", "ISO-2022-JP-3"},
    {"ISO-2022-JP-MS", "ISO-2022-JP-3"},
    {"CP50220", "ISO-2022-JP-3"},
    {"CP50221", "ISO-2022-JP-3"},
    {"CSISO2022JP", "ISO-2022-JP-2"},
    {"SHIFT_JIS", "CP932"},
    {"SHIFT-JIS", "CP932"},
    {"SJIS", "CP932"},
    {"X-SJIS", "CP932"},
    {"MS_KANJI", "CP932"},
    {"WINDOWS-31J", "CP932"},
    {"CP932", "CP932"},
    {"EUC-JP", "EUC-JP"},
    {"X-EUC-JP", "EUC-JP"},
    {"EUCJP", "EUC-JP"},
    {"EUC-KR", "CP949"},
    {"EUCKR", "CP949"},
    {"KS_C_5601-1987", "CP949"},
    {"KS_C_5601", "CP949"},
    {"KSC5601", "CP949"},
    {"CP949", "CP949"},
    {"WINDOWS-949", "CP949"},
    {"UHC", "CP949"},
    {"ISO-2022-KR", "ISO-2022-KR"},
    {"JOHAB", "JOHAB"},
    {"VISCII", "VISCII"},
    {"TCVN", "TCVN"},
    {"ARMSCII-8", "ARMSCII-8"},
    {"GEORGIAN-PS", "GEORGIAN-PS"},
    {"HP-ROMAN8", "HP-ROMAN8"},
    {"UTF-7", "UTF-7"},
    {"UNICODE-1-1-UTF-7", "UTF-7"},
    {"UTF-16", "UTF-16"},
    {"UTF-16LE", "UTF-16LE"},
    {"UTF-16BE", "UTF-16BE"},
    {"UTF-32", "UTF-32"},
};
enum { NAMES = sizeof table / sizeof *table };

struct charsets {
    iconv_t handles[NAMES]; /* where a converter stands first in the table */
    bool tried[NAMES], works[NAMES];
    bool overlong; /* seen, and not asked for yet */
};

struct charsets *charsets_new(void)
{
    struct charsets *cs = calloc(1, sizeof *cs);
    memory_check(cs);
    return cs;
}

void charsets_free(struct charsets **pcs)
{
    struct charsets *cs = *pcs;
    *pcs = NULL;
    if (!cs)
        return;
    for (size_t i = 0; i < NAMES; i++)
        if (cs->works[i])
            iconv_close(cs->handles[i]);
    free(cs);
}

/* Length of the valid sequence at the start of `s`, 0 where there is none. */
static size_t sequence(struct slice s)
{
    const uint8_t *b = s.data;
    if (b[0] < 0x80)
        return 1;
    size_t len = b[0] >= 0xc2 && b[0] <= 0xdf   ? 2
                 : (b[0] & 0xf0) == 0xe0        ? 3
                 : b[0] >= 0xf0 && b[0] <= 0xf4 ? 4
                                                : 0;
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

/* Most text is ASCII, all of it: many bytes at a time, the last of them once more with those before. */
static bool all_ascii(struct slice s)
{
    typedef uint8_t sixteen __attribute__((vector_size(16)));
    const uint64_t high = 0x8080808080808080ull;
    sixteen seen = {0}, more;
    uint64_t ends[2] = {0, 0};
    if (s.len >= sizeof seen) {
        for (size_t i = 0; i + sizeof seen < s.len; i += sizeof seen) {
            memcpy(&more, s.data + i, sizeof more);
            seen |= more;
        }
        memcpy(&more, s.data + s.len - sizeof more, sizeof more);
        seen |= more;
        memcpy(ends, &seen, sizeof ends);
    } else if (s.len >= 8) {
        memcpy(ends, s.data, 8);
        memcpy(ends + 1, s.data + s.len - 8, 8);
    } else {
        for (size_t i = 0; i < s.len; i++)
            *ends |= s.data[i];
    }
    return !((ends[0] | ends[1]) & high);
}

/* How much of it is at the start. */
static size_t ascii_run(struct slice s)
{
    const uint64_t high = 0x8080808080808080ull;
    size_t i = 0;
    uint64_t word[4];
    for (; i + sizeof word <= s.len; i += sizeof word) {
        memcpy(&word, s.data + i, sizeof word);
        if ((word[0] | word[1] | word[2] | word[3]) & high)
            break;
    }
    for (; i + sizeof *word <= s.len; i += sizeof *word) {
        memcpy(word, s.data + i, sizeof *word);
        if (*word & high)
            break;
    }
    while (i < s.len && s.data[i] < 0x80)
        i++;
    return i;
}

static size_t valid_prefix(struct slice s)
{
    size_t i = 0;
    while (i < s.len) {
        if (s.data[i] < 0x80) {
            i += ascii_run(slice_sub(s, i, s.len));
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
    return all_ascii(bytes) || valid_prefix(bytes) == bytes.len;
}

/* Length of an overlong form at the start of `s`, 0 where there is none. */
static size_t overlong(struct slice s)
{
    const uint8_t *b = s.data;
    size_t len = b[0] == 0xc0 || b[0] == 0xc1 ? 2 : b[0] == 0xe0 ? 3 : b[0] == 0xf0 ? 4 : 0;
    if (!len || s.len < len || (len == 3 && b[1] > 0x9f) || (len == 4 && b[1] > 0x8f))
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool utf8_overlong(struct slice bytes)
{
    bool found = false;
    for (;;) {
        bytes = slice_sub(bytes, valid_prefix(bytes), bytes.len);
        size_t n = bytes.len ? overlong(bytes) : 0;
        if (!n)
            return found && !bytes.len;
        found = true;
        bytes = slice_sub(bytes, n, bytes.len);
    }
}

bool charsets_overlong(struct charsets *cs)
{
    bool found = cs->overlong;
    cs->overlong = false;
    return found;
}

bool ascii_only(struct slice bytes)
{
    return all_ascii(bytes);
}

bool utf8_add(struct slice valid, struct buf *out)
{
    size_t fits = out->max - out->len;
    bool whole = valid.len <= fits;
    if (!whole) {
        while (fits && (valid.data[fits] & 0xc0) == 0x80)
            fits--;
        valid.len = fits;
    }
    buf_add(out, valid);
    return whole;
}

void utf8_clean(struct slice bytes, struct buf *out)
{
    bool room = true;
    while (bytes.len && room) {
        size_t n = valid_prefix(bytes);
        room = utf8_add(slice_sub(bytes, 0, n), out);
        if (n < bytes.len && room)
            room = utf8_add(slice_str(REPLACEMENT), out);
        bytes = slice_sub(bytes, n + 1, bytes.len);
    }
}

/* A character that a limit cut, behind others that are whole: text in another charset hardly looks so. */
static bool is_cut_utf8(struct slice bytes, size_t good)
{
    size_t left = bytes.len - good;
    if (left > 3 || ascii_run(slice_sub(bytes, 0, good)) == good || bytes.data[good] < 0xc2 ||
        bytes.data[good] > 0xf4)
        return false;
    for (size_t i = good + 1; i < bytes.len; i++)
        if ((bytes.data[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* Without iconv, as this is wanted where no conversion is open. */
static bool add_1252(uint8_t c, struct buf *out)
{
    static const uint16_t high[32] = {0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
                                      0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0,      0x17d,  0,
                                      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                      0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e,  0x178};
    uint16_t code = c >= 0xa0 ? c : high[c & 0x1f];
    uint8_t two[2] = {(uint8_t)(0xc0 | code >> 6), (uint8_t)(0x80 | (code & 0x3f))};
    uint8_t three[3] = {(uint8_t)(0xe0 | code >> 12), (uint8_t)(0x80 | (code >> 6 & 0x3f)),
                        (uint8_t)(0x80 | (code & 0x3f))};
    if (!code)
        return utf8_add(slice_str(REPLACEMENT), out);
    return utf8_add(code < 0x800 ? (struct slice){two, 2} : (struct slice){three, 3}, out);
}

void utf8_read(struct slice bytes, struct buf *out)
{
    size_t good = valid_prefix(bytes);
    if (good == bytes.len || is_cut_utf8(bytes, good)) {
        utf8_add(slice_sub(bytes, 0, good), out);
        return;
    }
    bool room = true;
    while (bytes.len && room) {
        size_t n = ascii_run(bytes);
        room = utf8_add(slice_sub(bytes, 0, n), out);
        if (n < bytes.len && room)
            room = add_1252(bytes.data[n], out);
        bytes = slice_sub(bytes, n + 1, bytes.len);
    }
}

struct slice utf8_copy(struct arena *mem, struct slice text, struct buf *scratch)
{
    struct slice ascii;
    if (arena_copy_ascii(mem, text, &ascii))
        return ascii;
    if (!utf8_valid(text)) {
        buf_clear(scratch);
        utf8_read(text, scratch);
        text = buf_slice(scratch);
    }
    return utf8_whole(arena_copy(mem, text));
}

/* NULL: no such charset. */
static iconv_t *handle_of(struct charsets *cs, struct slice charset)
{
    size_t i = 0, first = 0;
    if (!charset.len || charset.len > NAME_MAX_LEN)
        return NULL;
    uint8_t begin = byte_lower(charset.data[0]);
    while (i < NAMES && (byte_lower((uint8_t)table[i].name[0]) != begin ||
                         !slice_case_eq(charset, slice_str(table[i].name))))
        i++;
    if (i == NAMES)
        return NULL;
    while (strcmp(table[first].converter, table[i].converter) != 0)
        first++;
    if (!cs->tried[first]) {
        /* Twice, as a converter that could not be loaded for want of memory looks like one that is not there.
         */
        for (int try = 0; try < 2 && !cs->works[first]; try++) {
            cs->handles[first] = iconv_open("UTF-8", table[first].converter);
            cs->works[first] = cs->handles[first] != (iconv_t)-1;
        }
        if (!cs->works[first] && errno == ENOMEM)
            memory_out();
        /* Of what only failed now, for want of descriptors, say, the next text may be read. */
        cs->tried[first] = cs->works[first] || errno == EINVAL;
    }
    return cs->works[first] ? &cs->handles[first] : NULL;
}

static void convert(iconv_t to_utf8, struct slice bytes, struct buf *out)
{
    char room[512];
    char *in = (char *)bytes.data;
    size_t left = bytes.len;
    iconv(to_utf8, NULL, NULL, NULL, NULL);
    /* After the last byte once more: some converters hold a character back. */
    for (bool more = true; more;) {
        char *to = room;
        size_t space = sizeof room, before = left;
        more = left > 0;
        size_t got = iconv(to_utf8, more ? &in : NULL, more ? &left : NULL, &to, &space);
        bool failed = got == (size_t)-1, full = failed && errno == E2BIG;
        /* Some converters give surrogates or noncharacters; what leaves here is valid. */
        utf8_clean((struct slice){(uint8_t *)room, (size_t)(to - room)}, out);
        if (!more || !failed || (full && (left < before || to > room)))
            continue;
        utf8_clean(slice_str(REPLACEMENT), out);
        in++;
        left--;
    }
}

bool charset_is_utf8(struct slice name)
{
    return slice_case_eq(name, slice_str("utf-8")) || slice_case_eq(name, slice_str("utf8")) ||
           slice_case_eq(name, slice_str("unicode-1-1-utf-8"));
}

void charset_to_utf8(struct charsets *cs, struct slice name, struct slice bytes, struct buf *out)
{
    if (charset_is_utf8(name)) {
        if (utf8_valid(bytes)) {
            utf8_add(bytes, out);
            return;
        }
        cs->overlong |= utf8_overlong(bytes);
        utf8_clean(bytes, out);
        return;
    }
    iconv_t *h = handle_of(cs, name);
    if (!h && utf8_valid(bytes)) {
        utf8_add(bytes, out);
        return;
    }
    if (!h)
        h = handle_of(cs, slice_str("WINDOWS-1252"));
    if (h)
        convert(*h, bytes, out);
    else
        utf8_clean(bytes, out);
}

struct slice utf8_whole(struct slice text)
{
    size_t tail = 1;
    if (!text.len || text.data[text.len - 1] < 0x80)
        return text;
    while (tail < 4 && tail <= text.len && (text.data[text.len - tail] & 0xc0) == 0x80)
        tail++;
    /* An empty text keeps its pointer, as it is a value too. */
    if (tail <= text.len && tail < 5 && !utf8_valid(slice_sub(text, text.len - tail, text.len)))
        text.len -= tail;
    return text;
}
