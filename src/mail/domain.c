/* domain.c: internationalized domain names; whose a domain is.
 * In: domains. Out: two forms of one, what two have in common. Owns: nothing. Limits: DOMAIN_MOST. Knowingly:
 * names that IDNA2003 alone permits, those of signs and emoji, are broken here, as for registries; the list
 * of suffixes is as old as libpsl. Spec: RFC 5890, RFC 5891, UTS 46, RFC 7489 3.2. */
#include "mail/domain.h"

#include <idn2.h>
#include <libpsl.h>

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

static struct slice without_dot(struct slice domain)
{
    bool dot = domain.len && domain.data[domain.len - 1] == '.';
    return slice_sub(domain, 0, domain.len - dot);
}

/* Bytes of the labels that both end with. */
static size_t common_end(struct slice a, struct slice b)
{
    size_t same = 0, whole = 0, most = a.len < b.len ? a.len : b.len;
    while (same < most && byte_lower(a.data[a.len - 1 - same]) == byte_lower(b.data[b.len - 1 - same])) {
        if (a.data[a.len - 1 - same] == '.')
            whole = same;
        same++;
    }
    bool a_over = same == a.len || a.data[a.len - 1 - same] == '.';
    bool b_over = same == b.len || b.data[b.len - 1 - same] == '.';
    return a_over && b_over ? same : whole;
}

/* Length of the organisation's domain at the end of `domain`; 0: it is none, or a suffix itself. */
static size_t organisation(struct slice domain)
{
    char name[DOMAIN_MOST + 1];
    if (domain.len >= sizeof name || slice_index(domain, 0) < domain.len)
        return 0;
    for (size_t i = 0; i < domain.len; i++)
        name[i] = (char)byte_lower(domain.data[i]);
    name[domain.len] = '\0';
    const char *found = psl_registrable_domain(psl_builtin(), name);
    return found ? strlen(found) : 0;
}

enum domain_likeness domain_compare(struct slice a, struct slice b)
{
    a = without_dot(a);
    b = without_dot(b);
    if (!a.len || !b.len)
        return DOMAIN_APART;
    if (slice_case_eq(a, b))
        return DOMAIN_SAME;
    size_t end = common_end(a, b);
    /* One label is no organisation, so the list need not be asked. */
    if (slice_index(slice_sub(a, a.len - end, a.len), '.') == end)
        return DOMAIN_APART;
    size_t of_a = organisation(a), of_b = organisation(b);
    return of_a && of_a == of_b && of_a <= end ? DOMAIN_RELATED : DOMAIN_APART;
}
