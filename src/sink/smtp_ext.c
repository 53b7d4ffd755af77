/* smtp_ext.c: the table of the ancestor, smtp-ext.log.
 * In: records of stream smtp that have a sender. Out: tab-separated rows. Owns: the line under construction.
 * Knowingly: sets stand in the order seen, where the ancestor's order was that of a hash; ts is the time of
 * the mail's first command, where the ancestor's was that of the next mail or the connection's end. */
#include "sink/output.h"

static const char columns[] =
    "ts\torig_h\torig_p\tresp_h\tresp_p\thelo\tmessage-id\tin-reply-to\tmailfrom\trcptto\tdate\tfrom\t"
    "reply_to\tto\tfiles\tlast_reply\tx-originating-ip\tpath\tis_webmail\tagent\n";

/* What is not printable ASCII as Bro 1.5 wrote it. */
static void add_byte(struct line *out, uint8_t c)
{
    if (c >= 128) {
        line_hex(out, c);
    } else if (!c) {
        line_str(out, "\\0");
    } else if (c < 32 || c == 127) {
        line_byte(out, '^');
        line_byte(out, c ^ 64);
    } else {
        line_byte(out, c);
    }
}

static void add_raw(struct line *out, struct slice s)
{
    while (s.len) {
        size_t n = line_plain(s, 0, 0);
        line_add(out, (struct slice){s.data, n});
        if (n < s.len)
            add_byte(out, s.data[n]);
        s = slice_sub(s, n + 1, s.len);
    }
}

static void add_text(struct line *out, struct slice s)
{
    if (s.len)
        add_raw(out, s);
    else
        line_str(out, "\\N");
    line_byte(out, '\t');
}

static void add_endpoint(struct line *out, const struct endpoint *e)
{
    line_address(out, &e->addr);
    line_byte(out, '\t');
    line_number(out, e->port);
    line_byte(out, '\t');
}

/* The ancestor kept the brackets, which the record has not. */
static void add_sender(struct line *out, struct slice s)
{
    bool bracketed = s.data[0] == '<';
    line_str(out, bracketed ? "" : "<");
    add_raw(out, s);
    line_str(out, bracketed ? "\t" : ">\t");
}

/* The ancestor took the quotes out of its sets, and the brackets out of that of the recipients. */
static void add_item(struct line *out, struct slice s, bool bare, bool first)
{
    line_str(out, first ? "" : ", ");
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c != '"' && c != '\'' && !(bare && (c == '<' || c == '>')))
            add_byte(out, c);
    }
}

static void add_set(struct line *out, const struct text_list *list, bool bare)
{
    line_byte(out, '{');
    for (size_t i = 0; i < list->len; i++)
        if (!output_is_repeat(list, i))
            add_item(out, list->items[i], bare, i == 0);
    line_str(out, "}\t");
}

static void add_files(struct line *out, const struct file_list *list)
{
    bool first = true;
    line_byte(out, '{');
    for (size_t i = 0; i < list->len; i++) {
        bool repeat = false;
        for (size_t k = i > SEEN_BEFORE ? i - SEEN_BEFORE : 0; k < i && !repeat; k++)
            repeat = slice_eq(list->items[k].name, list->items[i].name);
        if (!repeat)
            add_item(out, list->items[i].name, false, first);
        first &= repeat;
    }
    line_str(out, "}\t");
}

/* Oldest hop first; without a hop the ancestor had no path. */
static void add_path(struct line *out, const struct transaction *t)
{
    if (t->path.len <= 2 && !t->received_from_originating_ip.data) {
        line_str(out, "\\N\t");
        return;
    }
    line_str(out, t->flags.path_cut ? "... " : "");
    for (size_t i = t->path.len; i-- > 0;) {
        line_address(out, &t->path.items[i]);
        line_str(out, i ? " -> " : "\t");
    }
}

static void ext_head(size_t file, time_t now, struct line *out)
{
    (void)file;
    (void)now;
    line_str(out, columns);
}

static int ext_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    static const struct frame frame = {ext_head, NULL, false};
    struct sink *snk = output_new(set, &frame);
    int err = output_open(snk, 0, "smtp-ext", reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static int ext_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    struct line *line = &snk->line;
    if (rec->stream != &stream_smtp)
        return 1;
    const struct transaction *t = rec->body;
    if (!t->mailfrom.len)
        return 0;
    line_clear(line);
    line_printf(line, "%.15g\t", (double)t->ts.tv_sec + (double)t->ts.tv_nsec * 1e-9);
    add_endpoint(line, &t->id.orig);
    add_endpoint(line, &t->id.resp);
    add_text(line, t->helo);
    add_text(line, t->msg_id);
    add_text(line, t->in_reply_to);
    add_sender(line, t->mailfrom);
    add_set(line, &t->rcptto, true);
    add_text(line, t->date);
    add_text(line, t->from);
    add_text(line, t->reply_to);
    add_set(line, &t->to, false);
    add_files(line, &t->files);
    add_text(line, t->last_error);
    add_text(line, t->x_originating_ip);
    add_path(line, t);
    line_str(line, t->is_webmail ? "T\t" : "F\t");
    add_text(line, t->user_agent);
    line->data[line->len - 1] = '\n';
    return output_write(snk, 0, line_slice(line), reterr);
}

const struct sink_ops sink_smtp_ext = {"smtp-ext",    "the table of smtp-ext.bro",
                                       ext_open,      ext_write,
                                       output_close,  output_tick,
                                       output_reopen, output_counts,
                                       NULL};
