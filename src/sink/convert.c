/* convert.c: values of ours as values of another shape.
 * In: a record, a value of it. Out: one JSON value. Owns: nothing. Limits: none of its own: it is linear in
 * the value. Knowingly: times before the year 0 or behind 9999 are told as the nearest time that has a form.
 * Spec: RFC 3339, RFC 8259. */
#include "sink/convert.h"

#include <math.h>
#include "mail/date.h"
#include "record/notice.h"
#include "sink/json.h"
#include "sink/of_record.h"
#include "sink/version.h"

#define LAST_SECOND 253402300799 /* of the year 9999 */

static const struct {
    bool whole;
} kinds[CONVERSIONS] = {
#define CONVERSION(name, is_whole, doc) {is_whole},
#include "sink/convert.def"
#undef CONVERSION
};

bool conversion_is_whole(enum conversion how)
{
    return kinds[how].whole;
}

bool conversion_is_label(enum conversion how)
{
    return how == TO_LABEL || how == TO_LABEL_NUMBER;
}

bool convert_mapped(struct slice word, const char *with, struct slice *ret)
{
    struct slice rest = slice_str(with);
    while (rest.len) {
        struct slice pair = slice_sub(rest, 0, slice_index(rest, ';'));
        size_t at = slice_index(pair, '=');
        struct slice key = slice_sub(pair, 0, at);
        rest = slice_sub(rest, pair.len + 1, rest.len);
        if (slice_eq(key, word) || slice_eq(key, slice_str("*"))) {
            *ret = slice_sub(pair, at + 1, pair.len);
            return ret->len;
        }
    }
    return false;
}

bool convert_time(struct timespec t, enum time_form form, struct line *out)
{
    static const time_t first = -62167219200, last = LAST_SECOND;
    struct tm tm;
    time_t seconds = t.tv_sec < first ? first : t.tv_sec > last ? last : t.tv_sec;
    if (!gmtime_r(&seconds, &tm))
        return false;
    line_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d", (tm.tm_year + 1900) % 10000, tm.tm_mon + 1,
                tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    if (form != TIME_SECONDS && form != TIME_BARE)
        line_printf(out, ".%06ld", t.tv_nsec / 1000 % 1000000);
    line_str(out, form == TIME_OFFSET ? "+0000\"" : form == TIME_BARE ? "\"" : "Z\"");
    return true;
}

/* "1362692526.869344", "3600.0". */
static void add_short(struct line *out, struct datum d)
{
    size_t at = out->len;
    if (d.kind == FIELD_TIME)
        line_time(out, *(const struct timespec *)d.value);
    else if (isfinite(*(const double *)d.value))
        line_seconds(out, *(const double *)d.value);
    else
        line_str(out, "0.0");
    while (out->len - at > 2 && out->data[out->len - 1] == '0' && out->data[out->len - 2] != '.')
        out->len--;
}

static bool add_scaled(struct line *out, struct datum d, double scale)
{
    double v;
    if (d.kind == FIELD_TIME) {
        struct timespec t = *(const struct timespec *)d.value;
        int64_t most = INT64_MAX / 2000, seconds = t.tv_sec > most    ? most
                                                   : t.tv_sec < -most ? -most
                                                                      : t.tv_sec;
        line_printf(out, "%lld", (long long)(seconds * 1000 + t.tv_nsec / 1000000));
        return true;
    }
    if (d.kind == FIELD_SOME || d.kind == FIELD_COUNT)
        v = (double)*(const uint64_t *)d.value * scale;
    else
        v = d.kind == FIELD_SPAN ? ((const struct interval *)d.value)->seconds : *(const double *)d.value;
    /* So that what is shown as whole microseconds is so here. */
    if (scale > 1e6 && v > -9e6 && v < 9e6)
        v = (double)(int64_t)(v * 1e6 + (v < 0 ? -0.5 : 0.5)) * (scale / 1e6);
    else if (d.kind == FIELD_SPAN || d.kind == FIELD_DOUBLE)
        v *= scale;
    if (!(v > -9e15 && v < 9e15))
        v = 0;
    line_printf(out, "%lld", (long long)v);
    return true;
}

static bool add_epoch(struct line *out, uint64_t seconds, enum time_form form)
{
    return seconds <= LAST_SECOND && convert_time((struct timespec){(time_t)seconds, 0}, form, out);
}

static bool add_header_date(struct line *out, struct slice text)
{
    int64_t seconds;
    return date_parse(text, &seconds) && seconds >= 0 && add_epoch(out, (uint64_t)seconds, TIME_SECONDS);
}

static bool add_bare(struct line *out, struct slice s)
{
    s = slice_trim(s);
    if (s.len > 2 && s.data[0] == '<' && s.data[s.len - 1] == '>')
        s = slice_sub(s, 1, s.len - 1);
    if (s.len)
        json_text(s, out);
    return s.len;
}

/* Into the quotes of what json_text gives. */
static void add_angled(struct line *out, struct slice s)
{
    if (s.len >= 2 && s.data[0] == '<' && s.data[s.len - 1] == '>') {
        json_text(s, out);
        return;
    }
    size_t at = out->len;
    line_byte(out, ' ');
    json_text(s, out);
    out->data[at] = '"';
    out->data[at + 1] = '<';
    out->data[out->len - 1] = '>';
    line_byte(out, '"');
}

static bool add_mailbox(struct line *out, struct slice s)
{
    size_t at = slice_index(s, '@');
    if (!at || at + 1 >= s.len)
        return false;
    json_text(s, out);
    return true;
}

static bool add_host_name(struct line *out, struct slice s)
{
    bool inside = false; /* of a label */
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = byte_lower(s.data[i]);
        bool plain = byte_is_digit(c) || (c >= 'a' && c <= 'z');
        if (!plain && !(inside && c == '-') && !(inside && c == '.' && s.data[i - 1] != '-'))
            return false;
        inside = c != '.';
    }
    if (!inside || s.data[s.len - 1] == '-')
        return false;
    json_text(s, out);
    return true;
}

static bool add_address(struct line *out, struct slice s)
{
    struct address a;
    if (!address_parse(s, &a))
        return false;
    line_byte(out, '"');
    line_address(out, &a);
    line_byte(out, '"');
    return true;
}

static bool add_web(struct line *out, struct slice s)
{
    if (!slice_case_starts(s, "http://") && !slice_case_starts(s, "https://"))
        return false;
    json_text(s, out);
    return true;
}

static bool is_hex(struct slice s)
{
    size_t i = 0;
    while (i < s.len &&
           (byte_is_digit(s.data[i]) || (byte_lower(s.data[i]) >= 'a' && byte_lower(s.data[i]) <= 'f')))
        i++;
    return s.len && i == s.len;
}

static void add_capital(struct line *out, uint8_t c)
{
    line_byte(out, c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c);
}

static bool add_upper(struct line *out, struct slice s)
{
    if (!is_hex(s)) {
        json_text(s, out);
        return true;
    }
    line_byte(out, '"');
    for (size_t i = 0; i < s.len; i++)
        add_capital(out, s.data[i]);
    line_byte(out, '"');
    return true;
}

static bool add_colons(struct line *out, struct slice s)
{
    if (!is_hex(s))
        return false;
    line_byte(out, '"');
    if (s.len % 2)
        line_byte(out, '0');
    for (size_t i = 0; i < s.len; i++) {
        if (i && (s.len - i) % 2 == 0)
            line_byte(out, ':');
        add_capital(out, s.data[i]);
    }
    line_byte(out, '"');
    return true;
}

static bool add_extension(struct line *out, struct slice s)
{
    size_t from = s.len;
    while (from && s.data[from - 1] != '.' && s.data[from - 1] != '/' && s.data[from - 1] != '\\')
        from--;
    if (from < 2 || s.data[from - 1] != '.' || from == s.len)
        return false;
    json_text(slice_sub(s, from, s.len), out);
    return true;
}

/* "TLSv12": "1.2". */
static bool add_tls_version(struct line *out, struct slice s)
{
    size_t at = slice_index(s, 'v') + 1;
    if (at >= s.len || !byte_is_digit(s.data[at]))
        return false;
    line_printf(out, "\"%c.%c\"", s.data[at],
                at + 1 < s.len && byte_is_digit(s.data[at + 1]) ? s.data[at + 1] : '0');
    return true;
}

static bool add_version_part(struct line *out, struct slice s, const char *which)
{
    struct version_parts parts = version_split(s);
    size_t i = (size_t)(which[0] - '0');
    if (i < VERSION_NUMBERS && i < parts.count)
        line_number(out, parts.numbers[i]);
    else if (i >= VERSION_NUMBERS && parts.more.len)
        json_text(parts.more, out);
    else
        return false;
    return true;
}

static bool add_action(struct line *out, struct slice s)
{
    line_str(out, "\"Notice::ACTION_");
    for (size_t i = 0; i < s.len; i++)
        add_capital(out, byte_lower(s.data[i]) >= 'a' && byte_lower(s.data[i]) <= 'z' ? s.data[i] : '_');
    line_byte(out, '"');
    return true;
}

uint64_t convert_hash(struct slice s)
{
    uint64_t h = 0xcbf29ce484222325;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.data[i]) * 0x100000001b3;
    return h ^ h >> 32;
}

/* The text as one that it stands for. */
static bool add_mapped(struct line *out, struct slice word, const char *with, bool number)
{
    struct slice found;
    if (!convert_mapped(word, with, &found))
        return false;
    if (number)
        line_add(out, found);
    else
        json_text(found, out);
    return true;
}

/* Those that take a text. */
static bool convert_text(enum conversion how, const char *with, struct slice s, struct line *out)
{
    switch ((int)how) {
    case TO_HEADER_DATE:
        return add_header_date(out, s);
    case TO_BARE:
        return add_bare(out, s);
    case TO_ANGLED:
        add_angled(out, s);
        return true;
    case TO_HOST_NAME:
        return add_host_name(out, s);
    case TO_MAILBOX:
        return add_mailbox(out, s);
    case TO_ADDRESS:
        return add_address(out, s);
    case TO_WEB:
        return add_web(out, s);
    case TO_UPPER:
        return add_upper(out, s);
    case TO_COLONS:
        return add_colons(out, s);
    case TO_EXTENSION:
        return add_extension(out, s);
    case TO_MAP:
    case TO_MAP_NUMBER:
        return add_mapped(out, s, with, how == TO_MAP_NUMBER);
    case TO_TLS_VERSION:
        return add_tls_version(out, s);
    case TO_TLS_PROTOCOL:
        line_str(out, slice_case_starts(s, "ssl") ? "\"ssl\"" : "\"tls\"");
        return true;
    case TO_VERSION_PART:
        return add_version_part(out, s, with);
    case TO_ZEEK_ACTION:
        return add_action(out, s);
    case TO_HASH:
        line_number(out, convert_hash(s) & 0x7fffffff);
        return true;
    }
    return false;
}

static bool add_plain(struct line *out, const struct datum *d)
{
    if (d->kind == d->field->kind) {
        json_value(d->field, d->value, out);
    } else if (d->kind == FIELD_TEXT) { /* an item of its list */
        json_text(*(const struct slice *)d->value, out);
    } else {
        line_byte(out, '"');
        line_address(out, d->value);
        line_byte(out, '"');
    }
    return true;
}

bool convert_value(enum conversion how, const char *with, const struct record *rec, const struct datum *d,
                   struct line *out)
{
    uint64_t number = d->kind == FIELD_COUNT || d->kind == FIELD_SOME ? *(const uint64_t *)d->value : 0;
    switch ((int)how) {
    case TO_OF_CLIENT:
        return of_client(rec) && add_plain(out, d);
    case TO_PLAIN:
        return add_plain(out, d);
    case TO_ISO:
    case TO_OFFSET:
        return d->kind == FIELD_TIME &&
               convert_time(*(const struct timespec *)d->value, how == TO_ISO ? TIME_ISO : TIME_OFFSET, out);
    case TO_SECONDS:
        add_short(out, *d);
        return true;
    case TO_MILLIS:
        return add_scaled(out, *d, 1e3);
    case TO_NANOS:
        return add_scaled(out, *d, 1e9);
    case TO_WHOLE:
        return add_scaled(out, *d, 1);
    case TO_EPOCH:
    case TO_DATE_TIME:
        return add_epoch(out, number, how == TO_EPOCH ? TIME_SECONDS : TIME_BARE);
    case TO_AS_TEXT:
        line_printf(out, "\"%llu\"", (unsigned long long)number);
        return true;
    case TO_BEFORE:
        line_number(out, number ? number - 1 : 0);
        return true;
    }
    return d->kind == FIELD_TEXT && convert_text(how, with, *(const struct slice *)d->value, out);
}
