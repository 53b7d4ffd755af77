/* tls_hello.c: ClientHello and ServerHello to what they say.
 * In: a message without its head. Out: struct tls_hello, slices into the message. Owns: nothing.
 * Knowingly: of an extension that comes twice the last one counts, as a hello with two is refused anyway.
 * Spec: RFC 8446 4.1, RFC 5246 7.4.1, RFC 6066 3, RFC 7301 3.1, RFC 8422 5.1. */
#include "mail/tls_hello.h"

#include "base/cursor.h"

enum {
    EXT_SERVER_NAME = 0,
    EXT_GROUPS = 10,
    EXT_FORMATS = 11,
    EXT_SIGNATURES = 13,
    EXT_ALPN = 16,
    EXT_VERSIONS = 43,
    EXT_KEY_SHARE = 51
};

bool tls_is_grease(uint16_t number)
{
    return (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);
}

bool tls_extension_next(struct slice *rest, uint16_t *ret_type, struct slice *ret_data)
{
    struct cursor c = cursor_of(*rest);
    *ret_type = cursor_u16(&c);
    *ret_data = cursor_take(&c, cursor_u16(&c));
    *rest = c.broken ? (struct slice){NULL, 0} : c.rest;
    return !c.broken;
}

bool tls_protocol_next(struct slice *rest, struct slice *ret)
{
    struct cursor c = cursor_of(*rest);
    *ret = cursor_take(&c, cursor_u8(&c));
    *rest = c.broken ? (struct slice){NULL, 0} : c.rest;
    return !c.broken;
}

/* A list with its length before it, in as many bytes. */
static struct slice list_of(struct slice data, int bytes)
{
    struct cursor c = cursor_of(data);
    return cursor_take(&c, bytes == 1 ? cursor_u8(&c) : cursor_u16(&c));
}

/* The first name of the kind host_name. */
static struct slice host_name(struct slice data)
{
    struct cursor c = cursor_of(list_of(data, 2));
    while (c.rest.len && !c.broken) {
        uint8_t kind = cursor_u8(&c);
        struct slice name = cursor_take(&c, cursor_u16(&c));
        if (!kind && !c.broken && name.len)
            return name;
    }
    return (struct slice){NULL, 0};
}

static void take_client(struct tls_hello *h, uint16_t type, struct slice data)
{
    switch (type) {
    case EXT_SERVER_NAME:
        h->named = true;
        h->name = host_name(data);
        break;
    case EXT_GROUPS:
        h->groups = list_of(data, 2);
        break;
    case EXT_FORMATS:
        h->formats = list_of(data, 1);
        break;
    case EXT_SIGNATURES:
        h->signatures = list_of(data, 2);
        break;
    case EXT_ALPN:
        h->alpn = list_of(data, 2);
        break;
    case EXT_VERSIONS:
        h->versions = list_of(data, 1);
        break;
    }
}

static void take_server(struct tls_hello *h, uint16_t type, struct slice data)
{
    struct cursor c = cursor_of(data);
    switch (type) {
    case EXT_ALPN:
        h->alpn = list_of(data, 2);
        break;
    case EXT_VERSIONS:
        if (data.len == 2)
            h->version = cursor_u16(&c);
        break;
    case EXT_KEY_SHARE:
        h->group = cursor_u16(&c);
        break;
    }
}

/* Behind the part that all hellos have; there may be none. */
static bool take_extensions(struct cursor *c, struct tls_hello *h, bool client)
{
    uint16_t type;
    struct slice data, rest;
    if (!c->rest.len)
        return true;
    rest = h->extensions = cursor_take(c, cursor_u16(c));
    while (tls_extension_next(&rest, &type, &data)) {
        if (client)
            take_client(h, type, data);
        else
            take_server(h, type, data);
        if (!rest.len)
            return !c->broken;
    }
    return !c->broken && !h->extensions.len;
}

bool tls_client_hello(struct slice body, struct tls_hello *ret)
{
    struct cursor c = cursor_of(body);
    *ret = (struct tls_hello){0};
    ret->version = ret->legacy = cursor_u16(&c);
    cursor_skip(&c, 32);
    cursor_skip(&c, cursor_u8(&c));
    ret->ciphers = cursor_take(&c, cursor_u16(&c));
    cursor_skip(&c, cursor_u8(&c));
    return !c.broken && ret->version >> 8 == 3 && take_extensions(&c, ret, true);
}

bool tls_server_hello(struct slice body, struct tls_hello *ret)
{
    /* SHA-256 of "HelloRetryRequest" in the place of the random number. */
    static const uint8_t retry[32] = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                      0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                      0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};
    struct cursor c = cursor_of(body);
    *ret = (struct tls_hello){0};
    ret->version = ret->legacy = cursor_u16(&c);
    ret->retry = slice_eq(cursor_take(&c, sizeof retry), (struct slice){retry, sizeof retry});
    cursor_skip(&c, cursor_u8(&c));
    ret->cipher = cursor_u16(&c);
    cursor_skip(&c, 1);
    return !c.broken && ret->version >> 8 == 3 && take_extensions(&c, ret, false);
}
