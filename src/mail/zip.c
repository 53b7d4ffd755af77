/* zip.c: members of a zip archive.
 * In: an archive, in any pieces. Out: struct zip_event. Owns: a name and an extra field. Limits: ZIP_NAME,
 * ZIP_EXTRA. Knowingly: where a member's size stands behind it, and not behind the signature that nearly all
 * write, it is found again at the directory; names in Unicode of extra field 0x7075 are not read; archives in
 * several volumes are read as far as they come. Spec: APPNOTE 6.3.10, 4.3, 4.4, 4.5. */
#include "mail/zip.h"

enum state {
    SIGNATURE, /* four bytes that say what comes */
    LOCAL,
    CENTRAL,
    NAME,
    EXTRA,
    COMMENT,
    DATA,
    SCAN, /* where no signature is: up to the next one that fits */
    DESCRIPTOR,
    END,
    END64,
};
enum { LOCAL_BYTES = 30, CENTRAL_BYTES = 46, DESCRIPTOR_BYTES = 24, END_BYTES = 22, END64_BYTES = 12 };

#define SIGNATURE_OF(a, b) (0x4b50U | (uint32_t)(a) << 16 | (uint32_t)(b) << 24)
enum {
    AT_LOCAL = SIGNATURE_OF(3, 4),
    AT_CENTRAL = SIGNATURE_OF(1, 2),
    AT_DESCRIPTOR = SIGNATURE_OF(7, 8),
    AT_END = SIGNATURE_OF(5, 6),
    AT_END64 = SIGNATURE_OF(6, 6),
    AT_LOCATOR = SIGNATURE_OF(6, 7),
    AT_SPANNED = SIGNATURE_OF('0', '0'),
};
#undef SIGNATURE_OF
enum { FLAG_ENCRYPTED = 1, FLAG_DESCRIPTOR = 8, FLAG_UTF8 = 0x800, FLAG_MASKED = 0x2000 };

static void enter(struct zip *z, enum state state, uint32_t need)
{
    z->state = state;
    pull_bytes(&z->pull, need);
}

void zip_init(struct zip *z, zip_fn *fn, void *ctx)
{
    *z = (struct zip){.fn = fn, .ctx = ctx};
    buf_init(&z->name, ZIP_NAME);
    buf_init(&z->extra, ZIP_EXTRA);
    enter(z, SIGNATURE, 4);
}

void zip_begin(struct zip *z)
{
    *z = (struct zip){.fn = z->fn, .ctx = z->ctx, .name = z->name, .extra = z->extra};
    enter(z, SIGNATURE, 4);
}

void zip_free(struct zip *z)
{
    buf_free(&z->name);
    buf_free(&z->extra);
}

static uint32_t hash_of(struct slice name)
{
    uint32_t h = 0x811c9dc5;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.data[i]) * 0x01000193;
    return h;
}

static void tell(struct zip *z, enum zip_kind kind)
{
    z->member.kind = kind;
    z->member.lost = z->lost;
    z->member.name = buf_slice(&z->name);
    z->fn(z->ctx, &z->member);
}

/* Amid a member of unknown size: only what ends it counts. */
static bool is_open(const struct zip *z)
{
    return z->has_first && !z->member.known;
}

/* The bytes that were taken for a header are none: on with what is behind the first of them. */
static void scan_again(struct zip *z)
{
    uint8_t bytes[PULL_BYTES];
    uint32_t len = z->pull.have;
    memcpy(bytes, z->pull.bytes, len);
    z->pull.taken -= len - 1;
    z->lost |= z->has_first && !is_open(z);
    z->matched = 0;
    enter(z, SCAN, 0);
    zip_feed(z, (struct slice){bytes + 1, len - 1});
}

/* Of bytes that only begin like a header most have no such version or method. */
static bool fits(const struct zip *z, size_t at)
{
    uint32_t method = pull_u16(&z->pull, at + 4);
    return !z->scanned ||
           ((pull_u16(&z->pull, at) & 0xff) <= 99 && (method <= 20 || (method >= 93 && method <= 99)));
}

static void read_header(struct zip *z)
{
    const struct pull *p = &z->pull;
    size_t at = z->central ? 6 : 4;
    uint32_t flags = pull_u16(p, at + 2);
    if (!fits(z, at)) {
        scan_again(z);
        return;
    }
    /* The directory's first entry is of the first member, or it is that of an archive inside of this one. */
    z->doubted = z->scanned && is_open(z);
    z->member = (struct zip_event){.size = pull_u32(p, at + 18), .utf8 = flags & FLAG_UTF8};
    z->member.encrypted = flags & (FLAG_ENCRYPTED | FLAG_MASKED);
    z->packed = pull_u32(p, at + 14);
    z->name_len = pull_u16(p, at + 22);
    z->extra_len = pull_u16(p, at + 24);
    z->comment_len = z->central ? pull_u16(p, 32) : 0;
    z->member.offset = z->central ? pull_u32(p, 42) : z->header_at;
    z->descriptor = !z->central && flags & FLAG_DESCRIPTOR;
    z->state = NAME;
    pull_text(&z->pull, &z->name, z->name_len);
}

static void name_over(struct zip *z)
{
    if (z->doubted && hash_of(buf_slice(&z->name)) != z->first_name) {
        enter(z, SCAN, 0);
        return;
    }
    z->lost |= z->doubted;
    z->state = EXTRA;
    pull_text(&z->pull, &z->extra, z->extra_len);
}

static uint64_t number_at(struct slice s, size_t at, size_t len)
{
    uint64_t v = 0;
    while (len--)
        v = v << 8 | s.data[at + len];
    return v;
}

/* Those of the header that had no room, in their order. */
static void read_zip64(struct zip *z, struct slice s)
{
    uint64_t *const values[] = {&z->member.size, &z->packed, &z->member.offset};
    size_t at = 0;
    for (size_t i = 0; i < (z->central ? 3 : 2); i++) {
        if (*values[i] != UINT32_MAX || at + 8 > s.len)
            continue;
        *values[i] = number_at(s, at, 8);
        at += 8;
    }
}

static void read_extra(struct zip *z)
{
    struct slice s = buf_slice(&z->extra);
    while (s.len >= 4) {
        size_t len = (size_t)number_at(s, 2, 2);
        struct slice field = slice_sub(s, 4, 4 + len);
        uint64_t id = number_at(s, 0, 2);
        if (id == 0x0001)
            read_zip64(z, field);
        z->member.encrypted |= id == 0x9901 || id == 0x0017; /* AES, strong encryption */
        s = slice_sub(s, 4 + len, s.len);
    }
}

static void header_over(struct zip *z)
{
    read_extra(z);
    z->member.known = !z->descriptor || z->packed;
    if (z->central) {
        tell(z, ZIP_CENTRAL);
        z->state = COMMENT;
        pull_text(&z->pull, NULL, z->comment_len);
        return;
    }
    if (!z->has_first)
        z->first_name = hash_of(buf_slice(&z->name));
    z->has_first = true;
    tell(z, ZIP_LOCAL);
    z->begin = z->pull.taken;
    if (z->member.known) {
        z->state = DATA;
        pull_text(&z->pull, NULL, z->packed);
    } else {
        z->matched = 0;
        enter(z, SCAN, 0);
    }
}

/* The next byte of a signature, or none: bytes of it stand in the pull. */
static void match(struct zip *z, uint8_t c)
{
    static const char seconds[] = {0, 2, 0, 4, 0, 6, 0, 8};
    uint8_t *b = z->pull.bytes;
    bool goes_on = false;
    switch (z->matched) {
    case 0:
        goes_on = c == 'P';
        break;
    case 1:
        goes_on = c == 'K';
        break;
    case 2:
        goes_on = c < 8 && c % 2;
        break;
    default:
        goes_on = c == seconds[b[2]];
        break;
    }
    if (!goes_on)
        z->matched = 0;
    if (goes_on || c == 'P')
        b[z->matched++] = c;
}

static void take_header(struct zip *z, enum state state, uint32_t need)
{
    z->state = state;
    pull_more(&z->pull, need);
}

/* A signature is there, or what stands in its place: the pull has it. */
static void signature(struct zip *z, bool scanned)
{
    uint32_t what = pull_u32(&z->pull, 0);
    bool open = is_open(z);
    z->header_at = z->pull.taken - z->pull.have;
    z->scanned = scanned;
    z->central = what == AT_CENTRAL;
    if (what == AT_DESCRIPTOR && z->has_first)
        take_header(z, DESCRIPTOR, DESCRIPTOR_BYTES);
    else if (what == AT_CENTRAL)
        take_header(z, CENTRAL, CENTRAL_BYTES);
    else if (what == AT_LOCAL && !open)
        take_header(z, LOCAL, LOCAL_BYTES);
    else if (what == AT_END && !open)
        take_header(z, END, END_BYTES);
    else if (!scanned && (what == AT_END64 || what == AT_LOCATOR))
        take_header(z, END64, END64_BYTES);
    else if (what == AT_SPANNED && !z->header_at)
        enter(z, SIGNATURE, 4);
    else
        scan_again(z);
}

static size_t scan(struct zip *z, struct slice s)
{
    size_t i = z->matched ? 0 : slice_index(s, 'P');
    while (i < s.len && z->matched < 4) {
        match(z, s.data[i++]);
        if (!z->matched)
            i += slice_index(slice_sub(s, i, s.len), 'P');
    }
    z->pull.taken += i;
    if (z->matched == 4) {
        z->pull.have = z->pull.need = 4;
        z->matched = 0;
        signature(z, true);
    }
    return i;
}

/* It stands behind a member, and must say how long that was. The next signature stands behind it, and is
 * there already where its numbers are short. */
static void descriptor(struct zip *z)
{
    struct pull *p = &z->pull;
    uint64_t packed = z->header_at - z->begin;
    bool is_short = pull_u32(p, 8) == (uint32_t)packed && pull_u16(p, 16) == 0x4b50;
    if (!is_short && pull_u64(p, 8) != packed) {
        scan_again(z);
        return;
    }
    if (!z->member.known) {
        z->member.size = is_short ? pull_u32(p, 12) : pull_u64(p, 16);
        z->member.known = true;
        tell(z, ZIP_SIZE);
    }
    z->state = SIGNATURE;
    p->have = is_short ? 8 : 0;
    memmove(p->bytes, p->bytes + 16, p->have);
    pull_more(p, is_short ? 8 : 4);
}

/* The pull has got what was asked for. */
static void step(struct zip *z)
{
    switch ((enum state)z->state) {
    case SIGNATURE:
        signature(z, false);
        break;
    case LOCAL:
    case CENTRAL:
        read_header(z);
        break;
    case NAME:
        name_over(z);
        break;
    case EXTRA:
        header_over(z);
        break;
    case COMMENT:
    case DATA:
        enter(z, SIGNATURE, 4);
        break;
    case DESCRIPTOR:
        descriptor(z);
        break;
    case END:
        tell(z, ZIP_END);
        z->state = COMMENT;
        pull_text(&z->pull, NULL, pull_u16(&z->pull, 20));
        break;
    case END64: {
        uint64_t left = pull_u32(&z->pull, 0) == AT_LOCATOR ? 8 : pull_u64(&z->pull, 4);
        z->state = COMMENT;
        pull_text(&z->pull, NULL, left);
        break;
    }
    case SCAN:
        break;
    }
}

void zip_feed(struct zip *z, struct slice bytes)
{
    for (;;) {
        if (z->state == SCAN && !bytes.len)
            return;
        if (z->state == SCAN)
            bytes = slice_sub(bytes, scan(z, bytes), bytes.len);
        else if (pull_feed(&z->pull, &bytes))
            step(z);
        else
            return;
    }
}
