/* find.c: what a mail is found by.
 * In: a mail's record. Out: the texts of its row in the index. Owns: nothing.
 * Knowingly: it narrows a search, which then looks at the columns themselves. */
#include "store/find.h"

#include "base/text.h"

static void add_word(struct line *out, struct slice s)
{
    line_add(out, s);
    line_byte(out, ' ');
}

static void add_words(struct line *out, const struct text_list *list)
{
    for (size_t i = 0; i < list->len; i++)
        add_word(out, list->items[i]);
}

bool find_key_text(enum find_kind kind, struct slice text, struct line *out)
{
    size_t at = out->len;
    line_byte(out, 'k');
    line_byte(out, (uint8_t)kind);
    size_t begin = out->len;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 'a' - 'A');
        if ((c >= 'a' && c <= 'z') || byte_is_digit(c))
            line_byte(out, c);
    }
    bool any = out->len > begin;
    out->len = any ? out->len : at;
    return any;
}

void find_key_bytes(enum find_kind kind, struct slice bytes, struct line *out)
{
    static const char digits[] = "0123456789abcdef";
    line_byte(out, 'k');
    line_byte(out, (uint8_t)kind);
    for (size_t i = 0; i < bytes.len; i++) {
        line_byte(out, (uint8_t)digits[bytes.data[i] >> 4]);
        line_byte(out, (uint8_t)digits[bytes.data[i] & 15]);
    }
}

void find_key_address(enum find_kind kind, const struct address *a, unsigned bits, struct line *out)
{
    size_t at = out->len, whole = 2 + (a->family == 4 ? 8 : 32);
    find_key_bytes(kind, (struct slice){a->bytes, a->family == 4 ? 4 : 16}, out);
    size_t told = 2 + bits / 4;
    out->len = at + (told < whole ? told : whole);
}

static void add_key_text(enum find_kind kind, struct slice text, struct line *out)
{
    if (text.len && find_key_text(kind, text, out))
        line_byte(out, ' ');
}

static void add_key_address(enum find_kind kind, const struct address *a, struct line *out)
{
    if (!a->family)
        return;
    find_key_address(kind, a, 128, out);
    line_byte(out, ' ');
}

static void add_files(const struct file_list *list, struct line *out)
{
    for (size_t i = 0; i < list->len; i++) {
        if (list->items[i].name.len)
            add_word(out, list->items[i].name);
        for (size_t m = 0; m < list->items[i].members.len; m++)
            add_word(out, list->items[i].members.items[m].name);
    }
}

static void add_hashes(const struct file_list *list, struct line *out)
{
    for (size_t i = 0; i < list->len; i++)
        add_key_text(FIND_SHA256, list->items[i].sha256, out);
}

static void add_keys(const struct transaction *mail, struct line *out)
{
    add_key_text(FIND_DISPOSITION, mail->disposition, out);
    add_key_text(FIND_TLS, slice_str(mail->tls ? "1" : "0"), out);
    add_key_address(FIND_CLIENT, &mail->id.orig.addr, out);
    add_key_address(FIND_SERVER, &mail->id.resp.addr, out);
    for (size_t i = 0; i < mail->path.len; i++)
        add_key_address(FIND_HOP, &mail->path.items[i], out);
    for (size_t i = 0; i < mail->hops.len; i++) {
        add_key_address(FIND_HOP, &mail->hops.items[i].line.from_ip, out);
        add_key_address(FIND_HOP, &mail->hops.items[i].line.by_ip, out);
    }
    find_key_bytes(FIND_UID, mail->id.uid, out);
    line_byte(out, ' ');
    add_hashes(&mail->files, out);
    add_hashes(&mail->parts, out);
    for (size_t i = 0; i < mail->anomalies.len; i++)
        add_key_text(FIND_ANOMALY, slice_str(anomaly_name(mail->anomalies.items[i].which)), out);
    if (!mail->origin)
        return;
    add_key_text(FIND_COUNTRY, mail->origin->country, out);
    if (mail->origin->asn) {
        line_printf(out, "kn%llu ", (unsigned long long)mail->origin->asn);
    }
}

static void add_hosts(const struct transaction *mail, struct line *out)
{
    add_word(out, mail->helo);
    for (size_t i = 0; i < mail->hops.len; i++) {
        add_word(out, mail->hops.items[i].line.from_helo);
        add_word(out, mail->hops.items[i].line.from_rdns);
        add_word(out, mail->hops.items[i].line.by);
    }
}

static void add_text(const struct transaction *mail, struct line *out)
{
    add_word(out, mail->reply.text);
    add_word(out, mail->queue_id);
    add_word(out, mail->msg_id);
    add_word(out, mail->user_agent);
    add_words(out, &mail->tags);
}

void find_texts(const struct transaction *mail, struct line *out, size_t ends[static FIND_COLUMNS])
{
    line_clear(out);
    line_add(out, mail->subject);
    ends[FIND_SUBJECT] = out->len;
    add_word(out, mail->mailfrom);
    add_word(out, mail->from);
    add_word(out, mail->sender);
    add_word(out, mail->reply_to);
    ends[FIND_SENDER] = out->len;
    add_words(out, &mail->rcptto);
    add_words(out, &mail->to);
    add_words(out, &mail->cc);
    ends[FIND_RECIPIENT] = out->len;
    add_files(&mail->files, out);
    add_files(&mail->parts, out);
    ends[FIND_FILE] = out->len;
    for (size_t i = 0; i < mail->urls.len; i++) {
        add_word(out, mail->urls.items[i].url);
        add_word(out, mail->urls.items[i].unwrapped);
    }
    ends[FIND_URL] = out->len;
    add_hosts(mail, out);
    ends[FIND_HOST] = out->len;
    add_text(mail, out);
    ends[FIND_TEXT] = out->len;
    add_keys(mail, out);
    ends[FIND_KEY] = out->len;
}
