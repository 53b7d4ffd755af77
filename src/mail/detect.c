/* detect.c: tells SMTP from all else by the first lines of a connection.
 * In: the first bytes of both directions. Out: a verdict. Owns: nothing.
 * Knowingly: FTP greets with 220 too, so a lone greeting counts only where it names SMTP, or on a port of
 * mail. Spec: RFC 5321 3.1, RFC 9110 9.3.6 (CONNECT). */
#include "mail/detect.h"
#include "mail/command.h"
#include "mail/reply.h"

enum strength { NOT, OPEN, WEAK, STRONG };

struct side_input {
    struct slice bytes;
    bool from_start; /* the connection's beginning was seen */
    bool over;
    bool likely; /* the ports fit this reading of who is the client */
};

/* One complete line, or all there is at the end of the connection; false where it is still growing. */
static bool first_line(struct slice s, bool over, struct slice *ret)
{
    size_t lf = slice_index(s, '\n');
    if (lf == s.len && !over && s.len < 1024)
        return false;
    *ret = slice_trim(slice_sub(s, 0, lf));
    return true;
}

static enum strength client_line(struct slice line)
{
    struct command cmd;
    command_parse(line, &cmd);
    switch (cmd.verb) {
    case VERB_HELO:
    case VERB_EHLO:
    case VERB_LHLO:
        return STRONG;
    case VERB_MAIL:
    case VERB_RCPT:
        return cmd.strict ? STRONG : WEAK;
    case VERB_STARTTLS:
    case VERB_BDAT:
    case VERB_BDAT_LAST:
    case VERB_DATA:
    case VERB_RSET:
    case VERB_QUIT:
    case VERB_NOOP:
    case VERB_HELP:
    case VERB_VRFY:
    case VERB_EXPN:
    case VERB_AUTH:
    case VERB_XCLIENT:
        return WEAK;
    case VERB_NONE:
    case VERB_GREETING:
    case VERB_END_OF_DATA:
    case VERB_EMPTY:
    case VERB_OTHER:
    case VERB_COUNT:
        break;
    }
    return NOT;
}

static bool is_text(struct slice s)
{
    for (size_t i = 0; i < s.len && i < 256; i++)
        if (s.data[i] < ' ' && s.data[i] != '\r' && s.data[i] != '\n' && s.data[i] != '\t')
            return false;
    return s.len > 0;
}

/* The best that any line says. */
static enum strength client_lines(struct slice s, bool over)
{
    enum strength best = NOT;
    struct slice line;
    for (int i = 0; i < 64 && s.len && first_line(s, over, &line); i++) {
        enum strength next = client_line(line);
        best = next > best ? next : best;
        s = slice_sub(s, slice_index(s, '\n') + 1, s.len);
    }
    return best;
}

static enum strength client_strength(const struct side_input *c)
{
    struct slice line;
    if (!c->bytes.len)
        return OPEN;
    if (c->from_start) {
        if (first_line(c->bytes, c->over, &line)) {
            enum strength first = client_line(line);
            /* AUTH, say, may be a word of many protocols; MAIL behind it is not. */
            return first == WEAK ? client_lines(c->bytes, c->over) : first;
        }
        /* Binary protocols show at once, and need not be waited for. */
        return is_text(slice_sub(c->bytes, 0, 1)) ? OPEN : NOT;
    }
    enum strength best = client_lines(c->bytes, c->over);
    if (best != NOT)
        return best;
    if (!c->over)
        return is_text(c->bytes) ? OPEN : NOT;
    /* Amid a message: mails may follow it. */
    return c->likely && is_text(c->bytes) ? WEAK : NOT;
}

static bool names_smtp(struct slice s)
{
    return slice_case_find(s, "SMTP") < s.len || slice_case_find(s, "LMTP") < s.len;
}

/* `exact`: WEAK and STRONG are told apart. */
static enum strength greeting_strength(struct slice line, bool exact)
{
    struct reply_line r;
    if (!reply_line_parse(line, &r))
        return NOT;
    if (exact && r.code == 220 && names_smtp(line))
        return STRONG;
    return r.code == 220 || r.code == 421 || r.code == 554 || r.code == 521 ? WEAK : NOT;
}

/* The first line may be the rest of one, and the last the beginning of one. */
static enum strength reply_strength(const struct side_input *v)
{
    struct slice line, s = v->bytes;
    struct reply_line r;
    enum strength best = OPEN;
    for (int i = 0; i < 64 && s.len && first_line(s, v->over, &line); i++) {
        bool reply = reply_line_parse(line, &r);
        bool whole = slice_index(s, '\n') < s.len;
        if (!reply && i > 0 && whole)
            return best == STRONG ? STRONG : NOT;
        if (reply && (r.code == 354 || (r.code == 220 && names_smtp(line))))
            best = STRONG;
        else if (reply && best == OPEN && (r.code == 250 || r.code == 220 || r.code >= 400))
            best = WEAK;
        s = slice_sub(s, slice_index(s, '\n') + 1, s.len);
    }
    return best == OPEN && !is_text(v->bytes) ? NOT : best;
}

static enum strength server_strength(const struct side_input *v, bool exact)
{
    struct slice line;
    if (!v->bytes.len)
        return OPEN;
    if (!v->from_start)
        return reply_strength(v);
    if (v->bytes.data[0] < '2' || v->bytes.data[0] > '5')
        return NOT;
    if (!first_line(v->bytes, v->over, &line))
        return OPEN;
    /* A long greeting may name SMTP in any line. */
    enum strength first = greeting_strength(line, exact);
    return exact && first == WEAK && names_smtp(v->bytes) && slice_case_starts(line, "220") ? STRONG : first;
}

static size_t http_head(struct slice s)
{
    size_t end = slice_find(s, "\r\n\r\n");
    return end < s.len ? end + 4 : 0;
}

/* CONNECT host:port, answered by 200: what follows is a connection of its own. */
static bool tunnel(const struct detect_input *in, size_t skip[2])
{
    if (in->client < 0)
        return false;
    struct slice c = in->first[in->client], s = in->first[!in->client];
    if (!slice_case_starts(c, "CONNECT ") || (s.len && !slice_case_starts(s, "HTTP/1.")))
        return false;
    skip[in->client] = http_head(c);
    skip[!in->client] = http_head(s);
    return true;
}

static enum detected judge(const struct side_input *c, const struct side_input *v)
{
    enum strength client = client_strength(c);
    /* A client that says what it wants, or may yet, need not be read out of the greeting. */
    enum strength server = server_strength(v, client == NOT || client == WEAK || c->over);
    bool hint = c->likely, lone_server = server == STRONG || (server == WEAK && hint);
    if (server == NOT)
        return DETECT_NO;
    if (client == STRONG || (client == WEAK && lone_server))
        return DETECT_SMTP;
    if (client == NOT && c->from_start) {
        /* The server speaks first in SMTP, so its greeting outweighs what the client says. */
        if (server == STRONG || (server == WEAK && hint && is_text(c->bytes)))
            return DETECT_SMTP;
        return server == OPEN && hint && !c->over ? DETECT_MORE : DETECT_NO;
    }
    if (client == NOT)
        return DETECT_NO;
    if (!c->over)
        return DETECT_MORE;
    bool lone = client == OPEN && lone_server;
    return lone || (server == OPEN && client == WEAK && hint) ? DETECT_SMTP : DETECT_NO;
}

static enum detected judge_as(const struct detect_input *in, int client, const size_t skip[2])
{
    struct side_input sides[2];
    for (int i = 0; i < 2; i++)
        sides[i] = (struct side_input){.bytes = slice_sub(in->first[i], skip[i], in->first[i].len),
                                       .from_start = in->client >= 0 && !in->holed[i],
                                       .over = in->over,
                                       .likely = in->likely == client};
    return judge(&sides[client], &sides[!client]);
}

enum detected detect_smtp(const struct detect_input *in, int *ret_client, size_t ret_skip[2])
{
    ret_skip[0] = ret_skip[1] = 0;
    if (tunnel(in, ret_skip)) {
        if (!ret_skip[0] || !ret_skip[1])
            return in->over ? DETECT_NO : DETECT_MORE;
    }
    if (in->client >= 0) {
        struct slice c = in->first[in->client];
        if (in->tls && !in->first[!in->client].len && c.len >= 2 && c.data[0] == 0x16 && c.data[1] == 3)
            return *ret_client = in->client, DETECT_TLS;
        *ret_client = in->client;
        return judge_as(in, in->client, ret_skip);
    }
    enum detected verdict[2] = {judge_as(in, 0, ret_skip), judge_as(in, 1, ret_skip)};
    for (int i = 0; i < 2; i++) {
        *ret_client = i;
        if (verdict[i] == DETECT_SMTP)
            return DETECT_SMTP;
    }
    return verdict[0] == DETECT_NO && verdict[1] == DETECT_NO ? DETECT_NO : DETECT_MORE;
}
