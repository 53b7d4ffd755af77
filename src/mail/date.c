/* date.c: the date of a mail's header.
 * In: text. Out: seconds since 1970. Owns: nothing. Limits: years 1900 to 9999. Knowingly: a zone by a name
 * that RFC 5322 has not got makes no time, as an hour more or less is worse than none; what stands behind the
 * zone is not looked at; the day's name is not compared. Spec: RFC 5322 3.3, 4.3. */
#include "mail/date.h"

/* What is left of the text. A comment that never ends breaks it. */
struct rest {
    struct slice s;
    bool broken;
};

static void pass(struct rest *r, size_t count)
{
    r->s = slice_sub(r->s, count, r->s.len);
}

static void skip_comment(struct rest *r)
{
    size_t depth = 0, i = 0;
    do {
        uint8_t c = r->s.data[i];
        i += c == '\\';
        depth += c == '(';
        depth -= c == ')';
        i++;
    } while (depth && i < r->s.len);
    r->broken |= depth > 0;
    pass(r, i);
}

/* Blanks and comments may stand between any two of its parts. */
static void skip(struct rest *r)
{
    while (r->s.len) {
        uint8_t c = r->s.data[0];
        if (c == '(')
            skip_comment(r);
        else if (byte_is_blank(c) || c == '\r' || c == '\n')
            pass(r, 1);
        else
            return;
    }
}

static bool take_byte(struct rest *r, uint8_t c)
{
    skip(r);
    if (!r->s.len || r->s.data[0] != c)
        return false;
    pass(r, 1);
    return true;
}

static struct slice take_letters(struct rest *r)
{
    skip(r);
    size_t len = 0;
    while (len < r->s.len && byte_lower(r->s.data[len]) >= 'a' && byte_lower(r->s.data[len]) <= 'z')
        len++;
    struct slice letters = slice_sub(r->s, 0, len);
    pass(r, len);
    return letters;
}

/* Of `least` to `most` digits; anything else breaks it. Returns how many there were. */
static size_t take_number(struct rest *r, size_t least, size_t most, uint64_t *ret)
{
    skip(r);
    size_t len = 0;
    uint64_t number = 0;
    for (; len <= most && len < r->s.len && byte_is_digit(r->s.data[len]); len++)
        number = number * 10 + (r->s.data[len] - '0');
    *ret = number;
    r->broken |= len < least || len > most;
    pass(r, len);
    return len;
}

/* 1 to 12, or 0. */
static uint64_t month_of(const uint8_t *name)
{
    static const char names[12][4] = {"jan", "feb", "mar", "apr", "may", "jun",
                                      "jul", "aug", "sep", "oct", "nov", "dec"};
    for (uint64_t i = 0; i < 12; i++)
        if (byte_lower(name[0]) == (uint8_t)names[i][0] && byte_lower(name[1]) == (uint8_t)names[i][1] &&
            byte_lower(name[2]) == (uint8_t)names[i][2])
            return i + 1;
    return 0;
}

static uint64_t take_month(struct rest *r)
{
    struct slice word = take_letters(r);
    uint64_t month = word.len == 3 ? month_of(word.data) : 0;
    r->broken |= !month;
    return month;
}

/* 4.3: two digits are of 1950 to 2049, three count from 1900. */
static uint64_t take_year(struct rest *r)
{
    uint64_t year = 0;
    size_t digits = take_number(r, 2, 4, &year);
    if (digits == 3 || (digits == 2 && year >= 50))
        year += 1900;
    else if (digits == 2)
        year += 2000;
    r->broken |= year < 1900;
    return year;
}

/* Hours east of Greenwich. Of single letters Z alone was ever used as it was meant: the others say nothing
 * (4.3).
 */
static const struct {
    const char *name;
    int hours;
} zones[] = {{"GMT", 0},  {"UTC", 0},  {"UT", 0},   {"EST", -5}, {"EDT", -4}, {"CST", -6},
             {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}};

static int64_t take_named_zone(struct rest *r)
{
    struct slice word = take_letters(r);
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
        if (slice_case_eq(word, slice_str(zones[i].name)))
            return zones[i].hours * 3600;
    r->broken |= word.len != 1 || byte_lower(word.data[0]) == 'j';
    return 0;
}

/* In seconds. */
static int64_t take_zone(struct rest *r)
{
    bool west = take_byte(r, '-');
    uint64_t zone = 0;
    if (!west && !take_byte(r, '+'))
        return take_named_zone(r);
    take_number(r, 4, 4, &zone);
    r->broken |= zone % 100 > 59;
    int64_t seconds = (int64_t)(zone / 100 * 3600 + zone % 100 * 60);
    return west ? -seconds : seconds;
}

static bool is_leap(uint64_t year)
{
    return year % 4 == 0 && (year % 100 || year % 400 == 0);
}

static uint64_t days_of(uint64_t year, uint64_t month)
{
    uint64_t february = is_leap(year) ? 29 : 28;
    return month == 2 ? february : 30 + (month + month / 8) % 2;
}

/* Since 1 January 1970, in the Gregorian calendar. Years are taken to begin in March, so that the leap day is
 * their last: before month m of those stand (153 m + 2) / 5 days. */
static int64_t day_number(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t since = month > 2 ? month - 3 : month + 9;
    year -= month <= 2;
    uint64_t days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * since + 2) / 5 + day;
    return (int64_t)days - 719469;
}

struct moment {
    uint64_t day, month, year, hour, minute, second;
    int64_t zone; /* seconds east of Greenwich */
};

static bool moment_seconds(const struct moment *m, int64_t *ret)
{
    if (!m->day || m->day > days_of(m->year, m->month) || m->hour > 23 || m->minute > 59 || m->second > 60)
        return false;
    *ret = day_number(m->year, m->month, m->day) * 86400 +
           (int64_t)(m->hour * 3600 + m->minute * 60 + m->second) - m->zone;
    return true;
}

/* Two digits; what is none of them makes a number over 99. */
static uint64_t pair(const uint8_t *p)
{
    uint8_t high = (uint8_t)(p[0] - '0'), low = (uint8_t)(p[1] - '0');
    return high > 9 || low > 9 ? 100 : high * 10u + low;
}

/* "Mon, 23 Nov 2026 07:00:00 +0100", as nearly every program writes it. False: it is not that, or no date. */
static bool usual(struct slice s, int64_t *ret)
{
    enum { WITHOUT_DAY = sizeof ", Nov 2026 07:00:00 +0100" };
    s = slice_trim_left(s);
    if (s.len < 3 + WITHOUT_DAY || s.data[3] != ',' || s.data[4] != ' ')
        return false;
    const uint8_t *p = s.data + 5;
    bool short_day = p[1] == ' ';
    uint64_t day = short_day ? (uint8_t)(p[0] - '0') : pair(p);
    p += short_day ? 1 : 2;
    size_t whole = (size_t)(p - s.data) + sizeof " Nov 2026 07:00:00 +0100" - 1;
    if (day > (short_day ? 9 : 99) || s.len < whole || (s.len > whole && !byte_is_blank(s.data[whole])))
        return false;
    uint64_t zone[] = {pair(p + 20), pair(p + 22)}, year[] = {pair(p + 5), pair(p + 7)};
    struct moment m = {
        day, month_of(p + 1), year[0] * 100 + year[1], pair(p + 10), pair(p + 13), pair(p + 16), 0};
    m.zone = (int64_t)(zone[0] * 3600 + zone[1] * 60) * (p[19] == '-' ? -1 : 1);
    bool blanks = p[0] == ' ' && p[4] == ' ' && p[9] == ' ' && p[18] == ' ';
    bool marks = p[12] == ':' && p[15] == ':' && (p[19] == '+' || p[19] == '-');
    if (!blanks || !marks || !m.month || zone[0] > 99 || zone[1] > 59 || year[0] < 19 || year[0] > 99 ||
        year[1] > 99)
        return false;
    return moment_seconds(&m, ret);
}

bool date_parse(struct slice text, int64_t *ret)
{
    if (usual(text, ret))
        return true;
    struct rest r = {text, false};
    struct moment m = {0};
    if (take_letters(&r).len)
        take_byte(&r, ',');
    take_number(&r, 1, 2, &m.day);
    m.month = take_month(&r);
    m.year = take_year(&r);
    take_number(&r, 1, 2, &m.hour);
    r.broken |= !take_byte(&r, ':');
    take_number(&r, 1, 2, &m.minute);
    if (take_byte(&r, ':'))
        take_number(&r, 1, 2, &m.second);
    m.zone = take_zone(&r);
    return !r.broken && moment_seconds(&m, ret);
}
