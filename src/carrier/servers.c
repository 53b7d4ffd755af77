/* servers.c: the address of a bus, taken apart.
 * In: a text of the user's. Out: host:port of each server, a name. Owns: nothing. Limits: SERVERS_MOST. */
#include "carrier/servers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/net.h"
#include "base/slice.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte_is_digit((uint8_t)c);
}

static bool is_port(const char *text)
{
    char *end;
    unsigned long number = byte_is_digit((uint8_t)*text) ? strtoul(text, &end, 10) : 0;
    return number && number <= 65535 && !*end;
}

static bool is_host(const char *text, size_t len)
{
    bool literal = len > 2 && text[0] == '[' && text[len - 1] == ']';
    for (size_t i = literal; i < len - literal; i++)
        if (!is_letter(text[i]) && !strchr(literal ? ":." : "-._", text[i]))
            return false;
    return len;
}

/* One of the list, which `text` is a copy of. */
static int add_server(struct servers *ret, char *text, unsigned port, struct error *reterr)
{
    char *colon = strrchr(text, ':');
    if (colon && strchr(colon, ']'))
        colon = NULL;
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    if (!is_host(text, len) || (colon && !is_port(colon + 1)))
        return error_set(reterr, -EINVAL, "'%.100s' is not HOST or HOST:PORT", text);
    if (ret->count == SERVERS_MOST)
        return error_set(reterr, -EINVAL, "more than %d servers", SERVERS_MOST);
    char *item = ret->items[ret->count++];
    int wrote =
        colon ? snprintf(item, SERVERS_TEXT, "%s", text) : snprintf(item, SERVERS_TEXT, "%s:%u", text, port);
    return wrote < SERVERS_TEXT ? 0 : error_set(reterr, -EINVAL, "'%.100s...' is no host", text);
}

static int take_name(const char *name, const char *what, struct servers *ret, struct error *reterr)
{
    if (!what && *name)
        return error_set(reterr, -EINVAL, "nothing stands behind the servers, not '/%.100s'", name);
    if (!what)
        return 0;
    if (!*name || strlen(name) >= sizeof ret->name)
        return error_set(reterr, -EINVAL, "it wants a %s behind the servers: .../%s", what, what);
    for (const char *p = name; *p; p++)
        if (!is_letter(*p) && !strchr("-_.", *p))
            return error_set(reterr, -EINVAL, "a %s is of letters, digits, '-', '_' and '.', not '%.100s'",
                             what, name);
    strcpy(ret->name, name);
    return 0;
}

int servers_parse(const char *url, const char *what, unsigned port, struct servers *ret, struct error *reterr)
{
    const char *hosts = strstr(url, "://");
    hosts = hosts ? hosts + 3 : url;
    size_t len = strcspn(hosts, "/");
    char *list = strndup(hosts, len), *rest = NULL;
    *ret = (struct servers){.count = 0};
    int err = list ? take_name(hosts[len] ? hosts + len + 1 : "", what, ret, reterr)
                   : error_set(reterr, -ENOMEM, "no memory");
    for (char *p = list ? strtok_r(list, ",", &rest) : NULL; p && !err; p = strtok_r(NULL, ",", &rest))
        err = add_server(ret, p, port, reterr);
    free(list);
    if (!err && !ret->count)
        err = error_set(reterr, -EINVAL, "it names no server");
    return err;
}

bool servers_is_here(const char *item)
{
    size_t len = (size_t)(strrchr(item, ':') - item);
    struct slice host = {(const uint8_t *)item, len};
    struct address a;
    if (len > 2 && item[0] == '[')
        host = slice_sub(host, 1, len - 1);
    return slice_case_eq(host, slice_str("localhost")) ||
           (address_parse(host, &a) && address_is_loopback(&a));
}
