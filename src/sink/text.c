/* text.c: a line a mail, for the eye.
 * In: records. Out: lines without control characters, whatever the wire held. Owns: the line under construction.
 * Knowingly: columns are counted in characters, so wide ones (CJK) shift the rest. */
#include <time.h>
#include "sink/output.h"

enum { RED = 31, GREEN = 32, YELLOW = 33, DIM = 2 };

static void color(struct sink *snk, int code)
{
    if (snk->set.color)
        buf_printf(&snk->line, "\033[%dm", code);
}

/* Controls, and the signs that turn the direction of writing, could make the terminal show what is not there. */
static bool is_unsafe(struct slice c)
{
    if (c.len == 1)
        return c.data[0] < 32 || c.data[0] == 127;
    if (c.len == 2)
        return c.data[0] == 0xc2 && c.data[1] < 0xa0;
    if (c.len != 3 || c.data[0] != 0xe2)
        return false;
    return (c.data[1] == 0x80 && c.data[2] >= 0x8b && c.data[2] <= 0xae) || (c.data[1] == 0x81 && c.data[2] >= 0xa0 && c.data[2] <= 0xaf);
}

/* At most `most` characters, "..." where more follow. Returns how many columns it took. */
static size_t add_text(struct buf *out, struct slice s, size_t most)
{
    size_t columns = 0;
    for (size_t i = 0; i < s.len; columns++) {
        if (columns == most) {
            buf_add_str(out, "...");
            return columns + 3;
        }
        size_t n = output_utf8(slice_sub(s, i, s.len));
        struct slice c = slice_sub(s, i, i + (n ? n : 1));
        if (!n || is_unsafe(c))
            buf_add_byte(out, c.data[0] == '\t' || c.data[0] == '\n' ? ' ' : '?');
        else
            buf_add(out, c);
        i += c.len;
    }
    return columns;
}

static void pad(struct buf *out, size_t columns, size_t width)
{
    do
        buf_add_byte(out, ' ');
    while (++columns < width);
}

static void add_time(struct buf *out, struct timespec ts)
{
    char text[64];
    struct tm tm;
    time_t sec = ts.tv_sec;
    if (!gmtime_r(&sec, &tm))
        memset(&tm, 0, sizeof tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S  ", &tm);
    buf_add_str(out, text);
}

static void add_ends(struct buf *out, const struct connection *id)
{
    char from[ADDRESS_TEXT], to[ADDRESS_TEXT];
    size_t columns = address_text(&id->orig.addr, from) + address_text(&id->resp.addr, to) + 4;
    buf_printf(out, "%s -> %s", from, to);
    pad(out, columns, 34);
}

static void add_outcome(struct sink *snk, const struct transaction *t)
{
    uint64_t code = 0;
    struct slice reply = t->last_error.len ? t->last_error : t->last_reply;
    if (!slice_number(slice_sub(t->last_reply, 0, 3), &code)) {
        color(snk, DIM);
        buf_add_str(&snk->line, "no reply");
    } else if (code < 400) {
        color(snk, GREEN);
        buf_add_str(&snk->line, "ok ");
        add_text(&snk->line, slice_sub(t->last_reply, 0, 3), 3);
        if (t->last_error.len) {
            color(snk, YELLOW);
            buf_add_str(&snk->line, " after ");
            add_text(&snk->line, reply, 70);
        }
    } else {
        color(snk, code < 500 ? YELLOW : RED);
        buf_add_str(&snk->line, "refused ");
        add_text(&snk->line, t->last_reply, 110);
    }
    color(snk, 0);
}

static void add_files(struct buf *out, const struct file_list *files)
{
    for (size_t i = 0; i < files->len && i < 3; i++) {
        buf_add_str(out, i ? ", " : "  [");
        add_text(out, files->items[i].name, 30);
    }
    if (files->len > 3)
        buf_printf(out, ", +%zu", files->len - 3);
    if (files->len)
        buf_add_byte(out, ']');
}

static void add_flags(struct sink *snk, const struct flags *flags)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if (!*(const bool *)((const char *)flags + flag_table[i].offset))
            continue;
        color(snk, YELLOW);
        buf_printf(&snk->line, " !%s", flag_table[i].name);
        color(snk, 0);
    }
}

static void mail_line(struct sink *snk, const struct transaction *t)
{
    struct buf *out = &snk->line;
    add_time(out, t->ts);
    add_ends(out, &t->id);
    size_t columns = t->mailfrom.data ? add_text(out, t->mailfrom, 40) : add_text(out, slice_str("(sender not seen)"), 40);
    buf_add_str(out, " -> ");
    columns += 4 + (t->rcptto.len ? add_text(out, t->rcptto.items[0], 40) : add_text(out, slice_str("(no recipient)"), 40));
    if (t->rcptto.len > 1) {
        buf_printf(out, " +%zu", t->rcptto.len - 1);
        columns += 3;
    }
    pad(out, columns, 52);
    if (t->subject.data) {
        buf_add_byte(out, '"');
        add_text(out, t->subject, 50);
        buf_add_byte(out, '"');
        add_files(out, &t->files);
        buf_add_str(out, "  ");
    }
    add_outcome(snk, t);
    add_flags(snk, &t->flags);
}

static void session_line(struct sink *snk, const struct session *s)
{
    struct buf *out = &snk->line;
    color(snk, DIM);
    add_time(out, s->ts);
    add_ends(out, &s->id);
    buf_add_str(out, "no mail seen");
    if (s->tls) {
        buf_add_str(out, ", TLS by ");
        add_text(out, s->tls_start, 20);
    }
    if (s->helo.len) {
        buf_add_str(out, ", helo ");
        add_text(out, s->helo, 40);
    }
    buf_add_str(out, ", ended ");
    add_text(out, s->end, 20);
    color(snk, 0);
    add_flags(snk, &s->flags);
}

static int text_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = output_new(set);
    int err = output_open(snk, 0, "mails", reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static int text_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    buf_clear(&snk->line);
    if (rec->stream == &stream_smtp)
        mail_line(snk, rec->body);
    else if (((const struct session *)rec->body)->mails == 0)
        session_line(snk, rec->body);
    else
        return 0;
    buf_add_byte(&snk->line, '\n');
    return output_write(snk, 0, buf_slice(&snk->line), reterr);
}

const struct sink_ops sink_text = {"text", "a line a mail, for the eye", text_open, text_write, output_close};
