/* Capture files in the making, in memory, in either byte order; and what the reader says to one. */
#ifndef TEST_CAPTURE_FILE_H
#define TEST_CAPTURE_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>
#include "base/buf.h"
#include "capture/source.h"

/* Bytes of a file in the making, in either byte order. */
static struct buf file;
static bool big;

static inline void put(uint64_t value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t place = big ? len - 1 - i : i;
        buf_add_byte(&file, place < 8 ? (uint8_t)(value >> 8 * place) : 0);
    }
}

static inline void begin(void)
{
    buf_free(&file);
    buf_init(&file, 64 << 20);
    big = false;
}

static inline void pcap_header(uint32_t magic, uint32_t snap, uint32_t network)
{
    put(magic, 4);
    put(2, 2);
    put(4, 2);
    put(0, 8);
    put(snap, 4);
    put(network, 4);
}

static inline void pcap_packet(uint32_t seconds, uint32_t part, const char *bytes, uint32_t wire)
{
    put(seconds, 4);
    put(part, 4);
    put(strlen(bytes), 4);
    put(wire, 4);
    buf_add_str(&file, bytes);
}

/* A pcapng block around `body`, whose bytes are in the right order already. */
static inline void block(uint32_t type, struct slice body)
{
    size_t padded = (body.len + 3) & ~(size_t)3;
    put(type, 4);
    put(12 + padded, 4);
    buf_add(&file, body);
    for (size_t i = body.len; i < padded; i++)
        buf_add_byte(&file, 0);
    put(12 + padded, 4);
}

static size_t mark;
static uint8_t held[1 << 18];

/* What is put between these two becomes a block. */
static inline void open_block(void)
{
    mark = file.len;
}

static inline void close_block(uint32_t type)
{
    size_t len = file.len - mark;
    memcpy(held, file.data + mark, len);
    file.len = mark;
    block(type, (struct slice){held, len});
}

static inline void section(void)
{
    open_block();
    put(0x1a2b3c4d, 4);
    put(1, 2);
    put(0, 2);
    put(UINT64_MAX, 8);
    close_block(0x0a0d0d0a);
}

static inline void option(uint16_t code, uint64_t value, size_t len)
{
    put(code, 2);
    put(len, 2);
    put(value, len);
    put(0, (4 - len % 4) % 4);
}

/* resolution -1, offset 0: no such options */
static inline void interface(uint16_t link, uint32_t snap, int resolution, int64_t offset)
{
    open_block();
    put(link, 2);
    put(0, 2);
    put(snap, 4);
    option(2, 0x65746830, 4);
    if (resolution >= 0)
        option(9, (uint64_t)resolution, 1);
    if (offset)
        option(14, (uint64_t)offset, 8);
    option(0, 0, 0);
    close_block(1);
}

static inline void enhanced(uint32_t id, uint64_t ticks, const char *bytes, uint32_t wire)
{
    open_block();
    put(id, 4);
    put(ticks >> 32, 4);
    put(ticks & 0xffffffff, 4);
    put(strlen(bytes), 4);
    put(wire, 4);
    buf_add_str(&file, bytes);
    put(0, (4 - strlen(bytes) % 4) % 4);
    option(1, 0x21212121, 4);
    option(0, 0, 0);
    close_block(6);
}

/* What came out: "link seconds.nanoseconds wire bytes" a line, then the error if there was one. */
static char said[1 << 20];
static struct source_stats stats;
static char path[] = "mailtap-test-XXXXXX";

static inline void save(struct slice bytes)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    if (bytes.len)
        assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    assert_int_equal(fclose(f), 0);
}

static inline int read_path(const char *from)
{
    enum { MOST = 4 };
    struct source *src = NULL;
    struct packet few[MOST];
    struct error err = {""};
    int most = 1;
    char *at = said, *end = said + sizeof said;
    stats = (struct source_stats){0};
    *said = '\0';
    int got = source_open(from, &src, &err);
    if (got < 0) {
        assert_null(src);
    } else {
        /* Now one at a time, now some. */
        for (; (got = source_next_few(src, few, most, &err)) > 0 && end - at > 1000; most = most % MOST + 1) {
            assert_in_range(got, 1, most);
            for (const struct packet *p = few; p < few + got; p++)
                at += snprintf(at, (size_t)(end - at), "%u %lld.%09ld %u %.*s\n", p->link_type,
                               (long long)p->ts.tv_sec, p->ts.tv_nsec, p->wire_len, (int)p->bytes.len,
                               (const char *)p->bytes.data);
        }
        stats = source_stats(src);
        source_close(&src);
        assert_null(src);
    }
    if (got < 0) {
        const char *text = strncmp(err.text, from, strlen(from)) == 0 ? err.text + strlen(from) : err.text;
        snprintf(at, (size_t)(end - at), "error%s\n", text);
    }
    return got;
}

static inline int read_bytes(struct slice bytes)
{
    save(bytes);
    return read_path(path);
}

static inline void expect(const char *text)
{
    read_bytes(buf_slice(&file));
    assert_string_equal(said, text);
}

static inline int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static inline int drop_path(void **state)
{
    (void)state;
    buf_free(&file);
    return unlink(path);
}

#endif
