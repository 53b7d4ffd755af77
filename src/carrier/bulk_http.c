/* bulk_http.c: requests to one of several servers.
 * In: bodies. Out: answers. Owns: the connection. Limits: ANSWER bytes of an answer. Knowingly: a server is
 * asked as long as it answers, so a cluster's others are spares. Spec: RFC 9110, RFC 7617. */
#include "carrier/bulk_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <zlib.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/now.h"
#include "carrier/tls.h"
#include "sink/line.h"

enum { ANSWER = 64 << 20, URL = 512 };

struct bulk_http {
    struct bulk_http_settings set;
    size_t server;
    CURL *easy;
    struct curl_slist *heads, *packed;
    z_stream deflate;
    struct line body;
    struct buf answer;
    char error[CURL_ERROR_SIZE];
};

static size_t keep(char *data, size_t size, size_t n, void *arg)
{
    struct bulk_http *h = arg;
    return buf_add(&h->answer, (struct slice){(const uint8_t *)data, size * n}) ? size * n : 0;
}

static void add_head(struct curl_slist **list, const char *text)
{
    *list = curl_slist_append(*list, text);
    memory_check(*list);
}

static void add_base64(struct slice s, struct line *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < s.len; i += 3) {
        unsigned bits = (unsigned)s.data[i] << 16;
        bits |= i + 1 < s.len ? (unsigned)s.data[i + 1] << 8 : 0;
        bits |= i + 2 < s.len ? s.data[i + 2] : 0;
        line_byte(out, (uint8_t)letters[bits >> 18]);
        line_byte(out, (uint8_t)letters[bits >> 12 & 63]);
        line_byte(out, i + 1 < s.len ? (uint8_t)letters[bits >> 6 & 63] : '=');
        line_byte(out, i + 2 < s.len ? (uint8_t)letters[bits & 63] : '=');
    }
}

static void log_in(struct bulk_http *h)
{
    struct line head = {0}, plain = {0};
    const char *user = h->set.set->user, *password = h->set.password;
    line_str(&head, user ? "Authorization: Basic " : "Authorization: ApiKey ");
    if (user)
        line_printf(&plain, "%s:%s", user, password);
    else
        line_str(&plain, password);
    if (user || strchr(password, ':'))
        add_base64(line_slice(&plain), &head);
    else
        line_add(&head, line_slice(&plain));
    line_byte(&head, 0);
    add_head(&h->heads, (const char *)head.data);
    add_head(&h->packed, (const char *)head.data);
    explicit_bzero(head.data, head.len);
    explicit_bzero(plain.data, plain.len);
    line_free(&head);
    line_free(&plain);
}

static void set_up(struct bulk_http *h)
{
    CURL *e = h->easy;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, h->set.tls ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, h->error);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "mailtap");
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    tls_set(e, h->set.set);
}

struct bulk_http *bulk_http_new(const struct bulk_http_settings *set)
{
    struct bulk_http *h = calloc(1, sizeof *h);
    memory_check(h);
    h->set = *set;
    h->easy = curl_easy_init();
    memory_check(h->easy);
    buf_init(&h->answer, ANSWER);
    if (deflateInit2(&h->deflate, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        memory_out();
    set_up(h);
    struct curl_slist **const lists[] = {&h->heads, &h->packed};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        add_head(lists[i], "Content-Type: application/x-ndjson");
        add_head(lists[i], "Accept: application/json");
        /* A server that does not answer it would cost each batch a second. */
        add_head(lists[i], "Expect:");
    }
    add_head(&h->packed, "Content-Encoding: gzip");
    if (set->password)
        log_in(h);
    return h;
}

void bulk_http_free(struct bulk_http **ph)
{
    struct bulk_http *h = *ph;
    *ph = NULL;
    if (!h)
        return;
    curl_easy_cleanup(h->easy);
    curl_slist_free_all(h->heads);
    curl_slist_free_all(h->packed);
    deflateEnd(&h->deflate);
    line_free(&h->body);
    buf_free(&h->answer);
    free(h);
}

void bulk_http_move(struct bulk_http *h)
{
    h->server = (h->server + 1) % h->set.servers->count;
}

static struct slice pack(struct bulk_http *h, struct slice lines)
{
    z_stream *z = &h->deflate;
    deflateReset(z);
    line_clear(&h->body);
    size_t room = deflateBound(z, lines.len);
    z->next_in = (uint8_t *)lines.data;
    z->avail_in = (unsigned)lines.len;
    z->next_out = line_room(&h->body, room);
    z->avail_out = (unsigned)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        memory_out();
    h->body.len = room - z->avail_out;
    return line_slice(&h->body);
}

int bulk_http_post(struct bulk_http *h, const char *path, struct slice lines, double until, long *retstatus,
                   struct slice *retanswer, struct error *reterr)
{
    char url[URL];
    const char *server = h->set.servers->items[h->server];
    const bool near = servers_is_here(server);
    const struct slice body = near ? lines : pack(h, lines);
    CURL *e = h->easy;
    snprintf(url, sizeof url, "%s://%s%s", h->set.tls ? "https" : "http", server, path);
    buf_clear(&h->answer);
    *h->error = '\0';
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, near ? h->heads : h->packed);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDS, body.data);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(fmax(until - now_monotonic(), 0) * 1000) + 1);
    CURLcode failed = curl_easy_perform(e);
    if (failed) {
        error_set(reterr, -EIO, "%.100s: %.300s", server, *h->error ? h->error : curl_easy_strerror(failed));
        bulk_http_move(h);
        return -EIO;
    }
    curl_easy_getinfo(e, CURLINFO_RESPONSE_CODE, retstatus);
    *retanswer = buf_slice(&h->answer);
    return 0;
}
