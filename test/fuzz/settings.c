/* settings.c: a file of settings, and each of its lines as NAME=VALUE.
 *
 * What is refused is refused with a text; what is taken is within its limits. */
#include "settings.h"
#include <unistd.h>
#include "fuzz.h"
#include "mail/charset.h"

static void check_error(int code, const struct error *err)
{
    assert(code <= 0 && (code < 0) == (err->text[0] != '\0'));
    assert(memchr(err->text, '\0', sizeof err->text));
    for (const char *c = err->text; *c; c++)
        assert((uint8_t)*c >= ' ' && *c != 127);
}

static void check_texts(const struct text_set *t)
{
    assert(t->count <= SETTINGS_TEXTS);
    for (size_t i = 0; i < t->count; i++)
        assert(memchr(t->items[i].text, '\0', SETTINGS_TEXT));
}

static void check(const struct settings *s)
{
    assert(s->local_nets.count <= SETTINGS_NETWORKS && s->ports.count <= SETTINGS_PORTS);
    for (size_t i = 0; i < s->local_nets.count; i++)
        assert(network_is_whole(&s->local_nets.items[i]));
    assert(s->suspicious_origination_countries.count <= SETTINGS_COUNTRIES);
    assert(s->notice_policy.count <= POLICY_ROWS);
    for (size_t i = 0; i < s->notice_policy.count; i++) {
        const struct policy_row *r = &s->notice_policy.rows[i];
        assert(memchr(r->note, '\0', POLICY_NOTE) && r->network_count <= POLICY_NETWORKS);
        assert(r->country_count <= POLICY_COUNTRIES && r->suppress_for == r->suppress_for);
    }
    assert(s->max_layers >= 4 && s->max_layers <= 64 && s->mime_depth >= 1);
    assert(s->gap_wait >= 0 && s->hole_wait >= 0 && s->loss_threshold >= 0 && s->loss_threshold <= 1);
    check_texts(&s->country_databases);
    check_texts(&s->email_to);
    assert(memchr(s->blocklists.text, '\0', SETTINGS_TEXT));
    assert(memchr(s->agents.text, '\0', SETTINGS_TEXT));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct settings fresh, set;
    static bool made;
    struct error err = {""};
    char path[FUZZ_PATH];
    int fd = fuzz_file((struct slice){data, size});
    if (!made)
        settings_defaults(&fresh);
    made = true;
    set = fresh;
    int code = settings_load(&set, fuzz_path(fd, path), &err);
    check_error(code, &err);
    if (!code)
        check(&set);
    close(fd);
    set = fresh;
    for (struct slice rest = {data, size}; rest.len;) {
        size_t lf = slice_index(rest, '\n');
        char *line = strndup((const char *)rest.data, lf);
        err.text[0] = '\0';
        code = settings_assign(&set, line, &err);
        check_error(code, &err);
        free(line);
        if (!code)
            check(&set);
        rest = slice_sub(rest, lf + 1, rest.len);
    }
    return 0;
}
