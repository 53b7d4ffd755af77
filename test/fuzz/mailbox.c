/* mailbox.c: a value as a list of addresses, names and addresses in it, domains in both forms.
 *
 * First byte: how much room there is for what comes out, bits 0 to 5 in units of 8, 0 for enough. */
#include "mail/domain.h"
#include "mail/mailbox.h"
#include "fuzz.h"

static struct charsets *cs;
static struct buf out, other;

static bool inside(struct slice part, struct slice whole)
{
    return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_domain(struct slice domain)
{
    struct buf ascii, unicode, again;
    buf_init(&ascii, 1 << 12);
    buf_init(&unicode, 1 << 12);
    buf_init(&again, 1 << 12);
    enum domain_kind kind = domain_forms(domain, &ascii, &unicode);
    assert((kind == DOMAIN_IDN) == (ascii.len > 0) && (kind == DOMAIN_IDN) == (unicode.len > 0));
    if (kind == DOMAIN_IDN) {
        assert(ascii_only(buf_slice(&ascii)) && utf8_valid(buf_slice(&unicode)));
        /* What has one form alone once it is mapped, as fullwidth letters have, is ASCII then. */
        buf_clear(&unicode);
        kind = domain_forms(buf_slice(&ascii), &again, &unicode);
        assert(kind == DOMAIN_ASCII ||
               (kind == DOMAIN_IDN && slice_eq(buf_slice(&again), buf_slice(&ascii))));
    }
    buf_free(&ascii);
    buf_free(&unicode);
    buf_free(&again);
}

static void check_element(struct slice element, size_t room)
{
    struct mailbox_parts p;
    mailbox_parse(element, &p);
    assert(inside(p.name, element) && inside(p.local, element) && inside(p.domain, element));
    assert(!p.plain_addr || (p.addr.len == p.local.len + 1 + p.domain.len && p.local.len && p.domain.len));
    assert(!p.domain.len || p.domain.data > p.local.data);
    buf_init(&out, room);
    mailbox_name(cs, &p, &out);
    assert(utf8_valid(buf_slice(&out)));
    buf_clear(&out);
    mailbox_local(&p, &out);
    assert(out.len <= 2 * p.local.len + 2);
    buf_clear(&out);
    mailbox_domain(&p, &out);
    assert(out.len <= p.domain.len);
    check_domain(buf_slice(&out));
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    if (!cs)
        cs = charsets_new();
    size_t room = *data % 64 ? *data % 64 * 8u : 1 << 20, count = 0;
    uint8_t *copy = exact_copy((struct slice){data + 1, size - 1});
    struct slice value = {copy, size - 1}, element;
    struct mailbox_reader r = {.rest = value};
    while (mailbox_next(&r, &element)) {
        assert(inside(element, value) && inside(r.group, value) && inside(r.rest, value));
        assert(slice_eq(element, slice_trim(element)) && (element.len || r.group.len));
        assert(++count <= value.len);
        check_element(element, room);
        if (r.group.len) {
            buf_init(&other, room);
            mailbox_phrase(cs, r.group, &other);
            assert(utf8_valid(buf_slice(&other)));
            buf_free(&other);
        }
    }
    free(copy);
    return 0;
}
