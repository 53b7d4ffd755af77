/* tls.c: a handshake of both sides, with cuts and gaps, up to what a record says of it.
 *
 * A play (fuzz.h) that the client begins. However the bytes of it are cut, the facts must be the same; what
 * they point to can be read, and a certificate among them is OpenSSL's to read. */
#include <stdio.h>
#include "base/arena.h"
#include "fuzz.h"
#include "mail/certificate.h"
#include "mail/tls.h"

enum { MOST = 4096, TEXT = 2048 };

static void check(const struct tls_facts *f)
{
    struct slice rest = f->offered, one;
    struct arena mem;
    struct certificate c;
    size_t sum = 0;
    while (tls_protocol_next(&rest, &one))
        sum += one.len + 1;
    assert(sum <= f->offered.len);
    assert(f->client == (strlen(f->ja3) == 32) && f->client == (strlen(f->ja4) == 36));
    assert(f->server == (strlen(f->ja3s) == 32));
    assert(!f->certificate.data == !f->chain);
    arena_init(&mem, 8192);
    if (f->certificate.data) {
        certificate_read(f->certificate, 10, &mem, &c);
        assert(c.sha256.len == 64 && c.name_count <= 10);
        for (size_t i = 0; i < c.name_count; i++)
            assert(c.names[i].data && c.names[i].len);
    }
    arena_free(&mem);
}

static void play(const struct play *p, size_t step, char text[static TEXT])
{
    struct tls *t = tls_new(MOST);
    for (size_t i = 0; i < p->count && !tls_is_over(t); i++) {
        struct piece a = p->pieces[i];
        enum side side = a.second ? SIDE_SERVER : SIDE_CLIENT;
        if (a.gap)
            tls_gap(t, side);
        size_t by = step ? step : a.to - a.from;
        for (size_t at = a.from; at < a.to && !a.gap; at += by) {
            struct slice bytes = slice_sub(buf_slice(&p->bytes), at, at + by < a.to ? at + by : a.to);
            uint8_t *copy = exact_copy(bytes);
            tls_feed(t, side, (struct slice){copy, bytes.len});
            free(copy);
        }
    }
    const struct tls_facts *f = tls_facts(t, true);
    check(f);
    tls_dump(f, text, TEXT);
    tls_free(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct play p;
    char whole[TEXT], bytes[TEXT];
    play_read(&p, (struct slice){data, size});
    play(&p, 0, whole);
    play(&p, 1, bytes);
    assert(strcmp(whole, bytes) == 0);
    play_free(&p);
    return 0;
}
