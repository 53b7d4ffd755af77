/* text.c: a line a mail, for the eye; a line a notice, and what scripts write.
 * In: records. Out: time (UTC), the server's verdict, client and server, sender and recipients, then what is
 * worth reading: a refusal first, the subject, files, where it came from, doubts. A connection without a mail
 * has a line too. Owns: the line under construction. Limits: the widths below; a refusal is the longest, as
 * block lists are named at its end. */
#include <time.h>
#include "record/notice.h"
#include "sink/cell.h"
#include "sink/output.h"

enum { RED = 31, GREEN = 32, YELLOW = 33, DIM = 2, PLAIN = 0 };
enum {
    WIDTH_HOST = 17,
    WIDTH_ADDRESS = 30,
    WIDTH_SUBJECT = 60,
    WIDTH_REPLY = 200,
    WIDTH_FILE = 32,
    WIDTH_HELO = 40,
    FILES_SHOWN = 3
};

static void color(struct sink *snk, int code)
{
    if (snk->set.color)
        line_printf(&snk->line, "\033[%dm", code);
}

static void add_time(struct sink *snk, struct timespec ts)
{
    char text[64];
    struct tm tm;
    time_t sec = ts.tv_sec;
    if (!gmtime_r(&sec, &tm))
        memset(&tm, 0, sizeof tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%SZ  ", &tm);
    color(snk, DIM);
    line_str(&snk->line, text);
    color(snk, PLAIN);
}

static void add_ends(struct line *out, const struct connection *id)
{
    cell_pad(out, line_address(out, &id->orig.addr), WIDTH_HOST);
    line_str(out, "-> ");
    cell_pad(out, line_address(out, &id->resp.addr), WIDTH_HOST);
}

static uint64_t code_of(struct slice reply)
{
    uint64_t code = 0;
    return slice_number(slice_sub(reply, 0, 3), &code) == 3 ? code : 0;
}

static int color_of(uint64_t code)
{
    return code < 400 ? GREEN : code < 500 ? YELLOW : RED;
}

/* Three signs: the code of the reply that decided, or what stands for it. */
static void add_verdict(struct sink *snk, uint64_t code, const char *otherwise)
{
    color(snk, code ? color_of(code) : DIM);
    if (code)
        line_number(&snk->line, code);
    else
        line_str(&snk->line, otherwise);
    color(snk, PLAIN);
    line_str(&snk->line, "  ");
}

static void add_people(struct line *out, const struct transaction *t)
{
    struct slice sender = t->mailfrom.data ? t->mailfrom : slice_str("(sender not seen)");
    struct slice first = t->rcptto.len ? t->rcptto.items[0] : slice_str("(no recipient)");
    cell_pad(out, cell_address(out, sender, WIDTH_ADDRESS), WIDTH_ADDRESS + 1);
    line_str(out, "-> ");
    size_t columns = cell_address(out, first, WIDTH_ADDRESS);
    if (t->rcptto.len > 1) {
        size_t before = out->len;
        line_printf(out, " +%zu", t->rcptto.len - 1);
        columns += out->len - before;
    }
    cell_pad(out, columns, WIDTH_ADDRESS + 6);
}

static void add_reply(struct sink *snk, uint64_t code, struct slice before, struct slice reply)
{
    color(snk, color_of(code));
    cell_text(&snk->line, before, WIDTH_FILE);
    if (before.len)
        line_byte(&snk->line, ' ');
    cell_text(&snk->line, reply, WIDTH_REPLY);
    color(snk, PLAIN);
    line_str(&snk->line, "  ");
}

static void add_files(struct line *out, const struct file_list *files)
{
    for (size_t i = 0; i < files->len && i < FILES_SHOWN; i++) {
        line_str(out, i ? ", " : "[");
        cell_text(out, files->items[i].name, WIDTH_FILE);
        line_byte(out, ' ');
        cell_size(out, files->items[i].size);
    }
    if (files->len > FILES_SHOWN)
        line_printf(out, ", +%zu", files->len - FILES_SHOWN);
    line_str(out, files->len ? "]  " : "");
}

static void add_origin(struct sink *snk, const struct transaction *t)
{
    struct slice origin = t->x_originating_ip.len ? t->x_originating_ip : t->received_from_originating_ip;
    if (!origin.len && !t->is_webmail)
        return;
    color(snk, DIM);
    if (origin.len) {
        line_str(&snk->line, "origin ");
        cell_text(&snk->line, origin, ADDRESS_TEXT);
    }
    struct address shown;
    /* Of another address, which is more to be trusted, the country would mislead here. */
    if (t->origin && t->origin->country.len && address_parse(origin, &shown) &&
        address_eq(&shown, &t->origin->ip)) {
        line_str(&snk->line, " (");
        cell_text(&snk->line, t->origin->country, 2);
        line_byte(&snk->line, ')');
    }
    if (t->is_webmail)
        line_str(&snk->line, origin.len ? " by webmail" : "webmail");
    color(snk, PLAIN);
    line_str(&snk->line, "  ");
}

/* All but path_cut, which says how the path was asked for, not that something is wrong. */
static void add_flags(struct sink *snk, const struct flags *flags)
{
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        const bool *flag = (const bool *)((const char *)flags + flag_table[i].offset);
        if (!*flag || flag == &flags->path_cut)
            continue;
        color(snk, YELLOW);
        line_byte(&snk->line, '!');
        line_str(&snk->line, flag_table[i].name);
        color(snk, PLAIN);
        line_byte(&snk->line, ' ');
    }
}

static void add_anomalies(struct sink *snk, const struct anomaly_list *list)
{
    for (size_t i = 0; i < list->len; i++) {
        color(snk, YELLOW);
        line_byte(&snk->line, '?');
        line_str(&snk->line, anomaly_name(list->items[i].which));
        color(snk, PLAIN);
        line_byte(&snk->line, ' ');
    }
}

/* Why there is no verdict. */
static const char *fate_of(const struct transaction *t)
{
    if (t->flags.gap || t->flags.one_sided || t->flags.midstream)
        return "no answer seen  ";
    return t->message ? "no answer to the message  " : "not sent  ";
}

static struct slice text_of(struct slice reply)
{
    return slice_trim_left(slice_sub(reply, 3, reply.len));
}

static void mail_line(struct sink *snk, const struct transaction *t)
{
    struct line *out = &snk->line;
    uint64_t code = t->reply.code;
    add_time(snk, t->ts);
    add_verdict(snk, code, "---");
    add_ends(out, &t->id);
    add_people(out, t);
    if (!code)
        line_str(out, fate_of(t));
    if (code >= 400)
        add_reply(snk, code, t->reply.enhanced, t->reply.text);
    if (t->subject.data) {
        line_byte(out, '"');
        cell_text(out, t->subject, WIDTH_SUBJECT);
        line_str(out, "\"  ");
    }
    add_files(out, &t->files);
    if (code < 400 && t->last_error.len)
        add_reply(snk, code_of(t->last_error), slice_str("earlier:"), t->last_error);
    add_origin(snk, t);
    add_flags(snk, &t->flags);
    add_anomalies(snk, &t->anomalies);
}

static void session_line(struct sink *snk, const struct session *s)
{
    struct line *out = &snk->line;
    uint64_t code = code_of(s->last_error);
    add_time(snk, s->ts);
    add_verdict(snk, s->tls ? 0 : code, s->tls ? "TLS" : "---");
    add_ends(out, &s->id);
    color(snk, DIM);
    line_str(out, s->tls ? "encrypted, by " : "no mail");
    if (s->tls)
        cell_text(out, s->tls_start, WIDTH_HELO);
    if (s->helo.len) {
        line_str(out, ", helo ");
        cell_text(out, s->helo, WIDTH_HELO);
    }
    line_printf(out, ", %.1f s, ended by ", s->duration);
    cell_text(out, s->end, WIDTH_HELO);
    color(snk, PLAIN);
    line_str(out, "  ");
    if (!s->tls && code)
        add_reply(snk, code, (struct slice){NULL, 0}, text_of(s->last_error));
    add_flags(snk, &s->flags);
    add_anomalies(snk, &s->anomalies);
}

static void notice_line(struct sink *snk, const struct notice *n)
{
    struct line *out = &snk->line;
    add_time(snk, n->ts);
    color(snk, RED);
    line_str(out, "!!!");
    color(snk, PLAIN);
    line_str(out, "  ");
    if (n->id.uid.len)
        add_ends(out, &n->id);
    color(snk, DIM);
    cell_text(out, n->note, WIDTH_SUBJECT);
    line_str(out, "  ");
    color(snk, RED);
    cell_text(out, n->msg, WIDTH_REPLY);
    color(snk, PLAIN);
    if (n->list.len) {
        line_str(out, ": ");
        cell_text(out, n->list, WIDTH_SUBJECT);
    }
    if (n->folded)
        line_printf(out, n->folded == 1 ? "  once more" : "  %llu times more", (unsigned long long)n->folded);
    if (n->removal.len) {
        line_str(out, "  ");
        cell_text(out, n->removal, WIDTH_REPLY);
    }
    color(snk, DIM);
    line_str(out, "  ");
    cell_text(out, n->sub, WIDTH_REPLY);
    color(snk, PLAIN);
}

static void add_pair(struct line *out, const struct entry_pair *p)
{
    line_byte(out, ' ');
    cell_text(out, p->name, WIDTH_HELO);
    line_byte(out, '=');
    switch (p->kind) {
    case ENTRY_TEXT:
        cell_text(out, p->text, WIDTH_SUBJECT);
        break;
    case ENTRY_INTEGER:
        line_printf(out, "%lld", (long long)p->integer);
        break;
    case ENTRY_NUMBER:
        line_printf(out, "%.15g", p->number);
        break;
    case ENTRY_BOOL:
        line_str(out, p->boolean ? "true" : "false");
        break;
    case ENTRY_TEXTS:
        for (size_t i = 0; i < p->texts.len; i++) {
            line_str(out, i ? "," : "");
            cell_text(out, p->texts.items[i], WIDTH_SUBJECT);
        }
        break;
    }
}

static void entry_line(struct sink *snk, const struct entry *e)
{
    add_time(snk, e->ts);
    line_add(&snk->line, e->stream);
    line_byte(&snk->line, ' ');
    for (size_t i = 0; i < e->count; i++)
        add_pair(&snk->line, &e->pairs[i]);
}

static int text_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = output_new(set, NULL);
    int err = output_open(snk, 0, "mails", reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static int text_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    struct line *line = &snk->line;
    line_clear(line);
    switch (rec->stream->index) {
    case STREAM_SMTP:
        mail_line(snk, rec->body);
        break;
    case STREAM_SESSION:
        if (((const struct session *)rec->body)->mails)
            return 0;
        session_line(snk, rec->body);
        break;
    case STREAM_NOTICE:
        notice_line(snk, rec->body);
        break;
    case STREAM_SOFTWARE:
    case STREAM_STATS:
        return 1;
    case STREAM_ENTRY:
    case STREAMS:
        entry_line(snk, rec->body);
        break;
    }
    while (line->len && line->data[line->len - 1] == ' ')
        line->len--;
    line_byte(line, '\n');
    return output_write(snk, 0, line_slice(line), reterr);
}

const struct sink_ops sink_text = {"text",        "a line a mail, for the eye",
                                   text_open,     text_write,
                                   output_close,  output_tick,
                                   output_reopen, output_counts,
                                   NULL};
