/* received.c: the sending host's address in a Received value, and all that its grammar finds there.
 *
 * What is found stands in the value, and is an address by itself. */
#include "mail/date.h"
#include "mail/received.h"
#include "record/path.h"
#include "fuzz.h"

static void check_found(struct slice value, const struct address *a, struct slice text)
{
    char shown[ADDRESS_TEXT];
    struct address again = {0};
    assert(a->family == 4 || a->family == 6);
    assert(text.len && text.data >= value.data && text.data + text.len <= value.data + value.len);
    assert(address_text(a, shown) == strlen(shown));
    assert(address_parse(slice_str(shown), &again) && address_eq(a, &again));
    assert(address_parse(text, &again) && address_eq(a, &again));
}

static void check_text(struct slice value, struct slice text)
{
    assert(!text.data ||
           (text.len && text.data >= value.data && text.data + text.len <= value.data + value.len));
}

/* An address that it took is written there, from its beginning on or behind something that may stand before
 * it. */
static void check_address(struct slice value, const struct address *a)
{
    static const char before[] = " \t\r\n()[@:;";
    struct address again;
    bool found = !a->family;
    for (size_t from = 0; from < value.len && !found; from++) {
        if (from && !strchr(before, value.data[from - 1]))
            continue;
        for (size_t to = from + 2; to <= value.len && to < from + ADDRESS_TEXT && !found; to++)
            found = address_parse(slice_sub(value, from, to), &again) && address_eq(a, &again);
    }
    assert(found);
}

static void check_grammar(struct slice value)
{
    struct received_head head;
    struct received r;
    int64_t time = -1;
    received_head(value, &head);
    received_parse(&head, &r);
    check_text(value, r.from_helo);
    check_text(value, r.from_rdns);
    check_text(value, r.by);
    check_text(value, r.with);
    check_text(value, r.tls_version);
    check_text(value, r.tls_cipher);
    check_text(value, r.id);
    check_text(value, r.recipient);
    check_address(value, &r.from_ip);
    check_address(value, &r.by_ip);
    assert(r.time <= 253402387200); /* the year 9999 */
    if (date_parse(value, &time))
        assert(time >= -2209075200 && time <= 253402387200 + 360000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy((struct slice){data, size});
    struct slice value = {copy, size}, text = {0};
    struct address a = {0};
    struct network net, again;
    check_grammar(value);
    bool sent = path_received_address(value, &a, &text);
    if (sent)
        check_found(value, &a, text);
    struct received_head head;
    struct address first;
    struct slice written;
    received_head(value, &head);
    if (head.end)
        assert(path_received_address(value, &first, &written) && address_eq(&first, &head.ip) &&
               written.data == head.written.data && written.len == head.written.len);
    bool any = path_first_address(value, &a, &text);
    if (any)
        check_found(value, &a, text);
    assert(any || !sent);
    if (network_parse(value, &net)) {
        assert(net.prefix <= (net.addr.family == 4 ? 32 : 128) && network_has(&net, &net.addr));
        struct path_settings set = {PATH_LOCAL, &net, 1};
        assert(path_goes_on(&set, &net.addr));
        assert(network_parse(value, &again) && address_eq(&net.addr, &again.addr));
    }
    free(copy);
    return 0;
}
