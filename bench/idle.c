/* idle.c: writes a capture of connections that begin, and then are silent.
 * usage: idle OUT.pcap COUNT KIND [MAILS]
 * KIND: how far each of them comes: syn, synack (half-open), banner, ehlo, rcpt (MAIL and RCPT are answered),
 * mail (one is delivered). Of MAILS whole connections with one mail each half lie evenly between them, the
 * other half begin before them and end after them. Ethernet, IPv4, WINDOW of the idle ones at a time; the
 * same bytes on every run. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 256, TICK = 20, CLIENT = 0, SERVER = 1, FIN = 1, SYN = 2, ACK = 16 };

struct peer {
    uint32_t addr, seq[2];
    uint16_t port;
};

static FILE *out;
static uint64_t ticks = 1795000000000000ull;

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

static void packet(struct peer *c, int dir, uint8_t flags, const char *text)
{
    static uint8_t frame[54 + 1448] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    uint32_t len = (uint32_t)strlen(text);
    const uint32_t head[4] = {(uint32_t)(ticks / 1000000), (uint32_t)(ticks % 1000000), 54 + len, 54 + len};
    put16(frame + 16, 40 + len);
    frame[22] = 64;
    frame[23] = 6;
    put32(frame + 26, dir ? 0xc0000219 : c->addr);
    put32(frame + 30, dir ? c->addr : 0xc0000219);
    put16(frame + 34, dir ? 25 : c->port);
    put16(frame + 36, dir ? c->port : 25);
    put32(frame + 38, c->seq[dir]);
    put32(frame + 42, flags & ACK ? c->seq[!dir] : 0);
    frame[46] = 5 << 4;
    frame[47] = flags;
    memcpy(frame + 54, text, len);
    fwrite(head, sizeof head, 1, out);
    fwrite(frame, 54 + len, 1, out);
    c->seq[dir] += len + (flags & (SYN | FIN) ? 1 : 0);
    ticks += TICK;
}

struct step {
    int dir;
    uint8_t flags;
    const char *text;
};

static const struct step steps[] = {
    {CLIENT, SYN, ""},
    {SERVER, SYN | ACK, ""},
    {CLIENT, ACK, ""},
    {SERVER, ACK, "220 mx.example.com ESMTP Postfix (Debian/GNU)\r\n"},
    {CLIENT, ACK, ""},
    {CLIENT, ACK, "EHLO mail-out-17.example.net\r\n"},
    {SERVER, ACK, ""},
    {SERVER, ACK,
     "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-VRFY\r\n250-ETRN\r\n250-STARTTLS\r\n"
     "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n"},
    {CLIENT, ACK, ""},
    {CLIENT, ACK, "MAIL FROM:<bounces@example.net> SIZE=2048\r\n"},
    {SERVER, ACK, "250 2.1.0 Ok\r\n"},
    {CLIENT, ACK, "RCPT TO:<user@example.com>\r\n"},
    {SERVER, ACK, "250 2.1.5 Ok\r\n"},
    {CLIENT, ACK, "DATA\r\n"},
    {SERVER, ACK, "354 End data with <CR><LF>.<CR><LF>\r\n"},
    {CLIENT, ACK,
     "Received: from host.example.net (host.example.net [203.0.113.9])\r\n\tby mx.example.com with ESMTP id "
     "1A2B;\r\n\tMon, 23 Nov 2026 07:00:00 +0000\r\nFrom: =?UTF-8?Q?J=C3=B6rg?= <joerg@example.net>\r\n"
     "To: user@example.com\r\nSubject: report\r\nMessage-ID: <1@example.net>\r\nDate: Mon, 23 Nov 2026 "
     "07:00:00 +0000\r\nContent-Type: multipart/mixed; "
     "boundary=\"_\"\r\n\r\n--_\r\n\r\ntext\r\n--_--\r\n.\r\n"},
    {SERVER, ACK, "250 2.0.0 Ok: queued as 4F1C2A\r\n"},
    {CLIENT, ACK, ""},
    {CLIENT, ACK, "QUIT\r\n"},
    {SERVER, ACK, "221 2.0.0 Bye\r\n"},
    {CLIENT, ACK | FIN, ""},
    {SERVER, ACK | FIN, ""},
    {CLIENT, ACK, ""},
};

enum { EHLO_ANSWERED = 9 }; /* steps */

static const struct {
    const char *name;
    size_t steps;
} kinds[] = {{"syn", 1}, {"synack", 2}, {"banner", 5}, {"ehlo", EHLO_ANSWERED}, {"rcpt", 13}, {"mail", 18}};

static void play(struct peer *c, size_t step)
{
    packet(c, steps[step].dir, steps[step].flags, steps[step].text);
}

/* Their packets lie side by side, as those of a busy server do. */
static void write_window(uint32_t from, uint32_t count, size_t until)
{
    static struct peer peers[WINDOW];
    for (uint32_t i = 0; i < count; i++)
        peers[i] = (struct peer){
            0x0a000000 + (from + i) / 40000, {from + i, ~(from + i)}, (uint16_t)(1024 + (from + i) % 40000)};
    for (size_t s = 0; s < until; s++)
        for (uint32_t i = 0; i < count; i++)
            play(&peers[i], s);
}

/* Its steps from `from` to before `to`. */
static void play_mail(struct peer *mails, uint32_t number, size_t from, size_t to)
{
    if (!from)
        mails[number] =
            (struct peer){0xc6336400 + number % 250, {number, number}, (uint16_t)(1024 + number % 60000)};
    for (size_t s = from; s < to; s++)
        play(&mails[number], s);
}

int main(int argc, char **argv)
{
    const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 262144, 1};
    size_t kind = 0, known = sizeof kinds / sizeof *kinds;
    while (argc >= 4 && kind < known && strcmp(kinds[kind].name, argv[3]) != 0)
        kind++;
    if (argc < 4 || kind == known || !(out = fopen(argv[1], "wb"))) {
        fprintf(stderr, "usage: idle OUT.pcap COUNT syn|synack|banner|ehlo|rcpt|mail [MAILS]\n");
        return 2;
    }
    uint32_t count = (uint32_t)strtoul(argv[2], NULL, 10);
    uint32_t mails = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0, around = mails / 2, next = around;
    size_t all = sizeof steps / sizeof *steps;
    struct peer *peers = calloc(mails + 1, sizeof *peers);
    setvbuf(out, NULL, _IOFBF, 1 << 20);
    fwrite(head, sizeof head, 1, out);
    for (uint32_t i = 0; i < around; i++)
        play_mail(peers, i, 0, EHLO_ANSWERED);
    for (uint32_t i = 0; i < count; i += WINDOW) {
        write_window(i, count - i < WINDOW ? count - i : WINDOW, kinds[kind].steps);
        while (next < mails && next - around < (uint64_t)(mails - around) * (i + WINDOW) / count)
            play_mail(peers, next++, 0, all);
    }
    for (uint32_t i = 0; i < around; i++)
        play_mail(peers, i, EHLO_ANSWERED, all);
    free(peers);
    return fclose(out) != 0;
}
