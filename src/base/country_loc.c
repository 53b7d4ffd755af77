/* country_loc.c: countries and autonomous systems out of a libloc database, by libloc.
 * In: a database file, addresses. Out: facts. Owns: libloc's context and database, a view of the file.
 * Limits: 128 levels of the tree. libloc trusts its file: a circle in the tree, an offset behind the end or a
 * name without an end would crash it, so all of these are checked before it may look: the lists at the start,
 * the tree, which has 40 MB, along the way of each address. Knowingly: no signature is checked, Debian ships
 * no key. Spec: libloc 0.9, src/libloc/format.h; numbers are big-endian. */
#include "base/country_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libloc/database.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/memory.h"

enum { HEADER = 4200, VERSION = 1, PAGE = 4096, NODE = 12, NETWORK = 12, AS = 8, COUNTRY = 8, LEVELS = 128 };
/* Offsets of the header's fields. Of each section first its place, then its length. */
enum {
    AT_VERSION = 7,
    AT_TEXTS = 16,
    AT_AS = 28,
    AT_NETWORKS = 36,
    AT_TREE = 44,
    AT_COUNTRIES = 52,
    AT_POOL = 60
};

struct loc_file {
    struct loc_ctx *ctx;
    struct loc_database *db;
    struct slice file, tree;
    size_t networks;
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

/* The way of an address down the tree, as libloc goes. A node has the numbers of its two children (0: none)
 * and of its network (all ones: none). libloc writes a child behind its parent; where this holds there is no
 * circle. */
static bool check_way(const struct loc_file *lf, const struct in6_addr *addr)
{
    size_t count = lf->tree.len / NODE, at = 0;
    for (size_t level = 0;; level++) {
        const uint8_t *node = lf->tree.data + at * NODE;
        size_t network = be32(node + 8);
        if (network != UINT32_MAX && network >= lf->networks)
            return false;
        /* Behind the address libloc finds a zero bit. */
        size_t bit = level < LEVELS ? addr->s6_addr[level / 8] >> (7 - level % 8) & 1 : 0;
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
    struct slice as, networks, countries, pool, file = lf->file;
    if (file.len < HEADER || !section(file, AT_AS, AS, &as) ||
        !section(file, AT_NETWORKS, NETWORK, &networks) || !section(file, AT_TREE, NODE, &lf->tree) ||
        !section(file, AT_COUNTRIES, COUNTRY, &countries) || !section(file, AT_POOL, 1, &pool))
        return false;
    lf->networks = networks.len / NETWORK;
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

/* libloc keeps a copy of the descriptor that programs started later would inherit; it is `fd`, the lowest
 * free one before. */
static void close_on_exec(int fd, const struct stat *st)
{
    struct stat other;
    if (fstat(fd, &other) == 0 && other.st_ino == st->st_ino && other.st_dev == st->st_dev)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int hand_over(struct loc_file *lf, FILE *f, const struct stat *st)
{
    int r = loc_new(&lf->ctx);
    if (r)
        return -ENOMEM;
    loc_set_log_priority(lf->ctx, 0); /* what is wrong we say ourselves */
    int next = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
    if (next < 0)
        return -errno;
    close(next);
    r = loc_database_new(lf->ctx, &lf->db, f);
    if (r)
        return r < 0 ? r : -EBADMSG;
    close_on_exec(next, st);
    return 0;
}

static void loc_close(void *file)
{
    struct loc_file *lf = file;
    if (lf->db)
        loc_database_unref(lf->db);
    if (lf->ctx)
        loc_unref(lf->ctx);
    if (lf->file.len)
        munmap((void *)lf->file.data, lf->file.len);
    free(lf);
}

static int loc_open(const char *path, void **ret, struct error *reterr)
{
    FILE *f = fopen(path, "re");
    struct stat st;
    if (!f || fstat(fileno(f), &st) < 0) {
        int r = error_set(reterr, -errno, "%s: %s", path, strerror(errno));
        if (f)
            fclose(f);
        return r;
    }
    int r = -EBADMSG;
    size_t size = (size_t)st.st_size;
    void *bytes = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fileno(f), 0) : MAP_FAILED;
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
    else if ((r = hand_over(lf, f, &st)) < 0)
        error_set(reterr, r, "%s: libloc cannot open it: %s", path, strerror(-r));
    fclose(f);
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
    *rettime = loc_database_created_at(lf->db);
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

static void take(struct loc_file *lf, struct loc_network *network, struct country_fact *ret)
{
    const char *code = loc_network_get_country_code(network);
    country_fact_country(ret, slice_str(code ? code : ""));
    ret->asn = loc_network_get_asn(network);
    struct loc_as *as = NULL;
    if (!ret->asn || loc_database_get_as(lf->db, &as, ret->asn) != 0)
        return;
    const char *name = loc_as_get_name(as);
    country_fact_as_name(ret, slice_str(name ? name : ""));
    loc_as_unref(as);
}

/* libloc's tree is one of IPv6, with IPv4 in ::ffff:0:0/96. At a leaf of 128 bits it asks for the bit behind
 * the address and copies that behind an array of its own: a zero byte there keeps that harmless. It fails,
 * and leaves a network behind, for codes that it takes for no country: nothing is known then. */
static int loc_lookup(void *file, const struct address *a, struct country_fact *ret)
{
    struct loc_file *lf = file;
    struct {
        struct in6_addr addr;
        uint8_t behind;
    } at = {{{{[10] = 0xff, [11] = 0xff}}}, 0};
    if (is_special(a))
        return 0;
    if (a->family == 4)
        memcpy(at.addr.s6_addr + 12, a->bytes, 4);
    else
        memcpy(at.addr.s6_addr, a->bytes, 16);
    if (!check_way(lf, &at.addr))
        return -EBADMSG;
    struct loc_network *network = NULL;
    int r = loc_database_lookup(lf->db, &at.addr, &network);
    if (r == 0)
        take(lf, network, ret);
    if (network)
        loc_network_unref(network);
    else if (r < 0)
        return -EBADMSG;
    return 0;
}

const struct country_file_ops country_loc = {loc_open, loc_describe, loc_lookup, loc_close};
