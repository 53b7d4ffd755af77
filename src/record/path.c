/* path.c: addresses in Received lines.
 * In: unfolded header values. Out: addresses. Owns: nothing. Limits: linear in the value, whatever it holds.
 * Knowingly: reads the from clause alone, as the by clause names the receiver; where a line has no from
 * clause, no hop comes of it. Spec: RFC 5321 4.4; the forms that Postfix, Exim, Sendmail, qmail, CommuniGate
 * and Exchange write. */
#include "record/path.h"

#include "mail/stops.h"

enum { V4_TEXT = 15, HELO_LOOK_BACK = 12 };

/* What a character may be of an address: the one before it, the one behind it, a part of it; whether it may
 * matter to where a clause ends, and begin the word of another. '%' begins the zone of a link-local address.
 */
enum { OPENS = 1, CLOSES = 2, IN_RUN = 4, MARKS = 8, CLAUSE = 16 };
/* clang-format off */
static const uint8_t kinds[256] = {
    [' '] = OPENS | CLOSES | MARKS, ['\t'] = OPENS | CLOSES | MARKS, [','] = OPENS | CLOSES,
    ['"'] = OPENS | CLOSES, [':'] = OPENS | CLOSES | IN_RUN, ['('] = OPENS | MARKS, ['['] = OPENS,
    ['='] = OPENS, ['<'] = OPENS, ['@'] = OPENS, [')'] = CLOSES | MARKS, [';'] = CLOSES | MARKS,
    [']'] = CLOSES, ['>'] = CLOSES, ['\r'] = CLOSES, ['\n'] = CLOSES, ['%'] = CLOSES,
    ['.'] = IN_RUN, ['0'] = IN_RUN, ['1'] = IN_RUN, ['2'] = IN_RUN, ['3'] = IN_RUN, ['4'] = IN_RUN,
    ['5'] = IN_RUN, ['6'] = IN_RUN, ['7'] = IN_RUN, ['8'] = IN_RUN, ['9'] = IN_RUN, ['a'] = IN_RUN,
    ['b'] = IN_RUN | CLAUSE, ['c'] = IN_RUN, ['d'] = IN_RUN, ['e'] = IN_RUN, ['A'] = IN_RUN,
    ['B'] = IN_RUN | CLAUSE, ['C'] = IN_RUN, ['D'] = IN_RUN, ['E'] = IN_RUN,
    ['f'] = IN_RUN | CLAUSE, ['F'] = IN_RUN | CLAUSE, ['w'] = CLAUSE, ['W'] = CLAUSE, ['i'] = CLAUSE,
    ['I'] = CLAUSE, ['v'] = CLAUSE, ['V'] = CLAUSE,
};
/* clang-format on */

static bool opens(uint8_t c)
{
    return kinds[c] & OPENS;
}

static bool closes(uint8_t c)
{
    return kinds[c] & CLOSES;
}

static bool in_run(uint8_t c)
{
    return kinds[c] & IN_RUN;
}

/* Where the scan stands. A run is a stretch of characters that addresses are made of; its end is looked for
 * once. */
struct scan {
    struct slice s;
    struct stops stops; /* of it, and maybe of what follows */
    size_t pos, run_end;
    bool six_tried; /* the run was held against IPv6 */
};

static bool take(struct scan *sc, size_t end, struct address *ret, struct slice *ret_text)
{
    struct slice text = slice_sub(sc->s, sc->pos, end);
    if ((end < sc->s.len && !closes(sc->s.data[end])) || !address_parse(text, ret))
        return false;
    *ret_text = text;
    sc->pos = end;
    return true;
}

/* At sc->pos an address may begin. */
static bool try_here(struct scan *sc, struct address *ret, struct slice *ret_text)
{
    size_t left = sc->run_end - sc->pos;
    size_t colon =
        sc->pos +
        slice_index(slice_sub(sc->s, sc->pos, sc->pos + (left < V4_TEXT + 1 ? left : V4_TEXT + 1)), ':');
    /* A port may follow an IPv4 address. */
    if (colon - sc->pos <= V4_TEXT && take(sc, colon, ret, ret_text))
        return true;
    if (sc->six_tried || left >= ADDRESS_TEXT)
        return false;
    sc->six_tried = true;
    return take(sc, sc->run_end, ret, ret_text);
}

/* The next address at or after sc->pos that stands by itself; moves it behind that. */
static bool next_address(struct scan *sc, struct address *ret, struct slice *ret_text)
{
    const struct slice s = sc->s;
    for (; sc->pos < s.len; sc->pos++) {
        if (sc->pos && !opens(s.data[sc->pos - 1]))
            sc->pos = stops_find(&sc->stops, sc->pos, s.len - 1, kinds, OPENS) + 1;
        if (slice_case_starts(slice_sub(s, sc->pos, s.len), "IPv6:"))
            sc->pos += 5;
        if (sc->pos == s.len || !in_run(s.data[sc->pos]))
            continue;
        if (sc->pos >= sc->run_end) {
            sc->six_tried = false;
            sc->run_end = sc->pos;
            while (sc->run_end < s.len && in_run(s.data[sc->run_end]))
                sc->run_end++;
        }
        if (try_here(sc, ret, ret_text))
            return true;
    }
    return false;
}

bool path_first_address(struct slice value, struct address *ret, struct slice *ret_text)
{
    struct scan sc = {.s = value};
    stops_begin(&sc.stops, value);
    return next_address(&sc, ret, ret_text);
}

/* A word that begins another clause, followed by a blank. */
static bool clause_word(struct slice s, bool first)
{
    static const char *const words[] = {"by", "with", "id", "via", "for"};
    if (!s.len || !(kinds[*s.data] & CLAUSE))
        return false;
    for (size_t i = 0; i < (first ? 1 : sizeof words / sizeof *words); i++) {
        size_t len = strlen(words[i]);
        if (s.len > len && byte_is_blank(s.data[len]) && slice_case_starts(s, words[i]))
            return true;
    }
    return false;
}

/* Length of the from clause: up to the next clause, outside of comments where `comments`. 0: a comment never
 * ends. */
static size_t clause_end(struct stops *st, bool comments)
{
    const struct slice value = st->s;
    size_t depth = 0, words = 0;
    for (size_t i = 4;; i++) {
        i = stops_find(st, i, value.len, kinds, MARKS);
        if (i == value.len)
            break;
        uint8_t c = value.data[i];
        if (comments && c == '(')
            depth++;
        else if (c == ')' && depth)
            depth--;
        else if (!depth && c == ';')
            return i;
        if (depth || (!byte_is_blank(c) && c != ')'))
            continue;
        /* The host's own name is no clause, unless it was left out. */
        if (clause_word(slice_sub(value, i + 1, value.len), !words))
            return i + 1;
        words += i + 1 < value.len && !byte_is_blank(value.data[i + 1]);
    }
    return depth ? 0 : value.len;
}

static void scan_from_clause(struct scan *sc, struct slice value)
{
    *sc = (struct scan){.s = {NULL, 0}};
    value = slice_trim(value);
    if (!slice_case_starts(value, "from") || value.len < 5 || !opens(value.data[4]))
        return;
    stops_begin(&sc->stops, value);
    size_t end = clause_end(&sc->stops, true);
    sc->s = slice_sub(value, 0, end ? end : clause_end(&sc->stops, false));
}

/* Does the address at `at` follow "helo" or "ident"? Then the client said it of itself: "(helo=[10.0.0.1])",
 * "(HELO ?10.0.0.1?)", "(ident=10.0.0.1)". */
static bool is_claimed(struct slice s, size_t at)
{
    size_t least = at > HELO_LOOK_BACK ? at - HELO_LOOK_BACK : 0;
    if (at >= least + 5 && slice_case_starts(slice_sub(s, at - 5, at), "IPv6:"))
        at -= 5;
    while (at > least && (opens(s.data[at - 1]) || s.data[at - 1] == '?'))
        at--;
    if (at < 4)
        return false;
    struct slice word = slice_sub(s, at - 4, at);
    return slice_case_starts(word, "helo") || slice_case_starts(word, "ehlo") ||
           slice_case_starts(word, "lhlo") ||
           (at >= 5 && slice_case_starts(slice_sub(s, at - 5, at), "ident"));
}

/* As most lines begin: "from NAME (NAME [192.0.2.1]) by". There is one address in that, and nothing else that
 * could be one. */
static bool usual_address(struct slice s, struct address *ret, struct slice *ret_text)
{
    struct stops st;
    const uint8_t *c = s.data;
    if (!slice_case_starts(s, "from ") || s.len == 5 || byte_is_digit(c[5]))
        return false;
    stops_begin(&st, s);
    size_t name = stops_next(&st, 5);
    size_t found = name + 2 < s.len ? stops_next(&st, name + 2) : s.len;
    size_t end = found + 2 < s.len ? stops_next(&st, found + 2) : s.len;
    if (end + 3 >= s.len || name == 5 || c[name] != ' ' || c[name + 1] != '(' || byte_is_digit(c[name + 2]) ||
        c[found] != ' ' || c[found + 1] != '[' || c[end] != ']' || c[end + 1] != ')' ||
        !byte_is_blank(c[end + 2]))
        return false;
    /* A host that is named like a clause begins one. */
    if (clause_word(slice_sub(s, 5, s.len), true) || !clause_word(slice_sub(s, end + 3, s.len), true))
        return false;
    *ret_text = slice_sub(s, found + 2, end);
    return address_parse(*ret_text, ret);
}

bool path_received_address(struct slice value, struct address *ret, struct slice *ret_text)
{
    struct scan sc;
    struct address a;
    struct slice text;
    unsigned seen = 0;
    bool claimed = false;
    if (usual_address(slice_trim(value), ret, ret_text))
        return true;
    scan_from_clause(&sc, value);
    while (seen < 2 && next_address(&sc, &a, &text)) {
        bool helo = is_claimed(sc.s, (size_t)(text.data - sc.s.data));
        /* What was looked up beats what was claimed; a claim alone is better than nothing. */
        if (helo && (seen || claimed))
            continue;
        claimed |= helo;
        seen += !helo;
        *ret = a;
        *ret_text = text;
    }
    return seen || claimed;
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
