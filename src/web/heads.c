/* heads.c: header fields.
 * In: libmicrohttpd's. Out: slices of them. Owns: nothing. Spec: RFC 9110. */
#include "web/heads.h"

#include <stddef.h>

static const struct {
    const char *name;
    size_t offset;
} known[] = {{"Host", offsetof(struct heads, host)},
             {"Origin", offsetof(struct heads, origin)},
             {"Sec-Fetch-Site", offsetof(struct heads, fetch_site)},
             {"Cookie", offsetof(struct heads, cookie)},
             {"Authorization", offsetof(struct heads, authorization)},
             {"X-CSRF-Token", offsetof(struct heads, csrf)},
             {"Accept-Encoding", offsetof(struct heads, accept_encoding)},
             {"If-None-Match", offsetof(struct heads, if_none_match)},
             {"Content-Type", offsetof(struct heads, content_type)},
             {"Content-Length", offsetof(struct heads, content_length)},
             {"Transfer-Encoding", offsetof(struct heads, transfer_encoding)}};

static enum MHD_Result take(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                            const char *value, size_t len)
{
    (void)kind;
    struct heads *h = ctx;
    const struct slice key = {(const uint8_t *)name, name_len};
    const struct slice text = {(const uint8_t *)(value ? value : ""), value ? len : 0};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!slice_case_eq(key, slice_str(known[i].name)))
            continue;
        struct slice *field = (struct slice *)((char *)h + known[i].offset);
        h->odd |= field->data || slice_index(text, 0) < text.len;
        *field = slice_trim(text);
    }
    return MHD_YES;
}

void heads_read(struct MHD_Connection *connection, struct heads *ret)
{
    *ret = (struct heads){0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, take, ret);
}

bool heads_take_gzip(const struct heads *h)
{
    struct slice rest = h->accept_encoding;
    while (rest.len) {
        size_t comma = slice_index(rest, ',');
        struct slice item = slice_sub(rest, 0, comma);
        rest = slice_sub(rest, comma + 1, rest.len);
        size_t semicolon = slice_index(item, ';');
        struct slice coding = slice_trim(slice_sub(item, 0, semicolon));
        struct slice weight = slice_sub(item, semicolon + 1, item.len);
        if (!slice_case_eq(coding, slice_str("gzip")))
            continue;
        /* q=0 alone refuses it. */
        weight = slice_trim(slice_sub(weight, slice_index(weight, '=') + 1, weight.len));
        bool zero = weight.len;
        for (size_t i = 0; i < weight.len; i++)
            zero &= weight.data[i] == '0' || weight.data[i] == '.';
        return !zero;
    }
    return false;
}

struct slice heads_cookie(const struct heads *h, const char *name)
{
    struct slice rest = h->cookie, found = {NULL, 0};
    while (rest.len) {
        size_t end = slice_index(rest, ';');
        struct slice pair = slice_trim(slice_sub(rest, 0, end));
        rest = slice_sub(rest, end + 1, rest.len);
        size_t equals = slice_index(pair, '=');
        if (equals == pair.len || !slice_eq(slice_sub(pair, 0, equals), slice_str(name)))
            continue;
        if (found.data)
            return (struct slice){NULL, 0};
        found = slice_sub(pair, equals + 1, pair.len);
    }
    return found;
}
