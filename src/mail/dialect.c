/* dialect.c: what a client's own software shows in how it speaks, to one short text.
 * In: commands, names of header fields. Out: the text. Owns: a few bytes a session. Limits: ORDER_MOST
 * commands, PARAMS_MOST parameters. Knowingly: parts depend on what the server offers, so that they stand
 * apart; what is behind TLS is not seen. Spec: docs/dialect.md; FNV-1a of 64 bits for the hash. */
#include "mail/dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include "base/memory.h"

enum { ORDER_MOST = 16, PARAMS_MOST = 8 };

/* Bits of what was seen. */
enum { CASE_UPPER = 1, CASE_LOWER = 2, CASE_TITLE = 4, CASE_OTHER = 8 };
enum { END_CRLF = 1, END_LF = 2 };
enum { NAME_LOWER = 1, NAME_UPPER = 2, NAME_TITLE = 4, NAME_SHORT_UPPER = 8, NAME_SHORT_TITLE = 16 };

struct dialect {
    uint64_t hash; /* of the header's names */
    uint32_t mail; /* whose header it is; 0: none yet */
    char order[ORDER_MOST], params[PARAMS_MOST];
    uint8_t order_len, params_len;
    uint8_t words, ends, names; /* bits */
    uint8_t fields;             /* names in the hash, up to 99 */
    char hello, argument, path; /* 0: none yet */
    bool long_order, done, quit, early, pipelines, heard, mailed, relayed;
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

static uint8_t case_of(struct slice word)
{
    size_t upper = 0;
    for (size_t i = 0; i < word.len; i++)
        upper += !is_lower(word.data[i]);
    if (upper == word.len)
        return CASE_UPPER;
    if (!upper)
        return CASE_LOWER;
    return upper == 1 && is_upper(word.data[0]) ? CASE_TITLE : CASE_OTHER;
}

static char argument_kind(struct slice arg)
{
    struct address a;
    bool dot = slice_index(arg, '.') < arg.len;
    if (!arg.len)
        return 'n';
    if (arg.data[0] == '[')
        return arg.data[arg.len - 1] == ']' ? 'l' : 'o';
    if (address_parse(arg, &a))
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

static void take_path(struct dialect *d, uint8_t form)
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
        *pd = calloc(1, sizeof **pd);
        memory_check(*pd);
        (*pd)->hash = 0xcbf29ce484222325;
    }
    struct dialect *d = *pd;
    if (ev->word.len)
        d->words |= case_of(ev->word);
    d->ends |= ev->form & FORM_LF ? END_LF : END_CRLF;
    d->early |= (ev->form & FORM_EARLY) != 0;
    d->pipelines |= (ev->form & FORM_PIPELINED) != 0;
    d->heard |= (ev->form & FORM_HEARD) != 0;
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
    static const char *const names[] = {"received",
                                        "return-path",
                                        "delivered-to",
                                        "x-received",
                                        "x-original-to",
                                        "received-spf",
                                        "cc",
                                        "bcc",
                                        "reply-to",
                                        "in-reply-to",
                                        "references",
                                        "dkim-signature",
                                        "x-cc",
                                        "x-bcc",
                                        "x-forwarded-to",
                                        "authentication-results",
                                        "domainkey-signature"};
    static const char *const starts[] = {"arc-", "resent-", "x-spam-", "x-virus-", "x-google-dkim-"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (byte_lower(name.data[0]) == (uint8_t)names[i][0] && slice_case_eq(name, slice_str(names[i])))
            return true;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (byte_lower(name.data[0]) == (uint8_t)starts[i][0] && slice_case_starts(name, starts[i]))
            return true;
    return false;
}

/* Of one word of a name. Those that are not in capitals everywhere are told from others by two: ID and MIME.
 */
static uint8_t name_case(struct slice word, bool vendors)
{
    if (word.len < 2)
        return is_lower(word.len ? word.data[0] : 0) ? NAME_LOWER : 0;
    uint8_t kind = case_of(word);
    bool known = slice_case_eq(word, slice_str("ID")) || slice_case_eq(word, slice_str("MIME"));
    if (is_lower(word.data[0]))
        return NAME_LOWER;
    if (kind == CASE_UPPER)
        return known ? NAME_SHORT_UPPER : vendors ? 0 : NAME_UPPER;
    return known && kind == CASE_TITLE ? NAME_SHORT_TITLE : NAME_TITLE;
}

static uint8_t name_cases(struct slice name)
{
    bool vendors = slice_case_starts(name, "x-");
    uint8_t cases = 0;
    while (name.len) {
        size_t end = slice_index(name, '-');
        cases |= name_case(slice_sub(name, 0, end), vendors);
        name = slice_sub(name, end + 1, name.len);
    }
    return cases;
}

void dialect_header(struct dialect *d, uint32_t number, struct slice name)
{
    if (!d || (d->mail && d->mail != number) || !name.len)
        return;
    d->mail = number;
    d->relayed |= slice_case_eq(name, slice_str("received"));
    if (is_left_out(name))
        return;
    for (size_t i = 0; i < name.len; i++)
        d->hash = (d->hash ^ byte_lower(name.data[i])) * 0x100000001b3;
    d->hash = (d->hash ^ '\n') * 0x100000001b3;
    d->fields += d->fields < 99;
    d->names |= name_cases(name);
}

static char words_letter(const struct dialect *d)
{
    switch (d->words) {
    case 0:
        return 'n';
    case CASE_UPPER:
        return 'u';
    case CASE_LOWER:
        return 'l';
    case CASE_TITLE:
        return 'c';
    }
    return 'm';
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
    return !d->heard ? 'x' : d->early ? 'e' : d->pipelines ? 'p' : 's';
}

size_t dialect_text(const struct dialect *d, char ret[static DIALECT_TEXT])
{
    char header[24] = "0";
    if (!d)
        return 0;
    if (d->fields)
        snprintf(header, sizeof header, "%c%c%02u-%08x", d->relayed ? 'r' : 'h', names_letter(d), d->fields,
                 (unsigned)(d->hash >> 32 ^ (d->hash & 0xffffffff)));
    int len = snprintf(ret, DIALECT_TEXT, "sd1_%c%c%c%c%c%c_%.*s%s%s_%.*s_%s", d->hello ? d->hello : 'n',
                       words_letter(d), d->argument ? d->argument : 'n',
                       d->ends == END_CRLF ? 'c'
                       : d->ends == END_LF ? 'l'
                                           : 'm',
                       d->path ? d->path : 'n', step_letter(d), d->order_len, d->order,
                       d->long_order ? "+" : "", d->quit ? "Q" : "", d->params_len ? d->params_len : 1,
                       d->params_len ? d->params : "0", header);
    return (size_t)len;
}

void dialect_free(struct dialect **d)
{
    free(*d);
    *d = NULL;
}
