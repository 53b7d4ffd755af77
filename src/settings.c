/* settings.c: the table of settings, out of settings.def.
 * In: key=value. Out: struct settings, the list of all. Owns: nothing. */
#include "settings.h"

#include <assert.h>
#include <errno.h>
#include "base/nearest.h"
#include "settings_row.h"

static const struct setting_row rows[] = {
#define SETTING(name, type, fallback, lowest, highest, meaning)                                              \
    {#name, type, offsetof(struct settings, name), fallback, lowest, highest, meaning},
#include "settings.def"
#undef SETTING
};
enum { ROWS = sizeof rows / sizeof *rows };
static_assert((int)ROWS <= SETTINGS_MOST, "struct settings has a mark a row");

const struct setting_row *row_find(struct slice name, const char *where, struct error *reterr)
{
    for (size_t i = 0; i < ROWS; i++)
        if (slice_eq(name, slice_str(rows[i].name)))
            return &rows[i];
    struct nearest near = nearest_to(name);
    for (size_t i = 0; i < ROWS; i++)
        nearest_try(&near, rows[i].name);
    if (near.name)
        error_set(reterr, 0, "%sno setting '%s'; the nearest is '%s'", where, shown(name).text, near.name);
    else
        error_set(reterr, 0, "%sno setting '%s'", where, shown(name).text);
    return NULL;
}

size_t row_index(const struct setting_row *row)
{
    return (size_t)(row - rows);
}

void settings_defaults(struct settings *ret)
{
    *ret = (struct settings){0};
    for (size_t i = 0; i < ROWS; i++) {
        int err = row_set(&rows[i], ret, slice_str(rows[i].fallback), "", &(struct error){{0}});
        assert(!err);
    }
}

int settings_assign(struct settings *set, const char *assignment, struct error *reterr)
{
    struct slice text = slice_str(assignment);
    size_t equals = slice_index(text, '=');
    if (!equals || equals == text.len)
        return error_set(reterr, -EINVAL, "-s wants key=value, not '%s'", shown(text).text);
    const struct setting_row *row = row_find(slice_sub(text, 0, equals), "-s: ", reterr);
    if (!row)
        return -EINVAL;
    bool *assigned = &set->assigned[row_index(row)];
    if (*assigned)
        return error_set(reterr, -EINVAL, "-s: %s is there twice%s", row->name,
                         row_is_list(row) ? "; write its items with commas between them" : "");
    *assigned = true;
    return row_set(row, set, slice_sub(text, equals + 1, text.len), "-s: ", reterr);
}

struct settings_target settings_target(const struct settings *set, enum notice_action action)
{
    switch (action) {
    case ACTION_EMAIL:
        return (struct settings_target){"email_server", set->email_server.text};
    case ACTION_WEBHOOK:
        return (struct settings_target){"webhook_url", set->webhook_url.text};
    case ACTION_LOG:
    case ACTION_DROP:
        break;
    }
    return (struct settings_target){NULL, ""};
}

int settings_collect(const struct settings_source *source, struct settings *ret, struct error *reterr)
{
    int err = 0;
    settings_defaults(ret);
    for (size_t i = 0; i < source->file_count && !err; i++)
        err = settings_load(ret, source->files[i], reterr);
    for (size_t i = 0; i < source->assigned_count && !err; i++)
        err = settings_assign(ret, source->assigned[i], reterr);
    return err;
}

static size_t row_size(const struct setting_row *row)
{
    switch (row->type) {
    case TEXT:
        return sizeof(struct text_setting);
    case TEXTS:
        return sizeof(struct text_set);
    case NETWORKS:
        return sizeof(struct network_set);
    case PORTS:
        return sizeof(struct port_set);
    case COUNTRIES:
        return sizeof(struct country_set);
    case POLICY:
        return sizeof(struct policy);
    case CHECKSUMS:
    case EXTRACTS:
    case HASHES:
    case CAPTURE:
    case HEADERS:
    case SCOPE:
    case FORMATS:
    case FACILITY:
    case SEVERITY:
    case FRAMING:
    case LOADS:
    case KINDS:
    case COUNT:
    case SIZE:
    case DURATION:
    case SHARE:
    case SWITCH:
        break;
    }
    return sizeof(uint64_t);
}

void settings_tell_fixed(const struct settings *old, const struct settings *now)
{
    /* clang-format off */
    static const char *const fixed[] = {
        "max_layers",      "fragment_datagrams", "fragment_bytes",      "fragment_timeout",
        "max_suppressed",  "software_hosts",     "email_server",        "email_from",
        "email_to",        "email_user",         "email_password_file", "email_interval",
        "email_rate",      "webhook_url",        "spool_directory",     "spool_bytes",
        "retry_first",     "retry_most",         "delivery_timeout",    "courier_wait",
        "script_counters", "output_bytes",       "rotate_size",         "rotate_interval",
        "rotate_keep",     "capture_filter",     "capture_buffer",      "promiscuous",
        "user",            "extract_directory",  "extract_part_bytes",  "extract_bytes",
        "extract_files",   "extract",            "store_days",          "store_bytes",
        "store_commit",    "store_queue_bytes",  "store_cache_bytes",   "store_find_bytes",
        "store_keys", "sensor", "outbox_directory", "outbox_bytes", "outbox_sync", "batch_bytes", "group_bytes", "batch_wait", "carry_timeout", "carry_wait", "carry_user", "carry_password_file", "carry_ca_file", "carry_cert_file", "carry_key_file", "carry_format",
        "syslog_facility", "syslog_severity", "syslog_notice_severity", "syslog_framing", "syslog_bytes"};
    /* clang-format on */
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
        const struct setting_row *row = row_find(slice_str(fixed[i]), "", &(struct error){{0}});
        assert(row);
        const char *a = (const char *)old + row->offset, *b = (const char *)now + row->offset;
        if (memcmp(a, b, row_size(row)) != 0)
            fprintf(stderr, "mailtap: %s has changed; that counts from the next start on\n", row->name);
    }
}

void settings_print(FILE *out)
{
    char wants[128];
    for (size_t i = 0; i < ROWS; i++) {
        const struct setting_row *row = &rows[i];
        row_wants(row, wants, sizeof wants);
        fprintf(out, "%s# %s\n# %s\n", i ? "\n" : "", row->meaning, wants);
        bool list = row_is_list(row) || row->type == POLICY;
        fprintf(out,
                list             ? "%s: [%s]\n"
                : *row->fallback ? "%s: %s\n"
                                 : "%s: \"%s\"\n",
                row->name, row->fallback);
    }
}
