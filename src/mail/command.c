/* command.c: one client line to a verb and its argument.
 * In: a line. Out: struct command, slices into the line. Owns: nothing.
 * Knowingly: takes "MAIL FROM <a@b>" and "mail from: a@b", as servers do; keeps source routes as given.
 * Spec: RFC 5321 4.1.1, RFC 3030 (BDAT), RFC 4954 (AUTH), RFC 3207 (STARTTLS), RFC 2033 (LHLO). */
#include "mail/command.h"

#define WORD(text)                                                                                           \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }
static const struct {
    struct slice name;
    enum verb verb;
    bool alone; /* takes no argument */
} words[] = {
    {WORD("HELO"), VERB_HELO, false},
    {WORD("EHLO"), VERB_EHLO, false},
    {WORD("LHLO"), VERB_LHLO, false},
    {WORD("MAIL"), VERB_MAIL, false},
    {WORD("RCPT"), VERB_RCPT, false},
    {WORD("DATA"), VERB_DATA, true},
    {WORD("BDAT"), VERB_BDAT, false},
    {WORD("RSET"), VERB_RSET, true},
    {WORD("QUIT"), VERB_QUIT, true},
    {WORD("NOOP"), VERB_NOOP, false},
    {WORD("VRFY"), VERB_VRFY, false},
    {WORD("EXPN"), VERB_EXPN, false},
    {WORD("HELP"), VERB_HELP, false},
    {WORD("AUTH"), VERB_AUTH, false},
    {WORD("STARTTLS"), VERB_STARTTLS, true},
    {WORD("XCLIENT"), VERB_XCLIENT, false},
    {WORD("X-ANONYMOUSTLS"), VERB_STARTTLS, true}, /* Exchange's own, between its servers */
};

/* Up to the closing bracket outside of quotes, or to the first blank. */
static size_t path_end(struct slice s, bool bracket)
{
    bool quoted = false;
    size_t i, close = bracket ? slice_index(s, '>') : 0;
    /* Most are without quotes. */
    if (bracket && !memchr(s.data, '"', close))
        return close;
    for (i = bracket; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c == '\\' && quoted)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (bracket ? c == '>' : byte_is_blank(c)))
            break;
    }
    return i < s.len ? i : s.len;
}

/* The path after FROM: or TO:. *ret_rest is what stands behind it. */
static struct slice path_of(struct slice s, bool bracket, struct slice *ret_rest)
{
    size_t i = path_end(s, bracket);
    *ret_rest = slice_trim(slice_sub(s, i + bracket, s.len));
    if (bracket && i == 1 && i < s.len)
        return slice_sub(s, 0, 2);
    return slice_sub(s, bracket, i);
}

static bool parse_path(struct slice arg, const char *word, struct command *ret)
{
    size_t len = strlen(word);
    if (!slice_case_starts(arg, word))
        return false;
    struct slice rest = slice_trim_left(slice_sub(arg, len, arg.len));
    if (!rest.len || rest.data[0] != ':')
        return false;
    rest = slice_sub(rest, 1, rest.len);
    struct slice path = slice_trim_left(rest);
    bool bracket = path.len && path.data[0] == '<';
    ret->arg = path_of(path, bracket, &ret->params);
    ret->spaced = path.len < rest.len;
    ret->bare = !bracket;
    ret->strict = !path.len || (bracket && slice_index(path, '>') < path.len);
    return true;
}

static bool parse_chunk(struct slice arg, struct command *ret)
{
    size_t n = slice_number(arg, &ret->size);
    struct slice last = slice_trim(slice_sub(arg, n, arg.len));
    if (!n || ret->size > INT64_MAX || (n < arg.len && !byte_is_blank(arg.data[n])))
        return false;
    if (last.len && !slice_case_eq(last, slice_str("LAST")))
        return false;
    ret->verb = last.len ? VERB_BDAT_LAST : VERB_BDAT;
    ret->strict = true;
    return true;
}

void command_parse(struct slice line, struct command *ret)
{
    size_t end = 0;
    while (end < line.len && !byte_is_blank(line.data[end]))
        end++;
    *ret = (struct command){.verb = line.len ? VERB_OTHER : VERB_EMPTY, .word = slice_sub(line, 0, end)};
    struct slice arg = ret->arg = slice_trim(slice_sub(line, end + 1, line.len));
    size_t i = 0, count = sizeof words / sizeof *words;
    while (i < count && !slice_case_eq(ret->word, words[i].name))
        i++;
    if (i == count)
        return;
    ret->known = true;
    ret->verb = words[i].verb;
    ret->strict = words[i].alone ? arg.len == 0 : false;
    if ((ret->verb == VERB_MAIL && !parse_path(arg, "FROM", ret)) ||
        (ret->verb == VERB_RCPT && !parse_path(arg, "TO", ret)) ||
        (ret->verb == VERB_BDAT && !parse_chunk(arg, ret)))
        ret->verb = VERB_OTHER;
    if (ret->verb == VERB_HELO || ret->verb == VERB_EHLO || ret->verb == VERB_LHLO)
        ret->strict = arg.len > 0;
    if (ret->verb == VERB_NOOP)
        ret->strict = arg.len == 0;
}

const char *verb_name(enum verb verb)
{
    switch (verb) {
    case VERB_NONE:
        return "-";
    case VERB_GREETING:
        return "greeting";
    case VERB_END_OF_DATA:
        return ".";
    case VERB_BDAT_LAST:
        return "BDAT";
    case VERB_EMPTY:
        return "(empty)";
    case VERB_OTHER:
    case VERB_COUNT:
        return "?";
    case VERB_HELO:
    case VERB_EHLO:
    case VERB_LHLO:
    case VERB_MAIL:
    case VERB_RCPT:
    case VERB_DATA:
    case VERB_BDAT:
    case VERB_RSET:
    case VERB_QUIT:
    case VERB_NOOP:
    case VERB_VRFY:
    case VERB_EXPN:
    case VERB_HELP:
    case VERB_AUTH:
    case VERB_STARTTLS:
    case VERB_XCLIENT:
        break;
    }
    size_t i = 0;
    while (words[i].verb != verb)
        i++;
    return (const char *)words[i].name.data;
}

bool verb_fits(enum verb verb, unsigned code)
{
    if (verb == VERB_EMPTY)
        return code >= 500;
    if (code >= 400)
        return true;
    switch (code) {
    case 354:
        return verb == VERB_DATA || verb == VERB_OTHER;
    case 334:
    case 235:
        return verb == VERB_AUTH || verb == VERB_OTHER; /* Exchange's X-EXPS is an AUTH too */
    case 221:
        return verb == VERB_QUIT;
    case 220:
        return verb == VERB_GREETING || verb == VERB_STARTTLS || verb == VERB_XCLIENT || verb == VERB_OTHER;
    default:
        return verb != VERB_DATA && verb != VERB_GREETING && verb != VERB_STARTTLS;
    }
}
