/* Writes an endless capture of mixed traffic to standard output: mails, with and without loss, sessions that
 * go idle and never end, half-open connections, traffic that is no mail, connections picked up midway. What
 * it mixes grows until half of its time is over. usage: mix SECONDS [SEED] */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST = 300000, LEAST = 500, LINE = 76 };
enum kind { MAIL, LOSSY, IDLE, HALF_OPEN, OTHER, MIDWAY, KINDS };

struct conn {
    uint32_t client, server, seq, ack;
    uint16_t port, resp_port;
    uint8_t kind, step;
    uint32_t left; /* lines of the body */
};

static struct conn conns[MOST];
static uint64_t now_us = 1790000000000000, state = 88172645463325252;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

static void put(const struct conn *c, int from_server, uint8_t flags, const char *text, size_t len)
{
    uint8_t frame[1514] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    uint8_t *ip = frame + 14, *tcp = ip + 20;
    uint32_t head[4] = {(uint32_t)(now_us / 1000000), (uint32_t)(now_us % 1000000), (uint32_t)(54 + len),
                        (uint32_t)(54 + len)};
    uint32_t src = htonl(from_server ? c->server : c->client),
             dst = htonl(from_server ? c->client : c->server);
    uint32_t seq = htonl(from_server ? c->ack : c->seq), ack = htonl(from_server ? c->seq : c->ack);
    uint16_t total = htons((uint16_t)(40 + len)), sport = htons(from_server ? c->resp_port : c->port),
             dport = htons(from_server ? c->port : c->resp_port);
    memcpy(ip + 2, &total, 2);
    ip[8] = 64;
    ip[9] = 6;
    memcpy(ip + 12, &src, 4);
    memcpy(ip + 16, &dst, 4);
    memcpy(tcp, &sport, 2);
    memcpy(tcp + 2, &dport, 2);
    memcpy(tcp + 4, &seq, 4);
    memcpy(tcp + 8, &ack, 4);
    tcp[12] = 0x50;
    tcp[13] = flags;
    tcp[14] = 0xff;
    memcpy(tcp + 20, text, len);
    now_us += 20;
    fwrite(head, 1, sizeof head, stdout);
    fwrite(frame, 1, 54 + len, stdout);
}

/* Says something, unless the tap loses it. */
static void say(struct conn *c, int from_server, const char *text, size_t len)
{
    if (c->kind != LOSSY || draw(50))
        put(c, from_server, 0x18, text, len);
    if (from_server)
        c->ack += (uint32_t)len;
    else
        c->seq += (uint32_t)len;
}

static void line(struct conn *c, int from_server, const char *text)
{
    say(c, from_server, text, strlen(text));
}

static void begin(struct conn *c)
{
    static const uint8_t mix[] = {MAIL,      MAIL,      MAIL,      MAIL,  LOSSY, IDLE,  IDLE,
                                  HALF_OPEN, HALF_OPEN, HALF_OPEN, OTHER, OTHER, MIDWAY};
    *c = (struct conn){.client = 0x0a000000 + draw(1 << 24),
                       .server = 0xc0000200 + draw(200),
                       .port = (uint16_t)(1024 + draw(60000)),
                       .seq = draw(1u << 31),
                       .ack = draw(1u << 31),
                       .resp_port = 25,
                       .kind = mix[draw(sizeof mix)],
                       .left = draw(400)};
    if (c->kind == OTHER)
        c->resp_port = 443;
}

static void body(struct conn *c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[18 * (LINE + 2)];
    size_t len = 0;
    for (int i = 0; i < 18 && c->left; i++, c->left--) {
        for (int k = 0; k < LINE; k++)
            text[len++] = letters[draw(64)];
        text[len++] = '\r';
        text[len++] = '\n';
    }
    say(c, 0, text, len);
}

/* The next packet of the connection. False: it is over, or will say nothing more. */
static int step(struct conn *c)
{
    static const char *const talk[] = {
        "S220 mx.example.org ESMTP\r\n",
        "CEHLO client.example.com\r\n",
        "S250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n",
        "CMAIL FROM:<%u@example.com>\r\n",
        "S250 2.1.0 Ok\r\n",
        "CRCPT TO:<%u@example.org>\r\n",
        "S250 2.1.5 Ok\r\n",
        "CDATA\r\n",
        "S354 go on\r\n"};
    char text[1400];
    int n = c->step++;
    if (c->kind == MIDWAY && n < 12) {
        c->step = 12;
        n = 12;
    }
    if (n < 3) {
        put(c, n == 1, n == 0 ? 2 : n == 1 ? 0x12 : 0x10, "", 0);
        c->seq += n == 0;
        c->ack += n == 1;
        return n == 0 || c->kind != HALF_OPEN || draw(2);
    }
    if (c->kind == HALF_OPEN)
        return 0;
    if (c->kind == OTHER) {
        memset(text, 0x17, sizeof text);
        say(c, n & 1, text, sizeof text);
        return draw(40) != 0;
    }
    if (n < 12) {
        snprintf(text, sizeof text, talk[n - 3] + 1, draw(1u << 31));
        line(c, talk[n - 3][0] == 'S', text);
        return c->kind != IDLE || n != 5 + (int)(c->port % 3) * 2;
    }
    if (n == 12) {
        snprintf(text, sizeof text,
                 "From: a@example.com\r\nMessage-ID: <%u.%u@example.com>\r\nSubject: mail "
                 "%u\r\nContent-Type: application/octet-stream; "
                 "name=\"f.bin\"\r\nContent-Transfer-Encoding: base64\r\n\r\n",
                 draw(1u << 31), draw(1u << 31), c->left);
        line(c, 0, text);
        return 1;
    }
    if (c->left) {
        body(c);
        return 1;
    }
    line(c, 0, ".\r\n");
    line(c, 1, "250 2.0.0 Ok: queued\r\n");
    if (draw(4) == 0 && c->kind != MIDWAY) { /* another one */
        c->step = 6;
        c->left = draw(400);
        return 1;
    }
    put(c, 0, 0x11, "", 0);
    c->seq++;
    put(c, 1, 0x11, "", 0);
    return 0;
}

int main(int argc, char **argv)
{
    static const uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 262144, 1};
    double seconds = argc > 1 ? atof(argv[1]) : 10;
    time_t start = time(NULL);
    uint32_t count = 0;
    state += argc > 2 ? (uint64_t)atoll(argv[2]) * 2654435761u : 0;
    fwrite(head, 1, sizeof head, stdout);
    for (uint64_t n = 0;; n++) {
        if (n % 65536 == 0) {
            double part = (double)(time(NULL) - start) / seconds;
            uint32_t wanted = (uint32_t)(LEAST + (part < 0.5 ? part * 2 : 1) * (MOST - LEAST));
            if (part >= 1 || ferror(stdout))
                return 0;
            while (count < wanted)
                begin(&conns[count++]);
        }
        struct conn *c = &conns[draw(count)];
        if (!step(c))
            begin(c);
    }
}
