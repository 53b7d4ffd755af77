/* sniff.c: what the first bytes of a part say that it is.
 * In: the first bytes. Out: a media type. Owns: nothing. Limits: what is given; time is linear in it.
 * Knowingly: an image of a disc (ISO 9660) shows beyond 32 KiB only; which program an OLE2 file belongs to
 * stands in its directory, which may be anywhere; a zip file is what the names among its first bytes say. */
#include "mail/sniff.h"

#include "mail/lanes.h"

enum { TEXT_ONLY = 1, BINARY_ONLY = 2, RUNS = 4 };

#define BYTES(text)                                                                                          \
    {                                                                                                        \
        (const uint8_t *)(text), sizeof(text) - 1                                                            \
    }
#define NONE                                                                                                 \
    {                                                                                                        \
        NULL, 0                                                                                              \
    }

/* `bytes` at `at`, and `more` at `more_at`. Of two rows that fit the one of the lower rank counts, then the
 * first: what runs comes before what it may be made to look like. */
struct magic {
    uint16_t rank, at, more_at;
    struct slice bytes, more;
    const char *type;
    unsigned traits;
};

/* Those at the start, by their first byte. */
static const struct magic table[] = {
    {2, 0, 9, BYTES("\0\0\1\0"), BYTES("\0\1\0"), "image/vnd.microsoft.icon", 0},
    {2, 0, 9, BYTES("\0\0\1\0"), BYTES("\0\0\0"), "image/vnd.microsoft.icon", 0},
    {2, 0, 8,
     BYTES("\0\0\0\x0c"
           "jP  "),
     BYTES("\r\n\x87\n"), "image/jp2", 0},
    {4, 0, 0, BYTES("\0\0\1\xba"), NONE, "video/mpeg", 0},
    {4, 0, 0, BYTES("\0\1\0\0\0"), NONE, "font/sfnt", 0},
    {0, 0, 0, BYTES("\x04\x22\x4d\x18"), NONE, "application/x-lz4", 0},
    {4, 0, 0, BYTES("\x1a\x45\xdf\xa3"), NONE, "video/x-matroska", 0},
    {0, 0, 0, BYTES("\x1f\x8b"), NONE, "application/gzip", 0},
    {4, 0, 0, BYTES("#!AMR"), NONE, "audio/amr", 0},
    {2, 0, 0, BYTES("%PDF-"), NONE, "application/pdf", 0},
    {4, 0, 0, BYTES("%!PS"), NONE, "application/postscript", 0},
    {0, 0, 0, BYTES("\x28\xb5\x2f\xfd"), NONE, "application/zstd", 0},
    {4, 0, 0, BYTES("-----BEGIN PGP MESSAGE-"), NONE, "application/pgp-encrypted", TEXT_ONLY},
    {4, 0, 0, BYTES("-----BEGIN PGP SIGNATURE-"), NONE, "application/pgp-signature", TEXT_ONLY},
    {4, 0, 0, BYTES("-----BEGIN PGP PUBLIC KEY BLOCK-"), NONE, "application/pgp-keys", TEXT_ONLY},
    {4, 0, 0, BYTES("-----BEGIN PGP SIGNED MESSAGE-"), NONE, "text/PGP", TEXT_ONLY},
    {4, 0, 0, BYTES("\x30\x26\xb2\x75\x8e\x66\xcf\x11"), NONE, "video/x-ms-asf", 0},
    {0, 0, 0, BYTES("7z\xbc\xaf\x27\x1c"), NONE, "application/x-7z-compressed", 0},
    {4, 0, 0, BYTES("<?php"), NONE, "text/x-php", TEXT_ONLY},
    {0, 0, 0, BYTES("BZh"), NONE, "application/x-bzip2", BINARY_ONLY},
    {2, 0, 14, BYTES("BM"), BYTES("\x28\0\0\0"), "image/bmp", 0},
    {2, 0, 14, BYTES("BM"), BYTES("\x6c\0\0\0"), "image/bmp", 0},
    {2, 0, 14, BYTES("BM"), BYTES("\x7c\0\0\0"), "image/bmp", 0},
    {2, 0, 14, BYTES("BM"), BYTES("\x0c\0\0\0"), "image/bmp", 0},
    {4, 0, 0, BYTES("BEGIN:VCALENDAR"), NONE, "text/calendar", TEXT_ONLY},
    {4, 0, 0, BYTES("BEGIN:VCARD"), NONE, "text/vcard", TEXT_ONLY},
    {4, 0, 0, BYTES("Delivered-To:"), NONE, "message/rfc822", TEXT_ONLY},
    {4, 0, 0, BYTES("Date:"), NONE, "message/rfc822", TEXT_ONLY},
    {4, 0, 0, BYTES("From:"), NONE, "message/rfc822", TEXT_ONLY},
    {2, 0, 0, BYTES("GIF8"), NONE, "image/gif", 0},
    {0, 0, 0, BYTES("ITSF"), NONE, "application/vnd.ms-htmlhelp", BINARY_ONLY | RUNS},
    {2, 0, 0, BYTES("II*\0"), NONE, "image/tiff", 0},
    {4, 0, 0, BYTES("ID3"), NONE, "audio/mpeg", BINARY_ONLY},
    {0, 0, 4, BYTES("L\0\0\0"), BYTES("\x01\x14\x02\0"), "application/x-ms-shortcut", RUNS},
    {0, 0, 0, BYTES("MZ"), NONE, "application/vnd.microsoft.portable-executable", BINARY_ONLY | RUNS},
    {0, 0, 0, BYTES("MSCF\0\0\0\0"), NONE, "application/vnd.ms-cab-compressed", 0},
    {2, 0, 0, BYTES("MM\0*"), NONE, "image/tiff", 0},
    {4, 0, 0, BYTES("MThd"), NONE, "audio/midi", BINARY_ONLY},
    {4, 0, 0, BYTES("OggS\0"), NONE, "audio/ogg", 0},
    {4, 0, 0, BYTES("OTTO\0"), NONE, "application/vnd.ms-opentype", 0},
    {0, 0, 0, BYTES("Rar!\x1a\x07"), NONE, "application/x-rar", 0},
    {2, 0, 8, BYTES("RIFF"), BYTES("WEBP"), "image/webp", 0},
    {2, 0, 8, BYTES("RIFF"), BYTES("WAVE"), "audio/x-wav", 0},
    {2, 0, 8, BYTES("RIFF"), BYTES("AVI "), "video/x-msvideo", 0},
    {4, 0, 0, BYTES("Received:"), NONE, "message/rfc822", TEXT_ONLY},
    {4, 0, 0, BYTES("Return-Path:"), NONE, "message/rfc822", TEXT_ONLY},
    {4, 0, 0, BYTES("fLaC"), NONE, "audio/flac", BINARY_ONLY},
    {4, 0, 0, BYTES("wOFF"), NONE, "font/woff", BINARY_ONLY},
    {4, 0, 0, BYTES("wOF2"), NONE, "font/woff2", BINARY_ONLY},
    {4, 0, 0, BYTES("\x78\x9f\x3e\x22"), NONE, "application/vnd.ms-tnef", 0},
    {2, 0, 0, BYTES("{\\rtf"), NONE, "text/rtf", 0},
    {0, 0, 16,
     BYTES("\x7f"
           "ELF"),
     BYTES("\x02\x00"), "application/x-executable", RUNS},
    {0, 0, 16,
     BYTES("\x7f"
           "ELF"),
     BYTES("\x00\x02"), "application/x-executable", RUNS},
    {0, 0, 16,
     BYTES("\x7f"
           "ELF"),
     BYTES("\x01\x00"), "application/x-object", RUNS},
    {0, 0, 0,
     BYTES("\x7f"
           "ELF"),
     NONE, "application/x-sharedlib", RUNS},
    {2, 0, 0, BYTES("\x89PNG\r\n\x1a\n"), NONE, "image/png", 0},
    {0, 0, 4, BYTES("\xca\xfe\xba\xbe"), BYTES("\0\0\0\1"), "application/x-mach-binary", RUNS},
    {0, 0, 4, BYTES("\xca\xfe\xba\xbe"), BYTES("\0\0\0\2"), "application/x-mach-binary", RUNS},
    {0, 0, 4, BYTES("\xca\xfe\xba\xbe"), BYTES("\0\0\0\3"), "application/x-mach-binary", RUNS},
    {0, 0, 0, BYTES("\xca\xfe\xba\xbe"), NONE, "application/x-java-applet", RUNS},
    {0, 0, 0, BYTES("\xce\xfa\xed\xfe"), NONE, "application/x-mach-binary", RUNS},
    {0, 0, 0, BYTES("\xcf\xfa\xed\xfe"), NONE, "application/x-mach-binary", RUNS},
    {2, 0, 0, BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), NONE, "application/x-ole-storage", 0},
    {2, 0, 0, BYTES("\xd7\xcd\xc6\x9a"), NONE, "image/wmf", 0},
    {2, 0, 0, BYTES("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"), NONE, "application/onenote", 0},
    {0, 0, 0,
     BYTES("\xfd"
           "7zXZ\0"),
     NONE, "application/x-xz", 0},
    {0, 0, 0, BYTES("\xfe\xed\xfa\xce"), NONE, "application/x-mach-binary", RUNS},
    {0, 0, 0, BYTES("\xfe\xed\xfa\xcf"), NONE, "application/x-mach-binary", RUNS},
    {2, 0, 0, BYTES("\xff\xd8\xff"), NONE, "image/jpeg", 0},
    {4, 0, 0, BYTES("\xff\xfb"), NONE, "audio/mpeg", 0},
    {4, 0, 0, BYTES("\xff\xfa"), NONE, "audio/mpeg", 0},
    {4, 0, 0, BYTES("\xff\xf3"), NONE, "audio/mpeg", 0},
    {4, 0, 0, BYTES("\xff\xf2"), NONE, "audio/mpeg", 0},
};

static const struct magic deeper[] = {
    {1, 7, 0, BYTES("**ACE**"), NONE, "application/x-ace-compressed", 0},
    {1, 2, 0, BYTES("-lh5-"), NONE, "application/x-lzh-compressed", 0},
    {1, 257, 0, BYTES("ustar  \0"), NONE, "application/x-gtar", 0},
    {1, 257, 0, BYTES("ustar\0"), NONE, "application/x-tar", 0},
    {1, 4, 0, BYTES("Standard Jet DB\0"), NONE, "application/x-msaccess", 0},
    {3, 4, 8, BYTES("ftyp"), BYTES("qt  "), "video/quicktime", 0},
    {3, 4, 8, BYTES("ftyp"), BYTES("M4A "), "audio/x-m4a", 0},
    {3, 4, 8, BYTES("ftyp"), BYTES("hei"), "image/heic", 0},
    {3, 4, 0, BYTES("ftyp"), NONE, "video/mp4", BINARY_ONLY},
};

enum { ROWS = sizeof table / sizeof *table, DEEPER = sizeof deeper / sizeof *deeper };

/* What stands in the first line of a script; the first that is there counts. */
static const struct {
    const char *word, *type;
} interpreters[] = {
    {"python", "text/x-script.python"},
    {"perl", "text/x-perl"},
    {"ruby", "text/x-ruby"},
    {"node", "application/javascript"},
    {"awk", "text/x-awk"},
    {"php", "text/x-php"},
    {"tclsh", "text/x-tcl"},
    {"sh", "text/x-shellscript"},
};

static bool stands(struct slice head, size_t at, struct slice bytes)
{
    return !bytes.len || (head.len >= at + bytes.len && memcmp(head.data + at, bytes.data, bytes.len) == 0);
}

/* Adds what is never in a text. */
LANES_INLINE void add_never(lanes *found, const uint8_t *p)
{
    lanes c;
    lanes_load(&c, p);
    *found |= (lanes)((c < 7) | ((lanes)(c - 14) < 13) | ((lanes)(c - 28) < 4) | (c == 127));
}

/* Nothing that no text has, in any charset that goes with ASCII. */
WIDE static bool is_plain(struct slice head)
{
    lanes found = {0};
    uint8_t rest[LANES];
    size_t i = 0;
    for (; head.len - i >= LANES; i += LANES) {
        add_never(&found, head.data + i);
        /* What is no text shows that at once, mostly. */
        if (!i && lanes_any(&found))
            return false;
    }
    memset(rest, ' ', sizeof rest);
    memcpy(rest, head.data + i, head.len - i);
    add_never(&found, rest);
    return !lanes_any(&found);
}

/* That, or a mark of UTF-16. */
static bool is_text(struct slice head)
{
    return (head.len >= 2 && ((head.data[0] == 0xff && head.data[1] == 0xfe) ||
                              (head.data[0] == 0xfe && head.data[1] == 0xff))) ||
           is_plain(head);
}

static const char *of_script(struct slice head)
{
    struct slice line = slice_sub(head, 0, slice_index(head, '\n'));
    for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
        if (slice_find(line, interpreters[i].word) < line.len)
            return interpreters[i].type;
    return "text/plain";
}

/* Text in angle brackets. */
static const char *of_markup(struct slice text)
{
    static const char *const html[] = {"<!doctype html", "<html",  "<head", "<title", "<body", "<table",
                                       "<script",        "<style", "<meta", "<div",   "<p>",   "<br",
                                       "<a href",        "<iframe"};
    if (slice_case_starts(text, "<?xml"))
        return slice_case_find(text, "<svg") < text.len ? "image/svg+xml" : "text/xml";
    if (slice_case_starts(text, "<svg"))
        return "image/svg+xml";
    while (slice_case_starts(text, "<!--")) {
        size_t end = slice_find(text, "-->");
        text = slice_trim_left(slice_sub(text, end + 3, text.len));
    }
    for (size_t i = 0; i < sizeof html / sizeof *html; i++)
        if (slice_case_starts(text, html[i]))
            return "text/html";
    return "text/plain";
}

static const char *of_text(struct slice head)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    if (stands(head, 0, (struct slice){mark, sizeof mark}))
        head = slice_sub(head, sizeof mark, head.len);
    struct slice text = slice_trim_left(head);
    if (text.len && text.data[0] == '<')
        return of_markup(text);
    return slice_case_starts(head, "#!") ? of_script(head) : "text/plain";
}

/* Of a file in a zip file, `at` its local header: its name. */
static struct slice zip_name(struct slice head, size_t at)
{
    enum { LENGTH_AT = 26, NAME_AT = 30 };
    if (head.len < at + NAME_AT)
        return (struct slice){NULL, 0};
    size_t len = head.data[at + LENGTH_AT] + 256u * head.data[at + LENGTH_AT + 1];
    return slice_sub(head, at + NAME_AT, at + NAME_AT + len);
}

/* OpenDocument and EPUB begin with a file that names their type. */
static const char *of_mimetype(struct slice content)
{
    static const char *const types[] = {
        "application/vnd.oasis.opendocument.text-template", "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",   "application/vnd.oasis.opendocument.presentation",
        "application/vnd.oasis.opendocument.graphics",      "application/epub+zip"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_case_starts(content, types[i]))
            return types[i];
    return "application/zip";
}

static const char *of_zip(struct slice head)
{
    static const struct {
        const char *name, *type;
    } names[] = {
        {"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
        {"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
        {"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
        {"AndroidManifest.xml", "application/vnd.android.package-archive"},
        {"META-INF/", "application/java-archive"},
    };
    struct slice first = zip_name(head, 0);
    if (slice_eq(first, slice_str("mimetype")))
        return of_mimetype(slice_sub(head, 38, head.len));
    for (size_t at = 0; at < head.len;
         at += 4 + slice_find(slice_sub(head, at + 4, head.len), "PK\x03\x04")) {
        struct slice name = zip_name(head, at);
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (slice_case_starts(name, names[i].name))
                return names[i].type;
    }
    return "application/zip";
}

static bool fits(const struct magic *m, struct slice head, bool text)
{
    return stands(head, m->at, m->bytes) && stands(head, m->more_at, m->more) &&
           !(m->traits & (text ? BINARY_ONLY : TEXT_ONLY));
}

/* The first row whose first byte is `c` or higher. */
static size_t lower_bound(uint8_t c)
{
    size_t from = 0, count = ROWS;
    while (count) {
        size_t half = count / 2;
        bool below = *table[from + half].bytes.data < c;
        from += below ? half + 1 : 0;
        count = below ? count - half - 1 : half;
    }
    return from;
}

/* NULL: none fits. */
static const struct magic *row_of(struct slice head, bool text)
{
    const struct magic *found = NULL;
    for (size_t i = lower_bound(*head.data); i < ROWS && *table[i].bytes.data == *head.data && !found; i++)
        if (fits(&table[i], head, text))
            found = &table[i];
    for (size_t i = 0; i < DEEPER; i++) {
        const struct magic *m = &deeper[i];
        if (m->at >= head.len || head.data[m->at] != *m->bytes.data || !fits(m, head, text))
            continue;
        return found && found->rank < m->rank ? found : m;
    }
    return found;
}

const char *sniff_type(struct slice head)
{
    if (!head.len)
        return NULL;
    bool text = is_text(head);
    if (stands(head, 0, slice_str("PK\x03\x04")))
        return of_zip(head);
    if (stands(head, 0, slice_str("PK\x05\x06")))
        return "application/zip";
    const struct magic *m = row_of(head, text);
    if (m)
        return m->type;
    return text ? of_text(head) : "application/octet-stream";
}

bool sniff_runs(const char *type)
{
    if (*type != 'a')
        return strcmp(type, "text/x-shellscript") == 0;
    if (strcmp(type, "application/java-archive") == 0)
        return true;
    /* All else that runs is of a type that a vendor has, or that nobody registered. */
    if (strncmp(type, "application/x-", 14) != 0 && strncmp(type, "application/vnd.", 16) != 0)
        return false;
    for (size_t i = 0; i < ROWS; i++)
        if (table[i].traits & RUNS && strcmp(type, table[i].type) == 0)
            return true;
    return strcmp(type, "application/vnd.android.package-archive") == 0;
}
