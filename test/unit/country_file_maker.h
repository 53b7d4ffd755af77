/* Databases in the making: a MaxMind DB (format 2.0) and a libloc database (version 1), as small as they get.
 */
#ifndef TEST_COUNTRY_FILE_MAKER_H
#define TEST_COUNTRY_FILE_MAKER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <errno.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/country.h"

enum { NODES = 4000 };

/* A tree under way. A child is 0 (none), a node's number, or -1 - an offset in the data. */
static struct {
    int64_t child[NODES][2];
    uint32_t leaf[NODES]; /* libloc: number of the node's network + 1 */
    uint32_t count;
    int version; /* of IP */
    struct buf data;
} tree;

static inline void be(struct buf *b, uint64_t value, size_t len)
{
    while (len--)
        buf_add_byte(b, (uint8_t)(value >> 8 * len));
}

static inline void tree_begin(int version)
{
    memset(tree.child, 0, sizeof tree.child);
    memset(tree.leaf, 0, sizeof tree.leaf);
    tree.count = 1;
    tree.version = version;
    buf_free(&tree.data);
    buf_init(&tree.data, 1 << 20);
}

/* Bits of the network's address in the tree; IPv4 stands in a tree of IPv6 behind `lead`. */
static inline size_t tree_bits(const char *text, const uint8_t lead[12], uint8_t ret[16])
{
    struct network net;
    assert_true(network_parse(slice_str(text), &net));
    memset(ret, 0, 16);
    if (net.addr.family == 6 || tree.version == 4) {
        memcpy(ret, net.addr.bytes, 16);
        return net.prefix;
    }
    memcpy(ret, lead, 12);
    memcpy(ret + 12, net.addr.bytes, 4);
    return 96u + net.prefix;
}

static inline uint32_t tree_walk(const uint8_t bytes[16], size_t bits)
{
    uint32_t at = 0;
    for (size_t i = 0; i < bits; i++) {
        int64_t *child = &tree.child[at][bytes[i / 8] >> (7 - i % 8) & 1];
        if (*child <= 0) {
            assert_true(tree.count < NODES);
            *child = tree.count++;
        }
        at = (uint32_t)*child;
    }
    return at;
}

/* MaxMind DB: the network's record begins where the data now ends; nets inside of others come after them. */
static inline void mmdb_net(const char *text)
{
    static const uint8_t lead[12];
    uint8_t bytes[16];
    size_t bits = tree_bits(text, lead, bytes);
    uint32_t at = bits ? tree_walk(bytes, bits - 1) : 0;
    int64_t record = -1 - (int64_t)tree.data.len;
    if (bits)
        tree.child[at][bytes[(bits - 1) / 8] >> (7 - (bits - 1) % 8) & 1] = record;
    else
        tree.child[0][0] = tree.child[0][1] = record;
}

static inline void mm_control(struct buf *b, unsigned type, size_t size)
{
    unsigned low = size < 29 ? (unsigned)size : size < 285 ? 29 : 30;
    buf_add_byte(b, (uint8_t)((type > 7 ? 0 : type << 5) | low));
    if (type > 7)
        buf_add_byte(b, (uint8_t)(type - 7));
    if (low >= 29)
        be(b, size - (low == 29 ? 29 : 285), low - 28);
}

static inline void mm_text(struct buf *b, const char *text)
{
    mm_control(b, 2, strlen(text));
    buf_add_str(b, text);
}

static inline void mm_number(struct buf *b, unsigned type, uint64_t value, size_t len)
{
    mm_control(b, type, len);
    be(b, value, len);
}

static inline void mm_key_number(struct buf *b, const char *key, unsigned type, uint64_t value, size_t len)
{
    mm_text(b, key);
    mm_number(b, type, value, len);
}

enum { MM_U16 = 5, MM_U32 = 6, MM_MAP = 7, MM_I32 = 8, MM_U64 = 9, MM_ARRAY = 11 };

static inline void mm_record(struct buf *out, int64_t child, int bits, bool right, uint8_t *middle)
{
    uint64_t value = child > 0   ? (uint64_t)child
                     : child < 0 ? tree.count + 16 + (uint64_t)(-1 - child)
                                 : tree.count;
    if (bits == 28 && !right)
        *middle = (uint8_t)(value >> 24 << 4);
    if (bits == 28 && right)
        buf_add_byte(out, (uint8_t)(*middle | value >> 24));
    be(out, value, bits == 32 ? 4 : 3);
}

/* Writes the tree as a MaxMind DB with records of 24, 28 or 32 bits. */
static inline void mmdb_finish(struct buf *out, int bits)
{
    buf_init(out, 1 << 24);
    for (uint32_t i = 0; i < tree.count; i++) {
        uint8_t middle = 0;
        for (int side = 0; side < 2; side++)
            mm_record(out, tree.child[i][side], bits, side, &middle);
    }
    be(out, 0, 8);
    be(out, 0, 8);
    buf_add(out, buf_slice(&tree.data));
    buf_add_str(out, "\xab\xcd\xefMaxMind.com");
    mm_control(out, MM_MAP, 9);
    mm_key_number(out, "node_count", MM_U32, tree.count, 4);
    mm_key_number(out, "record_size", MM_U16, (uint64_t)bits, 2);
    mm_key_number(out, "ip_version", MM_U16, (uint64_t)tree.version, 2);
    mm_text(out, "database_type");
    mm_text(out, "Made-By-Hand");
    mm_text(out, "languages");
    mm_control(out, MM_ARRAY, 0);
    mm_key_number(out, "binary_format_major_version", MM_U16, 2, 2);
    mm_key_number(out, "binary_format_minor_version", MM_U16, 0, 2);
    mm_key_number(out, "build_epoch", MM_U64, 1755518400, 8);
    mm_text(out, "description");
    mm_control(out, MM_MAP, 0);
}

/* libloc: the network has number `number` in its list, which the caller writes. */
static inline void loc_net(const char *text, uint32_t number)
{
    static const uint8_t lead[12] = {[10] = 0xff, [11] = 0xff};
    uint8_t bytes[16];
    size_t bits = tree_bits(text, lead, bytes);
    tree.leaf[tree_walk(bytes, bits)] = number + 1;
}

enum {
    LOC_HEADER = 4200,
    LOC_AS = 8192,
    LOC_NETWORKS = 12288,
    LOC_COUNTRIES = 16384,
    LOC_POOL = 20480,
    LOC_TREE = 24576
};

static inline void pad(struct buf *b, size_t to)
{
    while (b->len < to)
        buf_add_byte(b, 0);
}

/* Writes the tree as a libloc database around its list of networks (12 bytes each: country, AS number, flags,
 * 2 bytes of nothing) and of systems (8 each: number, where the name begins in the pool of texts). */
static inline void loc_finish(struct buf *out, struct slice networks, struct slice systems, struct slice pool)
{
    buf_init(out, 1 << 24);
    buf_add_str(out, "LOCDBXX\1");
    be(out, 1755518400, 8);
    be(out, 0, 8); /* vendor, description, licence: texts in the pool */
    be(out, 0, 4);
    const size_t places[] = {
        LOC_AS,        systems.len, LOC_NETWORKS, networks.len, LOC_TREE, (size_t)tree.count * 12,
        LOC_COUNTRIES, 0,           LOC_POOL,     pool.len};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        be(out, places[i], 4);
    pad(out, LOC_AS);
    buf_add(out, systems);
    pad(out, LOC_NETWORKS);
    buf_add(out, networks);
    pad(out, LOC_POOL);
    buf_add(out, pool);
    pad(out, LOC_TREE);
    for (uint32_t i = 0; i < tree.count; i++) {
        be(out, (uint64_t)tree.child[i][0], 4);
        be(out, (uint64_t)tree.child[i][1], 4);
        be(out, tree.leaf[i] ? tree.leaf[i] - 1 : UINT32_MAX, 4);
    }
}

enum { PATH = 64 };

static char folder[] = "mailtap-country-XXXXXX";
static struct error error;

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline void path_of(const char *name, char ret[static PATH])
{
    snprintf(ret, PATH, "%s/%s", folder, name);
}

static inline void save(const char *name, struct slice bytes)
{
    char path[PATH];
    path_of(name, path);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.data, 1, bytes.len, f), bytes.len);
    assert_int_equal(fclose(f), 0);
}

static inline int remove_folder(void **state)
{
    static const char *const names[] = {"a.mmdb", "b.mmdb", "loc.db"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH];
        path_of(names[i], path);
        unlink(path);
    }
    buf_free(&tree.data);
    return rmdir(folder);
}

static inline struct countries *open_two(const char *a, const char *b)
{
    char paths[2][PATH] = {"", ""};
    path_of(a, paths[0]);
    if (b)
        path_of(b, paths[1]);
    struct countries *cs = NULL;
    error.text[0] = '\0';
    if (countries_open((const char *[]){paths[0], paths[1], NULL}, 3, NULL, &cs, &error) < 0)
        fail_msg("%s", error.text);
    assert_non_null(cs);
    return cs;
}

/* `want` is "COUNTRY ASN NAME", without what is not known; "" for nothing. */
static inline void check_at(int line, struct countries *cs, const char *text, const char *want)
{
    struct address a = {0};
    struct country_info info;
    char got[300] = "", number[16];
    if (!address_parse(slice_str(text), &a))
        fail_msg("line %d: %s is no address", line, text);
    bool known = countries_lookup(cs, &a, &info);
    snprintf(number, sizeof number, info.asn ? " %u" : "", info.asn);
    snprintf(got, sizeof got, "%s%s%s%.*s", info.country, number, info.as_name.len ? " " : "",
             (int)info.as_name.len, info.as_name.len ? (const char *)info.as_name.data : "");
    if (known != (want[0] != '\0') || strcmp(got, want) != 0)
        fail_msg("line %d: %s is '%s', not '%s'", line, text, got, want);
}
#define check(...) check_at(__LINE__, __VA_ARGS__)

static inline void refused(int code, const char *name, struct slice bytes, const char *why)
{
    char path[PATH];
    struct countries *cs = NULL;
    save(name, bytes);
    path_of(name, path);
    error.text[0] = '\0';
    int r = countries_open((const char *[]){path}, 1, NULL, &cs, &error);
    if (r != code || cs || !strstr(error.text, name))
        fail_msg("%s: %d '%s'", why, r, error.text);
}

/* Texts in pairs of key and value. */
static inline void flat(const char *net, size_t count, const char *const *texts)
{
    mmdb_net(net);
    mm_control(&tree.data, MM_MAP, count / 2);
    for (size_t i = 0; i < count; i++)
        mm_text(&tree.data, texts[i]);
}
#define FLAT(net, ...)                                                                                       \
    flat(net, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), (const char *[]){__VA_ARGS__})

static inline void save_mmdb(const char *name, int bits)
{
    struct buf out;
    mmdb_finish(&out, bits);
    save(name, buf_slice(&out));
    buf_free(&out);
}

static inline void poke(const char *path, size_t at, int byte)
{
    FILE *f = fopen(path, "r+");
    assert_true(f && fseek(f, (long)at, SEEK_SET) == 0 && fputc(byte, f) == byte && fclose(f) == 0);
}

/* The file with one byte changed, for every byte from `from` to before `to`: refused, or harmless. */
static inline void every_byte(const char *name, struct buf *bytes, size_t from, size_t to)
{
    static const char *const asked[] = {"198.18.1.1",    "198.18.2.1",    "198.18.3.1",      "190.18.2.1",
                                        "190.19.1.1",    "203.0.114.9",   "2a00:db8:1::4",   "2a00:db8:1::5",
                                        "2001:db8:1::5", "3ffe:ffff::ff", "255.255.255.254", "128.0.0.0"};
    static const uint8_t others[] = {0xff, 0x80, 0x01};
    char path[PATH];
    save(name, buf_slice(bytes));
    path_of(name, path);
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < sizeof others; k++) {
            poke(path, i, bytes->data[i] ^ others[k]);
            struct countries *cs = NULL;
            if (countries_open((const char *[]){path}, 1, NULL, &cs, &error) < 0)
                assert_non_null(strstr(error.text, name));
            for (size_t j = 0; j < sizeof asked / sizeof *asked; j++) {
                struct address a;
                struct country_info info;
                assert_true(address_parse(slice_str(asked[j]), &a));
                countries_lookup(cs, &a, &info);
            }
            countries_close(&cs);
            poke(path, i, bytes->data[i]);
        }
}

#endif
