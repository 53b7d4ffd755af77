/* reference.c: references to characters.
 * In: names and numbers. Out: characters. Owns: nothing. Knowingly: of the names only those of characters
 * that stand in URLs, and of blanks and what is not seen; the rest stays as it is written. Spec: HTML, "named
 * character references". */
#include "mail/reference.h"

#define NAME(name, text, alone)                                                                              \
    {                                                                                                        \
        name, text, sizeof(name) - 1, sizeof(text) - 1, alone                                                \
    }
/* The usual ones first; alone: that needs no semicolon. */
static const struct {
    char name[16], text[4];
    uint8_t len, size;
    bool alone;
} names[] = {
    NAME("nbsp", "\302\240", true),
    NAME("amp", "&", true),
    NAME("zwnj", "\342\200\214", false),
    NAME("quot", "\"", true),
    NAME("gt", ">", true),
    NAME("lt", "<", true),
    NAME("sol", "/", false),
    NAME("colon", ":", false),
    NAME("period", ".", false),
    NAME("commat", "@", false),
    NAME("quest", "?", false),
    NAME("equals", "=", false),
    NAME("num", "#", false),
    NAME("percnt", "%", false),
    NAME("lowbar", "_", false),
    NAME("Tab", "\t", false),
    NAME("NewLine", "\n", false),
    NAME("apos", "'", false),
    NAME("ast", "*", false),
    NAME("bsol", "\\", false),
    NAME("comma", ",", false),
    NAME("dollar", "$", false),
    NAME("excl", "!", false),
    NAME("grave", "`", false),
    NAME("lbrack", "[", false),
    NAME("lcub", "{", false),
    NAME("lpar", "(", false),
    NAME("lsqb", "[", false),
    NAME("plus", "+", false),
    NAME("rbrack", "]", false),
    NAME("rcub", "}", false),
    NAME("rpar", ")", false),
    NAME("rsqb", "]", false),
    NAME("semi", ";", false),
    NAME("verbar", "|", false),
    NAME("vert", "|", false),
    NAME("shy", "\302\255", true),
    NAME("zwj", "\342\200\215", false),
    NAME("ZeroWidthSpace", "\342\200\213", false),
    NAME("AMP", "&", true),
    NAME("GT", ">", true),
    NAME("LT", "<", true),
    NAME("QUOT", "\"", true),
};
#undef NAME

static size_t put_character(uint32_t c, uint8_t *ret)
{
    if (!c || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        ret[0] = (uint8_t)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; c >>= 6)
        ret[i] = (uint8_t)(0x80 | (c & 0x3f));
    ret[0] = (uint8_t)((0xf00 >> len & 0xff) | c);
    return len;
}

static int digit_of(uint8_t c, bool hex)
{
    if (byte_is_digit(c))
        return c - '0';
    c |= 32;
    return hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "#47", "#x2f". */
static size_t read_number(struct slice name, size_t *ret_used, uint8_t *ret)
{
    bool hex = name.len > 1 && (name.data[1] | 32) == 'x';
    size_t first = hex ? 2 : 1, at = first;
    uint32_t c = 0;
    for (; at < name.len; at++) {
        int digit = digit_of(name.data[at], hex);
        if (digit < 0)
            break;
        c = c > 0x10ffff ? c : c * (hex ? 16 : 10) + (uint32_t)digit;
    }
    *ret_used = at;
    return at == first ? 0 : put_character(c, ret);
}

size_t reference_read(struct slice name, bool ended, size_t *ret_used, uint8_t ret[static REFERENCE_BYTES])
{
    if (name.len && name.data[0] == '#')
        return read_number(name, ret_used, ret);
    for (size_t i = 0; name.len && i < sizeof names / sizeof *names; i++) {
        size_t len = names[i].len;
        if (names[i].name[0] != name.data[0] || name.len < len)
            continue;
        bool whole = ended && name.len == len;
        if ((!whole && !names[i].alone) || memcmp(name.data, names[i].name, len) != 0)
            continue;
        *ret_used = len;
        memcpy(ret, names[i].text, names[i].size);
        return names[i].size;
    }
    return 0;
}
