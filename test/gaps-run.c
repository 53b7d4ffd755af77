/* gaps-run.c: holds real mails to what may come out where bytes of them are missing.
 * usage: gaps-run EVERY FILE...   prints TAP, five checks a file; each EVERY-th offset is tried
 *
 * A connection carries three mails: the file's amid two with marked values in every field. Gaps of several
 * lengths begin at every offset of either side; and each is seen alone. A record that says less or else than
 * without one is flagged, none has words of two mails, and a mail that no gap meets is whole. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "gaps-words.h"
#include "session.h"
#include "sink/json.h"

enum { MAILS = 3, PIECES = 64, RECORDS = 16, DETAIL = 1600 };
enum way { LOCKSTEP, PIPELINED, CHUNKS, WAYS };

/* What one side says at once. Offsets are of that side's stream. */
struct piece {
    enum side side;
    struct slice bytes;
    size_t from;
};

struct talk {
    struct buf bytes;
    struct piece pieces[PIECES];
    size_t at[PIECES]; /* in `bytes`, which moves while it grows */
    size_t count, len[2];
    size_t begin[MAILS][2], end[MAILS][2]; /* of each mail, in both streams */
};

/* The records of one run, and those of the mails in order. */
struct outcome {
    struct buf text;
    size_t from[RECORDS], to[RECORDS];
    size_t mails, sessions;
    size_t session_from;
};

struct bench {
    struct settings set;
    struct smtp_limits smtp;
    struct builder_settings builder;
    struct rule_settings rule_settings;
    struct rules rules;
    struct charsets *charsets;
    struct session_shared shared;
    struct outcome now;
};

static unsigned checks, failures;

static void check(bool good, const char *path, const char *what, size_t count, const char *detail)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    printf("%s %u - %s: %s, %zu runs\n", good ? "ok" : "not ok", ++checks, name, what, count);
    for (const char *line = detail; !good && *line;) {
        size_t len = strcspn(line, "\n");
        printf("#   %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    failures += !good;
}

/* The connection */

static void say(struct talk *t, enum side side, struct slice bytes)
{
    assert(t->count < PIECES);
    t->at[t->count] = t->bytes.len;
    t->pieces[t->count++] = (struct piece){side, {NULL, bytes.len}, t->len[side]};
    buf_add(&t->bytes, bytes);
    t->len[side] += bytes.len;
}

static void say_text(struct talk *t, enum side side, const char *text)
{
    say(t, side, slice_str(text));
}

static void command(struct talk *t, enum way way, struct buf *batch, const char *line, const char *reply)
{
    if (way == PIPELINED) {
        buf_add_str(batch, line);
        return;
    }
    say_text(t, SIDE_CLIENT, line);
    say_text(t, SIDE_SERVER, reply);
}

/* With CRLF at the line ends; dots stuffed where `dots`. */
static void wire_text(struct slice text, bool dots, struct buf *ret)
{
    bool begin = true;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '\n' && !(ret->len && ret->data[ret->len - 1] == '\r'))
            buf_add_byte(ret, '\r');
        if (begin && c == '.' && dots)
            buf_add_byte(ret, '.');
        buf_add_byte(ret, c);
        begin = c == '\n';
    }
    if (!begin)
        buf_add_str(ret, "\r\n");
}

static void say_chunk(struct talk *t, struct slice bytes, const char *last, const char *reply)
{
    struct buf chunk;
    buf_init(&chunk, 64 << 20);
    buf_printf(&chunk, "BDAT %zu%s\r\n", bytes.len, last);
    buf_add(&chunk, bytes);
    say(t, SIDE_CLIENT, buf_slice(&chunk));
    say_text(t, SIDE_SERVER, reply);
    buf_free(&chunk);
}

static void say_message(struct talk *t, enum way way, struct slice text, const char *queued)
{
    struct buf wire;
    buf_init(&wire, 64 << 20);
    wire_text(text, way != CHUNKS, &wire);
    size_t half = wire.len / 2;
    if (way != CHUNKS) {
        buf_add_str(&wire, ".\r\n");
        say(t, SIDE_CLIENT, buf_slice(&wire));
        say_text(t, SIDE_SERVER, queued);
    } else {
        say_chunk(t, slice_sub(buf_slice(&wire), 0, half), "", "250 octets\r\n");
        say_chunk(t, slice_sub(buf_slice(&wire), half, wire.len), " LAST", queued);
    }
    buf_free(&wire);
}

static void say_mail(struct talk *t, enum way way, size_t number, const char *mark, struct slice text)
{
    char line[4][200], reply[4][200];
    struct buf batch;
    buf_init(&batch, 4096);
    snprintf(line[0], 200, "MAIL FROM:<%ssender@%ssource.example>\r\n", mark, mark);
    snprintf(reply[0], 200, "250 2.1.0 %sfrom fine\r\n", mark);
    snprintf(line[1], 200, "RCPT TO:<%sfirst@%starget.example>\r\n", mark, mark);
    snprintf(reply[1], 200, "250 2.1.5 %srcpt fine\r\n", mark);
    snprintf(line[2], 200, "RCPT TO:<%ssecond@%starget.example>\r\n", mark, mark);
    snprintf(reply[2], 200, "450-4.2.2 %smailbox\r\n450 4.2.2 %sgreylisted\r\n", mark, mark);
    snprintf(reply[3], 200, "250 2.0.0 Ok: queued as %squeueid\r\n", mark);
    for (int d = 0; d < 2; d++)
        t->begin[number][d] = t->len[d];
    for (int i = 0; i < 3; i++)
        command(t, way, &batch, line[i], reply[i]);
    if (way != CHUNKS)
        command(t, way, &batch, "DATA\r\n", "354 go on\r\n");
    if (way == PIPELINED) {
        say(t, SIDE_CLIENT, buf_slice(&batch));
        for (int i = 0; i < 3; i++)
            say_text(t, SIDE_SERVER, reply[i]);
        say_text(t, SIDE_SERVER, "354 go on\r\n");
    }
    say_message(t, way, text, reply[3]);
    for (int d = 0; d < 2; d++)
        t->end[number][d] = t->len[d];
    buf_free(&batch);
}

/* A message with its mark, here %, in every field; # is its number. */
static const char template[] =
    "Received: from %hop.example (%hop.example [203.0.113.#])\r\n"
    "\tby %by.example with ESMTP id %id; Mon, 2 Nov 2026 10:00:0# +0000\r\n"
    "Received: from %oldest.example ([203.0.113.5#]) by %hop.example; Mon, 2 Nov 2026 09:00:0# +0000\r\n"
    "Date: %date\r\nFrom: %name <%author@from.example>\r\nTo: %to <%to@to.example>, \r\n"
    " %fold@to.example\r\nCc: %cc@cc.example\r\nReply-To: %reply@re.example\r\n"
    "Message-ID: <%msgid@id.example>\r\nIn-Reply-To: <%parent@id.example>\r\n"
    "Subject: =?utf-8?q?%subject?= %again\r\nX-Originating-IP: [198.18.0.#]\r\nUser-Agent: %agent\r\n"
    "Content-Type: multipart/mixed; boundary=\"%boundary\"\r\n\r\n--%boundary\r\n"
    "Content-Type: text/plain\r\n\r\n%text\r\n.%dotted\r\n--%boundary\r\n"
    "Content-Type: application/%type; name=\"%file.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "QUJDREVGR0g=\r\n--%boundary--\r\n";

static void marked(const char *mark, char number, struct buf *ret)
{
    for (const char *c = template; *c; c++)
        if (*c == '%')
            buf_add_str(ret, mark);
        else
            buf_add_byte(ret, (uint8_t)(*c == '#' ? number : *c));
}

static struct talk *talk_new(enum way way, struct slice mail)
{
    struct talk *t = calloc(1, sizeof *t);
    struct buf first, last;
    assert(t);
    buf_init(&t->bytes, 64 << 20);
    buf_init(&first, 1 << 16);
    buf_init(&last, 1 << 16);
    marked("alpha", '1', &first);
    marked("omega", '2', &last);
    say_text(t, SIDE_SERVER, "220 mx.example.org ESMTP\r\n");
    say_text(t, SIDE_CLIENT, "EHLO client.example.com\r\n");
    say_text(t, SIDE_SERVER, "250-mx.example.org\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n");
    say_mail(t, way, 0, "alpha", buf_slice(&first));
    say_mail(t, way, 1, "middle", mail);
    say_mail(t, way, 2, "omega", buf_slice(&last));
    say_text(t, SIDE_CLIENT, "QUIT\r\n");
    say_text(t, SIDE_SERVER, "221 bye\r\n");
    for (size_t i = 0; i < t->count; i++)
        t->pieces[i].bytes.data = t->bytes.data + t->at[i];
    buf_free(&first);
    buf_free(&last);
    return t;
}

/* A run */

static void on_record(void *ctx, struct record *rec)
{
    struct outcome *o = &((struct bench *)ctx)->now;
    size_t from = o->text.len;
    json_line(rec, &o->text);
    if (rec->stream == &stream_session) {
        o->sessions++;
        o->session_from = from;
    } else if (rec->stream == &stream_smtp && o->mails < RECORDS) {
        o->from[o->mails] = from;
        o->to[o->mails++] = o->text.len;
    }
}

static void on_notice(void *ctx, struct notice *n)
{
    (void)ctx, (void)n;
}

static void bench_init(struct bench *b)
{
    settings_defaults(&b->set);
    b->smtp = (struct smtp_limits){
        b->set.command_bytes,         b->set.reply_bytes, b->set.hold_bytes, (uint32_t)b->set.max_pending,
        (uint32_t)b->set.max_waiting, b->set.auth_user,   b->set.tls_bytes};
    b->builder = (struct builder_settings){.path.capture = PATH_ALL,
                                           .transaction_bytes = b->set.transaction_bytes,
                                           .session_bytes = b->set.session_bytes};
    b->builder.list_items = b->builder.hop_items = b->builder.header_items = b->builder.address_items =
        (uint32_t)b->set.list_items;
    b->builder.url_items = (uint32_t)b->set.url_items;
    b->builder.url_bytes = b->set.url_bytes;
    b->builder.member_items = (uint32_t)b->set.member_items;
    b->builder.mime =
        (struct mime_limits){b->set.header_bytes, b->set.headers_bytes, (uint32_t)b->set.mime_depth,
                             (uint32_t)b->set.mime_parts, b->set.head_bytes};
    b->builder.hash = (enum hash_mode)b->set.hash;
    b->charsets = charsets_new();
    b->rules = (struct rules){.set = &b->rule_settings, .raise = on_notice, .ctx = b};
    rules_init(&b->rules);
    buf_init(&b->now.text, 64 << 20);
    b->shared = (struct session_shared){.set = &b->set,
                                        .smtp = &b->smtp,
                                        .spares = spares_new(&b->builder, b->charsets),
                                        .rules = &b->rules,
                                        .record = on_record,
                                        .ctx = b};
}

static void bench_free(struct bench *b)
{
    spares_free(&b->shared.spares);
    rules_free(&b->rules);
    charsets_free(&b->charsets);
    buf_free(&b->now.text);
}

/* All but the bytes [from, to) of that side; what is not heard at all leaves no gap either. */
static void play(struct bench *b, const struct talk *t, enum side side, size_t from, size_t to,
                 const bool heard[2])
{
    struct flow_info info = {.end = {{{4, {198, 51, 100, 7}}, 40001}, {{4, {192, 0, 2, 25}}, 25}},
                             .heard = {heard[0], heard[1]}};
    buf_clear(&b->now.text);
    b->now.mails = b->now.sessions = 0;
    struct smtp_session *s = session_new(&b->shared, &info);
    for (size_t i = 0; i < t->count; i++) {
        const struct piece *p = &t->pieces[i];
        int dir = p->side == SIDE_SERVER;
        size_t lo = p->from > from ? p->from : from, end = p->from + p->bytes.len, hi = end < to ? end : to;
        if (!heard[dir])
            continue;
        if (p->side != side || lo >= hi) {
            session_data(s, &info, dir, (struct timespec){0}, p->bytes);
            continue;
        }
        if (lo > p->from)
            session_data(s, &info, dir, (struct timespec){0}, slice_sub(p->bytes, 0, lo - p->from));
        session_gap(s, &info, dir, (struct timespec){0}, hi - lo);
        if (end > hi)
            session_data(s, &info, dir, (struct timespec){0},
                         slice_sub(p->bytes, hi - p->from, p->bytes.len));
    }
    session_end(&s, &info, FLOW_FIN);
}

/* What a record says */

static struct slice line_at(const struct outcome *o, size_t i)
{
    return slice_sub(buf_slice(&o->text), o->from[i], o->to[i]);
}

/* The line without `"key":value,` : which mail of the connection it is, what an earlier gap cost. */
static bool without(struct buf *line, const char *key, const char *next)
{
    size_t at = slice_find(buf_slice(line), key);
    if (at == line->len)
        return false;
    size_t skip = slice_find(slice_sub(buf_slice(line), at, line->len), next);
    memmove(line->data + at, line->data + at + skip, line->len - at - skip);
    line->len -= skip;
    return true;
}

static void essence(struct slice line, bool replies, struct buf *ret)
{
    buf_clear(ret);
    buf_add(ret, line);
    without(ret, "\"trans_depth\":", "\"mailfrom\":");
    if (!replies) {
        /* Of the recipients their addresses stay, by which the client names them. */
        without(ret, ",\"last_reply\":", ",\"disposition\":");
        without(ret, ",\"last_error\":", ",\"disposition\":");
        without(ret, ",\"disposition\":", ",\"rcpt\":");
        while (without(ret, ",\"code\":", ",\"accepted\":") && without(ret, ",\"accepted\":", "}"))
            ;
        without(ret, ",\"queue_id\":", ",\"message_bytes\":");
        without(ret, ",\"seconds\":", ",\"path\":");
        without(ret, ",\"flags\":", "}\n");
    }
}

static bool has(struct slice line, const char *text)
{
    return slice_find(line, text) < line.len;
}

static void learn(struct words *w, const struct outcome *gold)
{
    w->count = 0;
    learn_own(w);
    for (size_t m = 0; m < MAILS; m++) {
        struct slice rest = line_at(gold, m), word;
        while (next_word(&rest, &word)) {
            size_t i = find_word(w, word);
            if (word.len < WORD_MIN || (i == w->count && w->count == WORDS))
                continue;
            if (i == w->count) {
                w->items[w->count] = word;
                w->mail[w->count++] = (uint8_t)m;
            } else if (w->mail[i] != m) {
                w->mail[i] = COMMON;
            }
        }
    }
}

struct trial {
    struct bench *bench;
    struct talk *talk;
    struct outcome gold; /* without a gap */
    struct words words;
    struct buf one, two;
    enum way way;
    char detail[DETAIL];
};

static bool fail(struct trial *t, enum side side, size_t from, size_t to, const char *what, struct slice line)
{
    snprintf(t->detail, DETAIL, "way %d, %s bytes %zu to %zu: %s\n%.*s", (int)t->way,
             side == SIDE_CLIENT ? "client" : "server", from, to, what,
             (int)(line.len < 1200 ? line.len : 1200), line.data ? (const char *)line.data : "");
    return false;
}

/* Does it say what this mail's record says without a gap? `replies`: what of it the server said, too. */
static bool says(struct trial *t, struct slice line, size_t mail, bool replies)
{
    essence(line_at(&t->gold, mail), replies, &t->one);
    essence(line, replies, &t->two);
    return slice_eq(buf_slice(&t->one), buf_slice(&t->two));
}

static bool is_there(struct trial *t, size_t mail, bool replies)
{
    size_t i = 0;
    while (i < t->bench->now.mails && !says(t, line_at(&t->bench->now, i), mail, replies))
        i++;
    return i < t->bench->now.mails;
}

static bool is_golden(struct trial *t, struct slice line)
{
    return says(t, line, 0, true) || says(t, line, 1, true) || says(t, line, 2, true);
}

static bool gap_is_borne(struct trial *t, enum side side, size_t from, size_t to)
{
    static const bool both[2] = {true, true};
    struct slice other = {0};
    play(t->bench, t->talk, side, from, to, both);
    const struct outcome *o = &t->bench->now;
    if (o->sessions != 1)
        return fail(t, side, from, to, "no record of the session", (struct slice){0});
    struct slice session = slice_sub(buf_slice(&o->text), o->session_from, o->text.len);
    if (!has(session, "\"gap\":true"))
        return fail(t, side, from, to, "the session is not flagged", session);
    for (size_t i = 0; i < o->mails; i++) {
        struct slice line = line_at(o, i);
        if (!is_pure(&t->words, line, &other))
            return fail(t, side, from, to, "words of two mails", line);
        if (!has(line, "\"gap\":true") && !is_golden(t, line))
            return fail(t, side, from, to, "a record that is not whole is not flagged", line);
    }
    for (size_t m = 0; m < MAILS; m++) {
        /* Behind the mail before it, whose reply says that it is over. */
        bool met = from < t->talk->end[m][side] && to > t->talk->begin[m][side];
        if (!met && t->way == LOCKSTEP && !is_there(t, m, true))
            return fail(t, side, from, to, "a mail that it does not meet is not whole", line_at(&t->gold, m));
        if (side == SIDE_SERVER && !is_there(t, m, false))
            return fail(t, side, from, to, "replies are lost, and what the client said is not whole",
                        line_at(&t->gold, m));
    }
    return true;
}

static const size_t lengths[] = {1, 7, 60, 500, 1460, 4000};

static size_t try_gaps(struct trial *t, enum side side, size_t every, bool *ret_good)
{
    size_t runs = 0;
    *ret_good = true;
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++)
        for (size_t at = runs % every; *ret_good && at < t->talk->len[side]; at += every, runs++)
            *ret_good = gap_is_borne(t, side, at, at + lengths[k]);
    return runs;
}

/* Nothing but what this side says. */
static bool client_alone(struct trial *t)
{
    static const bool heard[2] = {true, false};
    play(t->bench, t->talk, SIDE_CLIENT, 0, 0, heard);
    for (size_t m = 0; m < MAILS; m++)
        if (!is_there(t, m, false))
            return fail(t, SIDE_CLIENT, 0, 0, "the client alone does not say", line_at(&t->gold, m));
    for (size_t i = 0; i < t->bench->now.mails; i++)
        if (!has(line_at(&t->bench->now, i), "\"one_sided\":true"))
            return fail(t, SIDE_CLIENT, 0, 0, "is not flagged", line_at(&t->bench->now, i));
    return t->bench->now.mails == MAILS;
}

static bool server_alone(struct trial *t)
{
    static const bool heard[2] = {false, true};
    static const char *const said[] = {"\"banner\":\"mx.example.org ESMTP\"", "\"last_reply\":\"221 bye\"",
                                       "\"one_sided\":true"};
    play(t->bench, t->talk, SIDE_CLIENT, 0, 0, heard);
    const struct outcome *o = &t->bench->now;
    struct slice session = slice_sub(buf_slice(&o->text), o->session_from, o->text.len);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (o->sessions != 1 || !has(session, said[i]))
            return fail(t, SIDE_SERVER, 0, 0, said[i], session);
    return true;
}

static bool begin(struct trial *t, struct bench *b, enum way way, struct slice mail)
{
    static const bool both[2] = {true, true};
    t->bench = b;
    t->way = way;
    t->talk = talk_new(way, mail);
    play(b, t->talk, SIDE_CLIENT, 0, 0, both);
    t->gold = b->now;
    buf_init(&t->gold.text, 64 << 20);
    buf_add(&t->gold.text, buf_slice(&b->now.text));
    buf_init(&t->one, 64 << 20);
    buf_init(&t->two, 64 << 20);
    learn(&t->words, &t->gold);
    for (size_t m = 0; m < t->gold.mails; m++)
        if (has(line_at(&t->gold, m), "\"flags\":"))
            return fail(t, SIDE_CLIENT, 0, 0, "flagged without a gap", line_at(&t->gold, m));
    return t->gold.mails == MAILS ||
           fail(t, SIDE_CLIENT, 0, 0, "not three records without a gap", (struct slice){0});
}

static void finish(struct trial *t)
{
    buf_free(&t->talk->bytes);
    free(t->talk);
    buf_free(&t->gold.text);
    buf_free(&t->one);
    buf_free(&t->two);
}

/* Of all ways in which a mail is sent; the first failure is kept. */
struct verdict {
    const char *what;
    size_t runs;
    bool bad;
    char detail[DETAIL];
};

static void judge(struct verdict *v, const struct trial *t, bool good, size_t runs)
{
    v->runs += runs;
    if (good || v->bad)
        return;
    v->bad = true;
    memcpy(v->detail, t->detail, DETAIL);
}

static void run_file(struct bench *b, const char *path, size_t every)
{
    static struct trial t;
    struct verdict verdicts[] = {{"three mails without a gap", 0, false, ""},
                                 {"gaps of the client", 0, false, ""},
                                 {"gaps of the server", 0, false, ""},
                                 {"the client alone", 0, false, ""},
                                 {"the server alone", 0, false, ""}};
    struct buf mail;
    uint8_t piece[4096];
    size_t n;
    FILE *file = fopen(path, "rb");
    buf_init(&mail, 64 << 20);
    while (file && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(&mail, (struct slice){piece, n});
    if (file)
        fclose(file);
    for (enum way way = 0; way < WAYS; way++) {
        bool good = begin(&t, b, way, buf_slice(&mail));
        judge(&verdicts[0], &t, good && file, 1);
        for (enum side side = SIDE_CLIENT; good && side <= SIDE_SERVER; side++) {
            bool fine;
            size_t runs = try_gaps(&t, side, every, &fine);
            judge(&verdicts[side == SIDE_CLIENT ? 1 : 2], &t, fine, runs);
        }
        if (good) {
            judge(&verdicts[3], &t, client_alone(&t), 1);
            judge(&verdicts[4], &t, server_alone(&t), 1);
        }
        finish(&t);
    }
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        check(!verdicts[i].bad && verdicts[i].runs, path, verdicts[i].what, verdicts[i].runs,
              verdicts[i].detail);
    buf_free(&mail);
}

int main(int argc, char **argv)
{
    static struct bench b;
    size_t every = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    bench_init(&b);
    for (int i = 2; i < argc; i++)
        run_file(&b, argv[i], every ? every : 1);
    printf("1..%u\n", checks);
    bench_free(&b);
    return failures > 0;
}
