/* compose.c: notices to a mail.
 * In: notices, whose texts come from hostile mails. Out: an RFC 5322 message. Owns: nothing. Limits:
 * COMPOSE_BYTES and COMPOSE_NOTICES a mail, SUBJECT_MOST and TEXT_MOST a notice; what is cut shows it.
 * Knowingly: times are UTC. Spec: RFC 5322, 2045 (quoted-printable), 2047, 3834. */
#include "courier/compose.h"

#include <inttypes.h>
#include <time.h>
#include "courier/clean.h"

enum {
    COMPOSE_BYTES = 512 * 1024,
    COMPOSE_NOTICES = 1000,
    SUBJECT_MOST = 200,
    TEXT_MOST = 256 * 1024,
    LINE_MOST = 900, /* of plain text; longer ones are broken by quoted-printable */
    QUOTED_MOST = 75,
    WORD_BYTES = 39, /* of an encoded word: makes 64 characters, and a line of at most 76 with "Subject: " */
};

size_t compose_fits(const struct spool_item *first)
{
    size_t count = 0, bytes = 0;
    for (const struct spool_item *item = first; item && count < COMPOSE_NOTICES; item = item->next) {
        bytes += item->len < TEXT_MOST ? item->len : TEXT_MOST;
        if (count && bytes > COMPOSE_BYTES)
            break;
        count++;
    }
    return count;
}

static void add_base64(struct buf *out, struct slice s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.len; i += 3) {
        struct slice three = slice_sub(s, i, i + 3);
        uint32_t v = (uint32_t)three.data[0] << 16 | (three.len > 1 ? (uint32_t)three.data[1] << 8 : 0) |
                     (three.len > 2 ? three.data[2] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_add_byte(out, k > three.len ? '=' : (uint8_t)digits[v >> (18 - 6 * k) & 63]);
    }
}

/* ASCII goes as it is, unless a reader would take it for an encoded word. */
static void add_subject(struct buf *out, struct slice s, const char *eol)
{
    bool plain = slice_find(s, "=?") == s.len;
    for (size_t i = 0; i < s.len; i++)
        plain = plain && s.data[i] < 0x80;
    buf_add_str(out, "Subject: ");
    if (plain)
        buf_add(out, s);
    for (size_t i = 0; !plain && i < s.len;) {
        size_t len = 0, c;
        while (i + len < s.len && (c = clean_char(slice_sub(s, i + len, s.len))) && len + c <= WORD_BYTES)
            len += c;
        buf_printf(out, "%s=?utf-8?B?", i ? " " : "");
        add_base64(out, slice_sub(s, i, i + len));
        i += len;
        buf_printf(out, "?=%s", i < s.len ? eol : "");
    }
    buf_add_str(out, eol);
}

static void add_date(struct buf *out, int64_t seconds, const char *eol)
{
    /* Not by strftime: the words must not depend on the locale. */
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t;
    time_t when = (time_t)seconds;
    gmtime_r(&when, &t);
    buf_printf(out, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000%s", days + 3 * t.tm_wday, t.tm_mday,
               months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, eol);
}

/* True: 7bit lines can carry it as it is. */
static bool is_plain(struct slice body)
{
    size_t line = 0;
    for (size_t i = 0; i < body.len; i++) {
        line = body.data[i] == '\n' ? 0 : line + 1;
        if (line > LINE_MOST || body.data[i] >= 0x80)
            return false;
    }
    return true;
}

static void add_plain(struct buf *out, struct slice body, const char *eol)
{
    while (body.len) {
        size_t end = slice_index(body, '\n');
        buf_add(out, slice_sub(body, 0, end));
        buf_add_str(out, eol);
        body = slice_sub(body, end + 1, body.len);
    }
}

static void add_quoted(struct buf *out, struct slice body, const char *eol)
{
    size_t column = 0;
    for (size_t i = 0; i < body.len; i++) {
        uint8_t c = body.data[i];
        bool last = i + 1 == body.len || body.data[i + 1] == '\n';
        bool literal = c >= ' ' ? c < 0x7f && c != '=' && !(c == ' ' && last) : c == '\t' && !last;
        if (c == '\n') {
            buf_add_str(out, eol);
            column = 0;
            continue;
        }
        if (column + (literal ? 1 : 3) > QUOTED_MOST) {
            buf_printf(out, "=%s", eol);
            column = 0;
        }
        if (literal)
            buf_add_byte(out, c);
        else
            buf_printf(out, "=%02X", c);
        column += literal ? 1 : 3;
    }
}

static struct slice subject_of(const struct spool_item *item)
{
    struct slice s = spool_bytes(item);
    return slice_sub(s, 0, slice_index(s, '\n'));
}

static struct slice text_of(const struct spool_item *item)
{
    struct slice s = spool_bytes(item);
    return slice_sub(s, slice_index(s, '\n') + 1, s.len);
}

/* Clean lines that end with LF. */
static void add_notice(struct buf *body, const struct spool_item *item, size_t number, size_t count)
{
    if (count > 1) {
        buf_printf(body, "%s[%zu/%zu] ", number > 1 ? "\n" : "", number, count);
        clean_line(body, subject_of(item), SUBJECT_MOST);
        buf_add_str(body, "\n\n");
    }
    clean_text(body, text_of(item), TEXT_MOST);
    if (!body->len || body->data[body->len - 1] != '\n')
        buf_add_byte(body, '\n');
}

static void add_head(struct buf *out, const struct compose_head *head, const struct spool_item *first,
                     size_t count)
{
    struct buf subject;
    buf_init(&subject, 8 * SUBJECT_MOST);
    buf_printf(out, "From: %s%sTo: ", head->from, head->eol);
    for (size_t i = 0; i < head->to_count; i++) {
        if (i)
            buf_printf(out, ",%s ", head->eol);
        buf_add_str(out, head->to[i]);
    }
    buf_add_str(out, head->eol);
    buf_add_str(&subject, "[mailtap] ");
    if (count > 1)
        buf_printf(&subject, "%zu notices", count);
    else
        clean_line(&subject, subject_of(first), SUBJECT_MOST);
    add_subject(out, buf_slice(&subject), head->eol);
    buf_free(&subject);
    add_date(out, head->time, head->eol);
    buf_printf(out, "Message-ID: %s%s", head->message_id, head->eol);
    buf_printf(out, "Auto-Submitted: auto-generated%s", head->eol);
    buf_printf(out, "MIME-Version: 1.0%sContent-Type: text/plain; charset=utf-8%s", head->eol, head->eol);
}

void compose(struct buf *ret, const struct compose_head *head, const struct spool_item *first, size_t count)
{
    struct buf body;
    const struct spool_item *item = first;
    buf_init(&body, SIZE_MAX / 2); /* compose_fits bounds it */
    buf_clear(ret);
    for (size_t i = 1; i <= count && item; i++, item = item->next)
        add_notice(&body, item, i, count);
    bool plain = is_plain(buf_slice(&body));
    add_head(ret, head, first, count);
    buf_printf(ret, "Content-Transfer-Encoding: %s%s%s", plain ? "7bit" : "quoted-printable", head->eol,
               head->eol);
    if (plain)
        add_plain(ret, buf_slice(&body), head->eol);
    else
        add_quoted(ret, buf_slice(&body), head->eol);
    buf_free(&body);
}
