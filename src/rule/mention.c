/* mention.c: addresses amid a text.
 * In: text of a reply. Out: addresses. Owns: nothing. Limits: linear in the text.
 * Knowingly: the reversed form of a block list's query (7.100.51.198.zen.example) is not read backwards. */
#include "rule/mention.h"

enum { LONGEST = 64 }; /* an address is shorter, with the points that end its sentence */

static bool in_v4(uint8_t c)
{
    return byte_is_digit(c) || c == '.';
}

static bool in_v6(uint8_t c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f') || c == ':' || c == '.';
}

static bool is_letter(uint8_t c)
{
    return byte_lower(c) >= 'a' && byte_lower(c) <= 'z';
}

static size_t run_length(struct slice s, bool in(uint8_t))
{
    size_t n = 0;
    while (n < s.len && in(s.data[n]))
        n++;
    return n;
}

/* Points and colons around an address end its sentence. */
static bool parse(struct slice run, bool six, struct address *ret)
{
    while (run.len && run.data[run.len - 1] == '.')
        run.len--;
    while (run.len && run.data[0] == '.')
        run = slice_sub(run, 1, run.len);
    if (address_parse(run, ret))
        return true;
    if (run.len < 2 || !six || run.data[run.len - 1] != ':' || run.data[run.len - 2] == ':')
        return false;
    run.len--;
    return address_parse(run, ret);
}

/* What begins here; its length goes to *ret_len. `amid`: of a word, so that it may be a number alone. A run
 * of IPv6 is looked at as far as an address may reach: of the next number in it the same is asked again. */
static bool try_run(struct slice s, bool amid, struct address *ret, size_t *ret_len)
{
    size_t four = run_length(s, in_v4), most = four + LONGEST;
    size_t six = run_length(slice_sub(s, 0, most), in_v6);
    bool word = amid || (six < s.len && is_letter(s.data[six])); /* "dead:beefy" */
    *ret_len = six;
    if (six > four && six < most && !word && parse(slice_sub(s, 0, six), true, ret))
        return true;
    *ret_len = four ? four : six ? run_length(s, in_v6) : 1;
    return four && parse(slice_sub(s, 0, four), false, ret);
}

bool mention_next(struct slice *rest, struct address *ret)
{
    struct slice s = *rest;
    size_t at = 0, len = 0;
    bool found = false;
    while (at < s.len && !found) {
        if (slice_case_starts(slice_sub(s, at, s.len), "IPv6:"))
            at += 5;
        /* Behind a word, as in "ip:192.0.2.1" or "ip6:2001:db8::1". */
        if (at < s.len && s.data[at] == ':' && !(at + 1 < s.len && s.data[at + 1] == ':')) {
            at++;
            continue;
        }
        bool amid = at && is_letter(s.data[at - 1]);
        uint8_t c = at < s.len ? s.data[at] : 0;
        /* A word of letters may be the beginning of an IPv6 address only where it begins. */
        bool begins = byte_is_digit(c) || c == ':' || (is_letter(c) && !amid);
        len = 1;
        if (at < s.len && begins)
            found = try_run(slice_sub(s, at, s.len), amid, ret, &len);
        at += len;
    }
    *rest = slice_sub(s, at, s.len);
    return found;
}
