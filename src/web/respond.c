/* respond.c: responses and their headers.
 * In: answers. Out: responses. Owns: nothing. Limits: none of its own. Knowingly: what libmicrohttpd itself
 * answers to what is no HTTP has none of these headers, and nothing of ours in it either. Spec: CSP level 3,
 * Fetch. */
#include "web/respond.h"

#include <string.h>
#include "base/memory.h"
#include "web/gzip.h"
#include "web/outlet.h"

enum { SMALL = 1024, BLOCK = 32 << 10 };

/* Of every answer. Nothing is loaded but from here, nothing is inline, nobody may frame it. */
static const struct {
    const char *name, *value;
} always[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

void respond_header(struct MHD_Response *r, const char *name, const char *value)
{
    if (MHD_add_response_header(r, name, value) != MHD_YES)
        memory_out();
}

static void add_always(struct MHD_Response *r, const struct respond_settings *set)
{
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        respond_header(r, always[i].name, always[i].value);
    if (set->secure)
        respond_header(r, "Strict-Transport-Security", "max-age=31536000");
}

static void add_own(struct MHD_Response *r, const struct answer *a, bool gzip)
{
    if (a->type)
        respond_header(r, "Content-Type", a->type);
    respond_header(r, "Cache-Control", "no-store");
    respond_header(r, "Vary", "Accept-Encoding");
    if (gzip)
        respond_header(r, "Content-Encoding", "gzip");
    for (size_t i = 0; i < a->header_count; i++)
        respond_header(r, a->headers[i].name, a->headers[i].value);
}

struct MHD_Response *respond_whole(struct answer *a, const struct respond_settings *set)
{
    struct buf packed;
    buf_init(&packed, ANSWER_BYTES);
    bool gzip = set->gzip && a->body.len >= SMALL && gzip_whole(buf_slice(&a->body), &packed);
    struct buf *body = gzip ? &packed : &a->body;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        body->len, body->data, body->data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    memory_check(r);
    *body = (struct buf){.max = body->max};
    buf_free(&packed);
    add_always(r, set);
    add_own(r, a, gzip);
    return r;
}

struct MHD_Response *respond_pieces(const struct answer *a, const struct respond_settings *set)
{
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, outlet_read, a->out, outlet_drop);
    memory_check(r);
    add_always(r, set);
    add_own(r, a, set->gzip);
    return r;
}

struct MHD_Response *respond_fixed(struct slice body, const char *type, const struct respond_settings *set)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT);
    memory_check(r);
    add_always(r, set);
    if (type)
        respond_header(r, "Content-Type", type);
    return r;
}
