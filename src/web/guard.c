/* guard.c: names that we are called by, origins.
 * In: settings, a certificate; header fields. Out: yes or no. Owns: nothing. Limits: GUARD_NAMES. Knowingly:
 * a browser too old to send Sec-Fetch-Site is held by the token of each change alone, and by what other
 * origins may read, which is nothing. Spec: Fetch Metadata; RFC 6454; RFC 6125 for names of certificates. */
#include "web/guard.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void add(struct guard *g, struct slice name)
{
    if (g->count == GUARD_NAMES || !name.len || name.len >= GUARD_NAME || slice_index(name, 0) < name.len)
        return;
    char *to = g->names[g->count++];
    for (size_t i = 0; i < name.len; i++)
        to[i] = (char)byte_lower(name.data[i]);
    to[name.len] = '\0';
}

/* With our port, and without where that is the scheme's own. */
static void add_here(struct guard *g, const char *name)
{
    char full[GUARD_NAME];
    snprintf(full, sizeof full, "%s:%u", name, g->port);
    add(g, slice_str(full));
    if (g->port == (g->secure ? 443 : 80))
        add(g, slice_str(name));
}

static void add_address(struct guard *g, const struct address *a)
{
    char text[ADDRESS_TEXT], name[ADDRESS_TEXT + 2];
    address_text(a, text);
    snprintf(name, sizeof name, a->family == 6 ? "[%s]" : "%s", text);
    add_here(g, name);
}

static void add_general_name(struct guard *g, const GENERAL_NAME *n)
{
    char name[GUARD_NAME];
    if (n->type == GEN_DNS) {
        int len = ASN1_STRING_length(n->d.dNSName);
        const unsigned char *data = ASN1_STRING_get0_data(n->d.dNSName);
        if (len <= 0 || len >= GUARD_NAME - 8 || memchr(data, 0, (size_t)len))
            return;
        snprintf(name, sizeof name, "%.*s", len, data);
        add_here(g, name);
    } else if (n->type == GEN_IPADD) {
        int len = ASN1_STRING_length(n->d.iPAddress);
        struct address a = {.family = len == 4 ? 4 : len == 16 ? 6 : 0};
        if (!a.family)
            return;
        memcpy(a.bytes, ASN1_STRING_get0_data(n->d.iPAddress), (size_t)len);
        add_address(g, &a);
    }
}

static void add_certificate(struct guard *g, struct slice pem)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    GENERAL_NAMES *names = x ? X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL) : NULL;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        add_general_name(g, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    X509_free(x);
    BIO_free(bio);
}

void guard_init(struct guard *g, const struct web_settings *set, const struct endpoint *at,
                struct slice certificate)
{
    static const struct address nowhere4 = {.family = 4}, nowhere6 = {.family = 6};
    *g = (struct guard){.port = at->port, .secure = *set->certificate};
    if (address_is_loopback(&at->addr)) {
        add_here(g, "localhost");
        add_here(g, "127.0.0.1");
        add_here(g, "[::1]");
    }
    if (!address_eq(&at->addr, &nowhere4) && !address_eq(&at->addr, &nowhere6))
        add_address(g, &at->addr);
    if (certificate.len)
        add_certificate(g, certificate);
    g->own = g->count;
    for (size_t i = 0; i < set->host_count; i++)
        add(g, slice_str(set->hosts[i]));
}

/* "*" stands for one label. */
static bool is_named(struct slice name, struct slice host)
{
    if (name.len < 2 || name.data[0] != '*')
        return slice_case_eq(name, host);
    size_t dot = slice_index(host, '.');
    return dot && slice_case_eq(slice_sub(name, 1, name.len), slice_sub(host, dot, host.len));
}

/* Where the port begins, with its colon. */
static size_t port_at(struct slice host)
{
    size_t at = host.len;
    while (at && byte_is_digit(host.data[at - 1]))
        at--;
    return at && at < host.len && host.data[at - 1] == ':' ? at - 1 : host.len;
}

bool guard_host(const struct guard *g, struct slice host)
{
    struct slice bare = slice_sub(host, 0, port_at(host));
    bool found = false;
    for (size_t i = 0; i < g->count && !found; i++) {
        struct slice name = slice_str(g->names[i]);
        bool any_port = i >= g->own && port_at(name) == name.len;
        found = is_named(name, host) || (any_port && is_named(name, bare));
    }
    return found && host.len;
}

bool guard_is_foreign(const struct heads *h)
{
    struct slice site = h->fetch_site;
    return site.data && !slice_eq(site, slice_str("same-origin")) && !slice_eq(site, slice_str("none"));
}

bool guard_same(struct slice given, const char *right)
{
    size_t len = strlen(right);
    return len && given.len == len && CRYPTO_memcmp(given.data, right, len) == 0;
}

bool guard_origin(const struct guard *g, const struct heads *h)
{
    struct slice origin = h->origin;
    if (!origin.data)
        return true;
    bool https = slice_case_starts(origin, "https://");
    if (!https && !slice_case_starts(origin, "http://"))
        return false;
    /* Before a proxy the scheme may be another one. */
    struct slice host = slice_sub(origin, https ? 8 : 7, origin.len);
    return slice_case_eq(host, h->host) && guard_host(g, host) && (https || !g->secure);
}
