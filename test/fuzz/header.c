/* header.c: one header value as text, as parameters; bytes in any charset.
 *
 * First byte: how much room there is for what comes out, bits 0 to 5 in units of 8, 0 for enough. Then the
 * value; what stands before its first LF is a charset's name too. */
#include "mail/header.h"
#include "fuzz.h"

static struct charsets *cs;
static struct buf out;
static size_t room;

static bool inside(struct slice part, struct slice whole)
{
    return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void begin(void)
{
    buf_free(&out);
    buf_init(&out, room);
}

static void check_text(struct slice value)
{
    begin();
    header_text(cs, value, &out);
    assert(utf8_valid(buf_slice(&out)));
    /* What holds neither encoded words nor eight bits stands as it is. */
    bool plain = room >= value.len && slice_find(value, "=?") == value.len;
    for (size_t i = 0; plain && i < value.len; i++)
        plain = value.data[i] < 128;
    assert(!plain || slice_eq(value, buf_slice(&out)));
}

static void check_params(struct slice value)
{
    enum { NAMES = 4 };
    static const char *const names[NAMES] = {"charset", "filename", "name", "boundary"};
    struct header_given all[NAMES] = {0};
    struct header_params p = header_params(value);
    assert(inside(p.value, value) && inside(p.rest, value));
    for (size_t i = 0; i < NAMES; i++)
        all[i].name = slice_str(names[i]);
    header_find(p.rest, all, NAMES);
    for (size_t i = 0; i < NAMES; i++) {
        begin();
        bool there = header_param(cs, p.rest, names[i], &out);
        assert(utf8_valid(buf_slice(&out)) && (there || !out.len));
        begin();
        there = header_param_raw(p.rest, names[i], &out);
        assert(out.len <= value.len && (there || !out.len));
        /* To look for all at once is to look for each. */
        size_t len = out.len;
        assert(header_given_raw(&all[i], &out, NULL) == there &&
               out.len == (room < 2 * len ? room : 2 * len));
    }
}

static void check_utf8(struct slice value)
{
    begin();
    utf8_clean(value, &out);
    assert(utf8_valid(buf_slice(&out)));
    if (utf8_valid(value)) {
        assert(slice_eq(buf_slice(&out), utf8_whole(slice_sub(value, 0, room))));
        for (size_t i = 0; i < value.len; i++)
            assert(utf8_valid(utf8_whole(slice_sub(value, 0, i))));
    }
    begin();
    utf8_read(value, &out);
    assert(utf8_valid(buf_slice(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (!cs)
        cs = charsets_new();
    room = *data % 64 ? *data % 64 * 8u : 1 << 20;
    uint8_t *copy = exact_copy((struct slice){data + 1, size - 1});
    struct slice value = {copy, size - 1};
    check_text(value);
    check_params(value);
    check_utf8(value);
    begin();
    size_t lf = slice_index(value, '\n');
    charset_to_utf8(cs, slice_sub(value, 0, lf), slice_sub(value, lf + 1, value.len), &out);
    assert(utf8_valid(buf_slice(&out)));
    buf_free(&out);
    free(copy);
    return 0;
}
