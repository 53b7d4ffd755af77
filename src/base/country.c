/* country.c: country and autonomous system of an address.
 * In: files, addresses. Out: struct country_info. Owns: the open files, the facts about recent addresses.
 * Limits: COUNTRIES_FILES, CACHE addresses remembered, COUNTRY_AS_NAME bytes of a name.
 * Knowingly: the data is a hint, and where two files differ the first is taken. The files stay mapped: one
 * that is overwritten in place while it is open kills the process (SIGBUS), as with every mapped file;
 * replace it by renaming a new one over it, as dpkg and geoipupdate do. Documentation and benchmark networks
 * (192.0.2.0/24, 198.18.0.0/15, ..) are looked up, as a test network may use them; public databases hold
 * nothing there. Spec: RFC 6890 (special addresses), RFC 4291 2.4, ISO 3166-1. */
#include "base/country.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/country_file.h"
#include "base/io.h"
#include "base/memory.h"

enum { CACHE = 1024 };

struct cached {
    struct address addr; /* family 0: free */
    struct country_fact fact;
};

struct countries {
    struct {
        const struct country_file_ops *ops;
        void *file;
    } files[COUNTRIES_FILES];
    size_t count;
    uint64_t failed;
    struct cached cache[CACHE];
    char text[1024];
};

static bool given(const char *path)
{
    return path && *path;
}

/* Which reader takes the file. A device or pipe is refused before anybody reads or maps it. */
static int kind(const char *path, const struct country_file_ops **ret, struct error *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    char magic[sizeof COUNTRY_LOC_MAGIC - 1] = {0};
    struct stat st;
    int r = 0;
    if (fstat(fd, &st) < 0)
        r = error_set(reterr, -errno, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        r = error_set(reterr, S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL,
                      "%s: not a file with a country database", path);
    else if (!st.st_size)
        r = error_set(reterr, -EBADMSG, "%s: the file is empty", path);
    else if ((r = (int)io_read_at(fd, magic, sizeof magic, 0)) < 0)
        error_set(reterr, r, "%s: %s", path, strerror(-r));
    close(fd);
    *ret = memcmp(magic, COUNTRY_LOC_MAGIC, sizeof magic) == 0 ? &country_loc : &country_mmdb;
    return r < 0 ? r : 0;
}

/* Adds ", PATH (KIND, DATE)" to the text; what does not fit is cut. */
static void describe(struct countries *cs, const char *path, const struct country_file_ops *ops, void *file)
{
    struct slice type = {0};
    int64_t when = 0;
    ops->describe(file, &type, &when);
    char shown[41], date[16] = "no date";
    size_t n = 0;
    for (size_t i = 0; i < type.len && n < sizeof shown - 1; i++)
        if (type.data[i] > ' ' && type.data[i] < 0x7f)
            shown[n++] = (char)type.data[i];
    shown[n] = '\0';
    struct tm tm;
    time_t t = (time_t)when;
    if (when > 0 && gmtime_r(&t, &tm))
        strftime(date, sizeof date, "%Y-%m-%d", &tm);
    size_t used = strlen(cs->text);
    snprintf(cs->text + used, sizeof cs->text - used, "%s%s (%s, %s)", used ? ", " : "", path,
             n ? shown : "no type", date);
}

static int add(struct countries *cs, const char *path, struct error *reterr)
{
    if (cs->count == COUNTRIES_FILES)
        return error_set(reterr, -E2BIG, "%s: there may be %d country databases at most", path,
                         COUNTRIES_FILES);
    const struct country_file_ops *ops = NULL;
    void *file = NULL;
    int r = kind(path, &ops, reterr);
    if (r == 0)
        r = ops->open(path, &file, reterr);
    if (r < 0)
        return r;
    cs->files[cs->count].ops = ops;
    cs->files[cs->count++].file = file;
    describe(cs, path, ops, file);
    return 0;
}

int countries_open(const char *const *paths, size_t count, const char *fallback, struct countries **ret,
                   struct error *reterr)
{
    struct countries *cs = calloc(1, sizeof *cs);
    memory_check(cs);
    *ret = NULL;
    int r = 0;
    bool any = false;
    for (size_t i = 0; i < count && r == 0; i++)
        if (given(paths[i])) {
            any = true;
            r = add(cs, paths[i], reterr);
        }
    if (!any && given(fallback)) {
        r = add(cs, fallback, reterr);
        if (r == -ENOENT || r == -ENOTDIR)
            r = 0;
    }
    if (r == 0 && cs->count)
        *ret = cs;
    else
        countries_close(&cs);
    return r;
}

void countries_close(struct countries **pcs)
{
    struct countries *cs = *pcs;
    *pcs = NULL;
    if (!cs)
        return;
    for (size_t i = 0; i < cs->count; i++)
        cs->files[i].ops->close(cs->files[i].file);
    free(cs);
}

const char *countries_describe(const struct countries *cs)
{
    return cs ? cs->text : "no country database (Debian's package libloc-database has the default one)";
}

uint64_t countries_failed(const struct countries *cs)
{
    return cs ? cs->failed : 0;
}

bool country_parse(struct slice text, char ret[static 3])
{
    char upper[3] = {0};
    for (size_t i = 0; i < 2; i++) {
        uint8_t c = i < text.len ? byte_lower(text.data[i]) : 0;
        if (c < 'a' || c > 'z')
            return false;
        upper[i] = (char)(c - 'a' + 'A');
    }
    if (text.len != 2)
        return false;
    memcpy(ret, upper, sizeof upper);
    return true;
}

void country_fact_country(struct country_fact *fact, struct slice code)
{
    /* Databases write ZZ and XX for "not known"; XD is libloc's mark of hostile networks. */
    static const char *const none[] = {"ZZ", "XX", "XD"};
    char upper[3];
    if (!country_parse(code, upper))
        return;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (memcmp(upper, none[i], 2) == 0)
            return;
    memcpy(fact->country, upper, sizeof upper);
}

void country_fact_as_name(struct country_fact *fact, struct slice name)
{
    size_t n = name.len;
    if (n > COUNTRY_AS_NAME)
        for (n = COUNTRY_AS_NAME; n && (name.data[n] & 0xc0) == 0x80;)
            n--;
    if (n)
        memcpy(fact->as_name, name.data, n);
    fact->as_name_len = (uint8_t)n;
}

/* The address as the files know it. False: no public address, whatever a file has at its place. The IPv6 tree
 * of a .mmdb holds the IPv4 addresses under ::/96, so addresses there must not reach it. */
static bool public_address(const struct address *a, struct address *ret)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    *ret = *a;
    if (a->family == 6 && memcmp(a->bytes, mapped, sizeof mapped) == 0) {
        *ret = (struct address){.family = 4};
        memcpy(ret->bytes, a->bytes + sizeof mapped, 4);
    }
    return address_is_public(ret);
}

static size_t slot(const struct address *a)
{
    uint64_t hi, lo;
    memcpy(&hi, a->bytes, sizeof hi);
    memcpy(&lo, a->bytes + sizeof hi, sizeof lo);
    return (size_t)(((hi ^ lo * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u) >> 40) % CACHE;
}

static void ask_files(struct countries *cs, const struct address *a, struct country_fact *ret)
{
    *ret = (struct country_fact){0};
    bool failed = false;
    for (size_t i = 0; i < cs->count && !(ret->country[0] && ret->asn); i++) {
        struct country_fact fact = {0};
        if (cs->files[i].ops->lookup(cs->files[i].file, a, &fact) < 0) {
            failed = true;
            continue;
        }
        if (!ret->country[0])
            memcpy(ret->country, fact.country, sizeof ret->country);
        if (!ret->asn && fact.asn) {
            ret->asn = fact.asn;
            country_fact_as_name(ret, (struct slice){(const uint8_t *)fact.as_name, fact.as_name_len});
        }
    }
    cs->failed += failed;
}

bool countries_lookup(struct countries *cs, const struct address *a, struct country_info *ret)
{
    *ret = (struct country_info){0};
    struct address key;
    if (!cs || !public_address(a, &key))
        return false;
    struct cached *c = &cs->cache[slot(&key)];
    if (!address_eq(&c->addr, &key)) {
        c->addr = key;
        ask_files(cs, &key, &c->fact);
    }
    memcpy(ret->country, c->fact.country, sizeof ret->country);
    ret->asn = c->fact.asn;
    ret->as_name = (struct slice){(const uint8_t *)c->fact.as_name, c->fact.as_name_len};
    return ret->country[0] || ret->asn;
}
