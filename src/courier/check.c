/* check.c: settings before anything is started.
 * In: settings. Out: the first error, what a URL may be shown as. Owns: nothing. Limits: CHECK_RECIPIENTS,
 * CHECK_ADDRESS, CHECK_PASSWORD. Knowingly: addresses are bare and ASCII, as they go into headers and
 * commands as they are; quoted local parts are not taken. Spec: RFC 5321 4.1.2. */
#include "courier/check.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

static const char sendmail_prefix[] = "sendmail:";

const char *check_program(const char *server)
{
    size_t len = sizeof sendmail_prefix - 1;
    return strncmp(server, sendmail_prefix, len) == 0 ? server + len : NULL;
}

static bool is_address(const char *text)
{
    const char *at = strrchr(text, '@');
    size_t len = strlen(text);
    if (!at || at == text || !at[1] || len > CHECK_ADDRESS || *text == '-')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "!#$%&'*+-/=?^_`{|}~.@[]:") == len &&
           strchr(text, '@') == at;
}

/* One part of a URL, to be freed by curl_free; NULL: it has none. */
static char *part_of(CURLU *url, CURLUPart part)
{
    char *value = NULL;
    return curl_url_get(url, part, &value, 0) ? NULL : value;
}

/* `schemes` is "a b"; anything that curl would read in another way than a person is refused. */
static int check_url(const char *name, const char *text, const char *const schemes[2], struct error *reterr)
{
    CURLU *url = curl_url();
    if (!url)
        return error_set(reterr, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
    CURLUcode failed = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
    char *scheme = failed ? NULL : part_of(url, CURLUPART_SCHEME);
    char *user = failed ? NULL : part_of(url, CURLUPART_USER);
    int err = 0;
    char where[CHECK_WHERE];
    check_where(text, where);
    if (failed)
        err = error_set(reterr, -EINVAL, "%s: %.200s is no URL of %s:// or %s://: %s", name, where,
                        schemes[0], schemes[1], curl_url_strerror(failed));
    else if (!scheme || (strcmp(scheme, schemes[0]) != 0 && strcmp(scheme, schemes[1]) != 0))
        err = error_set(reterr, -EINVAL, "%s: %.200s: the scheme must be %s or %s", name, where, schemes[0],
                        schemes[1]);
    else if (user && strcmp(name, "email_server") == 0)
        err = error_set(reterr, -EINVAL, "%s: a user stands in email_user, not in the URL", name);
    curl_free(scheme);
    curl_free(user);
    curl_url_cleanup(url);
    return err;
}

static int check_email(const struct courier_settings *set, struct error *reterr)
{
    static const char *const schemes[] = {"smtp", "smtps"};
    const char *program = check_program(set->email_server);
    if (program && (*program != '/' || access(program, X_OK) < 0))
        return error_set(reterr, -EINVAL, "email_server: %.200s: %s", program,
                         *program == '/' ? strerror(errno) : "the path must begin with /");
    int err = program ? 0 : check_url("email_server", set->email_server, schemes, reterr);
    if (err)
        return err;
    if (!check_is_set(set->email_from))
        return error_set(reterr, -EINVAL, "email_from: needed by email_server: the sender's address");
    if (!is_address(set->email_from))
        return error_set(reterr, -EINVAL, "email_from: %.200s is no bare address", set->email_from);
    if (!set->email_to_count)
        return error_set(reterr, -EINVAL, "email_to: needed by email_server: who gets the mails");
    if (set->email_to_count > CHECK_RECIPIENTS)
        return error_set(reterr, -EINVAL, "email_to: more than %d addresses", CHECK_RECIPIENTS);
    for (size_t i = 0; i < set->email_to_count; i++)
        if (!is_address(set->email_to[i]))
            return error_set(reterr, -EINVAL, "email_to: %.200s is no bare address", set->email_to[i]);
    if (check_is_set(set->email_user) != check_is_set(set->email_password_file))
        return error_set(reterr, -EINVAL, "email_user and email_password_file: one needs the other");
    if (program && check_is_set(set->email_user))
        return error_set(reterr, -EINVAL, "email_user: a sendmail program asks for none");
    return 0;
}

int check_settings(const struct courier_settings *set, struct error *reterr)
{
    static const char *const schemes[] = {"http", "https"};
    const struct {
        const char *name;
        double value;
        bool positive;
    } seconds[] = {{"email_interval", set->email_interval, false},
                   {"retry_first", set->retry_first, true},
                   {"retry_most", set->retry_most, true},
                   {"timeout", set->timeout, true},
                   {"courier_wait", set->courier_wait, false}};
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (!(seconds[i].value >= 0 && seconds[i].value < 1e6) ||
            (seconds[i].positive && !(seconds[i].value >= 0.001)))
            return error_set(reterr, -EINVAL, "%s: %g seconds is out of range", seconds[i].name,
                             seconds[i].value);
    int err = check_is_set(set->email_server) ? check_email(set, reterr) : 0;
    if (!err && check_is_set(set->webhook_url))
        err = check_url("webhook_url", set->webhook_url, schemes, reterr);
    return err;
}

int check_password(const char *path, char ret[static CHECK_PASSWORD], struct error *reterr)
{
    FILE *file = fopen(path, "re");
    bool got = file && fgets(ret, CHECK_PASSWORD, file);
    int err = errno;
    bool failed = !file || ferror(file);
    if (file)
        fclose(file);
    if (failed)
        return error_set(reterr, -err, "email_password_file: %.300s: %s", path, strerror(err));
    if (got)
        ret[strcspn(ret, "\r\n")] = '\0';
    if (!got || !*ret)
        return error_set(reterr, -EINVAL, "email_password_file: %.300s: the first line is empty", path);
    return 0;
}

/* What should be a port and is none: a password whose host was forgotten, or that has a slash in it. */
static bool has_odd_port(struct slice host)
{
    size_t end = host.len;
    while (end && byte_is_digit(host.data[end - 1]))
        end--;
    size_t colon = slice_index(host, ':');
    return colon < host.len && host.data[0] != '[' && colon + 1 != end;
}

void check_where(const char *url, char ret[static CHECK_WHERE])
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t len = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', len);
    const char *shown = at ? at + 1 : host;
    /* A password may stand before any sign of this kind, whatever else it has in it. */
    bool hidden = strchr(host + len, '@') ||
                  has_odd_port((struct slice){(const uint8_t *)shown, (size_t)(host + len - shown)});
    if (check_program(url))
        snprintf(ret, CHECK_WHERE, "%s", url);
    else
        snprintf(ret, CHECK_WHERE, "%.*s%.*s", (int)(host - url), url, hidden ? 3 : (int)(host + len - shown),
                 hidden ? "..." : shown);
}

bool check_is_here(const char *text)
{
    CURLU *url = curl_url();
    char *host = url && !curl_url_set(url, CURLUPART_URL, text, 0) ? part_of(url, CURLUPART_HOST) : NULL;
    bool here = host && (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
                         (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == strlen(host)));
    curl_free(host);
    curl_url_cleanup(url);
    return here;
}
