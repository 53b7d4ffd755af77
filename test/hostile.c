/* hostile.c: writes a capture of one connection on which a client, or a server, means harm, and then a usual
 * mail comes.
 * usage: hostile OUT.pcap NUMBER SHAPE SIZE [FILLER [NAME]]
 * OUT.pcap "-": to standard output. NUMBER: of the connection: its client's port, and its hour. SHAPE: a row
 * of `shapes`; SIZE: how much of it, in what the row says. FILLER: what long texts are made of; NAME: of the
 * field that holds it. Ethernet, IPv4; the same bytes on every run. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MSS = 1448, CLIENT = 0, SERVER = 1, FIN = 1, SYN = 2, ACK = 16, TICK = 3 };
enum { FIELD_MOST = 60000, REPLY_MOST = 16000, SCATTER = 1900, BATCH = 100, STRAYS = 32 };

static FILE *out;
static uint64_t ticks = 1795000000000000ull, state = 88172645463325252ull;
static uint32_t seq[2] = {1000, 5000}, port;
static const char *filler = "x", *name = "Subject";

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

/* At any place of the direction's stream. */
static void packet_at(int dir, uint32_t at, uint8_t flags, const void *data, size_t len)
{
    static uint8_t frame[54 + MSS] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    const uint32_t head[4] = {(uint32_t)(ticks / 1000000), (uint32_t)(ticks % 1000000), (uint32_t)(54 + len),
                              (uint32_t)(54 + len)};
    put16(frame + 16, (uint32_t)(40 + len));
    frame[22] = 64;
    frame[23] = 6;
    put32(frame + 26, dir ? 0xc0000219 : 0xc6336407);
    put32(frame + 30, dir ? 0xc6336407 : 0xc0000219);
    put16(frame + 34, dir ? 25 : port);
    put16(frame + 36, dir ? port : 25);
    put32(frame + 38, at);
    put32(frame + 42, flags & ACK ? seq[!dir] : 0);
    frame[46] = 5 << 4;
    frame[47] = flags;
    put16(frame + 48, 0xffff);
    memcpy(frame + 54, data, len);
    fwrite(head, sizeof head, 1, out);
    fwrite(frame, 54 + len, 1, out);
    ticks += TICK;
}

static void packet(int dir, uint8_t flags, const void *data, size_t len)
{
    packet_at(dir, seq[dir], flags, data, len);
    seq[dir] += (uint32_t)len + (flags & (SYN | FIN) ? 1 : 0);
}

/* What was said and is not sent yet; one side at a time. */
static struct {
    uint8_t bytes[MSS];
    size_t len;
    int dir;
    size_t mss;
} unsent = {.mss = MSS};

static void flush(void)
{
    if (unsent.len)
        packet(unsent.dir, ACK, unsent.bytes, unsent.len);
    unsent.len = 0;
}

static void say_bytes(int dir, const char *data, size_t len)
{
    if (dir != unsent.dir)
        flush();
    unsent.dir = dir;
    while (len) {
        size_t n = unsent.mss - unsent.len < len ? unsent.mss - unsent.len : len;
        memcpy(unsent.bytes + unsent.len, data, n);
        unsent.len += n;
        data += n;
        len -= n;
        if (unsent.len == unsent.mss)
            flush();
    }
}

static void say(int dir, const char *text)
{
    say_bytes(dir, text, strlen(text));
}

static void cut_to(size_t mss)
{
    flush();
    unsent.mss = mss;
}

/* `size` bytes of the text, over and over. */
static void say_long(int dir, const char *text, uint64_t size)
{
    for (size_t len = strlen(text); size; size -= len) {
        len = len < size ? len : (size_t)size;
        say_bytes(dir, text, len);
    }
}

/* The text, over and over, `count` times. */
static void say_often(int dir, const char *text, uint64_t count)
{
    say_long(dir, text, count * strlen(text));
}

static void ask(const char *command, const char *reply)
{
    say(CLIENT, command);
    say(SERVER, reply);
}

static void begin_mail(void)
{
    ask("MAIL FROM:<hostile@example.net>\r\n", "250 2.1.0 Ok\r\n");
    ask("RCPT TO:<victim@example.com>\r\n", "250 2.1.5 Ok\r\n");
    ask("DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n");
}

static void end_mail(void)
{
    ask("\r\n.\r\n", "250 2.0.0 Ok: queued as 1\r\n");
}

static void lines_of_client(uint64_t size)
{
    say_long(CLIENT, filler, size);
    ask("\r\n", "500 5.5.2 Error: line too long\r\n");
}

static void line_of_server(uint64_t size)
{
    say(CLIENT, "NOOP\r\n");
    say(SERVER, "250 ");
    say_long(SERVER, filler, size);
    say(SERVER, "\r\n");
}

static void lines_of_server(uint64_t count)
{
    say(CLIENT, "EHLO client.example.net\r\n");
    say_often(SERVER, "250-SIZE 52428800\r\n", count);
    say(SERVER, "250 DSN\r\n");
}

static void recipients(uint64_t count)
{
    ask("MAIL FROM:<hostile@example.net>\r\n", "250 2.1.0 Ok\r\n");
    for (uint64_t left = count; left;) {
        uint64_t n = left < BATCH ? left : BATCH;
        say_often(CLIENT, "RCPT TO:<victim@example.com>\r\n", n);
        say_often(SERVER, "250 2.1.5 Ok\r\n", n);
        left -= n;
    }
    ask("DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n");
    end_mail();
}

static void transactions(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        ask("MAIL FROM:<hostile@example.net>\r\n", "250 2.1.0 Ok\r\n");
        ask("RSET\r\n", "250 2.0.0 Ok\r\n");
    }
}

/* Without a look at the replies. */
static void transactions_unheard(uint64_t count)
{
    say_often(CLIENT, "MAIL FROM:<hostile@example.net>\r\nRSET\r\n", count);
    say_often(SERVER, "250 2.1.0 Ok\r\n250 2.0.0 Ok\r\n", count);
}

static void chunks(uint64_t count)
{
    ask("MAIL FROM:<hostile@example.net>\r\n", "250 2.1.0 Ok\r\n");
    ask("RCPT TO:<victim@example.com>\r\n", "250 2.1.5 Ok\r\n");
    for (uint64_t left = count; left;) {
        uint64_t n = left < BATCH ? left : BATCH;
        say_often(CLIENT, "BDAT 1\r\nx", n);
        say_often(SERVER, "250 2.0.0 Ok\r\n", n);
        left -= n;
    }
    ask("BDAT 0 LAST\r\n", "250 2.0.0 Ok: queued as 1\r\n");
}

/* FILLER holds a command, or several; NAME their replies. */
static void pipelined(uint64_t count)
{
    say_often(CLIENT, filler, count);
    say_often(SERVER, name, count);
}

static void parts(uint64_t count)
{
    begin_mail();
    say(CLIENT, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    say_often(CLIENT, "--b\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n", count);
    say(CLIENT, "--b--\r\n");
    end_mail();
}

static void nested(uint64_t count)
{
    begin_mail();
    for (uint64_t i = 0; i < count; i++) {
        char text[200];
        int len =
            snprintf(text, sizeof text, "Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n--b%d\r\n",
                     (int)i, (int)i);
        say_bytes(CLIENT, text, (size_t)len);
    }
    end_mail();
}

static void nested_mails(uint64_t count)
{
    begin_mail();
    say_often(CLIENT, "Subject: a mail in a mail\r\nContent-Type: message/rfc822\r\n\r\n", count);
    end_mail();
}

/* All boundaries begin alike, and no line is one of them. */
static void lookalikes(uint64_t count)
{
    enum { DEPTH = 31, LONG = 900 };
    char text[2 * LONG + 100], same[LONG + 1];
    memset(same, 'b', LONG);
    same[LONG] = 0;
    begin_mail();
    for (int i = 0; i < DEPTH; i++) {
        int len = snprintf(text, sizeof text,
                           "Content-Type: multipart/mixed; boundary=\"%s%02d\"\r\n\r\n--%s%02d\r\n", same, i,
                           same, i);
        say_bytes(CLIENT, text, (size_t)len);
    }
    say(CLIENT, "\r\n");
    int len = snprintf(text, sizeof text, "--%s%s\r\n", same, "!!");
    for (uint64_t i = 0; i < count; i++)
        say_bytes(CLIENT, text, (size_t)len);
    end_mail();
}

/* One field of the header: NAME, and FILLER in it. */
static void header(uint64_t size)
{
    begin_mail();
    say(CLIENT, name);
    say(CLIENT, ": ");
    say_long(CLIENT, filler, size);
    say(CLIENT, "\r\n\r\n");
    end_mail();
}

/* The header that is FILLER, over and over. */
static void headers(uint64_t count)
{
    begin_mail();
    say_often(CLIENT, filler, count);
    say(CLIENT, "\r\ntext\r\n");
    end_mail();
}

/* A mail of the header NAME, and FILLER as its text. */
static void text_of(uint64_t size)
{
    begin_mail();
    say(CLIENT, name);
    say(CLIENT, "\r\n\r\n");
    say_long(CLIENT, filler, size);
    end_mail();
}

/* Fields NAME as long as one is looked at, a mail each. */
static void fields(uint64_t size)
{
    for (uint64_t len; size; size -= len) {
        len = size < FIELD_MOST ? size : FIELD_MOST;
        header(len);
    }
}

/* Refusals that name a block list, as long as one is looked at. */
static void refusals(uint64_t size)
{
    ask("MAIL FROM:<hostile@example.net>\r\n", "250 2.1.0 Ok\r\n");
    for (uint64_t len; size; size -= len) {
        len = size < REPLY_MOST ? size : REPLY_MOST;
        say(CLIENT, "RCPT TO:<victim@example.com>\r\n");
        say(SERVER, "554 5.7.1 blocked using zen.spamhaus.org; ");
        say_long(SERVER, filler, len);
        say(SERVER, "\r\n");
    }
    ask("RSET\r\n", "250 2.0.0 Ok\r\n");
}

/* FILLER as the text of a mail, a byte a packet; NAME is the field that says how it is encoded. */
static void body_by_bytes(uint64_t size)
{
    begin_mail();
    say(CLIENT,
        "Subject: bytes\r\nContent-Disposition: attachment; filename=a\r\nContent-Transfer-Encoding: ");
    say(CLIENT, name);
    say(CLIENT, "\r\n\r\n");
    cut_to(1);
    say_long(CLIENT, filler, size);
    cut_to(MSS);
    end_mail();
}

/* The same, but it is not known to be one: the server has not answered DATA. */
static void body_unasked(uint64_t size)
{
    ask("MAIL FROM:<hostile@example.net>\r\n", "250 2.1.0 Ok\r\n");
    ask("RCPT TO:<victim@example.com>\r\n", "250 2.1.5 Ok\r\n");
    say(CLIENT, "DATA\r\n");
    cut_to(1);
    say_long(CLIENT, filler, size);
    cut_to(MSS);
    say(SERVER, "354 End data with <CR><LF>.<CR><LF>\r\n");
    end_mail();
}

/* The same behind what some servers take for a message's end. */
static void body_in_doubt(uint64_t size)
{
    begin_mail();
    say(CLIENT, "Subject: doubt\r\n\r\ntext\n.\r\n");
    cut_to(1);
    say_long(CLIENT, filler, size);
    cut_to(MSS);
    end_mail();
}

static const char smuggled[] = "\n.\r\nMAIL FROM:<smuggled@example.net>\r\nRCPT TO:<victim@example.com>\r\n"
                               "DATA\r\nSubject: smuggled\r\n\r\ntext";
static const char taken[] = "250 2.0.0 Ok: queued as 1\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n";

/* Messages with another one in them, which the server takes for a mail. */
static void smuggled_apart(uint64_t count)
{
    while (count--) {
        begin_mail();
        say(CLIENT, smuggled);
        say(CLIENT, "\r\n.\r\n");
        say(SERVER, taken);
        say(SERVER, "250 2.0.0 Ok: queued as 2\r\n");
    }
}

/* One message with all the others in it. */
static void smuggled_together(uint64_t count)
{
    begin_mail();
    say_often(CLIENT, smuggled, count);
    say(CLIENT, "\r\n.\r\n");
    say_often(SERVER, taken, count);
    say(SERVER, "250 2.0.0 Ok: queued as 2\r\n");
}

/* FILLER greets, before anything else is said, a byte a packet. */
static void greeting(uint64_t size)
{
    cut_to(1);
    say_long(SERVER, filler, size);
    say(SERVER, "\r\n220 mx.example.com ESMTP\r\n");
    cut_to(MSS);
}

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

/* Makes `order` the order in which `count` pieces are sent. */
static void put_in_order(uint32_t *order, uint32_t count)
{
    bool reverse = strcmp(filler, "reverse") == 0, random = strcmp(filler, "random") == 0;
    for (uint32_t i = 0; i < count; i++)
        order[i] = reverse ? count - 1 - i : i;
    for (uint32_t i = count; random && i > 1; i--) {
        uint32_t other = chance(i), kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
    if (reverse || random || count < 2)
        return;
    /* "behind": the last one, then all before it from the second on, then the first. */
    order[0] = count - 1;
    order[count - 1] = 0;
}

/* The text of a mail, a byte a packet, the packets out of order: FILLER says in which. */
static void scattered(uint64_t size)
{
    static uint32_t order[SCATTER];
    begin_mail();
    flush();
    while (size) {
        uint32_t count = size < SCATTER ? (uint32_t)size : SCATTER;
        put_in_order(order, count);
        for (uint32_t i = 0; i < count; i++)
            packet_at(CLIENT, seq[CLIENT] + order[i], ACK, order[i] % 64 == 63 ? "\n" : "x", 1);
        seq[CLIENT] += count;
        size -= count;
    }
    end_mail();
}

/* Every other byte of the text is missing; where NAME is "acked" the server acknowledges them all. */
static void holes(uint64_t size)
{
    bool acked = strcmp(name, "acked") == 0;
    begin_mail();
    flush();
    for (uint64_t i = 0; i < size; i++) {
        seq[CLIENT]++;
        packet(CLIENT, ACK, filler, 1);
        if (acked)
            packet(SERVER, ACK, "", 0);
    }
    say(CLIENT, "\r\nthe end");
    end_mail();
}

static const struct {
    const char *name;
    void (*write)(uint64_t size);
} shapes[] = {
    {"line", lines_of_client},        /* bytes of one line of the client */
    {"reply-line", line_of_server},   /* of the server */
    {"reply-lines", lines_of_server}, /* lines of one reply */
    {"recipients", recipients},       /* RCPTs of one mail */
    {"transactions", transactions},   /* MAIL and RSET */
    {"transactions-pipelined", transactions_unheard},
    {"chunks", chunks},       /* BDATs */
    {"pipelined", pipelined}, /* FILLERs, then their replies */
    {"parts", parts},         /* of a multipart */
    {"nested", nested},       /* multiparts */
    {"nested-mails", nested_mails},
    {"lookalikes", lookalikes},       /* lines of 900 bytes */
    {"header", header},               /* bytes */
    {"headers", headers},             /* fields */
    {"fields", fields},               /* bytes */
    {"text", text_of},                /* bytes */
    {"refusals", refusals},           /* bytes */
    {"body", body_by_bytes},          /* bytes */
    {"body-unasked", body_unasked},   /* bytes */
    {"body-in-doubt", body_in_doubt}, /* bytes */
    {"smuggled", smuggled_apart},
    {"smuggled-together", smuggled_together},
    {"greeting", greeting},   /* bytes */
    {"scattered", scattered}, /* bytes */
    {"holes", holes},         /* of one byte */
};

static void connect(void)
{
    packet(CLIENT, SYN, "", 0);
    packet(SERVER, SYN | ACK, "", 0);
    packet(CLIENT, ACK, "", 0);
}

static void next_mail(void)
{
    ask("MAIL FROM:<next@example.net>\r\n", "250 2.1.0 Ok\r\n");
    ask("RCPT TO:<user@example.com>\r\n", "250 2.1.5 Ok\r\n");
    ask("DATA\r\n", "354 End data with <CR><LF>.<CR><LF>\r\n");
    ask("From: Next <next@example.net>\r\nTo: user@example.com\r\nSubject: the next one\r\nMessage-ID: "
        "<next@example.net>\r\nContent-Type: multipart/mixed; "
        "boundary=\"_\"\r\n\r\n--_\r\n\r\ntext\r\n--_\r\n"
        "Content-Type: text/plain; name=next.txt\r\n\r\n12345\r\n--_--\r\n.\r\n",
        "250 2.0.0 Ok: queued as NEXT\r\n");
    ask("QUIT\r\n", "221 2.0.0 Bye\r\n");
    flush();
    packet(CLIENT, FIN | ACK, "", 0);
    packet(SERVER, FIN | ACK, "", 0);
    packet(CLIENT, ACK, "", 0);
    /* By then what still waits has waited long enough. And as packets are taken a few at a time, with these
     * all of the connection is, before a next file is opened. */
    ticks += 2000000;
    for (int i = 0; i < STRAYS; i++)
        packet(SERVER, ACK, "", 0);
}

int main(int argc, char **argv)
{
    const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 262144, 1};
    size_t shape = 0, known = sizeof shapes / sizeof *shapes;
    while (argc >= 5 && shape < known && strcmp(shapes[shape].name, argv[3]) != 0)
        shape++;
    if (argc < 5 || shape == known) {
        fprintf(stderr, "usage: hostile OUT.pcap NUMBER SHAPE SIZE [FILLER [NAME]]\n");
        return 2;
    }
    out = strcmp(argv[1], "-") == 0 ? stdout : fopen(argv[1], "wb");
    assert(out);
    uint32_t number = (uint32_t)strtoul(argv[2], NULL, 10);
    uint64_t size = strtoull(argv[4], NULL, 10);
    port = 40000 + number;
    ticks += number * 3600000000ull;
    filler = argc > 5 ? argv[5] : filler;
    name = argc > 6 ? argv[6] : name;
    setvbuf(out, NULL, _IOFBF, 1 << 20);
    fwrite(head, sizeof head, 1, out);
    connect();
    if (shapes[shape].write == greeting)
        greeting(size);
    else
        say(SERVER, "220 mx.example.com ESMTP\r\n");
    ask("EHLO client.example.net\r\n", "250-mx.example.com\r\n250-PIPELINING\r\n250 CHUNKING\r\n");
    if (shapes[shape].write != greeting)
        shapes[shape].write(size);
    next_mail();
    return fclose(out) != 0;
}
