/* authres.c: a value as Authentication-Results, as Received-SPF, as the tags of a signature; and as two
 * domains.
 *
 * What is found stands in the value, and each step takes some of it. */
#include "mail/authres.h"
#include "mail/domain.h"
#include "fuzz.h"

static bool inside(struct slice part, struct slice whole)
{
    return !part.len || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void check_pairs(struct slice pairs, struct slice value)
{
    struct slice key, text;
    size_t left = pairs.len;
    assert(inside(pairs, value));
    while (authres_property(&pairs, &key, &text)) {
        assert(key.len && inside(key, value) && inside(text, value) && pairs.len < left);
        left = pairs.len;
    }
}

static void check_results(struct slice value)
{
    struct authres a;
    struct authres_result r;
    authres_open(value, &a);
    assert(inside(a.rest, value) && inside(a.authserv_id, value));
    size_t left = a.rest.len;
    while (authres_next(&a, &r)) {
        assert(a.rest.len < left && inside(r.method, value) && inside(r.result, value));
        assert(inside(r.reason, value) && inside(r.comment, value));
        assert(r.comment.len || !r.comment.data);
        check_pairs(r.properties, value);
        left = a.rest.len;
    }
}

static void check_domains(struct slice value)
{
    size_t lf = slice_index(value, '\n');
    struct slice a = slice_sub(value, 0, lf), b = slice_sub(value, lf + 1, value.len);
    enum domain_likeness is = domain_compare(a, b);
    assert(is == domain_compare(b, a));
    assert(is == DOMAIN_APART || (a.len && b.len));
    assert(is != DOMAIN_SAME || a.len + 1 == b.len || b.len + 1 == a.len || slice_case_eq(a, b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy((struct slice){data, size});
    struct slice value = {copy, size}, rest = value, name, text;
    check_results(value);
    struct spf_parts spf;
    spf_parse(value, &spf);
    assert(inside(spf.result, value) && inside(spf.comment, value));
    check_pairs(spf.pairs, value);
    while (tag_next(&rest, &name, &text))
        assert(name.len && inside(name, value) && inside(text, value));
    check_domains(value);
    free(copy);
    return 0;
}
