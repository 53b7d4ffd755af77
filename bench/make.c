/* make.c: writes the captures that the benchmarks read.
 * usage: make OUT.pcap KIND AMOUNT [BODY MSS]
 * KIND: mixed, AMOUNT bytes: mails of 20 KiB on average, one to three a connection; headers, a text, and in
 *               most of them a base64 attachment
 *       small, AMOUNT mails of 2 KiB: each from another sender, over another connection from another address
 *       varied, AMOUNT mails of 2 KiB as a relay has them: words, people, hosts, links and answers that
 * differ huge, AMOUNT bytes: mails with an attachment of 20 MiB plain, AMOUNT mails with a body of BODY
 * bytes, half of it base64, in segments of MSS bytes Many connections at once over Ethernet and IPv4. The
 * same bytes on every run. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { MIXED, SMALL, VARIED, HUGE, PLAIN };
enum { LANES = 64, HUGE_LANES = 4, MSS = 1448, MAIL_MAX = 256 * 1024, LINE = 78 };
enum { HUGE_LINES = (20 << 20) / 57 }; /* a line of 76 digits holds 57 bytes */

struct lane {
    uint32_t addr, seq[2], step, mails, number;
    uint16_t port;
    char *text;
    size_t len, sent;
};

static FILE *out;
static enum kind kind;
static size_t body, mss = MSS;
static uint64_t written, begun, /* connections */
    ticks = 1795000000000000ull, state = 88172645463325252ull;

static uint32_t chance(uint32_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % below;
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void packet(struct lane *l, int dir, uint8_t flags, const char *data, size_t len)
{
    static uint8_t frame[54 + MSS] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    uint32_t head[4] = {(uint32_t)(ticks / 1000000), (uint32_t)(ticks % 1000000), (uint32_t)(54 + len),
                        (uint32_t)(54 + len)};
    uint16_t ports[2] = {dir ? 25 : l->port, dir ? l->port : 25};
    frame[16] = (uint8_t)((40 + len) >> 8);
    frame[17] = (uint8_t)(40 + len);
    frame[20] = 0x40;
    frame[22] = 64;
    frame[23] = 6;
    put32(frame + 26, dir ? 0xc0000219 : l->addr);
    put32(frame + 30, dir ? l->addr : 0xc0000219);
    put32(frame + 34, (uint32_t)ports[0] << 16 | ports[1]);
    put32(frame + 38, l->seq[dir]);
    put32(frame + 42, l->seq[!dir]);
    frame[46] = 5 << 4;
    frame[47] = flags;
    frame[48] = frame[49] = 0xff;
    memcpy(frame + 54, data, len);
    fwrite(head, sizeof head, 1, out);
    fwrite(frame, 54 + len, 1, out);
    l->seq[dir] += (uint32_t)len + (flags & 3 ? 1 : 0);
    written += sizeof head + 54 + len;
    ticks += 3;
}

static void say(struct lane *l, int dir, const char *text)
{
    packet(l, dir, 0x18, text, strlen(text));
    packet(l, !dir, 0x10, "", 0);
}

static void add(struct lane *l, const char *text)
{
    size_t len = strlen(text);
    memcpy(l->text + l->len, text, len);
    l->len += len;
}

static void add_text(struct lane *l, size_t lines)
{
    while (lines--)
        add(l, "The quick brown fox jumps over the lazy dog, and then it rests a while.\r\n");
}

static void add_base64(struct lane *l, size_t lines)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < lines; i++) {
        for (int k = 0; k < 76; k++)
            l->text[l->len++] = digits[chance(64)];
        add(l, "\r\n");
    }
}

static void add_header(struct lane *l, int hops)
{
    char line[300];
    l->len = l->sent = 0;
    for (int hop = 0; hop < hops; hop++) {
        snprintf(line, sizeof line,
                 "Received: from mx%d.example.net (mx%d.example.net [203.0.113.%u])\r\n\tby mx%d.example.com "
                 "with ESMTPS id %08x\r\n"
                 "\tfor <user@example.com>; Mon, 23 Nov 2026 07:00:%02d +0000\r\n",
                 hop, hop, chance(250) + 1, hop + 1, chance(1u << 31), hop);
        add(l, line);
    }
    snprintf(line, sizeof line,
             "From: =?UTF-8?Q?J=C3=B6rg?= <joerg%u@example.net>\r\nTo: user%u@example.com\r\nSubject: report "
             "%u\r\nMessage-ID: <%08x@example.net>\r\n",
             chance(1000), chance(1000), chance(100000), chance(1u << 31));
    add(l, line);
    add(l, "Date: Mon, 23 Nov 2026 07:00:00 +0000\r\nMIME-Version: 1.0\r\n");
}

/* Few are common, many are rare. */
static uint32_t skewed(uint32_t below)
{
    return chance(chance(below) + 1);
}

static void add_words(struct lane *l, uint32_t count)
{
    char word[24];
    while (count--) {
        snprintf(word, sizeof word, "%s%x ", skewed(4) ? "w" : "word", skewed(60000));
        add(l, word);
    }
}

static void add_host(struct lane *l)
{
    char name[64];
    snprintf(name, sizeof name, "%s%u.d%u.example", chance(2) ? "mail" : "mx", skewed(20), skewed(20000));
    add(l, name);
}

static void add_person(struct lane *l)
{
    char text[96];
    snprintf(text, sizeof text, "<u%u@d%u.example>", skewed(50000), skewed(20000));
    add(l, text);
}

static void add_varied_hop(struct lane *l, int hop)
{
    char text[200];
    add(l, "Received: from ");
    add_host(l);
    add(l, " (");
    add_host(l);
    snprintf(text, sizeof text, " [%u.%u.%u.%u])\r\n\tby ", chance(200) + 20, chance(256), chance(256),
             chance(250) + 1);
    add(l, text);
    add_host(l);
    snprintf(text, sizeof text, " with ESMTPS id %08x;\r\n\tMon, 23 Nov 2026 07:00:%02d +0000\r\n",
             chance(1u << 31), 20 - hop);
    add(l, text);
}

static void compose_varied(struct lane *l)
{
    static const char *const agents[] = {"Microsoft Outlook 16.0", "Apple Mail (2.3774.300.61.1.2)",
                                         "Roundcube Webmail/1.6.1", "Mozilla Thunderbird"};
    char text[300];
    l->len = l->sent = 0;
    for (int hop = 0; hop < 2; hop++)
        add_varied_hop(l, hop);
    add(l, "DKIM-Signature: v=1; a=rsa-sha256; d=");
    add_host(l);
    add(l, "; s=key1; bh=x; b=y\r\nFrom: ");
    add_words(l, 2);
    add_person(l);
    add(l, "\r\nTo: ");
    add_words(l, 2);
    add_person(l);
    add(l, "\r\nSubject: ");
    add_words(l, 3 + chance(6));
    snprintf(text, sizeof text,
             "\r\nMessage-ID: <%08x.%08x@d%u.example>\r\n%s%s\r\nDate: Mon, 23 Nov 2026 07:00:00 +0000\r\n",
             chance(1u << 31), chance(1u << 31), skewed(20000),
             chance(2) ? "User-Agent: " : "X-Other: ", agents[chance(4)]);
    add(l, text);
    add(l, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    if (chance(10) < 6) {
        add(l, "https://");
        add_host(l);
        snprintf(text, sizeof text, "/p/%x?id=%x\r\n", skewed(5000), chance(1u << 31));
        add(l, text);
    }
    while (l->len < 2048)
        add_text(l, 1);
    add(l, ".\r\n");
}

static void begin_parts(struct lane *l)
{
    add(l, "Content-Type: multipart/mixed; boundary=\"=_next\"\r\n\r\n"
           "--=_next\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
}

static void add_attachment(struct lane *l, size_t lines)
{
    add(l, "--=_next\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
           "Content-Disposition: attachment; filename=\"report.pdf\"\r\n\r\n");
    add_base64(l, lines);
}

/* 20 KiB on average: text alone, a small attachment, or now and then a large one. */
static void compose_mixed(struct lane *l)
{
    add_header(l, 3);
    begin_parts(l);
    add_text(l, chance(60) + 5);
    if (chance(10))
        add_attachment(l, chance(20) ? chance(300) + 20 : 1500);
    add(l, "--=_next--\r\n.\r\n");
}

/* All attachments are the same, and so is the memory. */
static void compose_huge(struct lane *l)
{
    static struct lane attachment;
    if (!attachment.text) {
        attachment.text = malloc((size_t)HUGE_LINES * LINE + MAIL_MAX);
        add_attachment(&attachment, HUGE_LINES);
        add(&attachment, "--=_next--\r\n.\r\n");
    }
    add_header(l, 3);
    begin_parts(l);
    add_text(l, 10);
    memcpy(l->text + l->len, attachment.text, attachment.len);
    l->len += attachment.len;
}

static void compose(struct lane *l)
{
    switch (kind) {
    case MIXED:
        compose_mixed(l);
        break;
    case SMALL:
        add_header(l, 2);
        add(l, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
        while (l->len < 2048)
            add_text(l, 1);
        add(l, ".\r\n");
        break;
    case VARIED:
        compose_varied(l);
        break;
    case HUGE:
        compose_huge(l);
        break;
    case PLAIN:
        add_header(l, 3);
        begin_parts(l);
        add_text(l, body / 2 / 73);
        add_attachment(l, body / 2 / LINE);
        add(l, "--=_next--\r\n.\r\n");
        break;
    }
}

static void begin(struct lane *l)
{
    l->number = (uint32_t)++begun;
    l->addr = kind == MIXED ? 0xc6120000 + chance(1 << 16) : 0x0a000000 + l->number;
    l->port = (uint16_t)(1024 + chance(60000));
    l->seq[0] = chance(1u << 31);
    l->seq[1] = chance(1u << 31);
    l->mails = kind == MIXED ? 1 + chance(3) : 1;
    packet(l, 0, 2, "", 0);
    packet(l, 1, 0x12, "", 0);
    packet(l, 0, 0x10, "", 0);
    say(l, 1, "220 mx.example.com ESMTP\r\n");
    say(l, 0, "EHLO client.example.net\r\n");
    say(l, 1, "250-mx.example.com\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n");
}

static void varied_envelope(struct lane *l)
{
    static struct lane line;
    if (!line.text)
        line.text = malloc(MAIL_MAX);
    line.len = 0;
    add(&line, "MAIL FROM:");
    add_person(&line);
    uint32_t rcpts = 1 + skewed(4);
    for (uint32_t i = 0; i < rcpts; i++) {
        add(&line, "\r\nRCPT TO:");
        add_person(&line);
    }
    add(&line, "\r\nDATA\r\n");
    line.text[line.len] = '\0';
    say(l, 0, line.text);
    line.len = 0;
    add(&line, "250 2.1.0 Ok\r\n");
    for (uint32_t i = 0; i < rcpts; i++)
        add(&line, "250 2.1.5 Ok\r\n");
    add(&line, "354 End data with <CR><LF>.<CR><LF>\r\n");
    line.text[line.len] = '\0';
    say(l, 1, line.text);
}

static void envelope(struct lane *l)
{
    char line[200], number[24] = "";
    if (kind == VARIED) {
        compose(l);
        varied_envelope(l);
        return;
    }
    if (kind == SMALL)
        snprintf(number, sizeof number, "%u", l->number);
    compose(l);
    snprintf(line, sizeof line,
             "MAIL FROM:<joerg%s@example.net> SIZE=20000\r\nRCPT TO:<user@example.com>\r\nDATA\r\n", number);
    say(l, 0, line);
    say(l, 1, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n");
}

static void some_text(struct lane *l)
{
    for (int i = 0; i < 2 && l->sent < l->len; i++) {
        size_t n = l->len - l->sent < mss ? l->len - l->sent : mss;
        packet(l, 0, 0x10, l->text + l->sent, n);
        l->sent += n;
    }
    packet(l, 1, 0x10, "", 0);
}

/* One turn of a connection; the others go on meanwhile. */
static void turn(struct lane *l)
{
    if (l->step == 0)
        begin(l);
    else if (l->step == 1)
        envelope(l);
    else if (l->sent < l->len)
        some_text(l);
    if (l->step < 2 || l->sent < l->len) {
        l->step += l->step < 2;
        return;
    }
    char answer[100] = "250 2.0.0 Ok: queued as 4F1C2A\r\n";
    if (kind == VARIED && chance(8))
        snprintf(answer, sizeof answer, "250 2.0.0 Ok: queued as 4%09X\r\n", chance(1u << 31));
    else if (kind == VARIED)
        snprintf(answer, sizeof answer, "550 5.7.1 listed at list%u.example\r\n", skewed(30));
    say(l, 1, answer);
    l->step = --l->mails ? 1 : 0;
    if (l->step)
        return;
    say(l, 0, "QUIT\r\n");
    say(l, 1, "221 2.0.0 Bye\r\n");
    packet(l, 0, 0x11, "", 0);
    packet(l, 1, 0x11, "", 0);
    packet(l, 0, 0x10, "", 0);
}

static int kind_of(const char *name)
{
    static const char *const names[] = {"mixed", "small", "varied", "huge", "plain"};
    for (int i = 0; i < 5; i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return -1;
}

/* What is begun is brought to its end, where mails are counted. */
static void write_mails(struct lane *lanes, uint64_t mails)
{
    size_t open = LANES;
    while (open) {
        struct lane *l = &lanes[chance((uint32_t)open)];
        if (l->step || begun < mails) {
            turn(l);
            continue;
        }
        struct lane done = *l;
        *l = lanes[--open];
        lanes[open] = done;
    }
}

int main(int argc, char **argv)
{
    static struct lane lanes[LANES];
    int found = argc == 4 || argc == 6 ? kind_of(argv[2]) : -1;
    uint64_t amount = found < 0 ? 0 : strtoull(argv[3], NULL, 10);
    const uint32_t head[6] = {0xa1b2c3d4, 4u << 16 | 2, 0, 0, 262144, 1};
    kind = (enum kind)found;
    if (argc == 6) {
        body = strtoull(argv[4], NULL, 10);
        mss = strtoull(argv[5], NULL, 10);
    }
    if (!amount || !mss || mss > MSS || (found == PLAIN) != (argc == 6) || !(out = fopen(argv[1], "wb"))) {
        fprintf(stderr, "usage: make OUT.pcap mixed|small|huge|plain AMOUNT [BODY MSS]\n");
        return 2;
    }
    setvbuf(out, NULL, _IOFBF, 1 << 20);
    fwrite(head, sizeof head, 1, out);
    uint32_t count = kind == HUGE ? HUGE_LANES : LANES;
    for (uint32_t i = 0; i < count; i++)
        lanes[i].text = malloc(MAIL_MAX + body + (kind == HUGE ? (size_t)HUGE_LINES * LINE : 0));
    if (kind == MIXED || kind == HUGE)
        while (written < amount)
            turn(&lanes[chance(count)]);
    else
        write_mails(lanes, amount);
    return fclose(out) != 0;
}
