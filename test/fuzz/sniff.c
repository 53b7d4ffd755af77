/* sniff.c: what first bytes say, and the same bytes as a name and a declared type; and base64 of them, whole
 * and byte by byte, which must come out the same. */
#include "mail/decode.h"
#include "mail/disguise.h"
#include "mail/sniff.h"
#include "fuzz.h"

static bool take(void *ctx, struct slice bytes)
{
    return buf_add(ctx, bytes);
}

static struct buf decoded(struct slice text, size_t step)
{
    struct decoding d = {0};
    struct decode_out o;
    struct buf out, blanks;
    buf_init(&out, 1 << 24);
    buf_init(&blanks, DECODE_BLANKS);
    for (size_t i = 0; i < text.len; i += step) {
        decode_out_init(&o, take, &out, &blanks, DECODE_ROOM);
        decode_base64(&d, &o, slice_sub(text, i, i + step));
    }
    decode_out_init(&o, take, &out, &blanks, DECODE_ROOM);
    decode_end(&d, &o);
    buf_free(&blanks);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy((struct slice){data, size});
    struct slice head = {copy, size};
    const char *type = sniff_type(head);
    assert(!type == !size);
    (void)disguise_extension(head);
    (void)disguise_path(head);
    assert(!disguise_type(head, head, type) || sniff_runs(type));
    if (size) {
        struct buf whole = decoded(head, size), bytes = decoded(head, 1);
        struct transfer_size count = {0};
        transfer_count(&count, TRANSFER_BASE64, head, 0);
        expect_same(buf_slice(&whole), buf_slice(&bytes));
        assert(whole.len == transfer_total(&count));
        buf_free(&whole);
        buf_free(&bytes);
    }
    free(copy);
    return 0;
}
