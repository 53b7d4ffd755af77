/* cell.c: text that fits into the columns of a terminal.
 * In: UTF-8 or what claims to be. Out: characters that take the columns they should and nothing else. Owns:
 * nothing. Limits: the columns given by the caller; MARKS combining marks on one letter. Knowingly: letters
 * written from right to left stand as they are, and some terminals turn what follows them; the tables of
 * widths hold blocks, not single characters. Spec: UAX 9 and UAX 11 of Unicode. */
#include "sink/cell.h"

enum { MARKS = 2 };

struct range {
    uint32_t from, to;
};

static const struct range wide[] = {
    {0x1100, 0x115e},   {0x231a, 0x231b},   {0x23e9, 0x23ec},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x26a1, 0x26a1},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x2753, 0x2757},   {0x2795, 0x2797},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},
    {0x2e80, 0x303e},   {0x3041, 0x3247},   {0x3250, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x16fe0, 0x18cff}, {0x1b000, 0x1b2ff}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320},
    {0x1f32d, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1faff}, {0x20000, 0x3fffd},
};
/* Marks that stand on the letter before, and the joiners and selectors of emoji. */
static const struct range narrow[] = {
    {0x300, 0x36f},   {0x483, 0x489},     {0x591, 0x5bd},   {0x5bf, 0x5c7},   {0x610, 0x61a},
    {0x64b, 0x65f},   {0x670, 0x670},     {0x6d6, 0x6dc},   {0x6df, 0x6ed},   {0x711, 0x711},
    {0x730, 0x74a},   {0x900, 0x902},     {0x93c, 0x93c},   {0x941, 0x948},   {0x94d, 0x94d},
    {0xe31, 0xe31},   {0xe34, 0xe3a},     {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200c, 0x200d}, {0x20d0, 0x20ff},   {0x302a, 0x302d}, {0x3099, 0x309a}, {0xfe00, 0xfe0f},
    {0xfe20, 0xfe2f}, {0x1f3fb, 0x1f3ff},
};
/* Controls, signs that turn the direction of writing, and what takes no ink: all could make the terminal show
 * what is not there. */
static const struct range unsafe[] = {
    {0, 0x1f},           {0x7f, 0x9f},     {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},
    {0x115f, 0x1160},    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200b}, {0x200e, 0x200f},
    {0x2028, 0x202e},    {0x2060, 0x206f}, {0x2800, 0x2800}, {0x3164, 0x3164}, {0xe000, 0xf8ff},
    {0xfeff, 0xfeff},    {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0x1d173, 0x1d17a},
    {0xe0000, 0x10ffff},
};

static bool is_in(const struct range *ranges, size_t count, uint32_t code)
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (code > ranges[middle].to)
            from = middle + 1;
        else
            to = middle;
    }
    return from < count && code >= ranges[from].from;
}
#define IS_IN(ranges, code) is_in(ranges, sizeof(ranges) / sizeof *(ranges), code)

/* One character as it will be shown. */
struct glyph {
    struct slice text; /* static, or inside the input */
    size_t bytes;      /* of the input; not 0 */
    size_t columns;
};

static struct glyph glyph_at(struct slice s)
{
    size_t n = line_utf8(s);
    struct slice c = {s.data, n};
    if (!n)
        return (struct glyph){slice_str("?"), 1, 1};
    if (s.data[0] >= 32 && s.data[0] < 127)
        return (struct glyph){c, 1, 1};
    uint32_t code = line_code(c);
    if (code == '\t' || code == '\n' || code == 0xa0)
        return (struct glyph){slice_str(" "), n, 1};
    if (IS_IN(unsafe, code))
        return (struct glyph){slice_str("?"), n, 1};
    if (IS_IN(narrow, code))
        return (struct glyph){c, n, 0};
    return (struct glyph){c, n, IS_IN(wide, code) ? 2 : 1};
}

/* Counts only up to a little over `most`, as a text may be long. */
static size_t columns_of(struct slice s, size_t most)
{
    size_t columns = 0;
    while (s.len && columns <= most) {
        struct glyph g = glyph_at(s);
        columns += g.columns;
        s = slice_sub(s, g.bytes, s.len);
    }
    return columns;
}

/* As many whole characters as fit. */
static size_t add(struct line *out, struct slice s, size_t most)
{
    size_t columns = 0, marks = MARKS;
    while (s.len) {
        struct glyph g = glyph_at(s);
        if (columns + g.columns > most)
            break;
        marks = g.columns ? 0 : marks + 1;
        if (marks <= MARKS)
            line_add(out, g.text);
        columns += g.columns;
        s = slice_sub(s, g.bytes, s.len);
    }
    return columns;
}

static size_t add_dots(struct line *out)
{
    line_str(out, "\xe2\x80\xa6");
    return 1;
}

size_t cell_text(struct line *out, struct slice s, size_t most)
{
    if (columns_of(s, most) <= most)
        return add(out, s, most);
    size_t columns = add(out, s, most - 1);
    return columns + add_dots(out);
}

/* The last characters that fit. */
static size_t add_end(struct line *out, struct slice s, size_t most)
{
    size_t columns = columns_of(s, s.len * 2);
    while (s.len && columns > most) {
        struct glyph g = glyph_at(s);
        columns -= g.columns;
        s = slice_sub(s, g.bytes, s.len);
    }
    return add(out, s, most);
}

size_t cell_address(struct line *out, struct slice s, size_t most)
{
    enum { LEAST = 4 }; /* of the local part */
    if (columns_of(s, most) <= most)
        return add(out, s, most);
    size_t at = s.len;
    while (at && s.data[at - 1] != '@')
        at--;
    struct slice domain = slice_sub(s, at ? at - 1 : 0, s.len);
    size_t rest = columns_of(domain, most);
    if (at && rest + LEAST + 1 <= most) {
        size_t columns = add(out, slice_sub(s, 0, at - 1), most - rest - 1);
        columns += add_dots(out);
        return columns + add(out, domain, rest);
    }
    return add_dots(out) + add_end(out, s, most - 1);
}

size_t cell_size(struct line *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0, before = out->len;
    double amount = (double)bytes;
    while (amount >= 999.5 && unit + 1 < sizeof units / sizeof *units) {
        amount /= 1024;
        unit++;
    }
    line_printf(out, unit && amount < 9.95 ? "%.1f %s" : "%.0f %s", amount, units[unit]);
    return out->len - before;
}

void cell_pad(struct line *out, size_t columns, size_t width)
{
    size_t blanks = columns < width ? width - columns : 1;
    memset(line_room(out, blanks), ' ', blanks);
    out->len += blanks;
}
