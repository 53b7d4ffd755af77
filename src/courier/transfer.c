/* transfer.c: SMTP and HTTP by libcurl.
 * In: a mail or a JSON object. Out: what the server made of it. Owns: an easy handle. Limits: `timeout` a
 * delivery; what a server replies is not kept but for one line. Knowingly: a mail is delivered when the
 * server takes it for all recipients; one that is refused holds back the mail and is said, as nobody would
 * notice a part. STARTTLS is used where it is offered; nobody is authenticated by it, as a relay that offers
 * none is fine too; with a password TLS is a must, and the certificate is checked. Spec: RFC 5321, 3207,
 * 9110. */
#include "courier/transfer.h"

#include <assert.h>
#include "base/memory.h"
#include "courier/clean.h"

void transfer_init(struct transfer *t, CURLM *multi)
{
    *t = (struct transfer){.multi = multi, .easy = curl_easy_init()};
    memory_check(t->easy);
}

static size_t give(char *to, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct slice part = slice_sub(t->body, t->sent, t->sent + size * n);
    if (part.len)
        memcpy(to, part.data, part.len);
    t->sent += part.len;
    return part.len;
}

/* For a STARTTLS or a redirect of the connection; from the start only. */
static int rewind_body(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;
    if (origin != SEEK_SET || offset < 0 || (size_t)offset > t->body.len)
        return CURL_SEEKFUNC_CANTSEEK;
    t->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t drop(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

/* The code of a reply, and its enhanced code. */
static struct slice codes_of(struct slice s)
{
    size_t i = 0;
    while (i < s.len && (byte_is_digit(s.data[i]) || s.data[i] == '.' || s.data[i] == ' ') &&
           i < sizeof "535 5.7.255" - 1)
        i++;
    return slice_trim(slice_sub(s, 0, i));
}

static size_t keep_reply(char *data, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    struct buf line;
    struct slice s = slice_trim((struct slice){(const uint8_t *)data, size * n});
    if (!s.len || t->quitting) /* "bye" explains nothing */
        return size * n;
    if (t->logging_in)
        s = codes_of(s);
    buf_init(&line, sizeof t->reply - 1);
    clean_line(&line, s, sizeof t->reply - 8);
    memcpy(t->reply, line.data, line.len);
    t->reply[line.len] = '\0';
    buf_free(&line);
    return size * n;
}

/* libcurl waits for the reply to QUIT without returning to us; all was said by then. */
static int watch(CURL *easy, curl_infotype type, char *data, size_t len, void *arg)
{
    struct transfer *t = arg;
    (void)easy;
    if (type != CURLINFO_HEADER_OUT || len < 4)
        return 0;
    t->quitting |= memcmp(data, "QUIT", 4) == 0;
    if (memcmp(data, "AUTH", 4) == 0 || memcmp(data, "MAIL", 4) == 0)
        t->logging_in = *data == 'A';
    return 0;
}

static int is_over(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct transfer *t = arg;
    (void)a, (void)b, (void)c, (void)d;
    return t->quitting;
}

static void prepare(struct transfer *t, const struct courier_settings *set, const char *url,
                    struct slice body)
{
    CURL *e = t->easy;
    assert(!t->running);
    curl_easy_reset(e);
    t->body = body;
    t->sent = 0;
    t->http = t->over = t->quitting = t->logging_in = false;
    *t->error = *t->reply = '\0';
    curl_easy_setopt(e, CURLOPT_URL, url);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* no waiting for a resolver that hangs */
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(set->timeout * 1000));
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(set->timeout * 1000));
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, give);
    curl_easy_setopt(e, CURLOPT_READDATA, t);
    curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rewind_body);
    curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop);
}

static void start(struct transfer *t)
{
    CURLMcode failed = curl_multi_add_handle(t->multi, t->easy);
    if (failed == CURLM_OUT_OF_MEMORY)
        memory_out();
    assert(!failed);
    t->running = true;
}

/* A list that lost a recipient would still deliver. */
static void add(struct transfer *t, const char *text)
{
    t->list = curl_slist_append(t->list, text);
    memory_check(t->list);
}

void transfer_smtp(struct transfer *t, const struct courier_settings *set, const char *password,
                   struct slice mail)
{
    CURL *e = t->easy;
    bool must = password && !check_is_here(set->email_server);
    bool smtps = strncmp(set->email_server, "smtps:", 6) == 0;
    prepare(t, set, set->email_server, mail);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_USE_SSL, (long)(must ? CURLUSESSL_ALL : CURLUSESSL_TRY));
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, must || smtps ? 1L : 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, must || smtps ? 2L : 0L);
    if (password) {
        curl_easy_setopt(e, CURLOPT_USERNAME, set->email_user);
        curl_easy_setopt(e, CURLOPT_PASSWORD, password);
    }
    for (size_t i = 0; i < set->email_to_count; i++)
        add(t, set->email_to[i]);
    curl_easy_setopt(e, CURLOPT_MAIL_FROM, set->email_from);
    curl_easy_setopt(e, CURLOPT_MAIL_RCPT, t->list);
    curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)mail.len);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, keep_reply);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    /* The next mail may be an hour away. */
    curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
    curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, watch);
    curl_easy_setopt(e, CURLOPT_DEBUGDATA, t);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, is_over);
    curl_easy_setopt(e, CURLOPT_XFERINFODATA, t);
    start(t);
}

void transfer_post(struct transfer *t, const struct courier_settings *set, struct slice json)
{
    CURL *e = t->easy;
    prepare(t, set, set->webhook_url, json);
    t->http = true;
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_POST, 1L);
    curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)json.len);
    add(t, "Content-Type: application/json");
    /* A server that does not answer it would cost each notice a second. */
    add(t, "Expect:");
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->list);
    curl_easy_setopt(e, CURLOPT_USERAGENT, "mailtap");
    start(t);
}

void transfer_heard(struct transfer *t, const CURLMsg *msg)
{
    if (msg->msg != CURLMSG_DONE || msg->easy_handle != t->easy)
        return;
    t->code = msg->data.result;
    t->over = true;
}

/* What went wrong, in as few words as tell it. */
static void explain(const struct transfer *t, struct outcome *ret)
{
    long os = 0;
    const char *said = *t->error ? t->error : curl_easy_strerror(t->code);
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os);
    if (t->code == CURLE_COULDNT_CONNECT && os)
        snprintf(ret->text, sizeof ret->text, "%s", strerror((int)os));
    else if (*t->reply == '4' || *t->reply == '5')
        snprintf(ret->text, sizeof ret->text, "%.100s (%s)", said, t->reply);
    else
        snprintf(ret->text, sizeof ret->text, "%s", said);
}

bool transfer_done(struct transfer *t, struct outcome *ret)
{
    long status = 0;
    curl_off_t after = 0;
    if (!t->over)
        return false;
    *ret = (struct outcome){.delivered = t->code == CURLE_OK};
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->code != CURLE_OK) {
        explain(t, ret);
    } else if (t->http && status / 100 != 2) {
        ret->delivered = false;
        ret->refused = status == 400 || status == 413 || status == 415 || status == 422;
        snprintf(ret->text, sizeof ret->text, "HTTP status %ld", status);
        if (!curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &after) && after > 0)
            ret->after = (double)after;
    }
    curl_multi_remove_handle(t->multi, t->easy);
    curl_slist_free_all(t->list);
    t->list = NULL;
    t->over = t->running = false;
    return true;
}

void transfer_free(struct transfer *t)
{
    if (t->running)
        curl_multi_remove_handle(t->multi, t->easy);
    curl_slist_free_all(t->list);
    curl_easy_cleanup(t->easy);
}
