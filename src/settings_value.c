/* settings_value.c: the text of one setting to its value.
 * In: text. Out: members of struct settings, or a message that says what is wanted. Owns: nothing.
 * Limits: each row's lowest and highest. Knowingly: a duration needs its unit, as nobody remembers whether a
 * bare number is seconds or milliseconds. */
#include "settings_row.h"

#include <assert.h>
#include <errno.h>
#include "base/amount.h"
#include "carrier/format.h"

static bool set_amount(const struct setting_row *row, void *field, struct slice text)
{
    double amount, lowest, highest;
    enum amount_kind kind = row->type == COUNT   ? AMOUNT_COUNT
                            : row->type == SIZE  ? AMOUNT_SIZE
                            : row->type == SHARE ? AMOUNT_SHARE
                                                 : AMOUNT_DURATION;
    bool ok = amount_parse(kind, slice_str(row->lowest), &lowest) &&
              amount_parse(kind, slice_str(row->highest), &highest);
    assert(ok);
    if (!amount_parse(kind, text, &amount) || amount < lowest || amount > highest)
        return false;
    if (row->type == DURATION || row->type == SHARE)
        *(double *)field = amount;
    else
        *(uint64_t *)field = (uint64_t)amount;
    return true;
}

static bool set_word(const char *const *words, size_t count, void *field, struct slice text)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_case_eq(text, slice_str(words[i]))) {
            *(uint64_t *)field = i;
            return true;
        }
    }
    return false;
}

static bool set_text(struct text_setting *field, struct slice text)
{
    if (text.len >= sizeof field->text || slice_index(text, 0) < text.len)
        return false;
    memcpy(field->text, text.data, text.len);
    field->text[text.len] = '\0';
    return true;
}

/* RFC 5424 6.2.1, by their numbers; the names that syslog.conf has used for them. */
static const char *const syslog_facilities[] = {"kern",   "user",   "mail",   "daemon", "auth",     "syslog",
                                                "lpr",    "news",   "uucp",   "cron",   "authpriv", "ftp",
                                                "ntp",    "audit",  "alert",  "clock",  "local0",   "local1",
                                                "local2", "local3", "local4", "local5", "local6",   "local7"};
static const char *const syslog_severities[] = {"emerg",   "alert",  "crit", "err",
                                                "warning", "notice", "info", "debug"};

static bool set_scalar(const struct setting_row *row, void *field, struct slice text)
{
    static const char *const checksums[] = {"ignore", "verify"};
    static const char *const captures[] = {"local", "remote", "all", "none"};
    static const char *const headers[] = {"known", "all"};
    static const char *const scopes[] = {"all", "local", "none"};
    static const char *const loads[] = {"fold", "pass", "others", "only"};
    static const char *const switches[] = {"no", "yes"};
    static const char *const hashes[] = {"none", "sha256", "all"};
    static const char *const extracts[] = {"files", "mails", "all"};
    static const char *const framings[] = {"octets", "lines"};
    switch (row->type) {
    case FORMATS:
        return set_word(carry_format_names, CARRY_FORMS, field, text);
    case FACILITY:
        return set_word(syslog_facilities, 24, field, text);
    case SEVERITY:
        return set_word(syslog_severities, 8, field, text);
    case FRAMING:
        return set_word(framings, 2, field, text);
    case EXTRACTS:
        return set_word(extracts, 3, field, text);
    case HASHES:
        return set_word(hashes, 3, field, text);
    case CHECKSUMS:
        return set_word(checksums, 2, field, text);
    case CAPTURE:
        return set_word(captures, 4, field, text);
    case HEADERS:
        return set_word(headers, 2, field, text);
    case SCOPE:
        return set_word(scopes, 3, field, text);
    case LOADS:
        return set_word(loads, 4, field, text);
    case SWITCH:
        return set_word(switches, 2, field, text);
    case COUNT:
    case SIZE:
    case DURATION:
    case SHARE:
        return set_amount(row, field, text);
    case TEXT:
        return set_text(field, text);
    case NETWORKS:
    case PORTS:
    case COUNTRIES:
    case TEXTS:
    case KINDS:
    case POLICY:
        break;
    }
    return false;
}

static int bad_value(const struct setting_row *row, struct slice text, const char *where,
                     struct error *reterr)
{
    char wants[128];
    row_wants(row, wants, sizeof wants);
    return error_set(reterr, -EINVAL, "%s'%s' is no value for %s; wanted: %s", where, shown(text).text,
                     row->name, wants);
}

static void *row_field(const struct setting_row *row, struct settings *set)
{
    return (char *)set + row->offset;
}

bool row_is_list(const struct setting_row *row)
{
    return row->type == NETWORKS || row->type == PORTS || row->type == COUNTRIES || row->type == TEXTS ||
           row->type == KINDS;
}

void row_clear(const struct setting_row *row, struct settings *set)
{
    list_clear(row, row_field(row, set));
}

int row_add(const struct setting_row *row, struct settings *set, struct slice item, const char *where,
            struct error *reterr)
{
    return list_add(row, row_field(row, set), slice_trim(item), where, reterr);
}

int row_set(const struct setting_row *row, struct settings *set, struct slice text, const char *where,
            struct error *reterr)
{
    text = slice_trim(text);
    if (row->type == POLICY)
        return text.len ? error_set(reterr, -EINVAL, "%s%s wants a list of rows, in a file that -c names",
                                    where, row->name)
                        : 0;
    if (!row_is_list(row))
        return set_scalar(row, row_field(row, set), text) ? 0 : bad_value(row, text, where, reterr);
    row_clear(row, set);
    if (!text.len)
        return 0;
    for (;;) {
        size_t comma = slice_index(text, ',');
        int err = row_add(row, set, slice_sub(text, 0, comma), where, reterr);
        if (err || comma == text.len)
            return err;
        text = slice_sub(text, comma + 1, text.len);
    }
}

void row_wants(const struct setting_row *row, char *ret, size_t room)
{
    static const char *const names[] = {
        [CHECKSUMS] = "ignore or verify",
        [EXTRACTS] = "files, mails or all",
        [HASHES] = "none, sha256 or all",
        [CAPTURE] = "local, remote, all or none",
        [HEADERS] = "known or all",
        [SCOPE] = "all, local or none",
        [LOADS] = "fold, pass, others or only",
        [FORMATS] = "auto, json, ecs, ocsf, eve or zeek-json",
        [FACILITY] = "facility of syslog, as mail, daemon, auth, user or local0 to local7",
        [SEVERITY] = "emerg, alert, crit, err, warning, notice, info or debug",
        [FRAMING] = "octets or lines",
        [NETWORKS] = "list of networks",
        [PORTS] = "list of ports, 1 to 65535",
        [COUNTRIES] = "list of countries, two letters each",
        [TEXTS] = "list of texts",
        [KINDS] = "list of kinds",
        [TEXT] = "text",
        [POLICY] = "list of rows",
        [COUNT] = "count",
        [SIZE] = "size in B, KiB, MiB or GiB",
        [DURATION] = "duration in ms, s, m or h",
        [SHARE] = "share in %",
        [SWITCH] = "yes or no"};
    snprintf(ret, room, *row->lowest ? "%s, %s to %s" : "%s", names[row->type], row->lowest, row->highest);
}
