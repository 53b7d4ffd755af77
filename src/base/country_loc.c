/* country_loc.c: countries and autonomous systems out of a libloc database.
 * In: a database file, addresses. Out: facts. Owns: a view of the file. Limits: 128 levels of the tree. The
 * lists are checked at the start; the tree, which has 40 MB, along the way of each address. Knowingly: not by
 * libloc, which prints the header of a file with 4600 calls of sprintf to nowhere whenever it opens one,
 * trusts what stands in it, and finds the same. No signature is checked, Debian ships no key. Spec: libloc
 * 0.9, src/libloc/format.h; numbers are big-endian. */
#include "base/country_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

enum { HEADER = 4200, VERSION = 1, PAGE = 4096, NODE = 12, NETWORK = 12, AS = 8, COUNTRY = 8, LEVELS = 128 };
/* Offsets of the header's fields. Of each section first its place, then its length. */
enum {
    AT_VERSION = 7,
    AT_CREATED = 8, /* of 8 bytes */
    AT_TEXTS = 16,
    AT_AS = 28,
    AT_NETWORKS = 36,
    AT_TREE = 44,
    AT_COUNTRIES = 52,
    AT_POOL = 60
};

struct loc_file {
    struct slice file, tree, networks, as, pool;
};

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The section whose place stands at `at`; false where it does not lie in the file or is no list of `unit`
 * bytes. */
static bool section(struct slice file, size_t at, size_t unit, struct slice *ret)
{
    size_t from = be32(file.data + at), len = be32(file.data + at + 4);
    *ret = slice_sub(file, from, from + len);
    return from % PAGE == 0 && ret->len == len && len % unit == 0;
}

/* The way of an address down the tree, to the smallest network around it; NULL: there is none. A node has the
 * numbers of its two children (0: none) and of its network (all ones: none). libloc writes a child behind its
 * parent; where this holds there is no circle. False: it does not. Networks of fewer bits than `least` do not
 * count. */
static bool find(const struct loc_file *lf, const uint8_t addr[static 16], size_t least, const uint8_t **ret)
{
    size_t count = lf->tree.len / NODE, networks = lf->networks.len / NETWORK, at = 0;
    *ret = NULL;
    for (size_t level = 0;; level++) {
        const uint8_t *node = lf->tree.data + at * NODE;
        size_t network = be32(node + 8);
        if (network != UINT32_MAX && network >= networks)
            return false;
        if (network != UINT32_MAX && level >= least)
            *ret = lf->networks.data + network * NETWORK;
        /* Behind the address stands a zero bit. */
        size_t bit = level < LEVELS ? addr[level / 8] >> (7 - level % 8) & 1 : 0;
        size_t child = be32(node + bit * 4);
        if (!child)
            return true;
        if (child <= at || child >= count || level == LEVELS)
            return false;
        at = child;
    }
}

/* All but the tree. */
static bool check(struct loc_file *lf)
{
    struct slice countries, file = lf->file;
    if (file.len < HEADER || !section(file, AT_AS, AS, &lf->as) ||
        !section(file, AT_NETWORKS, NETWORK, &lf->networks) || !section(file, AT_TREE, NODE, &lf->tree) ||
        !section(file, AT_COUNTRIES, COUNTRY, &countries) || !section(file, AT_POOL, 1, &lf->pool))
        return false;
    const struct slice as = lf->as, pool = lf->pool;
    if (!lf->tree.len || !pool.len || pool.data[pool.len - 1])
        return false;
    for (size_t i = 0; i < 3; i++)
        if (be32(file.data + AT_TEXTS + i * 4) >= pool.len)
            return false;
    for (size_t at = 0; at < as.len; at += AS)
        if (be32(as.data + at + 4) >= pool.len)
            return false;
    return true;
}

static void loc_close(void *file)
{
    struct loc_file *lf = file;
    if (lf->file.len)
        munmap((void *)lf->file.data, lf->file.len);
    free(lf);
}

static int loc_open(const char *path, void **ret, struct error *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        int r = error_set(reterr, -errno, "%s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return r;
    }
    int r = 0;
    size_t size = (size_t)st.st_size;
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    struct loc_file *lf = calloc(1, sizeof *lf);
    memory_check(lf);
    if (bytes != MAP_FAILED)
        lf->file = (struct slice){bytes, size};
    if (bytes == MAP_FAILED)
        r = error_set(reterr, size ? -errno : -EBADMSG, "%s: cannot map the libloc database", path);
    else if (size > AT_VERSION && lf->file.data[AT_VERSION] != VERSION)
        r = error_set(reterr, -EPROTONOSUPPORT, "%s: a libloc database of version %d, only %d is known", path,
                      lf->file.data[AT_VERSION], VERSION);
    else if (!check(lf))
        r = error_set(reterr, -EBADMSG, "%s: the libloc database is damaged", path);
    close(fd);
    if (r < 0)
        loc_close(lf);
    else
        *ret = lf;
    return r;
}

static void loc_describe(const void *file, struct slice *retkind, int64_t *rettime)
{
    const struct loc_file *lf = file;
    *retkind = slice_str("libloc");
    *rettime =
        (int64_t)((uint64_t)be32(lf->file.data + AT_CREATED) << 32 | be32(lf->file.data + AT_CREATED + 4));
}

/* Networks that belong to nobody; libloc's file has whole registries' blocks around some of them. */
static bool is_special(const struct address *a)
{
    static const struct network special[] = {
        {{4, {192, 0, 0}}, 24},           {{4, {192, 0, 2}}, 24},
        {{4, {192, 88, 99}}, 24},         {{4, {198, 18}}, 15},
        {{4, {198, 51, 100}}, 24},        {{4, {203, 0, 113}}, 24},
        {{6, {0x20, 1, 0x0d, 0xb8}}, 32}, {{6, {0x20, 1}}, 23},
        {{6, {0x3f, 0xff}}, 20},
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (network_has(&special[i], a))
            return true;
    return false;
}

/* The systems stand in the order of their numbers. */
static struct slice name_of(const struct loc_file *lf, uint32_t asn)
{
    for (size_t from = 0, to = lf->as.len / AS; from < to;) {
        /* As libloc halves: in a file that is damaged it matters. */
        size_t at = (from + to - 1) / 2;
        const uint8_t *as = lf->as.data + at * AS;
        if (be32(as) == asn)
            return slice_str((const char *)lf->pool.data + be32(as + 4));
        if (be32(as) < asn)
            from = at + 1;
        else
            to = at;
    }
    return (struct slice){0};
}

/* A country as libloc takes them, or none. Of a network with anything else, such as XD, its mark of hostile
 * ones, nothing is known. */
static bool is_code(const uint8_t code[static 2])
{
    return !code[0] ||
           (code[0] >= 'A' && code[0] <= 'Z' && code[0] != 'X' && code[1] >= 'A' && code[1] <= 'Z');
}

/* The tree is one of IPv6, with IPv4 in ::ffff:0:0/96; a network of IPv6 around that is none of IPv4. */
static int loc_lookup(void *file, const struct address *a, struct country_fact *ret)
{
    struct loc_file *lf = file;
    uint8_t addr[16] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *network;
    if (is_special(a))
        return 0;
    if (a->family == 4)
        memcpy(addr + 12, a->bytes, 4);
    else
        memcpy(addr, a->bytes, 16);
    if (!find(lf, addr, a->family == 4 ? 96 : 0, &network))
        return -EBADMSG;
    if (!network || !is_code(network))
        return 0;
    country_fact_country(ret, (struct slice){network, 2});
    ret->asn = be32(network + 4);
    if (ret->asn)
        country_fact_as_name(ret, name_of(lf, ret->asn));
    return 0;
}

const struct country_file_ops country_loc = {loc_open, loc_describe, loc_lookup, loc_close};
