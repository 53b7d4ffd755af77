/* country_mmdb.c: countries and autonomous systems out of a MaxMind DB, by libmaxminddb.
 * In: a .mmdb file, addresses. Out: facts. Owns: the mapped file. Limits: those of libmaxminddb, which checks
 * every offset against the file. Knowingly: only where the address is counts, so `registered_country` and
 * `represented_country` are not looked at; libmaxminddb 1.7.1 loses some kB when it refuses a file whose
 * metadata ends early. Spec: MaxMind DB format 2.0; the keys are those of GeoLite2 and GeoIP2 (MaxMind),
 * DB-IP, IPinfo and the flat files made from them. */
#include "base/country_file.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "base/memory.h"

enum { DEPTH = 3, WAYS = 4 };

/* Where the three facts may stand, tried in this order. */
static const char *const country_paths[WAYS][DEPTH] = {{"country", "iso_code"},
                                                       {"country_code"},
                                                       {"country"}},
                         *const asn_paths[WAYS][DEPTH] = {{"autonomous_system_number"},
                                                          {"asn"},
                                                          {"traits", "autonomous_system_number"}},
                         *const name_paths[WAYS][DEPTH] = {{"autonomous_system_organization"},
                                                           {"as_name"},
                                                           {"as_organization"},
                                                           {"traits", "autonomous_system_organization"}};

static int mmdb_open(const char *path, void **ret, struct error *reterr)
{
    MMDB_s *db = calloc(1, sizeof *db);
    memory_check(db);
    int r = MMDB_open(path, MMDB_MODE_MMAP, db);
    if (r == MMDB_SUCCESS) {
        *ret = db;
        return 0;
    }
    int saved = errno;
    free(db);
    switch (r) {
    case MMDB_FILE_OPEN_ERROR:
    case MMDB_IO_ERROR:
        return error_set(reterr, saved > 0 ? -saved : -EIO, "%s: %s", path, MMDB_strerror(r));
    case MMDB_OUT_OF_MEMORY_ERROR:
        return error_set(reterr, -ENOMEM, "%s: %s", path, MMDB_strerror(r));
    default:
        return error_set(reterr, -EBADMSG, "%s: damaged, or neither a MaxMind DB nor a libloc database",
                         path);
    }
}

static void mmdb_describe(const void *file, struct slice *retkind, int64_t *rettime)
{
    const MMDB_s *db = file;
    *retkind = slice_str(db->metadata.database_type ? db->metadata.database_type : "");
    *rettime = (int64_t)db->metadata.build_epoch;
}

/* The value at the first of the paths that has one of a type that `ok` takes. Returns 0, also where there is
 * none, which has_data tells; -EBADMSG where the record is damaged. */
static int value(MMDB_entry_s *entry, const char *const paths[WAYS][DEPTH],
                 bool (*ok)(const MMDB_entry_data_s *), MMDB_entry_data_s *ret)
{
    for (size_t i = 0; i < WAYS && paths[i][0]; i++) {
        int r = MMDB_aget_value(entry, ret, paths[i]);
        if (r == MMDB_SUCCESS && ret->has_data && ok(ret))
            return 0;
        if (r != MMDB_SUCCESS && r != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR)
            return -EBADMSG;
    }
    ret->has_data = false;
    return 0;
}

static struct slice text_of(const MMDB_entry_data_s *v)
{
    return (struct slice){(const uint8_t *)v->utf8_string, v->data_size};
}

static bool is_text(const MMDB_entry_data_s *v)
{
    return v->type == MMDB_DATA_TYPE_UTF8_STRING && v->data_size;
}

static bool is_code(const MMDB_entry_data_s *v)
{
    return is_text(v) && v->data_size == 2;
}

/* A number, or a text such as "AS64500" or "64500"; 0 where it is none. */
static uint32_t asn_of(const MMDB_entry_data_s *v)
{
    uint64_t n = 0;
    switch (v->type) {
    case MMDB_DATA_TYPE_UINT16:
        return v->uint16;
    case MMDB_DATA_TYPE_UINT32:
        return v->uint32;
    case MMDB_DATA_TYPE_INT32:
        return v->int32 > 0 ? (uint32_t)v->int32 : 0;
    case MMDB_DATA_TYPE_UINT64:
        n = v->uint64;
        break;
    case MMDB_DATA_TYPE_UTF8_STRING: {
        struct slice s = text_of(v);
        if (slice_case_starts(s, "AS"))
            s = slice_sub(s, 2, s.len);
        if (slice_number(s, &n) != s.len)
            return 0;
        break;
    }
    default:
        return 0;
    }
    return n <= UINT32_MAX ? (uint32_t)n : 0;
}

static bool is_asn(const MMDB_entry_data_s *v)
{
    return asn_of(v) != 0;
}

static int mmdb_lookup(void *file, const struct address *a, struct country_fact *ret)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    memcpy(&v4.sin_addr, a->bytes, sizeof v4.sin_addr);
    memcpy(&v6.sin6_addr, a->bytes, sizeof v6.sin6_addr);
    int r = 0;
    MMDB_lookup_result_s at =
        MMDB_lookup_sockaddr(file, a->family == 6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4, &r);
    if (r == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR)
        return 0;
    if (r != MMDB_SUCCESS)
        return -EBADMSG;
    MMDB_entry_data_s v;
    if (!at.found_entry)
        return 0;
    if (value(&at.entry, country_paths, is_code, &v) < 0)
        return -EBADMSG;
    if (v.has_data)
        country_fact_country(ret, text_of(&v));
    if (value(&at.entry, asn_paths, is_asn, &v) < 0)
        return -EBADMSG;
    if (!v.has_data)
        return 0;
    ret->asn = asn_of(&v);
    if (value(&at.entry, name_paths, is_text, &v) < 0)
        return -EBADMSG;
    if (v.has_data)
        country_fact_as_name(ret, text_of(&v));
    return 0;
}

static void mmdb_close(void *file)
{
    MMDB_close(file);
    free(file);
}

const struct country_file_ops country_mmdb = {mmdb_open, mmdb_describe, mmdb_lookup, mmdb_close};
