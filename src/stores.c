/* stores.c: which kind of store a text names.
 * In: what commands are given. Out: readers. Owns: what readers of one store share. Limits: a password of
 * PASSWORD bytes. */
#include "stores.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/memory.h"
#include "clickhouse/reader.h"
#include "store/open.h"
#include "view/past.h"

enum { PASSWORD = 1024 };

struct stores {
    bool server;
    char *where; /* the folder, or the URL */
    char *user, *ca_file;
    char password[PASSWORD]; /* "": none */
    double timeout;
    struct past *past;
};

static const char *or_null(const struct text_setting *s)
{
    return *s->text ? s->text : NULL;
}

struct stores_settings stores_settings_of(const char *where, uint64_t sums_bytes, const struct settings *set)
{
    return (struct stores_settings){.where = where,
                                    .sums_bytes = sums_bytes,
                                    .user = or_null(&set->carry_user),
                                    .password_file = or_null(&set->carry_password_file),
                                    .ca_file = or_null(&set->carry_ca_file),
                                    .timeout = set->carry_timeout};
}

bool stores_is_server(const char *where)
{
    return strncmp(where, "clickhouse://", 13) == 0 || strncmp(where, "clickhouses://", 14) == 0;
}

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

/* The file's first line. */
static int read_password(const char *path, char ret[static PASSWORD], struct error *reterr)
{
    FILE *file = fopen(path, "re");
    int err = file ? 0 : errno;
    if (file && !fgets(ret, PASSWORD, file))
        err = ferror(file) ? errno : 0;
    if (file)
        fclose(file);
    if (err)
        return error_set(reterr, -err, "carry_password_file: %.300s: %s", path, strerror(err));
    ret[strcspn(ret, "\r\n")] = '\0';
    if (!*ret)
        return error_set(reterr, -EINVAL, "carry_password_file: %.300s: the first line is empty", path);
    return 0;
}

static struct chreader_settings reader_settings(const struct stores *s)
{
    return (struct chreader_settings){
        .server = {.url = s->where, .user = s->user, .ca_file = s->ca_file},
        .password = *s->password ? s->password : NULL,
        .timeout = s->timeout,
        .past = s->past,
    };
}

int stores_open(const struct stores_settings *set, struct stores **ret, struct error *reterr)
{
    struct stores *s = calloc(1, sizeof *s);
    memory_check(s);
    s->server = stores_is_server(set->where);
    s->where = copy(folder_of_text(set->where));
    s->timeout = set->timeout > 0 ? set->timeout : 10;
    int err = 0;
    if (s->server) {
        s->user = copy(set->user);
        s->ca_file = copy(set->ca_file);
        if (set->password_file)
            err = read_password(set->password_file, s->password, reterr);
        const struct chreader_settings reader = reader_settings(s);
        if (!err)
            err = chserver_check(&reader.server, reader.password != NULL, reterr);
    }
    if (err < 0) {
        stores_close(&s);
        return err;
    }
    s->past = set->sums_bytes ? past_new(set->sums_bytes) : NULL;
    *ret = s;
    return 0;
}

int stores_reader(struct stores *s, struct reader **ret, struct error *reterr)
{
    if (s->server) {
        const struct chreader_settings set = reader_settings(s);
        return chreader_open(&set, ret, reterr);
    }
    const struct store_settings set = {.directory = s->where, .past = s->past};
    return store_open(&set, ret, reterr);
}

const char *stores_name(const struct stores *s)
{
    return s->where;
}

void stores_close(struct stores **ps)
{
    struct stores *s = *ps;
    *ps = NULL;
    if (!s)
        return;
    past_free(&s->past);
    explicit_bzero(s->password, sizeof s->password);
    free(s->where);
    free(s->user);
    free(s->ca_file);
    free(s);
}
