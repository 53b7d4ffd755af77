/* smtp_ext.c: the table of the ancestor, smtp-ext.log.
 * In: records of stream smtp that have a sender. Out: tab-separated rows. Owns: the line under construction.
 * Knowingly: sets stand in the order seen, where the ancestor's order was that of a hash. */
#include "sink/output.h"

static const char header[] = "ts\torig_h\torig_p\tresp_h\tresp_p\thelo\tmessage-id\tin-reply-to\tmailfrom\trcptto\tdate\tfrom\t"
                             "reply_to\tto\tfiles\tlast_reply\tx-originating-ip\tpath\tis_webmail\tagent\n";

static void add_raw(struct buf *out, struct slice s, const char *strip)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];
        if (c && strchr(strip, c))
            continue;
        if (c < 32 || c == 127) {
            buf_add_byte(out, '^');
            buf_add_byte(out, c == 127 ? '?' : (uint8_t)(c + 64));
        } else if (c >= 128) {
            buf_printf(out, "\\x%02x", c);
        } else {
            buf_add_byte(out, c);
        }
    }
}

static void add_text(struct buf *out, struct slice s)
{
    if (s.len)
        add_raw(out, s, "");
    else
        buf_add_str(out, "\\N");
    buf_add_byte(out, '\t');
}

static void add_endpoint(struct buf *out, const struct endpoint *e)
{
    char text[ADDRESS_TEXT];
    address_text(&e->addr, text);
    buf_printf(out, "%s\t%u\t", text, e->port);
}

static void add_set(struct buf *out, const struct text_list *list, const char *strip)
{
    buf_add_byte(out, '{');
    for (size_t i = 0; i < list->len; i++) {
        buf_add_str(out, i ? ", " : "");
        add_raw(out, list->items[i], strip);
    }
    buf_add_str(out, "}\t");
}

static void add_files(struct buf *out, const struct file_list *list)
{
    buf_add_byte(out, '{');
    for (size_t i = 0; i < list->len; i++) {
        buf_add_str(out, i ? ", " : "");
        add_raw(out, list->items[i].name, "'\"");
    }
    buf_add_str(out, "}\t");
}

/* Oldest hop first; without a hop the ancestor had no path. */
static void add_path(struct buf *out, const struct transaction *t)
{
    char text[ADDRESS_TEXT];
    if (t->path.len <= 2 && !t->received_from_originating_ip.data) {
        buf_add_str(out, "\\N\t");
        return;
    }
    buf_add_str(out, t->flags.path_cut ? "... " : "");
    for (size_t i = t->path.len; i-- > 0;) {
        address_text(&t->path.items[i], text);
        buf_add_str(out, text);
        buf_add_str(out, i ? " -> " : "\t");
    }
}

static int ext_open(const struct sink_settings *set, struct sink **ret, struct error *reterr)
{
    struct sink *snk = output_new(set);
    int err = output_open(snk, 0, "smtp-ext", reterr);
    if (!err)
        err = output_write(snk, 0, slice_str(header), reterr);
    if (err)
        output_close(&snk, &(struct error){{0}});
    *ret = snk;
    return err;
}

static int ext_write(struct sink *snk, const struct record *rec, struct error *reterr)
{
    struct buf *line = &snk->line;
    if (rec->stream != &stream_smtp)
        return 0;
    const struct transaction *t = rec->body;
    if (!t->mailfrom.len)
        return 0;
    buf_clear(line);
    buf_printf(line, "%.15g\t", (double)t->ts.tv_sec + (double)t->ts.tv_nsec * 1e-9);
    add_endpoint(line, &t->id.orig);
    add_endpoint(line, &t->id.resp);
    add_text(line, t->helo);
    add_text(line, t->msg_id);
    add_text(line, t->in_reply_to);
    add_text(line, t->mailfrom);
    add_set(line, &t->rcptto, "'\"<>");
    add_text(line, t->date);
    add_text(line, t->from);
    add_text(line, t->reply_to);
    add_set(line, &t->to, "'\"");
    add_files(line, &t->files);
    add_text(line, t->last_error);
    add_text(line, t->x_originating_ip);
    add_path(line, t);
    buf_add_str(line, t->is_webmail ? "T\t" : "F\t");
    add_text(line, t->user_agent);
    line->data[line->len - 1] = '\n';
    return output_write(snk, 0, buf_slice(line), reterr);
}

const struct sink_ops sink_smtp_ext = {"smtp-ext", "the table of smtp-ext.bro", ext_open, ext_write, output_close};
