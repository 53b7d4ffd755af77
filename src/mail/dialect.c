/* dialect.c: what a client's own software shows in how it speaks, to one short text.
 * In: commands, names of header fields. Out: the text. Owns: a few bytes a session. Limits: ORDER_MOST
 * commands, PARAMS_MOST parameters. Knowingly: parts depend on what the server offers, so that they stand
 * apart; what is behind TLS is not seen. Spec: docs/dialect.md; FNV-1a of 64 bits for the hash. */
#include "mail/dialect.h"

#include <stdlib.h>
#include "base/memory.h"

enum { ORDER_MOST = 16, PARAMS_MOST = 8 };
#define FNV_BASIS 0xcbf29ce484222325
#define FNV_PRIME 0x100000001b3

/* Bits of what was seen. */
enum { WORDS = FORM_UPPER | FORM_LOWER | FORM_TITLE | FORM_MIXED };
enum { END_CRLF = 1, END_LF = 2 };
enum { NAME_LOWER = 1, NAME_UPPER = 2, NAME_TITLE = 4, NAME_SHORT_UPPER = 8, NAME_SHORT_TITLE = 16 };

struct dialect {
    uint64_t hash; /* of the header's names */
    uint32_t mail; /* whose header it is; 0: none yet */
    char order[ORDER_MOST], params[PARAMS_MOST];
    uint8_t order_len, params_len;
    uint16_t forms;             /* bits of all commands */
    uint8_t ends, names;        /* bits */
    uint8_t fields;             /* names in the hash, up to 99 */
    char hello, argument, path; /* 0: none yet */
    bool long_order, done, quit, mailed, relayed;
};

/* What each verb is in the order; 0: it is left out. */
static const char letters[VERB_COUNT] = {
    [VERB_HELO] = 'H',     [VERB_EHLO] = 'E',    [VERB_LHLO] = 'L',      [VERB_MAIL] = 'M', [VERB_RCPT] = 'R',
    [VERB_DATA] = 'D',     [VERB_BDAT] = 'B',    [VERB_BDAT_LAST] = 'B', [VERB_RSET] = 'T', [VERB_QUIT] = 'Q',
    [VERB_NOOP] = 'N',     [VERB_VRFY] = 'V',    [VERB_EXPN] = 'V',      [VERB_HELP] = 'P', [VERB_AUTH] = 'A',
    [VERB_STARTTLS] = 'S', [VERB_XCLIENT] = 'X', [VERB_OTHER] = 'O'};

static bool is_upper(uint8_t c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(uint8_t c)
{
    return c >= 'a' && c <= 'z';
}

static char argument_kind(struct slice arg)
{
    struct address a;
    bool dot = slice_index(arg, '.') < arg.len;
    if (!arg.len)
        return 'n';
    if (arg.data[0] == '[')
        return arg.data[arg.len - 1] == ']' ? 'l' : 'o';
    bool like_address = byte_is_digit(arg.data[0]) || slice_index(arg, ':') < arg.len;
    if (like_address && address_parse(arg, &a))
        return 'i';
    for (size_t i = 0; i < arg.len; i++) {
        uint8_t c = arg.data[i];
        if (!is_upper(c) && !is_lower(c) && !byte_is_digit(c) && c != '-' && c != '.' && c != '_')
            return 'o';
    }
    return dot ? 'f' : 'b';
}

static void take_hello(struct dialect *d, const struct smtp_event *ev)
{
    char kind = ev->verb == VERB_EHLO ? 'e' : ev->verb == VERB_HELO ? 'h' : 'l';
    if (!d->hello)
        d->argument = argument_kind(ev->text);
    /* HELO behind EHLO: it falls back where that is refused. */
    d->hello = d->hello == 'e' && kind == 'h' ? 'f' : d->hello ? d->hello : kind;
}

static void take_path(struct dialect *d, unsigned form)
{
    static const char kinds[] = {'t', 's', 'b', 'w'};
    char kind = kinds[(form & FORM_SPACED ? 1 : 0) + (form & FORM_BARE ? 2 : 0)];
    d->path = d->path && d->path != kind ? 'm' : kind;
}

static char parameter(struct slice word)
{
    static const struct {
        const char *name;
        char letter;
    } known[] = {{"SIZE", 'S'},  {"BODY", 'B'}, {"SMTPUTF8", 'U'},  {"RET", 'T'},
                 {"ENVID", 'I'}, {"AUTH", 'A'}, {"REQUIRETLS", 'R'}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_case_eq(word, slice_str(known[i].name)))
            return known[i].letter;
    return 'Y';
}

/* Of the first MAIL. */
static void take_params(struct dialect *d, struct slice rest)
{
    while ((rest = slice_trim_left(rest)).len && d->params_len < PARAMS_MOST) {
        size_t end = 0;
        while (end < rest.len && !byte_is_blank(rest.data[end]))
            end++;
        struct slice word = slice_sub(rest, 0, end);
        d->params[d->params_len++] = parameter(slice_sub(word, 0, slice_index(word, '=')));
        rest = slice_sub(rest, end, rest.len);
    }
}

/* Up to the first message: how many mails follow is not the software's. One command after itself is one. */
static void take_order(struct dialect *d, enum verb verb)
{
    char letter = letters[verb];
    if (d->done || !letter || verb == VERB_QUIT || (d->order_len && d->order[d->order_len - 1] == letter))
        return;
    d->done = letter == 'D' || letter == 'B';
    if (d->order_len < ORDER_MOST)
        d->order[d->order_len++] = letter;
    else
        d->long_order = true;
}

void dialect_command(struct dialect **pd, const struct smtp_event *ev)
{
    if (!*pd) {
        *pd = malloc(sizeof **pd);
        memory_check(*pd);
        **pd = (struct dialect){.hash = FNV_BASIS};
    }
    struct dialect *d = *pd;
    d->forms |= ev->form;
    d->ends |= ev->form & FORM_LF ? END_LF : END_CRLF;
    d->quit |= ev->verb == VERB_QUIT;
    if (ev->verb == VERB_EHLO || ev->verb == VERB_HELO || ev->verb == VERB_LHLO)
        take_hello(d, ev);
    if (ev->verb == VERB_MAIL || ev->verb == VERB_RCPT)
        take_path(d, ev->form);
    if (ev->verb == VERB_MAIL && !d->mailed)
        take_params(d, ev->params);
    d->mailed |= ev->verb == VERB_MAIL;
    take_order(d, ev->verb);
}

/* What servers on the way add, or what depends on what a mail answers and to whom it goes. */
static bool is_left_out(struct slice name)
{
    static const struct row {
        uint8_t len;
        bool prefix;
        char name[22];
    } rows[] = {
#define WHOLE(text) {sizeof text - 1, false, text}
#define START(text)                                                                                          \
    {                                                                                                        \
        sizeof text - 1, true, text                                                                          \
    }
        START("authentication-result"),
        START("arc-"),
        WHOLE("bcc"),
        WHOLE("cc"),
        WHOLE("delivered-to"),
        WHOLE("dkim-signature"),
        WHOLE("domainkey-signature"),
        WHOLE("in-reply-to"),
        WHOLE("received"),
        WHOLE("return-path"),
        WHOLE("received-spf"),
        WHOLE("reply-to"),
        WHOLE("references"),
        START("resent-"),
        WHOLE("x-received"),
        WHOLE("x-original-to"),
        WHOLE("x-cc"),
        WHOLE("x-bcc"),
        WHOLE("x-forwarded-to"),
        START("x-spam-"),
        START("x-virus-"),
        START("x-google-dkim-")
#undef WHOLE
#undef START
    };
    /* Where those of a letter begin, from 'a' on; and behind the last. */
    static const uint8_t first[] = {0, 2, 3, 4, 7,  7,  7,  7,  7,  8,  8,  8,  8, 8,
                                    8, 8, 8, 8, 14, 14, 14, 14, 14, 14, 22, 22, 22};
    unsigned letter = (name.data[0] | 32u) - 'a';
    if (letter >= 26)
        return false;
    for (size_t i = first[letter]; i < first[letter + 1]; i++)
        if ((rows[i].prefix ? name.len >= rows[i].len : name.len == rows[i].len) &&
            slice_case_same(name.data, (const uint8_t *)rows[i].name, rows[i].len))
            return true;
    return false;
}

static bool is_known(struct slice word)
{
    return (word.len == 2 && slice_case_same(word.data, (const uint8_t *)"id", 2)) ||
           (word.len == 4 && slice_case_same(word.data, (const uint8_t *)"mime", 4));
}

/* By its first two letters. */
static uint8_t word_case(struct slice word, bool vendors)
{
    if (!word.len)
        return 0;
    if (is_lower(word.data[0]))
        return NAME_LOWER;
    if (word.len < 2)
        return 0;
    bool upper = is_upper(word.data[1]);
    if ((word.data[0] | 32) != 'i' && (word.data[0] | 32) != 'm')
        return !upper ? NAME_TITLE : vendors ? 0 : NAME_UPPER;
    if (is_known(word))
        return upper ? NAME_SHORT_UPPER : NAME_SHORT_TITLE;
    return !upper ? NAME_TITLE : vendors ? 0 : NAME_UPPER;
}

/* Into the hash, and what its words are written like. Names that are not in capitals are told from others by
 * two words: ID and MIME. */
static void take_name(struct dialect *d, struct slice name)
{
    bool vendors = name.len > 1 && (name.data[0] | 32) == 'x' && name.data[1] == '-';
    uint64_t hash = d->hash;
    size_t from = 0;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        hash = (hash ^ (c | 32)) * FNV_PRIME; /* a small letter of a capital; hyphens and digits stay */
        if (c == '-') {
            d->names |= word_case(slice_sub(name, from, i), vendors);
            from = i + 1;
        }
    }
    d->names |= word_case(slice_sub(name, from, name.len), vendors);
    d->hash = (hash ^ '\n') * FNV_PRIME;
    d->fields += d->fields < 99;
}

void dialect_header(struct dialect *d, uint32_t number, struct slice name)
{
    if (!d || (d->mail && d->mail != number) || !name.len)
        return;
    d->mail = number;
    if (name.len == 8)
        d->relayed |= slice_case_eq(name, slice_str("received"));
    if (is_left_out(name))
        return;
    take_name(d, name);
}

static char words_letter(const struct dialect *d)
{
    unsigned words = d->forms & WORDS;
    if (words == FORM_UPPER)
        return 'u';
    if (words == FORM_LOWER)
        return 'l';
    return words == FORM_TITLE ? 'c' : words ? 'm' : 'n';
}

static char names_letter(const struct dialect *d)
{
    uint8_t shorts = d->names & (NAME_SHORT_UPPER | NAME_SHORT_TITLE);
    uint8_t kinds = d->names & (NAME_LOWER | NAME_UPPER | NAME_TITLE);
    if (kinds == NAME_LOWER && !shorts)
        return 'l';
    if (kinds == NAME_UPPER && !(shorts & NAME_SHORT_TITLE))
        return 'u';
    if (kinds & (NAME_LOWER | NAME_UPPER))
        return 'o';
    if (shorts == NAME_SHORT_UPPER)
        return 'i';
    if (shorts == NAME_SHORT_TITLE)
        return 'c';
    return shorts ? 'm' : 'n';
}

static char step_letter(const struct dialect *d)
{
    if (!(d->forms & FORM_HEARD))
        return 'x';
    return d->forms & FORM_EARLY ? 'e' : d->forms & FORM_PIPELINED ? 'p' : 's';
}

static char *put_header(const struct dialect *d, char *p)
{
    static const char hex[] = "0123456789abcdef";
    uint32_t hash = (uint32_t)(d->hash >> 32 ^ d->hash);
    if (!d->fields) {
        *p++ = '0';
        return p;
    }
    *p++ = d->relayed ? 'r' : 'h';
    *p++ = names_letter(d);
    *p++ = (char)('0' + d->fields / 10);
    *p++ = (char)('0' + d->fields % 10);
    *p++ = '-';
    for (int shift = 28; shift >= 0; shift -= 4)
        *p++ = hex[hash >> shift & 15];
    return p;
}

static char or_none(char c)
{
    return c ? c : 'n';
}

size_t dialect_text(const struct dialect *d, char ret[static DIALECT_TEXT])
{
    if (!d)
        return 0;
    const char head[] = {'s',
                         'd',
                         '1',
                         '_',
                         or_none(d->hello),
                         words_letter(d),
                         or_none(d->argument),
                         d->ends == END_CRLF ? 'c'
                         : d->ends == END_LF ? 'l'
                                             : 'm',
                         or_none(d->path),
                         step_letter(d),
                         '_'};
    char *p = ret;
    memcpy(p, head, sizeof head);
    p += sizeof head;
    memcpy(p, d->order, d->order_len);
    p += d->order_len;
    if (d->long_order)
        *p++ = '+';
    if (d->quit)
        *p++ = 'Q';
    *p++ = '_';
    memcpy(p, d->params_len ? d->params : "0", d->params_len ? d->params_len : 1);
    p += d->params_len ? d->params_len : 1;
    *p++ = '_';
    p = put_header(d, p);
    *p = '\0';
    return (size_t)(p - ret);
}

void dialect_free(struct dialect **d)
{
    free(*d);
    *d = NULL;
}
