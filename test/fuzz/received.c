/* received.c: the sending host's address in a Received value.
 *
 * What is found stands in the value, and is an address by itself. */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy((struct slice){data, size});
    struct slice value = {copy, size}, text = {0};
    struct address a = {0};
    struct network net, again;
    bool sent = path_received_address(value, &a, &text);
    if (sent)
        check_found(value, &a, text);
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
