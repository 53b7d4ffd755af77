/* inside.c: archives and TNEF, whole and in other pieces.
 *
 * The pieces make no difference; members come in the order of their places, names are UTF-8. */
#include "mail/charset.h"
#include "mail/tnef.h"
#include "mail/zip.h"
#include "fuzz.h"

struct run {
    struct buf text;
    uint64_t last, fed;
    bool any;
};

static void add_name(struct run *r, struct slice name, bool utf8)
{
    struct buf out;
    buf_init(&out, 4 * ZIP_NAME);
    zip_name(name, utf8, &out);
    assert(utf8_valid(buf_slice(&out)));
    (void)zip_is_archive(buf_slice(&out));
    buf_add(&r->text, buf_slice(&out));
    buf_free(&out);
}

static void on_zip(void *ctx, const struct zip_event *ev)
{
    struct run *r = ctx;
    if (ev->kind == ZIP_LOCAL) {
        assert(!r->any || ev->offset > r->last);
        assert(ev->offset < r->fed);
        r->last = ev->offset;
        r->any = true;
    }
    buf_printf(&r->text, "%d %d %d %llu %llu ", ev->kind, ev->encrypted, ev->lost,
               (unsigned long long)ev->size, (unsigned long long)ev->offset);
    if (ev->kind == ZIP_LOCAL || ev->kind == ZIP_CENTRAL)
        add_name(r, ev->name, ev->utf8);
    buf_add_byte(&r->text, '\n');
}

static void on_tnef(void *ctx, const struct tnef_file *file)
{
    struct run *r = ctx;
    assert(utf8_valid(file->name) || file->name.len == TNEF_NAME);
    buf_printf(&r->text, "tnef %llu ", (unsigned long long)file->size);
    buf_add(&r->text, file->name);
    buf_add_byte(&r->text, '\n');
}

static struct run play(struct slice in, size_t piece)
{
    struct run r = {.fed = in.len};
    struct zip z;
    struct tnef t;
    buf_init(&r.text, 64 << 20);
    zip_init(&z, on_zip, &r);
    tnef_init(&t, on_tnef, &r);
    for (size_t i = 0; i < in.len; i += piece) {
        struct slice part = slice_sub(in, i, i + piece);
        uint8_t *copy = exact_copy(part);
        zip_feed(&z, (struct slice){copy, part.len});
        free(copy);
    }
    for (size_t i = 0; i < in.len; i += piece) {
        struct slice part = slice_sub(in, i, i + piece);
        uint8_t *copy = exact_copy(part);
        tnef_feed(&t, (struct slice){copy, part.len});
        free(copy);
    }
    tnef_end(&t);
    zip_free(&z);
    tnef_free(&t);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = {data, size};
    struct run whole = play(in, size + 1), pieces = play(in, 1 + size % 11);
    assert(slice_eq(buf_slice(&whole.text), buf_slice(&pieces.text)));
    buf_free(&whole.text);
    buf_free(&pieces.text);
    return 0;
}
