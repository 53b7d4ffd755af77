/* zip_name.c: names of members of archives.
 * In: names as written. Out: UTF-8. Owns: nothing. Knowingly: names that are neither UTF-8 nor of code page
 * 437 are read as if they were of that, as APPNOTE says. Spec: APPNOTE 6.3.10, appendix D. */
#include "mail/charset.h"
#include "mail/zip.h"

/* Code page 437 from 128 on, all in the basic plane. */
static const uint16_t upper[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee,
    0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6,
    0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
    0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592, 0x2593, 0x2502,
    0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514,
    0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550,
    0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c,
    0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320,
    0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
};

static void add_character(uint16_t c, struct buf *out)
{
    if (c >= 0x800)
        buf_add_byte(out, (uint8_t)(0xe0 | c >> 12));
    buf_add_byte(out, (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6));
    buf_add_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
}

void zip_name(struct slice name, bool utf8, struct buf *out)
{
    if (utf8 && !utf8_valid(name)) {
        utf8_read(name, out);
        return;
    }
    /* Most writers that do not say so write UTF-8 all the same. */
    bool is_utf8 = utf8_valid(name);
    for (size_t i = 0; i < name.len; i++) {
        if (is_utf8 || name.data[i] < 0x80)
            buf_add_byte(out, name.data[i]);
        else
            add_character(upper[name.data[i] - 0x80], out);
    }
}

bool zip_is_archive(struct slice name)
{
    static const char *const ends[] = {"zip", "rar", "7z",  "gz",  "tgz", "bz2", "xz",  "tar", "cab", "ace",
                                       "arj", "lzh", "lha", "zst", "iso", "img", "jar", "apk", "z",   "uue"};
    size_t at = name.len;
    while (at && name.data[at - 1] != '.' && name.data[at - 1] != '/')
        at--;
    for (size_t i = 0; at && name.data[at - 1] == '.' && i < sizeof ends / sizeof *ends; i++)
        if (slice_case_eq(slice_sub(name, at, name.len), slice_str(ends[i])))
            return true;
    return false;
}
