/* moment.c: points in time as a person writes them.
 * In: text. Out: seconds since the epoch. Owns: nothing. Limits: the years 1970 to 9999. Knowingly: no leap
 * seconds, as nothing here counts them. Spec: RFC 3339. */
#include "web/moment.h"

#include <math.h>

static const double LATEST = 253402300800.0; /* the year 10000 */

/* Digits from *s on, exactly `count` of them; -1: they are not there. */
static int take_digits(struct slice *s, size_t count)
{
    int v = 0;
    if (s->len < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!byte_is_digit(s->data[i]))
            return -1;
        v = v * 10 + (s->data[i] - '0');
    }
    *s = slice_sub(*s, count, s->len);
    return v;
}

static bool take_byte(struct slice *s, char c)
{
    if (!s->len || byte_lower(s->data[0]) != (uint8_t)c)
        return false;
    *s = slice_sub(*s, 1, s->len);
    return true;
}

/* Days since 1970-01-01 of the Gregorian calendar. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_day(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return year >= 1970 && month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (month == 2 && leap);
}

/* ".25", or nothing. */
static double take_fraction(struct slice *s)
{
    double part = 0, unit = 0.1;
    if (!take_byte(s, '.'))
        return 0;
    for (; s->len && byte_is_digit(s->data[0]); unit /= 10) {
        part += unit * (s->data[0] - '0');
        *s = slice_sub(*s, 1, s->len);
    }
    return part;
}

/* "Z", "+01:00". */
static bool take_zone(struct slice *s, int *retminutes)
{
    if (take_byte(s, 'z')) {
        *retminutes = 0;
        return true;
    }
    bool east = take_byte(s, '+');
    if (!east && !take_byte(s, '-'))
        return false;
    int hours = take_digits(s, 2), minutes = take_byte(s, ':') ? take_digits(s, 2) : -1;
    *retminutes = (hours * 60 + minutes) * (east ? 1 : -1);
    return hours >= 0 && hours < 24 && minutes >= 0 && minutes < 60;
}

static bool parse_clock(struct slice s, double day, double *ret)
{
    int hour = take_digits(&s, 2), minute = take_byte(&s, ':') ? take_digits(&s, 2) : -1;
    int second = take_byte(&s, ':') ? take_digits(&s, 2) : -1, zone = 0;
    double part = second >= 0 ? take_fraction(&s) : 0;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
        !take_zone(&s, &zone) || s.len)
        return false;
    *ret = day + hour * 3600 + (minute - zone) * 60.0 + second + part;
    return true;
}

static bool parse_date(struct slice s, double *ret)
{
    int year = take_digits(&s, 4), month = take_byte(&s, '-') ? take_digits(&s, 2) : -1;
    int day = take_byte(&s, '-') ? take_digits(&s, 2) : -1;
    if (!is_day(year, month, day))
        return false;
    double midnight = (double)days_of(year, month, day) * 86400;
    *ret = midnight;
    if (!s.len)
        return true;
    return (take_byte(&s, 't') || take_byte(&s, ' ')) && parse_clock(s, midnight, ret);
}

static double unit_seconds(uint8_t c)
{
    switch (c) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return 0;
    }
}

bool moment_parse(struct slice text, double now, double *ret)
{
    double at;
    uint64_t whole;
    size_t n = slice_number(text, &whole);
    struct slice rest = slice_sub(text, n, text.len);
    if (!n)
        return false;
    if (rest.len && rest.data[0] == '-') {
        if (!parse_date(text, &at))
            return false;
    } else if (rest.len == 1 && unit_seconds(rest.data[0]) > 0) {
        at = fmax(now - (double)whole * unit_seconds(rest.data[0]), 0);
    } else {
        at = (double)whole + take_fraction(&rest);
        if (rest.len)
            return false;
    }
    if (!(at >= 0 && at < LATEST))
        return false;
    *ret = at;
    return true;
}
