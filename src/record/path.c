/* path.c: addresses in Received lines.
 * In: unfolded header values. Out: addresses. Owns: nothing.
 * Knowingly: reads the from clause alone, as the by clause names the receiver; where a line has no from clause, no hop comes of it.
 * Spec: RFC 5321 4.4. */
#include "record/path.h"

static bool opens(uint8_t c)
{
    return byte_is_blank(c) || c == '[' || c == '(' || c == ':' || c == '=' || c == ',' || c == '<' || c == '"';
}

static bool closes(uint8_t c)
{
    return byte_is_blank(c) || c == ']' || c == ')' || c == ',' || c == ';' || c == '>' || c == ':' || c == '"' || c == '\r' ||
           c == '\n';
}

static bool in_address(uint8_t c, bool six)
{
    return byte_is_digit(c) || c == '.' || (six && (c == ':' || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f')));
}

static size_t run_at(struct slice s, size_t from, bool six)
{
    size_t end = from;
    while (end < s.len && end - from < ADDRESS_TEXT && in_address(s.data[end], six))
        end++;
    return end;
}

/* The next address at or after *pos that stands by itself; moves *pos behind it. */
static bool next_address(struct slice s, size_t *pos, struct address *ret, struct slice *ret_text)
{
    for (size_t i = *pos; i < s.len; i++) {
        if (i && !opens(s.data[i - 1]))
            continue;
        struct slice rest = slice_sub(s, i, s.len);
        size_t from = slice_case_starts(rest, "IPv6:") ? i + 5 : i;
        for (int six = 1; six >= 0; six--) {
            size_t end = run_at(s, from, six);
            /* A port may follow an IPv4 address, so ':' closes that one only. */
            struct slice text = slice_sub(s, from, end);
            if (!text.len || (end < s.len && !closes(s.data[end])) || !address_parse(text, ret))
                continue;
            *ret_text = text;
            *pos = end;
            return true;
        }
    }
    *pos = s.len;
    return false;
}

bool path_first_address(struct slice value, struct address *ret, struct slice *ret_text)
{
    size_t pos = 0;
    return next_address(value, &pos, ret, ret_text);
}

/* From "from" up to a "by" that stands alone outside of comments. */
static struct slice from_clause(struct slice value)
{
    value = slice_trim(value);
    if (!slice_case_starts(value, "from"))
        return (struct slice){NULL, 0};
    unsigned depth = 0;
    for (size_t i = 4; i + 4 <= value.len; i++) {
        uint8_t c = value.data[i];
        if (c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && (byte_is_blank(c) || c == ')') && slice_case_starts(slice_sub(value, i + 1, i + 3), "by") &&
                 byte_is_blank(value.data[i + 3]))
            return slice_sub(value, 0, i);
    }
    return value;
}

bool path_received_address(struct slice value, struct address *ret, struct slice *ret_text)
{
    struct slice from = from_clause(value);
    size_t pos = 0;
    if (!next_address(from, &pos, ret, ret_text))
        return false;
    (void)next_address(from, &pos, ret, ret_text);
    return true;
}

static bool is_local(const struct path_settings *set, const struct address *a)
{
    for (size_t i = 0; i < set->local_net_count; i++)
        if (network_has(&set->local_nets[i], a))
            return true;
    return false;
}

bool path_goes_on(const struct path_settings *set, const struct address *hop)
{
    if (address_is_private(hop))
        return true;
    switch (set->capture) {
    case PATH_LOCAL:
        return is_local(set, hop);
    case PATH_REMOTE:
        return !is_local(set, hop);
    case PATH_ALL:
        return true;
    case PATH_NONE:
        break;
    }
    return false;
}
