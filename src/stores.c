/* stores.c: which kind of store a text names.
 * In: what commands are given, settings. Out: readers. Owns: what readers of one store share, the password
 * that they log in with. */
#include "stores.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "carrier/carrier.h"
#include "clickhouse/reader.h"
#include "store/open.h"
#include "view/past.h"

struct stores {
    char *folder; /* NULL: it is a server */
    struct chreader_settings server;
    char *url, *user, *password, *ca_file;
    struct past *past;
};

static const char *const schemes[] = {"clickhouse", "clickhouses"};

static const char *folder_of_text(const char *where)
{
    return where + (strncmp(where, "sqlite:", 7) == 0 ? 7 : 0);
}

static char *copy(const char *text)
{
    char *ret = text ? strdup(text) : NULL;
    if (text)
        memory_check(ret);
    return ret;
}

/* The rest of the address is not repeated: a password may stand in it. */
static int check_scheme(struct slice scheme, struct error *reterr)
{
    struct nearest near = nearest_to(scheme);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (slice_eq(scheme, slice_str(schemes[i])))
            return 0;
        nearest_try(&near, schemes[i]);
    }
    const bool close = near.name && near.edits * 2 <= scheme.len;
    return error_set(reterr, -EINVAL,
                     "%s://: a store is a folder, or clickhouse://HOST[:PORT]/DATABASE, or "
                     "clickhouses:// of that (by TLS)%s%s",
                     shown(scheme).text, close ? "; the nearest is " : "", close ? near.name : "");
}

static int open_server(struct stores *s, const struct stores_settings *set, struct error *reterr)
{
    s->url = copy(set->where);
    s->user = copy(set->user);
    s->password = copy(set->password);
    s->ca_file = copy(set->ca_file);
    s->server = (struct chreader_settings){
        .server = {.url = s->url, .user = s->user, .ca_file = s->ca_file, .connect = set->timeout},
        .password = s->password,
        .timeout = set->timeout,
        .past = s->past};
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        memory_out();
    return chserver_check(&s->server.server, s->password != NULL, reterr);
}

int stores_open(const struct stores_settings *set, struct stores **ret, struct error *reterr)
{
    const char *end = strstr(set->where, "://");
    int err =
        end ? check_scheme((struct slice){(const uint8_t *)set->where, (size_t)(end - set->where)}, reterr)
            : 0;
    if (err)
        return err;
    struct stores *s = calloc(1, sizeof *s);
    memory_check(s);
    s->past = set->sums_bytes ? past_new(set->sums_bytes) : NULL;
    if (end)
        err = open_server(s, set, reterr);
    else
        s->folder = copy(folder_of_text(set->where));
    if (err)
        stores_close(&s);
    *ret = s;
    return err;
}

static const char *or_null(const struct text_setting *s)
{
    return *s->text ? s->text : NULL;
}

int stores_open_by(const struct settings *set, const char *where, uint64_t sums_bytes, struct stores **ret,
                   struct error *reterr)
{
    char password[CARRIER_PASSWORD] = "";
    const bool server = strstr(where, "://") != NULL;
    int err = server && *set->carry_password_file.text
                  ? carrier_password(set->carry_password_file.text, password, reterr)
                  : 0;
    const struct stores_settings to = {.where = where,
                                       .sums_bytes = sums_bytes,
                                       .user = or_null(&set->carry_user),
                                       .password = *password ? password : NULL,
                                       .ca_file = or_null(&set->carry_ca_file),
                                       .timeout = set->carry_timeout};
    err = err ? err : stores_open(&to, ret, reterr);
    explicit_bzero(password, sizeof password);
    return err;
}

int stores_reader(struct stores *s, struct reader **ret, struct error *reterr)
{
    const struct store_settings set = {.directory = s->folder, .past = s->past};
    return s->folder ? store_open(&set, ret, reterr) : chreader_open(&s->server, ret, reterr);
}

void stores_discreet(struct stores *s)
{
    s->server.server.discreet = true;
}

const char *stores_name(const struct stores *s)
{
    return s->folder ? s->folder : s->url;
}

const char *stores_folder(const struct stores *s)
{
    return s->folder;
}

void stores_close(struct stores **ps)
{
    struct stores *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    if (s->password)
        explicit_bzero(s->password, strlen(s->password));
    past_free(&s->past);
    free(s->folder);
    free(s->url);
    free(s->user);
    free(s->password);
    free(s->ca_file);
    free(s);
}
