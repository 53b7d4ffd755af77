/* pattern.c: Lua's patterns by backtracking, with a count of all work.
 * In: a subject, a pattern. Out: where it matches, captures, or what is wrong with the pattern. Owns:
 * nothing. Limits: `steps_most`, one for each character looked at and each item tried; PATTERN_CAPTURES;
 * PATTERN_DEPTH of items that wait for the rest of the pattern, as in Lua. Knowingly: bytes are matched, with
 * the classes of the C locale; what Lua takes for an error is a fault with Lua's words.
 * Spec: Lua 5.4 reference manual 6.4.1. */
#include "script/pattern.h"

#include <ctype.h>

enum { NONE = -1 }; /* no match; the largest subject is far smaller than what ssize_t holds */

static ssize_t match(struct pattern *m, size_t s, size_t p);

static ssize_t fault(struct pattern *m, const char *text)
{
    if (!m->fault)
        m->fault = text;
    return NONE;
}

/* False: the work is over. */
static bool step(struct pattern *m, uint64_t count)
{
    m->steps += count;
    m->spent |= m->steps > m->steps_most;
    return !m->spent && !m->fault;
}

/* A set is read through for each character. */
static uint64_t text_cost(size_t len)
{
    return 1 + len / 4;
}

/* Does the byte mean more than itself, as an item's beginning? */
static bool is_special(uint8_t c)
{
    switch (c) {
    case '(':
    case ')':
    case '%':
    case '[':
    case '.':
    case '$':
        return true;
    default:
        return false;
    }
}

static bool is_suffix(uint8_t c)
{
    return c == '*' || c == '+' || c == '-' || c == '?';
}

static bool in_class(uint8_t c, uint8_t letter)
{
    bool is;
    switch (byte_lower(letter)) {
    case 'a':
        is = isalpha(c);
        break;
    case 'c':
        is = iscntrl(c);
        break;
    case 'd':
        is = isdigit(c);
        break;
    case 'g':
        is = isgraph(c);
        break;
    case 'l':
        is = islower(c);
        break;
    case 'p':
        is = ispunct(c);
        break;
    case 's':
        is = isspace(c);
        break;
    case 'u':
        is = isupper(c);
        break;
    case 'w':
        is = isalnum(c);
        break;
    case 'x':
        is = isxdigit(c);
        break;
    default:
        return letter == c;
    }
    return is != (isupper(letter) != 0);
}

/* Where the single character item that begins at `p` ends: a character, %x, or [set]. */
static size_t item_end(struct pattern *m, size_t p)
{
    const uint8_t *text = m->text.data;
    size_t end = m->text.len;
    uint8_t first = text[p++];
    if (first == '%') {
        if (p == end)
            fault(m, "malformed pattern (ends with '%')");
        return p + 1;
    }
    if (first != '[')
        return p;
    if (p < end && text[p] == '^')
        p++;
    /* A ']' in the first place stands for itself. */
    do {
        if (p == end) {
            fault(m, "malformed pattern (missing ']')");
            return end;
        }
        if (text[p++] == '%')
            p++;
        if (p > end)
            p = end;
    } while (p == end || text[p] != ']');
    return p + 1;
}

/* Is `c` in the set [p, last], whose ends are '[' and ']'? */
static bool in_set(const struct pattern *m, uint8_t c, size_t p, size_t last)
{
    const uint8_t *text = m->text.data;
    bool is = true;
    if (text[++p] == '^') {
        is = false;
        p++;
    }
    for (; p < last; p++) {
        if (text[p] == '%') {
            if (in_class(c, text[++p]))
                return is;
        } else if (text[p + 1] == '-' && p + 2 < last) {
            if (text[p] <= c && c <= text[p + 2])
                return is;
            p += 2;
        } else if (text[p] == c) {
            return is;
        }
    }
    return !is;
}

/* Does the character at `s` fit the item [p, end)? False behind the subject. */
static bool fits(struct pattern *m, size_t s, size_t p, size_t end)
{
    if (s >= m->subject.len || !step(m, text_cost(end - p)))
        return false;
    uint8_t c = m->subject.data[s];
    switch (m->text.data[p]) {
    case '.':
        return true;
    case '%':
        return in_class(c, m->text.data[p + 1]);
    case '[':
        return in_set(m, c, p, end - 1);
    default:
        return m->text.data[p] == c;
    }
}

/* The item as often as it fits, then fewer. */
static ssize_t most(struct pattern *m, size_t s, size_t p, size_t end)
{
    size_t n = 0;
    while (fits(m, s + n, p, end))
        n++;
    for (;; n--) {
        ssize_t found = match(m, s + n, end + 1);
        if (found != NONE || !n || m->fault || m->spent)
            return found;
    }
}

/* The item as seldom as it can be. */
static ssize_t fewest(struct pattern *m, size_t s, size_t p, size_t end)
{
    for (;; s++) {
        ssize_t found = match(m, s, end + 1);
        if (found != NONE || !fits(m, s, p, end))
            return found;
    }
}

/* %bxy at `p`, which stands on x: where the balance that begins at `s` ends. */
static ssize_t balance(struct pattern *m, size_t s, size_t p)
{
    if (p + 1 >= m->text.len)
        return fault(m, "malformed pattern (missing arguments to '%b')");
    uint8_t open = m->text.data[p], close = m->text.data[p + 1];
    if (s >= m->subject.len || m->subject.data[s] != open)
        return NONE;
    size_t depth = 1;
    while (++s < m->subject.len && step(m, 1)) {
        uint8_t c = m->subject.data[s];
        if (c == close && --depth == 0)
            return (ssize_t)s + 1;
        if (c == open && c != close)
            depth++;
    }
    return NONE;
}

static ssize_t capture_begin(struct pattern *m, size_t s, size_t p, ssize_t len)
{
    if (m->captures_len == PATTERN_CAPTURES)
        return fault(m, "too many captures");
    m->captures[m->captures_len++] = (struct capture){s, len};
    ssize_t found = match(m, s, p);
    if (found == NONE)
        m->captures_len--;
    return found;
}

static ssize_t capture_end(struct pattern *m, size_t s, size_t p)
{
    unsigned i = m->captures_len;
    while (i && m->captures[i - 1].len != CAPTURE_OPEN)
        i--;
    if (!i)
        return fault(m, "invalid pattern capture");
    m->captures[i - 1].len = (ssize_t)(s - m->captures[i - 1].from);
    ssize_t found = match(m, s, p);
    if (found == NONE)
        m->captures[i - 1].len = CAPTURE_OPEN;
    return found;
}

/* %1 to %9: what the capture holds, again; NONE where it is not there. */
static ssize_t again(struct pattern *m, size_t s, uint8_t digit)
{
    unsigned i = (unsigned)digit - '1';
    if (digit == '0' || i >= m->captures_len || m->captures[i].len == CAPTURE_OPEN)
        return fault(m, "invalid capture index in the pattern");
    /* A position has no text; Lua compares it as one of endless length, which never fits. */
    if (m->captures[i].len == CAPTURE_POSITION)
        return NONE;
    size_t len = (size_t)m->captures[i].len;
    if (m->subject.len - s < len || !step(m, len / 16 + 1) ||
        memcmp(m->subject.data + m->captures[i].from, m->subject.data + s, len) != 0)
        return NONE;
    return (ssize_t)(s + len);
}

/* %f[set] with `p` on the '[': the border before a character of the set, the ends of the subject being '\0'.
 */
static bool frontier(struct pattern *m, size_t s, size_t p, size_t *ret_end)
{
    if (p >= m->text.len || m->text.data[p] != '[')
        return fault(m, "missing '[' after '%f' in pattern") != NONE;
    size_t end = *ret_end = item_end(m, p);
    if (!step(m, text_cost(end - p)))
        return false;
    uint8_t before = s ? m->subject.data[s - 1] : '\0';
    uint8_t here = s < m->subject.len ? m->subject.data[s] : '\0';
    return !in_set(m, before, p, end - 1) && in_set(m, here, p, end - 1);
}

/* %b, %f and %1: true where `p` stands on one; then *s and *p are behind it, or *s is NONE. */
static bool special(struct pattern *m, ssize_t *s, size_t *p)
{
    uint8_t letter = *p + 1 < m->text.len ? m->text.data[*p + 1] : '\0';
    if (letter == 'b') {
        *s = balance(m, (size_t)*s, *p + 2);
        *p += 4;
    } else if (letter == 'f') {
        size_t end = 0;
        if (!frontier(m, (size_t)*s, *p + 2, &end))
            *s = NONE;
        *p = end;
    } else if (byte_is_digit(letter)) {
        *s = again(m, (size_t)*s, letter);
        *p += 2;
    } else {
        return false;
    }
    return true;
}

/* One item with what stands behind it. True: the match goes on at *s and *p; false: *s is the outcome. */
static bool item(struct pattern *m, ssize_t *s, size_t *p)
{
    size_t from = (size_t)*s, end = item_end(m, *p);
    if (m->fault) {
        *s = NONE;
        return false;
    }
    uint8_t suffix = end < m->text.len ? m->text.data[end] : '\0';
    switch (suffix) {
    case '?':
        if (fits(m, from, *p, end)) {
            ssize_t found = match(m, from + 1, end + 1);
            if (found != NONE) {
                *s = found;
                return false;
            }
        }
        *p = end + 1;
        return true;
    case '+':
        *s = fits(m, from, *p, end) ? most(m, from + 1, *p, end) : NONE;
        return false;
    case '*':
        *s = most(m, from, *p, end);
        return false;
    case '-':
        *s = fewest(m, from, *p, end);
        return false;
    default:
        if (!fits(m, from, *p, end)) {
            *s = NONE;
            return false;
        }
        ++*s;
        *p = end;
        return true;
    }
}

/* The pattern from `p` on, at `s`: where the match ends, or NONE. */
static ssize_t run(struct pattern *m, ssize_t s, size_t p)
{
    const uint8_t *text = m->text.data;
    size_t end = m->text.len;
    while (p < end) {
        if (!step(m, 1))
            return NONE;
        if (!is_special(text[p]) && (p + 1 == end || !is_suffix(text[p + 1]))) {
            if ((size_t)s >= m->subject.len || m->subject.data[s] != text[p])
                return NONE;
            s++;
            p++;
            continue;
        }
        if (text[p] == '(' && p + 1 < end && text[p + 1] == ')')
            return capture_begin(m, (size_t)s, p + 2, CAPTURE_POSITION);
        if (text[p] == '(')
            return capture_begin(m, (size_t)s, p + 1, CAPTURE_OPEN);
        if (text[p] == ')')
            return capture_end(m, (size_t)s, p + 1);
        if (text[p] == '$' && p + 1 == end)
            return (size_t)s == m->subject.len ? s : NONE;
        if (text[p] == '%' && special(m, &s, &p)) {
            if (s == NONE)
                return NONE;
        } else if (!item(m, &s, &p)) {
            return s;
        }
    }
    return s;
}

static ssize_t match(struct pattern *m, size_t s, size_t p)
{
    if (m->depth == PATTERN_DEPTH)
        return fault(m, "pattern too complex");
    m->depth++;
    ssize_t found = run(m, (ssize_t)s, p);
    m->depth--;
    return m->fault || m->spent ? NONE : found;
}

static bool match_at(struct pattern *m, size_t from, size_t skip, size_t *ret)
{
    m->captures_len = 0;
    m->depth = 0;
    ssize_t end = match(m, from, skip);
    if (end == NONE)
        return false;
    *ret = (size_t)end;
    return true;
}

/* The byte with which every match has to begin, or -1. */
static int first_byte(struct slice pattern)
{
    size_t p = 0;
    if (pattern.len > 1 && pattern.data[0] == '%' && !isalnum(pattern.data[1]))
        p = 1;
    else if (!pattern.len || is_special(pattern.data[0]))
        return -1;
    uint8_t suffix = p + 1 < pattern.len ? pattern.data[p + 1] : '\0';
    return suffix == '*' || suffix == '?' || suffix == '-' ? -1 : pattern.data[p];
}

bool pattern_find(struct pattern *m, size_t from, bool anchor, size_t last, size_t *ret_from, size_t *ret_to)
{
    int first = anchor ? -1 : first_byte(m->text);
    for (; from <= m->subject.len; from++) {
        if (first >= 0) {
            size_t skip = slice_index(slice_sub(m->subject, from, m->subject.len), (uint8_t)first);
            from += skip;
            /* A pattern with a fault after its beginning is to be seen at the end, as in Lua. */
            if (!step(m, skip / 16))
                return false;
        }
        if (match_at(m, from, anchor, ret_to) && *ret_to != last) {
            *ret_from = from;
            return true;
        }
        if (anchor || m->fault || m->spent)
            return false;
    }
    return false;
}
