/* time.c: points in time and amounts as people write them in a query.
 * In: text, and what time it is. Out: numbers. Owns: nothing.
 * Limits: years 1970 to 9999. Knowingly: M is a million and MiB 2^20, as on the labels of disks; a leap
 * second is the next minute's first. Spec: RFC 3339. */
#include "query/value.h"

#include <math.h>

enum { MICROSECONDS = 1000000, DAY_SECONDS = 86400, LONGEST = 1000000000 };
static const int64_t latest = 253402300799; /* the end of the year 9999 */

struct unit {
    const char *name;
    double factor;
};

static const struct unit spans[] = {{"s", 1},        {"sec", 1},       {"ms", 0.001}, {"m", 60},
                                    {"min", 60},     {"h", 3600},      {"d", 86400},  {"day", 86400},
                                    {"days", 86400}, {"w", 7 * 86400}, {NULL, 0}};
static const struct unit sizes[] = {{"", 1},          {"b", 1},
                                    {"k", 1e3},       {"kb", 1e3},
                                    {"kib", 1024},    {"m", 1e6},
                                    {"mb", 1e6},      {"mib", 1048576},
                                    {"g", 1e9},       {"gb", 1e9},
                                    {"gib", 1 << 30}, {"t", 1e12},
                                    {"tb", 1e12},     {"tib", 1099511627776.0},
                                    {NULL, 0}};

/* Digits with perhaps a fraction; returns how many bytes they are, 0: none. */
static size_t take_decimal(struct slice s, double *ret)
{
    uint64_t whole;
    size_t n = slice_number(s, &whole);
    double place = 0.1;
    if (!n)
        return 0;
    *ret = (double)whole;
    if (n + 1 < s.len && s.data[n] == '.' && byte_is_digit(s.data[n + 1]))
        for (n++; n < s.len && byte_is_digit(s.data[n]); n++, place /= 10)
            *ret += (s.data[n] - '0') * place;
    return n;
}

static bool take_amount(struct slice text, const struct unit *units, double *ret)
{
    double amount;
    size_t n = take_decimal(text, &amount);
    struct slice unit = slice_trim(slice_sub(text, n, text.len));
    for (; n && units->name; units++) {
        if (slice_case_eq(unit, slice_str(units->name))) {
            *ret = amount * units->factor;
            return true;
        }
    }
    return false;
}

bool query_value_size(struct slice text, int64_t *ret)
{
    double v;
    uint64_t whole;
    if (text.len && slice_number(text, &whole) == text.len && whole <= INT64_MAX) {
        *ret = (int64_t)whole;
        return true;
    }
    if (!take_amount(text, sizes, &v) || v > 9e18)
        return false;
    *ret = (int64_t)v;
    return true;
}

bool query_value_seconds(struct slice text, double *ret)
{
    double v;
    if (!take_amount(text, spans, &v) && (!text.len || take_decimal(text, &v) != text.len))
        return false;
    *ret = round(v * MICROSECONDS) / MICROSECONDS;
    return v <= LONGEST;
}

/* `len` digits at the start of *s, which loses them. */
static bool take_digits(struct slice *s, size_t len, int *ret)
{
    int v = 0;
    if (s->len < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!byte_is_digit(s->data[i]))
            return false;
        v = v * 10 + (s->data[i] - '0');
    }
    *s = slice_sub(*s, len, s->len);
    *ret = v;
    return true;
}

static bool take_sign(struct slice *s, const char *signs)
{
    if (!s->len || !strchr(signs, s->data[0]) || !s->data[0])
        return false;
    *s = slice_sub(*s, 1, s->len);
    return true;
}

/* "Z", "+01:00" or nothing, which is UTC too. */
static bool take_zone(struct slice *s, int *ret_seconds)
{
    int hours, minutes, sign = s->len && s->data[0] == '-' ? -1 : 1;
    *ret_seconds = 0;
    if (take_sign(s, "Zz") || !s->len)
        return true;
    if (!take_sign(s, "+-") || !take_digits(s, 2, &hours))
        return false;
    take_sign(s, ":");
    if (!take_digits(s, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

static int64_t take_fraction(struct slice *s)
{
    int64_t micro = 0, place = MICROSECONDS / 10;
    if (s->len < 2 || s->data[0] != '.' || !byte_is_digit(s->data[1]))
        return 0;
    for (take_sign(s, "."); s->len && byte_is_digit(s->data[0]); *s = slice_sub(*s, 1, s->len), place /= 10)
        micro += (s->data[0] - '0') * place;
    return micro;
}

static bool take_clock(struct slice *s, struct tm *tm, int64_t *micro, int *zone)
{
    if (!take_digits(s, 2, &tm->tm_hour) || !take_sign(s, ":") || !take_digits(s, 2, &tm->tm_min))
        return false;
    if (take_sign(s, ":")) {
        if (!take_digits(s, 2, &tm->tm_sec))
            return false;
        *micro = take_fraction(s);
    }
    return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec <= 60 && take_zone(s, zone);
}

static bool take_date(struct slice s, int64_t *ret)
{
    struct tm tm = {0};
    int64_t micro = 0;
    int zone = 0;
    if (!take_digits(&s, 4, &tm.tm_year) || !take_sign(&s, "-") || !take_digits(&s, 2, &tm.tm_mon) ||
        !take_sign(&s, "-") || !take_digits(&s, 2, &tm.tm_mday))
        return false;
    if (s.len && (!take_sign(&s, "Tt ") || !take_clock(&s, &tm, &micro, &zone)))
        return false;
    struct tm given = tm;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    time_t t = timegm(&tm);
    /* A 30th of February has become another day. */
    if (s.len || given.tm_year < 1970 || !given.tm_mon || tm.tm_mon != given.tm_mon - 1 ||
        (tm.tm_mday != given.tm_mday && given.tm_sec < 60))
        return false;
    *ret = ((int64_t)t - zone) * MICROSECONDS + micro;
    return *ret >= 0 && *ret / MICROSECONDS <= latest;
}

bool query_time_parse(struct slice text, struct timespec now, int64_t *ret)
{
    int64_t at = (int64_t)now.tv_sec * MICROSECONDS + now.tv_nsec / 1000,
            day = (int64_t)DAY_SECONDS * MICROSECONDS;
    uint64_t whole;
    double back;
    if (take_date(text, ret))
        return true;
    if (slice_case_eq(text, slice_str("now")))
        *ret = at;
    else if (slice_case_eq(text, slice_str("today")))
        *ret = at - at % day;
    else if (slice_case_eq(text, slice_str("yesterday")))
        *ret = at - at % day - day;
    else if (take_amount(text, spans, &back))
        *ret = back * MICROSECONDS < (double)at ? at - (int64_t)(back * MICROSECONDS) : 0;
    else {
        size_t n = slice_number(text, &whole);
        struct slice rest = slice_sub(text, n, text.len);
        if (!n || whole > (uint64_t)latest)
            return false;
        *ret = (int64_t)whole * MICROSECONDS + take_fraction(&rest);
        return !rest.len;
    }
    return true;
}
