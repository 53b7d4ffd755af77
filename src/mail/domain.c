/* domain.c: internationalized domain names.
 * In: a domain. Out: its two forms. Owns: nothing. Limits: DOMAIN_MOST. Knowingly: names that IDNA2003 alone
 * permits, those of signs and emoji, are broken here, as for registries. Spec: RFC 5890, RFC 5891, UTS 46. */
#include "mail/domain.h"

#include <idn2.h>

enum { DOMAIN_MOST = 1024 }; /* bytes of UTF-8; DNS has room for 253 of ASCII */

static bool is_ascii(struct slice s)
{
    uint8_t seen = 0;
    for (size_t i = 0; i < s.len; i++)
        seen |= s.data[i];
    return seen < 0x80;
}

/* Does a label begin with "xn--"? */
static bool has_punycode(struct slice s)
{
    for (size_t i = slice_find(s, "xn--"); i < s.len; i += 4 + slice_find(slice_sub(s, i + 4, s.len), "xn--"))
        if (!i || s.data[i - 1] == '.')
            return true;
    return false;
}

static bool to_both(const char *name, bool is_name, char **ascii, char **unicode)
{
    if (is_name && idn2_to_ascii_8z(name, ascii, IDN2_NONTRANSITIONAL) != IDN2_OK)
        return false;
    return idn2_to_unicode_8z8z(is_name ? *ascii : name, unicode, 0) == IDN2_OK;
}

enum domain_kind domain_forms(struct slice domain, struct buf *ascii, struct buf *unicode)
{
    bool plain = is_ascii(domain);
    if (plain && !has_punycode(domain))
        return DOMAIN_ASCII;
    char name[DOMAIN_MOST + 1];
    char *to_ascii = NULL, *to_unicode = NULL, *back = NULL;
    if (domain.len >= sizeof name || slice_index(domain, 0) < domain.len)
        return DOMAIN_BROKEN;
    memcpy(name, domain.data, domain.len);
    name[domain.len] = '\0';
    /* What DNS has is valid where the way back leads to it again. */
    bool good = to_both(name, !plain, &to_ascii, &to_unicode);
    if (good && plain)
        good =
            idn2_to_ascii_8z(to_unicode, &back, IDN2_NONTRANSITIONAL) == IDN2_OK && strcmp(back, name) == 0;
    if (good) {
        buf_add_str(ascii, plain ? name : to_ascii);
        buf_add_str(unicode, to_unicode);
    }
    idn2_free(to_ascii);
    idn2_free(to_unicode);
    idn2_free(back);
    return good ? DOMAIN_IDN : DOMAIN_BROKEN;
}
