/* server.c: requests to ClickHouse over HTTP.
 * In: requests. Out: answers. Owns: the connection. Limits: of an answer that is kept, CHSERVER_ANSWER bytes;
 * the time that a request has. Knowingly: an error that comes amid an answer that had begun well is told only
 * to who asks for wait_end_of_query. Spec: the HTTP interface of ClickHouse 18.16. */
#include "clickhouse/server.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/memory.h"
#include "base/net.h"
#include "base/now.h"
#include "base/shown.h"
#include "clickhouse/schema.h"

enum { TELL_EVERY = 10 /* seconds */ };
enum { HOST = 256, DATABASE = 65, URL = 8192, PIECE = 1 << 18 };
enum { READONLY = 164 }; /* the code of a server that may not do what it is asked */

/* What the URL says. */
struct place {
    char host[HOST]; /* with brackets, where it has them */
    unsigned port;
    char database[DATABASE];
    bool tls;
};

struct chserver {
    struct place place;
    CURL *easy;
    struct curl_slist *heads;
    const struct chserver_request *request; /* under way */
    bool enough, reached, refused, discreet;
    double told_at; /* by now_monotonic; 0: never */
    struct buf answer;
    unsigned code;
    char error[CURL_ERROR_SIZE];
};

static bool is_host(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = byte_lower(s.data[i]);
        if (!(c >= 'a' && c <= 'z') && !byte_is_digit(c) && (!c || !strchr("-._:[]", c)))
            return false;
    }
    return s.len && s.len < HOST;
}

/* The URL itself is in no text: a password may stand in it. */
static int parse(const char *url, struct place *ret, struct error *reterr)
{
    *ret = (struct place){.tls = strncmp(url, "clickhouses:", 12) == 0};
    struct slice rest = slice_str(strstr(url, "://") + 3);
    size_t end = slice_index(rest, '/');
    struct slice host = slice_sub(rest, 0, end), database = slice_sub(rest, end + 1, rest.len);
    const char *scheme = ret->tls ? "clickhouses" : "clickhouse";
    if (slice_index(rest, '@') < rest.len)
        return error_set(reterr, -EINVAL,
                         "%s://: who logs in is said by carry_user and carry_password_file, not by the URL",
                         scheme);
    size_t colon = host.len;
    while (colon && byte_is_digit(host.data[colon - 1]))
        colon--;
    uint64_t port = ret->tls ? CHSERVER_PORT_TLS : CHSERVER_PORT;
    bool given = colon > 1 && host.data[colon - 1] == ':' &&
                 slice_index(host, ':') + 1 >= (host.data[0] == '[' ? 0 : colon);
    if (given) {
        if (!slice_number(slice_sub(host, colon, host.len), &port))
            port = 0;
        host = slice_sub(host, 0, colon - 1);
    }
    if (!is_host(host) || !port || port > UINT16_MAX)
        return error_set(reterr, -EINVAL, "%s://HOST[:PORT]/DATABASE: no host and port are there", scheme);
    if (!clickhouse_name_fits(database))
        return error_set(reterr, -EINVAL,
                         "%s://HOST[:PORT]/DATABASE: the database's name is of letters, digits and _",
                         scheme);
    memcpy(ret->host, host.data, host.len);
    memcpy(ret->database, database.data, database.len);
    ret->port = (unsigned)port;
    return 0;
}

/* Over loopback packing costs a core, and saves nothing. */
static bool is_here(const char *host)
{
    return strcmp(host, "localhost") == 0 ||
           (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host)) ||
           strcmp(host, "[::1]") == 0;
}

int chserver_check(const struct chserver_settings *set, bool password, struct error *reterr)
{
    struct place place;
    int err = parse(set->url, &place, reterr);
    if (err < 0)
        return err;
    if (password && !set->user)
        return error_set(reterr, -EINVAL, "carry_password_file is set, but carry_user is not");
    if (password && !place.tls && !is_here(place.host))
        return error_set(reterr, -EINVAL,
                         "%s: the password would go over the network as it is: use clickhouses://", set->url);
    for (const char *p = set->user; p && *p; p++)
        if ((uint8_t)*p < ' ')
            return error_set(reterr, -EINVAL, "carry_user has control characters");
    return 0;
}

int chserver_target(const char *url, struct chserver_target *ret, struct error *reterr)
{
    struct place place;
    struct address address;
    int err = parse(url, &place, reterr);
    if (err < 0)
        return err;
    struct slice host = slice_str(place.host);
    if (host.len > 1 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = slice_sub(host, 1, host.len - 1);
    *ret = (struct chserver_target){(uint16_t)place.port, !address_parse(host, &address)};
    return 0;
}

static void add_head(struct chserver *s, const char *name, const char *value)
{
    char *text = NULL;
    int len = asprintf(&text, "%s: %s", name, value);
    if (len < 0)
        memory_out();
    s->heads = curl_slist_append(s->heads, text);
    memory_check(s->heads);
    explicit_bzero(text, (size_t)len);
    free(text);
}

static bool is_good(const struct chserver *s)
{
    long status = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200;
}

static size_t keep(char *data, size_t size, size_t n, void *arg)
{
    struct chserver *s = arg;
    struct slice piece = {(const uint8_t *)data, size * n};
    if (!s->request->take || !is_good(s)) {
        buf_add(&s->answer, piece);
        return piece.len;
    }
    s->enough = !s->request->take(s->request->ctx, piece);
    return s->enough ? 0 : piece.len;
}

static void set_up(struct chserver *s, const struct chserver_settings *set)
{
    CURL *e = s->easy;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, s->place.tls ? "https" : "http");
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, s->error);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, s);
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, (long)PIECE);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "mailtap");
    curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    if (set->ca_file)
        curl_easy_setopt(e, CURLOPT_CAINFO, set->ca_file);
    if (set->connect > 0)
        curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(set->connect * 1000) + 1);
}

static void set_heads(struct chserver *s, const char *user, const char *password)
{
    /* A server that does not answer it would cost each batch a second. */
    add_head(s, "Expect", "");
    add_head(s, "Content-Type", "text/plain");
    if (user)
        add_head(s, "X-ClickHouse-User", user);
    if (password)
        add_head(s, "X-ClickHouse-Key", password);
}

int chserver_open(const struct chserver_settings *set, const char *password, struct chserver **ret,
                  struct error *reterr)
{
    struct place place;
    int err = parse(set->url, &place, reterr);
    if (err < 0)
        return err;
    struct chserver *s = calloc(1, sizeof *s);
    memory_check(s);
    s->place = place;
    s->discreet = set->discreet;
    s->easy = curl_easy_init();
    memory_check(s->easy);
    buf_init(&s->answer, CHSERVER_ANSWER);
    set_up(s, set);
    set_heads(s, set->user, password);
    *ret = s;
    return 0;
}

void chserver_close(struct chserver **ps)
{
    struct chserver *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    curl_easy_cleanup(s->easy);
    curl_slist_free_all(s->heads);
    buf_free(&s->answer);
    free(s);
}

const char *chserver_database(const struct chserver *s)
{
    return s->place.database;
}

bool chserver_is_here(const struct chserver *s)
{
    return is_here(s->place.host);
}

struct slice chserver_answer(const struct chserver *s)
{
    return buf_slice(&s->answer);
}

unsigned chserver_code(const struct chserver *s)
{
    return s->code;
}

bool chserver_was_reached(const struct chserver *s)
{
    return s->reached;
}

bool chserver_was_refused(const struct chserver *s)
{
    return s->refused;
}

/* The number behind "Code: "; 0: there is none. */
static unsigned code_of(struct slice answer)
{
    uint64_t code = 0;
    size_t at = slice_find(answer, "Code: ");
    if (at == answer.len || !slice_number(slice_sub(answer, at + 6, at + 12), &code))
        return 0;
    return (unsigned)code;
}

/* Whoever asks hears the number alone; who runs this reads the text, now and then. */
static void keep_secret(struct chserver *s, long status, struct error *reterr)
{
    double now = now_monotonic();
    if (!s->told_at || now > s->told_at + TELL_EVERY) {
        fprintf(stderr, "mailtap: the server of ClickHouse says: %s\n", reterr->text);
        s->told_at = now;
    }
    error_set(reterr, -EIO, "the server says HTTP status %ld, code %u", status, s->code);
}

/* What the server says, without the values of a record that it may name. */
static void explain(struct chserver *s, long status, struct error *reterr)
{
    static const char *const ends[] = {" before: ", ", e.what()", ": (while read", "(version", "\n"};
    struct slice said = buf_slice(&s->answer);
    unsigned code = s->code;
    if (code == 192 || code == 193 || code == 194 || code == 516 ||
        (!code && (status == 401 || status == 403))) {
        s->refused = true;
        error_set(reterr, -EACCES,
                  "the server does not take this user and password (carry_user, carry_password_file)");
        return;
    }
    size_t from = slice_find(said, "DB::Exception: ");
    said = slice_sub(said, from < said.len ? from + sizeof "DB::Exception: " - 1 : 0, said.len);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        said = slice_sub(said, 0, slice_find(said, ends[i]));
    said = slice_sub(said, 0, 300);
    error_set(reterr, -EIO, "HTTP status %ld, code %u: %.*s%s", status, code, (int)said.len,
              (const char *)said.data,
              code == READONLY ? "; the user's profile has to have readonly 0 to write, or 2 to ask" : "");
    shown_clean(reterr->text);
    if (s->discreet)
        keep_secret(s, status, reterr);
}

/* Whether a row is at fault, however often it is sent. */
static bool is_of_row(unsigned code)
{
    static const unsigned codes[] = {6,  25,  26,  27,  38,  41,  53,  69,  70,
                                     72, 117, 130, 131, 321, 349, 441, 675, 676};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static void set_request(struct chserver *s, const struct chserver_request *r, double left)
{
    char url[URL];
    snprintf(url, sizeof url, "%s://%s:%u/?%s", s->place.tls ? "https" : "http", s->place.host, s->place.port,
             r->more);
    curl_easy_setopt(s->easy, CURLOPT_URL, url);
    curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, s->heads);
    curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, r->body.data);
    curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, (long)(left * 1000) + 1);
}

enum chserver_outcome chserver_ask(struct chserver *s, const struct chserver_request *request,
                                   struct error *reterr)
{
    long status = 0;
    double left = request->until - now_monotonic();
    s->request = request;
    s->enough = s->reached = s->refused = false;
    s->code = 0;
    buf_clear(&s->answer);
    *s->error = '\0';
    if (left <= 0)
        return error_set(reterr, -ETIMEDOUT, "its time is over"), CHSERVER_LATE;
    set_request(s, request, left);
    CURLcode failed = curl_easy_perform(s->easy);
    curl_off_t ready = 0;
    s->reached = curl_easy_getinfo(s->easy, CURLINFO_PRETRANSFER_TIME_T, &ready) == CURLE_OK && ready > 0;
    if (s->enough)
        return error_set(reterr, -ECANCELED, "no more is wanted"), CHSERVER_ENOUGH;
    if (failed) {
        error_set(reterr, -EIO, "%s", *s->error ? s->error : curl_easy_strerror(failed));
        return CHSERVER_FAILED;
    }
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    struct slice said = buf_slice(&s->answer);
    if (status == 200 && !(said.len > 6 && memcmp(said.data, "Code: ", 6) == 0))
        return CHSERVER_DONE;
    s->code = code_of(said);
    explain(s, status, reterr);
    return is_of_row(s->code) ? CHSERVER_ROW : CHSERVER_FAILED;
}
