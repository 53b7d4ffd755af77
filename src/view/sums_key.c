/* sums_key.c: keys that mails are summed up by.
 * In: texts of records. Out: keys. Owns: nothing. Limits: SUMS_KEY bytes. */
#include "view/sums_key.h"

#include <stdio.h>

/* At a whole character. */
static struct slice cut(struct slice text, size_t most)
{
    size_t len = text.len < most ? text.len : most;
    while (len < text.len && len && (text.data[len] & 0xc0) == 0x80)
        len--;
    return slice_sub(text, 0, len);
}

struct slice sums_key_slice(const struct sums_key *k)
{
    return (struct slice){k->bytes, k->len};
}

void sums_key_add(struct sums_key *k, struct slice text)
{
    struct slice part = cut(text, sizeof k->bytes - k->len);
    for (size_t i = 0; i < part.len; i++)
        k->bytes[k->len + i] = byte_lower(part.data[i]);
    k->len += part.len;
}

void sums_key_domain(struct sums_key *k, struct slice address)
{
    const uint8_t *at = address.data && address.len ? memrchr(address.data, '@', address.len) : NULL;
    struct slice domain =
        at ? slice_sub(address, (size_t)(at + 1 - address.data), address.len) : (struct slice){0};
    bool whole = !domain.len && address.len && !slice_eq(address, slice_str("<>"));
    k->len = 0;
    sums_key_add(k, domain.len ? domain : cut(address, SUMS_KEY - 1));
    if (whole && (!k->len || k->bytes[k->len - 1] != '@'))
        sums_key_add(k, slice_str("@"));
}

void sums_key_reason(struct sums_key *k, struct slice disposition, struct slice enhanced, uint64_t code,
                     struct slice stage)
{
    char text[24];
    k->len = 0;
    if (!slice_eq(disposition, slice_str("rejected")) && !slice_eq(disposition, slice_str("deferred")))
        return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)code);
    sums_key_add(k, enhanced.len ? enhanced : slice_str(text));
    sums_key_add(k, slice_str(" "));
    sums_key_add(k, stage);
}

static void add_end(struct sums_key *k, const struct sums_key_end *end)
{
    struct slice text = end->name.len ? end->name : end->other;
    sums_key_add(k, text.len ? cut(text, SUMS_KEY / 2) : end->address);
}

bool sums_key_edge(struct sums_key *k, const struct sums_key_end *from, const struct sums_key_end *to)
{
    k->len = 0;
    add_end(k, from);
    size_t at = k->len;
    sums_key_add(k, slice_str("\t"));
    add_end(k, to);
    return at && k->len > at + 1;
}
