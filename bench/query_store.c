/* Makes a store of mails that never were, by the store's own writer: so many over so many days, with senders,
 * words, addresses and countries as unevenly spread as real ones. The same arguments make the same store.
 * usage: query-store DIR MAILS DAYS */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "sink/sink.h"
#include "store/writer.h"

enum {
    FIRST_DAY = 1793491200 /* 2026-11-01 */,
    DAY = 86400,
    WORDS = 30000,
    DOMAINS = 20000,
    PEOPLE = 200000,
    OURS = 6000,
    HOSTS = 60000,
    TEXTS = 64,
    TEXT = 200
};

static uint64_t state = 88172645463325252;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 33) % n;
}

/* Small numbers often, large ones seldom, as words and senders come: the density falls as 1/n. */
static uint32_t zipf(uint32_t n)
{
    double u = (draw(1 << 24) + 0.5) / (1 << 24);
    return (uint32_t)(pow((double)n, u)) - (u < 1e-9 ? 0 : 1);
}

/* Texts of the mail at hand. */
static char texts[TEXTS][TEXT];
static size_t used;

__attribute__((format(printf, 1, 2))) static struct slice text(const char *format, ...)
{
    char *to = texts[used++ % TEXTS];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(to, TEXT, format, args);
    va_end(args);
    return (struct slice){(const uint8_t *)to, (size_t)(len < TEXT ? len : TEXT - 1)};
}

/* A word that one can say, the same for the same number. */
static const char *word(uint32_t n)
{
    static const char *const syllables[] = {"ba",  "ri", "to",  "mel", "sun", "ka",  "lor", "vi",
                                            "den", "po", "gra", "nis", "fu",  "tal", "che", "war"};
    static char made[8][40];
    static unsigned at;
    char *to = made[at++ % 8];
    size_t len = 0;
    for (uint32_t i = 0, v = n + 16; v; v /= 16, i++)
        len += (size_t)snprintf(to + len, 40 - len, "%s", syllables[(v + i * 5) % 16]);
    return to;
}

static struct slice domain(uint32_t n)
{
    static const char *const ends[] = {"com", "com", "com", "org", "net", "de", "co.uk", "example"};
    return text("%s%s.%s", n % 7 == 0 ? "mail." : "", word(n), ends[n % 8]);
}

static struct address address(uint32_t n)
{
    uint32_t v = 0x0b000000u + n * 2654435761u % 0xc0000000u;
    return (struct address){4, {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}};
}

struct mail {
    struct transaction t;
    struct slice rcpt[4], to[1];
    struct mailbox from[1], people[1];
    struct addresses addresses;
    struct file files[1], parts[2];
    struct url url[2];
    struct hop hops[2];
    struct address path[3];
    struct origin origin;
    struct product agent;
    struct found_anomaly anomaly[1];
};

static void set_people(struct mail *m, uint32_t person)
{
    struct slice host = domain(person % DOMAINS);
    uint32_t own = zipf(OURS);
    m->t.mailfrom = text("%s.%s@%.*s", word(person), word(person / 3), (int)host.len, host.data);
    m->t.from =
        text("%s %s <%.*s>", word(person), word(person / 3), (int)m->t.mailfrom.len, m->t.mailfrom.data);
    m->from[0] = (struct mailbox){.addr = m->t.mailfrom, .domain = host};
    m->addresses = (struct addresses){.from = {m->from, 1, 1}, .to = {m->people, 1, 1}};
    m->t.addresses = &m->addresses;
    size_t count = draw(10) ? 1 : 1 + draw(4);
    for (size_t i = 0; i < count; i++)
        m->rcpt[i] = text("%s.%u@%s", word(own + (uint32_t)i * 17), own % 90,
                          own % 3   ? "uni.example.org"
                          : own % 2 ? "lab.example.org"
                                    : "old.example.net");
    m->t.rcptto = (struct text_list){m->rcpt, count, 4};
    m->to[0] = m->rcpt[0];
    m->t.to = (struct text_list){m->to, 1, 1};
    m->people[0] = (struct mailbox){.addr = m->rcpt[0], .domain = slice_str("uni.example.org")};
}

static void set_outcome(struct mail *m, uint64_t number)
{
    static const char *const reasons[] = {"Message content rejected",
                                          "Client host blocked using zen.blocklist.example",
                                          "Recipient address rejected: User unknown", "Relay access denied",
                                          "Sender address rejected: Domain not found"};
    uint32_t luck = draw(1000);
    m->t.disposition = slice_str(luck < 780   ? "accepted"
                                 : luck < 945 ? "rejected"
                                 : luck < 985 ? "deferred"
                                 : luck < 995 ? "aborted"
                                              : "unknown");
    if (luck < 780) {
        m->t.queue_id = text("4%08X%04X", (unsigned)(number * 2654435761u), (unsigned)number & 0xffff);
        m->t.reply =
            (struct decision){.code = 250,
                              .enhanced = slice_str("2.0.0"),
                              .stage = slice_str("content"),
                              .text = text("Ok: queued as %.*s", (int)m->t.queue_id.len, m->t.queue_id.data)};
    } else if (luck < 985) {
        uint32_t why = zipf(5) % 5;
        m->t.reply = (struct decision){.code = luck < 945 ? 550 + why % 4 : 450,
                                       .enhanced = luck < 945 ? slice_str("5.7.1") : slice_str("4.2.0"),
                                       .stage = slice_str("rcpt"),
                                       .text = slice_str(reasons[why])};
        m->t.last_error = m->t.reply.text;
    }
    m->t.last_reply = m->t.reply.text;
}

static void set_way(struct mail *m, uint32_t host)
{
    static const char *const countries[] = {"DE", "US", "DE", "FR", "GB", "NL", "CN", "RU",
                                            "IN", "BR", "UA", "PL", "IT", "ES", "VN", "NG",
                                            "TR", "JP", "KR", "SE", "CH", "AT", "MN", "TO"};
    struct address a = address(host);
    m->t.id.orig = (struct endpoint){a, (uint16_t)(1024 + draw(60000))};
    m->t.id.resp = (struct endpoint){{4, {192, 0, 2, (uint8_t)(25 + host % 4)}}, 25};
    m->t.helo = text("mx%u.%s.example", host % 9, word(host));
    m->hops[0] =
        (struct hop){.line = {.from_helo = m->t.helo, .from_ip = a, .by = slice_str("mx.uni.example.org")}};
    m->hops[1] = (struct hop){.line = {.from_ip = address(host + 7919 * (1 + draw(50))), .by = m->t.helo}};
    m->t.hops = (struct hop_list){m->hops, 2, 2};
    m->path[0] = m->t.id.resp.addr, m->path[1] = a, m->path[2] = m->hops[1].line.from_ip;
    m->t.path = (struct address_list){m->path, 3, 3};
    uint32_t country = zipf(24) % 24;
    m->origin = (struct origin){
        .ip = m->path[2], .country = slice_str(countries[country]), .asn = 1000 + country * 100 + host % 60};
    m->t.origin = &m->origin;
    m->t.tls = draw(10) > 0;
}

static void set_subject(struct mail *m)
{
    char all[TEXT];
    size_t len = 0;
    for (uint32_t i = 0, count = 2 + draw(6); i < count; i++)
        len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", i ? " " : "", word(zipf(WORDS)));
    m->t.subject = text("%s%s", draw(4) ? "" : "Re: ", all);
}

static void set_parts(struct mail *m, uint64_t number)
{
    struct slice sum = text("%016llx%016llx%016llx%016llx", (unsigned long long)number * 0x9e3779b97f4a7c15u,
                            (unsigned long long)number * 0xbf58476d1ce4e5b9u,
                            (unsigned long long)number * 0x94d049bb133111ebu, (unsigned long long)number);
    m->parts[0] = (struct file){.type = slice_str("text/plain"),
                                .mime_type = slice_str("text/plain"),
                                .size = 300 + draw(4000),
                                .sha256 = sum};
    m->parts[1] = (struct file){.type = slice_str("text/html"),
                                .mime_type = slice_str("text/html"),
                                .size = 900 + draw(40000),
                                .part = 1};
    m->t.parts = (struct file_list){m->parts, 1 + draw(2), 2};
    if (!draw(5)) {
        m->files[0] =
            (struct file){.name = text("%s-%u.%s", word(zipf(WORDS)), draw(900), draw(40) ? "pdf" : "exe"),
                          .type = slice_str("application/pdf"),
                          .size = 5000 + draw(4000000),
                          .part = 2};
        m->t.files = (struct file_list){m->files, 1, 1};
    }
    if (draw(3)) {
        m->url[0].host = domain(zipf(DOMAINS));
        m->url[0].url = text("https://%.*s/%s/%u", (int)m->url[0].host.len, m->url[0].host.data,
                             word(zipf(WORDS)), draw(100000));
        m->t.urls = (struct url_list){m->url, 1, 2};
    }
    m->t.message_bytes = 2000 + draw(30000) + (draw(50) ? 0 : draw(20000000));
    if (!draw(60)) {
        m->anomaly[0] = (struct found_anomaly){
            .which = (enum anomaly)draw(ANOMALY_COUNT), .offset = draw(1000), .text = slice_str("evidence")};
        m->t.anomalies = (struct anomaly_list){m->anomaly, 1, 1};
    }
}

static void make(struct mail *m, uint64_t number, double when)
{
    static const char *const agents[] = {"Microsoft Outlook 16.0", "Mozilla Thunderbird 128.4",
                                         "Apple Mail (2.3774)", "Roundcube Webmail/1.6", "PHPMailer 6.9.1"};
    memset(m, 0, sizeof *m);
    used = 0;
    m->t.ts = (struct timespec){(time_t)when, (long)((when - floor(when)) * 1e9)};
    m->t.id.uid = text("C%08x%09llx", (unsigned)(number * 2246822519u), (unsigned long long)number);
    m->t.trans_depth = 1;
    set_people(m, zipf(PEOPLE));
    set_outcome(m, number);
    set_way(m, zipf(HOSTS));
    set_subject(m);
    set_parts(m, number);
    m->t.msg_id = text("<%llu.%x@%.*s>", (unsigned long long)number * 7919, draw(1 << 30),
                       (int)m->from[0].domain.len, m->from[0].domain.data);
    m->t.user_agent = slice_str(agents[zipf(5) % 5]);
    m->agent = (struct product){.name = m->t.user_agent};
    m->t.agent = &m->agent;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: query-store DIR MAILS DAYS\n"), 2;
    uint64_t mails = strtoull(argv[2], NULL, 10);
    double seconds = strtod(argv[3], NULL) * DAY;
    const struct sink_settings set = {.directory = argv[1],
                                      .store = {64 << 20, 64 << 20, 16384, 10000, 0, 0, 0.25}};
    struct sink *snk = NULL;
    struct error err;
    static struct mail m;
    int code = sink_sqlite.open(&set, &snk, &err);
    for (uint64_t i = 0; i < mails && !code; i++) {
        make(&m, i, FIRST_DAY + seconds * (double)i / (double)mails);
        struct record rec = {&stream_smtp, &m.t, m.t.ts, NULL};
        code = sink_sqlite.write(snk, &rec, &err);
    }
    int closed = sink_sqlite.close(&snk, &err);
    if (code || closed)
        fprintf(stderr, "query-store: %s\n", err.text);
    return code || closed;
}
