/* hidden.c: quoted strings, comments and escapes.
 * In: a value, a place in it. Out: places. Owns: nothing. Limits: REACH. Spec: RFC 5322 3.2. */
#include "mail/hidden.h"

/* How far ahead of its opening sign a closing sign is looked for. What does not close within hides nothing,
 * so that it cannot hide all that follows. It also keeps a value without any closing sign linear. */
enum { REACH = 1024 };

/* Position of the next `c` after `i`, s.len where it is out of reach. What lies before *none has none. */
static size_t within_reach(struct slice s, size_t i, uint8_t c, const uint8_t **none)
{
    struct slice ahead = slice_sub(s, i + 1, i + 1 + REACH);
    const uint8_t *end = ahead.data + ahead.len, *from = ahead.data;
    if (*none > from)
        from = *none < end ? *none : end;
    const uint8_t *at = from < end ? memchr(from, c, (size_t)(end - from)) : NULL;
    if (!at)
        *none = end;
    return at ? (size_t)(at - s.data) : s.len;
}

static size_t past_quoted(struct slice s, size_t i)
{
    for (size_t j = i + 1; j < s.len && j <= i + REACH; j++) {
        if (s.data[j] == '\\')
            j++;
        else if (s.data[j] == '"')
            return j + 1;
    }
    return i + 1;
}

/* Of comments nested deeper than they close, the last ')' in reach ends all. */
static size_t past_comment(struct slice s, size_t i, const uint8_t **none)
{
    size_t depth = 0, reach = i;
    for (; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (i >= reach) {
            /* Here it is, or it was escaped. */
            size_t next = within_reach(s, i, ')', none);
            if (next == s.len)
                return i > reach ? i : i + 1;
            reach = next;
        }
        if (c == '\\')
            i++;
        else if (c == '(')
            depth++;
        else if (c == ')' && !--depth)
            return i + 1;
    }
    return s.len;
}

size_t hidden_past(struct slice s, size_t i)
{
    const uint8_t *none = NULL;
    return hidden_past_known(s, i, &none);
}

size_t hidden_past_known(struct slice s, size_t i, const uint8_t **none)
{
    switch (s.data[i]) {
    case '\\':
        return i + 2 < s.len ? i + 2 : s.len;
    case '"':
        return past_quoted(s, i);
    case '(':
        return past_comment(s, i, none);
    default:
        return i;
    }
}

size_t hidden_angle(struct slice s, size_t i)
{
    const uint8_t *none = NULL;
    size_t end = within_reach(s, i, '>', &none);
    return end < s.len ? end : i;
}
