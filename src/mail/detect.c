/* detect.c: tells SMTP from all else by the first lines of a connection.
 * In: the first bytes of both directions. Out: a verdict. Owns: nothing.
 * Knowingly: FTP greets with 220 too, so a lone greeting counts only where it names SMTP, or on a port of mail.
 * Spec: RFC 5321 3.1, RFC 9110 9.3.6 (CONNECT). */
#include "mail/detect.h"
#include "mail/command.h"
#include "mail/reply.h"

enum strength { NOT, OPEN, WEAK, STRONG };

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
    case VERB_OTHER:
    case VERB_COUNT:
        break;
    }
    return NOT;
}

static enum strength client_strength(struct slice s, bool over, bool from_start)
{
    struct slice line;
    if (!s.len)
        return OPEN;
    if (!first_line(s, over, &line)) {
        /* Binary protocols show at once, and need not be waited for. */
        return s.data[0] < 32 || s.data[0] >= 127 ? NOT : OPEN;
    }
    enum strength best = client_line(line);
    if (from_start || best == STRONG)
        return best;
    /* Picked up amid a connection: a later line may be the first that fits. */
    for (int i = 0; i < 64; i++) {
        s = slice_sub(s, slice_index(s, '\n') + 1, s.len);
        if (!s.len || !first_line(s, over, &line))
            break;
        enum strength next = client_line(line);
        if (next > best)
            best = next;
    }
    return best == NOT && !over && s.len < 4096 ? OPEN : best;
}

static bool names_smtp(struct slice s)
{
    return slice_case_find(s, "SMTP") < s.len || slice_case_find(s, "LMTP") < s.len;
}

static enum strength server_strength(struct slice s, bool over, bool from_start)
{
    struct slice line;
    struct reply_line r;
    if (!s.len)
        return OPEN;
    if (s.data[0] < '2' || s.data[0] > '5')
        return NOT;
    if (!first_line(s, over, &line))
        return OPEN;
    if (!reply_line_parse(line, &r))
        return NOT;
    if (names_smtp(s) && r.code == 220)
        return STRONG;
    if (from_start)
        return r.code == 220 || r.code == 421 || r.code == 554 || r.code == 521 ? WEAK : NOT;
    if (r.code == 354 || slice_find(s, "\n354 ") < s.len)
        return STRONG;
    return r.code == 250 || r.code == 220 || r.code >= 400 ? WEAK : NOT;
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

static enum detected judge(enum strength client, enum strength server, const struct detect_input *in)
{
    if (client == NOT || server == NOT)
        return DETECT_NO;
    if (client == STRONG || (client == WEAK && server == STRONG) || (client == WEAK && server == WEAK && in->hint))
        return DETECT_SMTP;
    if (in->over) {
        bool lone = client == OPEN && (server == STRONG || (server == WEAK && in->hint));
        return lone || (server == OPEN && client == WEAK && in->hint) ? DETECT_SMTP : DETECT_NO;
    }
    return client == OPEN || server == OPEN ? DETECT_MORE : DETECT_NO;
}

static enum detected judge_as(const struct detect_input *in, int client, const size_t skip[2])
{
    struct slice c = slice_sub(in->first[client], skip[client], in->first[client].len);
    struct slice s = slice_sub(in->first[!client], skip[!client], in->first[!client].len);
    bool from_start = in->client >= 0;
    return judge(client_strength(c, in->over, from_start), server_strength(s, in->over, from_start), in);
}

enum detected detect_smtp(const struct detect_input *in, int *ret_client, size_t ret_skip[2])
{
    ret_skip[0] = ret_skip[1] = 0;
    if (tunnel(in, ret_skip)) {
        if (!ret_skip[0] || !ret_skip[1])
            return in->over || in->first[0].len > 4000 || in->first[1].len > 4000 ? DETECT_NO : DETECT_MORE;
    }
    if (in->client >= 0) {
        struct slice c = in->first[in->client];
        if (in->hint && !in->first[!in->client].len && c.len >= 2 && c.data[0] == 0x16 && c.data[1] == 3)
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
