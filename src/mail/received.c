/* received.c: the grammar of Received lines.
 * In: unfolded header values. Out: struct received. Owns: nothing. Limits: linear in the value; TRIES
 * comments that do not end are looked into, then parentheses are blanks. Knowingly: times before 1970 are
 * none. Of two that say the same the first has the word, of two dates the last. Where the server tells a
 * client's name and what it called itself by one word, that is what it called itself. Spec: RFC 5321 4.4; the
 * forms of Postfix, Exim, Sendmail, Exchange, Gmail, qmail, OpenSMTPD, Haraka, PowerMTA, Zimbra, Domino,
 * Smail, CommuniGate. */
#include "mail/received.h"

#include "mail/date.h"
#include "mail/stops.h"

enum { TRIES = 4 };

/* What ends a word outside of comments, and one in a comment; what is in a word of interest there; what tells
 * where a comment ends. All of them are stops. */
enum { ENDS_WORD = 1, ENDS_TOKEN = 2, IN_TOKEN = 4, IN_PARENTHESES = 8 };
static const uint8_t kinds[256] = {
    [' '] = ENDS_WORD | ENDS_TOKEN,
    ['\t'] = ENDS_WORD | ENDS_TOKEN,
    ['\r'] = ENDS_WORD | ENDS_TOKEN,
    ['\n'] = ENDS_WORD | ENDS_TOKEN,
    ['('] = ENDS_WORD | ENDS_TOKEN | IN_PARENTHESES,
    [')'] = ENDS_WORD | ENDS_TOKEN | IN_PARENTHESES,
    ['\\'] = IN_PARENTHESES,
    [';'] = ENDS_WORD | ENDS_TOKEN,
    [','] = ENDS_TOKEN,
    ['='] = IN_TOKEN,
    ['['] = IN_TOKEN,
};

/* TLS is Exim's: "with esmtps (TLS1.3) tls TLS_AES_256_GCM_SHA384". */
enum clause { NONE, FROM, BY, VIA, WITH, ID, FOR, TLS };

struct reader {
    struct slice s;
    struct stops stops; /* of it */
    size_t pos;
    enum clause clause;
    bool fresh;   /* the clause's value comes next */
    bool apart;   /* a comment stands behind its last word */
    bool exim;    /* who wrote the line */
    bool claimed; /* from_helo came with its name */
    bool had_from, unclosed;
    unsigned tries;
    struct slice first; /* what stands behind "from" */
    struct address first_ip;
    size_t date; /* behind the last ';' */
    struct received *ret;
};

static bool is(struct slice s, const char *text)
{
    return slice_case_eq(s, slice_str(text));
}

/* The first byte of these kinds at or behind `from`; `to` where there is none before that. */
static size_t find(struct reader *r, size_t from, size_t to, unsigned wanted)
{
    return stops_find(&r->stops, from, to, kinds, wanted);
}

static void set_once(struct slice *to, struct slice value)
{
    if (!to->data && value.len)
        *to = value;
}

/* "192.0.2.1", "IPv6:2001:db8::1", "fe80::1%12". */
static bool parse_ip(struct slice text, struct address *ret)
{
    if (slice_case_starts(text, "IPv6:"))
        text = slice_sub(text, 5, text.len);
    return address_parse(text, ret) || address_parse(slice_sub(text, 0, slice_index(text, '%')), ret);
}

/* Most names are told from addresses by their first letter. */
static bool may_be_ip(struct slice text)
{
    uint8_t c = text.len ? byte_lower(text.data[0]) : 'z';
    return c <= 'f' || c == 'i';
}

/* The same in brackets, or with a port behind it. */
static bool parse_host(struct slice text, struct address *ret)
{
    if (!may_be_ip(text))
        return false;
    if (text.data[0] == '[')
        return parse_ip(slice_sub(text, 1, slice_index(text, ']')), ret);
    if (!byte_is_digit(text.data[0]) && slice_index(text, ':') == text.len)
        return false;
    return address_parse(slice_sub(text, 0, slice_index(text, ':')), ret) || parse_ip(text, ret);
}

/* Behind the last '@', or the beginning. */
static size_t last_at(struct slice s)
{
    const uint8_t *at = s.data ? memrchr(s.data, '@', s.len) : NULL;
    return at ? (size_t)(at + 1 - s.data) : 0;
}

/* "user@host", "IDENT:user@host", "host."; "unknown" is none, nor is an address one. */
static void set_rdns(struct reader *r, struct slice name)
{
    struct address a;
    name = slice_sub(name, last_at(name), name.len);
    if (!is(name, "unknown") && !parse_host(name, &a))
        set_once(&r->ret->from_rdns, name);
}

static void set_helo(struct reader *r, struct slice name)
{
    set_once(&r->ret->from_helo, name);
    r->claimed |= name.len > 0;
}

static bool is_hello(struct slice s)
{
    return s.len == 4 && (is(s, "helo") || is(s, "ehlo") || is(s, "lhlo"));
}

/* "TLSv1.3", "TLS1_2", "SSLv3"; "(TLS)" says nothing, and a cipher's name begins alike. */
static bool is_tls(struct slice s)
{
    if (s.len < 4 || (!slice_case_starts(s, "tls") && !slice_case_starts(s, "ssl")))
        return false;
    size_t at = 3;
    at += s.data[at] == 'v' || s.data[at] == 'V' || s.data[at] == '-';
    return at < s.len && byte_is_digit(s.data[at]);
}

/* "TLSv1.3:TLS_AES_256_GCM_SHA384:256". */
static void take_tls_list(struct reader *r, struct slice s)
{
    size_t colon = slice_index(s, ':');
    set_once(&r->ret->tls_version, slice_sub(s, 0, colon));
    s = slice_sub(s, colon + 1, s.len);
    set_once(&r->ret->tls_cipher, slice_sub(s, 0, slice_index(s, ':')));
}

/* One word of a comment, and the one before it in the same parentheses. */
struct token {
    struct slice s, before;
    size_t number;          /* in its comment, from 0 */
    size_t equals, bracket; /* where there are such; s.len: there is none */
};

static bool take_claim(struct reader *r, const struct token *t)
{
    if (r->clause != FROM)
        return false;
    struct slice key = slice_sub(t->s, 0, t->equals);
    if (t->equals < t->s.len && is_hello(key))
        set_helo(r, slice_sub(t->s, t->equals + 1, t->s.len));
    else if (is_hello(t->before))
        set_helo(r, t->s);
    else
        return t->equals < t->s.len && is(key, "ident");
    return true;
}

static void take_tls(struct reader *r, const struct token *t)
{
    if (t->equals < t->s.len) {
        struct slice key = slice_sub(t->s, 0, t->equals), value = slice_sub(t->s, t->equals + 1, t->s.len);
        if (is(key, "version"))
            set_once(&r->ret->tls_version, value);
        else if (is(key, "cipher"))
            set_once(&r->ret->tls_cipher, value);
    } else if (t->before.len == 6 && is(t->before, "cipher")) {
        set_once(&r->ret->tls_cipher, t->s);
    } else if (is_tls(t->s) && (!t->number || is(t->before, "using"))) {
        take_tls_list(r, t->s);
    }
}

/* "name [192.0.2.1]", "user@[192.0.2.1]", "name[192.0.2.1]". */
static void take_bracket(struct reader *r, const struct token *t)
{
    struct address a;
    if (r->ret->from_ip.family || !parse_host(slice_sub(t->s, t->bracket, t->s.len), &a))
        return;
    r->ret->from_ip = a;
    if (t->bracket)
        set_rdns(r, slice_sub(t->s, 0, t->bracket));
    else if (t->number == 1)
        set_rdns(r, t->before);
}

/* A comment that is an address alone: "(192.0.2.1)", "([192.0.2.1]:25)", "(user@192.0.2.1)". */
static bool take_address(struct reader *r, struct slice comment)
{
    struct address *to = r->clause == FROM ? &r->ret->from_ip : &r->ret->by_ip;
    if (to->family || (r->clause != FROM && r->clause != BY))
        return false;
    return parse_host(slice_sub(comment, last_at(comment), comment.len), to);
}

static void take_token(struct reader *r, const struct token *t)
{
    r->exim |= !t->number && is(t->s, "Exim");
    if (take_claim(r, t))
        return;
    if (r->clause == FROM && t->bracket < t->s.len)
        take_bracket(r, t);
    else
        take_tls(r, t);
}

/* The word at `from` in a comment that goes up to `end`; where it ends is returned. */
static size_t next_token(struct reader *r, size_t from, size_t end, struct token *t)
{
    size_t i;
    t->equals = t->bracket = SIZE_MAX;
    for (i = from;; i++) {
        i = find(r, i, end, ENDS_TOKEN | IN_TOKEN);
        if (i == end || kinds[r->s.data[i]] & ENDS_TOKEN)
            break;
        size_t *mark = r->s.data[i] == '=' ? &t->equals : &t->bracket;
        if (*mark == SIZE_MAX)
            *mark = i - from;
    }
    t->s = slice_sub(r->s, from, i);
    return i;
}

static void read_comment(struct reader *r, size_t from, size_t end)
{
    struct token t = {.number = 0};
    for (size_t i = from; i < end;) {
        if (kinds[r->s.data[i]] & ENDS_TOKEN) {
            if (!byte_is_blank(r->s.data[i]))
                t.before = (struct slice){NULL, 0};
            i++;
            continue;
        }
        i = next_token(r, i, end, &t);
        if (t.s.len == end - from && take_address(r, t.s))
            return;
        take_token(r, &t);
        t.before = t.s;
        t.number++;
    }
}

/* Where the comment ends that begins at r->pos; 0: nowhere. */
static size_t comment_end(struct reader *r)
{
    size_t depth = 0;
    for (size_t i = r->pos;; i++) {
        i = find(r, i, r->s.len, IN_PARENTHESES);
        if (i == r->s.len)
            break;
        uint8_t c = r->s.data[i];
        i += c == '\\';
        depth += c == '(';
        depth -= c == ')';
        if (!depth)
            return i;
    }
    return 0;
}

static void comment(struct reader *r)
{
    size_t end = r->tries < TRIES ? comment_end(r) : 0;
    r->apart = true;
    if (!end) {
        r->tries++;
        r->pos++;
        return;
    }
    read_comment(r, r->pos + 1, end);
    r->pos = end + 1;
}

/* Up to four letters as a number, in any case. */
#define WORD(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static enum clause clause_of(struct slice word)
{
    uint32_t code = 0;
    if (word.len < 2 || word.len > 4)
        return NONE;
    for (size_t i = 0; i < word.len; i++)
        code = code << 8 | byte_lower(word.data[i]);
    switch (code) {
    case WORD('f', 'r', 'o', 'm'):
        return FROM;
    case WORD(0, 0, 'b', 'y'):
        return BY;
    case WORD(0, 'v', 'i', 'a'):
        return VIA;
    case WORD('w', 'i', 't', 'h'):
        return WITH;
    case WORD(0, 0, 'i', 'd'):
        return ID;
    case WORD(0, 'f', 'o', 'r'):
        return FOR;
    case WORD(0, 't', 'l', 's'):
        return TLS;
    default:
        return NONE;
    }
}
#undef WORD

static bool comment_follows(const struct reader *r)
{
    size_t i = r->pos;
    while (i < r->s.len && byte_is_blank(r->s.data[i]))
        i++;
    return i < r->s.len && r->s.data[i] == '(';
}

/* Does the word begin a clause? What follows such a word is a value, whatever it reads; but the host's name
 * behind "from" may have been left out. */
static bool begins(const struct reader *r, enum clause c)
{
    if (c == NONE || (c == TLS && r->clause != WITH))
        return false;
    return !r->fresh || (r->clause == FROM && c == BY && !comment_follows(r));
}

static struct slice bare(struct slice word)
{
    if (word.len < 2 || word.data[0] != '<')
        return word;
    return slice_sub(word, 1, slice_index(word, '>'));
}

/* As one with what stands before it. */
static struct slice extended(struct slice s, struct slice word)
{
    return (struct slice){s.data, (size_t)(word.data - s.data) + word.len};
}

static void from_word(struct reader *r, struct slice word)
{
    struct address a;
    bool is_address = parse_host(word, &a);
    if (r->fresh) {
        r->first = word;
        if (is_address)
            r->first_ip = a;
    } else if (is_address && word.data[0] == '[' && !r->ret->from_ip.family) {
        r->ret->from_ip = a;
        r->apart = true;
    } else if (!r->apart) {
        r->first = extended(r->first, word);
    }
}

static void by_word(struct reader *r, struct slice word)
{
    struct address a;
    if (r->fresh)
        set_once(&r->ret->by, word);
    if ((r->fresh || word.data[0] == '[') && !r->ret->by_ip.family && parse_host(word, &a))
        r->ret->by_ip = a;
}

static void value_word(struct reader *r, struct slice word)
{
    switch (r->clause) {
    case FROM:
        from_word(r, word);
        break;
    case BY:
        by_word(r, word);
        break;
    case WITH:
        if (!r->fresh && !r->apart && r->ret->with.data)
            r->ret->with = extended(r->ret->with, word);
        else if (r->fresh)
            set_once(&r->ret->with, word);
        break;
    case ID:
        if (r->fresh)
            set_once(&r->ret->id, bare(word));
        break;
    case FOR:
        if (r->fresh)
            set_once(&r->ret->recipient, bare(word));
        break;
    case TLS:
        if (r->fresh)
            set_once(&r->ret->tls_cipher, word);
        break;
    case NONE:
    case VIA:
        break;
    }
    r->fresh = false;
}

/* Takes a quoted string and what is in angle brackets whole. */
static struct slice next_word(struct reader *r)
{
    size_t from = r->pos, i = from;
    uint8_t c = r->s.data[i];
    if ((c == '"' || c == '<') && !r->unclosed) {
        struct slice rest = slice_sub(r->s, i + 1, r->s.len);
        size_t close = slice_index(rest, c == '"' ? '"' : '>');
        r->unclosed = close == rest.len;
        i += r->unclosed ? 0 : close + 2;
    }
    r->pos = find(r, i, r->s.len, ENDS_WORD);
    return slice_sub(r->s, from, r->pos);
}

static void word(struct reader *r)
{
    struct slice word = next_word(r);
    enum clause c = clause_of(word);
    if (!begins(r, c)) {
        value_word(r, word);
        return;
    }
    r->clause = c == FROM && r->had_from ? NONE : c;
    r->had_from |= c == FROM;
    r->fresh = true;
    r->apart = false;
}

/* What the words behind "from" are turns on all that follows them. */
static void settle_from(struct reader *r)
{
    struct received *ret = r->ret;
    bool named = r->first.data && !r->first_ip.family, looked_up = ret->from_ip.family;
    if (r->claimed && named)
        set_rdns(r, r->first);
    else if (!r->claimed && (named || looked_up))
        set_once(&ret->from_helo, r->first);
    /* It leaves out what the client said where that is the name it found. */
    if (r->exim && !r->claimed && named && looked_up)
        set_rdns(r, r->first);
    if (!looked_up)
        ret->from_ip = r->first_ip;
}

static void read_date(struct reader *r)
{
    int64_t time;
    if (date_parse(slice_sub(r->s, r->date, r->s.len), &time) && time > 0)
        r->ret->time = (uint64_t)time;
}

/* A clause ends, or the line: behind the last of them there is the date, and nothing else. */
static void semicolon(struct reader *r)
{
    r->date = ++r->pos;
    r->clause = NONE;
    r->fresh = false;
    if (slice_index(slice_sub(r->s, r->pos, r->s.len), ';') < r->s.len - r->pos)
        return;
    read_date(r);
    if (r->ret->time)
        r->pos = r->s.len;
}

void received_parse(struct slice value, struct received *ret)
{
    struct reader r = {.s = value, .date = value.len, .ret = ret};
    *ret = (struct received){.time = 0};
    stops_begin(&r.stops, value);
    while (r.pos < value.len) {
        uint8_t c = value.data[r.pos];
        if (!(kinds[c] & ENDS_WORD))
            word(&r);
        else if (c == '(')
            comment(&r);
        else if (c == ';')
            semicolon(&r);
        else
            r.pos++;
    }
    settle_from(&r);
    if (!ret->time)
        read_date(&r);
}
