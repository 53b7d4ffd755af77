/* product.c: names and versions in what programs say of themselves.
 * In: a field's value, a greeting. Out: slices of it. Owns: nothing. Limits: PRODUCT_NAME, PRODUCT_VERSION;
 * LOOKED_AT bytes of a text; linear. Knowingly: a guess, as no standard says what stands there (RFC 5322 has
 * no such field); who needs to be sure has a row in the table of agents. Spec: RFC 5321 4.2; the form of
 * product tokens is that of HTTP, RFC 9110 10.1.5. */
#include "mail/product.h"

#include "base/net.h"

enum { LOOKED_AT = 256, BETWEEN = 24 };

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* What may stand between a name and its version. */
static bool is_between(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '/' || c == '-' || c == '_' || c == '(' || c == '[' || c == ',' ||
           c == ':' || c == '=';
}

static bool in_version(uint8_t c)
{
    return byte_is_digit(c) || is_letter(c) || c == '.' || c == '-' || c == '_' || c == '+' || c == '~';
}

static const char *const version_words[] = {"version", "release", "build", "ver.", "ver", "v", "r"};

/* Length of a word for "version" at the start of `s`; 0: none. */
static size_t version_word(struct slice s)
{
    for (size_t i = 0; i < sizeof version_words / sizeof *version_words; i++) {
        size_t len = strlen(version_words[i]);
        if (s.len > len && !is_letter(s.data[len]) && slice_case_starts(s, version_words[i]))
            return len;
    }
    return 0;
}

/* The version that begins at the digit at `at`. */
static struct slice version_at(struct slice s, size_t at)
{
    size_t end = at;
    while (end < s.len && end - at < PRODUCT_VERSION && in_version(s.data[end]) &&
           !(s.data[end] == '-' && s.data[end - 1] == '-'))
        end++;
    while (end > at && !byte_is_digit(s.data[end - 1]) && !is_letter(s.data[end - 1]))
        end--;
    return slice_sub(s, at, end);
}

struct slice product_version(struct slice behind)
{
    size_t at = 0, word;
    do {
        while (at < behind.len && is_between(behind.data[at]))
            at++;
        if (at > BETWEEN || at >= behind.len)
            return (struct slice){NULL, 0};
        if (byte_is_digit(behind.data[at]))
            return version_at(behind, at);
        word = version_word(slice_sub(behind, at, behind.len));
        at += word;
    } while (word);
    return (struct slice){NULL, 0};
}

/* Without what leads over to a version. */
static struct slice without_lead(struct slice name)
{
    for (;;) {
        while (name.len && is_between(name.data[name.len - 1]))
            name.len--;
        size_t word = name.len;
        while (word && is_letter(name.data[word - 1]))
            word--;
        struct slice last = slice_sub(name, word, name.len);
        bool leads = false;
        for (size_t i = 0; i < sizeof version_words / sizeof *version_words && last.len && word; i++)
            leads |= slice_case_eq(last, slice_str(version_words[i]));
        if (!leads || !is_between(name.data[word - 1]))
            return name;
        name.len = word;
    }
}

static bool set_name(struct product *ret, struct slice name)
{
    ret->name = slice_trim(name);
    if (!ret->name.len || ret->name.len > PRODUCT_NAME)
        ret->name = (struct slice){NULL, 0};
    return ret->name.len;
}

/* May a version begin at the digit at `at`? Behind a letter alone it is a part of a name: "Win32". */
static bool begins_version(struct slice s, size_t at)
{
    if (!at || !byte_is_digit(s.data[at]))
        return false;
    if ((s.data[at - 1] | 0x20) == 'v' && at > 1)
        at--;
    return is_between(s.data[at - 1]);
}

bool product_of_agent(struct slice text, struct product *ret)
{
    *ret = (struct product){0};
    text = slice_sub(slice_trim(text), 0, LOOKED_AT);
    size_t end = 0, at = 0;
    /* A name ends where a remark, a list or a version begins. */
    while (end < text.len && !strchr("(;,<[\n", text.data[end] ? text.data[end] : '(') &&
           !(at = begins_version(text, end) ? end : 0))
        end++;
    struct slice name = without_lead(slice_sub(text, 0, at ? at : end));
    if (!set_name(ret, name))
        return false;
    ret->version = at ? version_at(text, at) : product_version(slice_sub(text, end, text.len));
    return true;
}

size_t product_greeting_host(struct slice text)
{
    size_t blank = slice_index(text, ' ');
    return slice_index(slice_sub(text, 0, blank), '.') < blank ? blank : 0;
}

/* Words of greetings that are no part of a product's name. */
static bool is_filler(struct slice word)
{
    static const char *const fillers[] = {"ESMTP",   "SMTP", "LMTP", "ESMTPS", "server", "service", "ready",
                                          "running", "at",   "on",   "by",     "for",    "using",   "is",
                                          "from",    "with", "id",   "-",      "--"};
    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (slice_case_eq(word, slice_str(fillers[i])))
            return true;
    return !word.len || !is_letter(word.data[0]);
}

/* The last words of `s`, back to one that is no part of a name, or a bracket. */
static struct slice last_words(struct slice s)
{
    size_t name = s.len;
    for (size_t from = s.len;;) {
        size_t end = from;
        while (from && !strchr(" (;,[<", s.data[from - 1] ? s.data[from - 1] : '('))
            from--;
        if (is_filler(slice_sub(s, from, end)))
            return slice_sub(s, name, s.len);
        name = from;
        if (!from || s.data[from - 1] != ' ')
            return slice_sub(s, name, s.len);
        from--;
    }
}

/* A number with a point in it that is no address; of "Product/2" the slash says enough. */
static bool is_release(struct slice version, uint8_t before)
{
    struct address a;
    return (before == '/' || slice_index(version, '.') < version.len) && !address_parse(version, &a);
}

bool product_of_greeting(struct slice text, struct product *ret)
{
    *ret = (struct product){0};
    text = slice_sub(text, product_greeting_host(text), LOOKED_AT);
    for (size_t at = 1; at < text.len; at++) {
        if (!begins_version(text, at) || begins_version(text, at - 1))
            continue;
        struct slice version = version_at(text, at);
        struct slice name = last_words(without_lead(slice_sub(text, 0, at)));
        if (is_release(version, text.data[at - 1]) && set_name(ret, name)) {
            ret->version = version;
            return true;
        }
        at += version.len - 1;
    }
    return false;
}
