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

static uint64_t take_month(struct rest *r)
{
    static const char names[12][4] = {"jan", "feb", "mar", "apr", "may", "jun",
                                      "jul", "aug", "sep", "oct", "nov", "dec"};
    struct slice word = take_letters(r);
    char name[4] = "";
    for (size_t i = 0; i < 3 && word.len == 3; i++)
        name[i] = (char)byte_lower(word.data[i]);
    for (uint64_t i = 0; i < 12; i++)
        if (memcmp(names[i], name, sizeof name) == 0)
            return i + 1;
    r->broken = true;
    return 0;
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

/* Since 1 January 1970, in the Gregorian calendar. */
static int64_t day_number(uint64_t year, uint64_t month, uint64_t day)
{
    uint64_t before = year - 1;
    uint64_t days = before * 365 + before / 4 - before / 100 + before / 400 + day;
    for (uint64_t m = 1; m < month; m++)
        days += days_of(year, m);
    return (int64_t)days - 719163;
}

bool date_parse(struct slice text, int64_t *ret)
{
    struct rest r = {text, false};
    uint64_t day = 0, hour = 0, minute = 0, second = 0;
    if (take_letters(&r).len)
        take_byte(&r, ',');
    take_number(&r, 1, 2, &day);
    uint64_t month = take_month(&r), year = take_year(&r);
    take_number(&r, 1, 2, &hour);
    r.broken |= !take_byte(&r, ':');
    take_number(&r, 1, 2, &minute);
    if (take_byte(&r, ':'))
        take_number(&r, 1, 2, &second);
    int64_t zone = take_zone(&r);
    if (r.broken || !day || day > days_of(year, month) || hour > 23 || minute > 59 || second > 60)
        return false;
    *ret = day_number(year, month, day) * 86400 + (int64_t)(hour * 3600 + minute * 60 + second) - zone;
    return true;
}
