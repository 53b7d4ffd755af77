/* settings_list.c: the items of one setting that is a list.
 * In: text of an item. Out: members of struct settings, or a message that says what is wanted. Owns: nothing.
 * Limits: SETTINGS_NETWORKS, _PORTS, _COUNTRIES, _TEXTS items a list. Knowingly: a network with bits beyond
 * its prefix is refused, as 10.0.0.1/8 may mean the host or the network, and nothing later would show which.
 */
#include <errno.h>
#include "base/country.h"
#include "base/nearest.h"
#include "settings_row.h"

static int bad_item(const struct setting_row *row, struct slice item, const char *why, const char *where,
                    struct error *reterr)
{
    return error_set(reterr, -EINVAL, "%s'%s' in %s %s", where, shown(item).text, row->name, why);
}

/* 010.0.0.0 is octal to some programs and decimal to others. */
static bool has_leading_zero(struct slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == '0' && byte_is_digit(text.data[i + 1]) &&
            (!i || !byte_is_digit(text.data[i - 1])))
            return true;
    return false;
}

static int add_network(const struct setting_row *row, struct network_set *set, struct slice item,
                       const char *where, struct error *reterr)
{
    struct network net;
    if (!network_parse(item, &net))
        return bad_item(row, item, "is no network: wants 192.0.2.0/24, 2001:db8::/32 or one address", where,
                        reterr);
    if (net.addr.family == 4 && has_leading_zero(item))
        return bad_item(row, item, "has leading zeros, which some read as octal", where, reterr);
    if (!network_is_whole(&net)) {
        char address[ADDRESS_TEXT], why[128];
        struct address masked = net.addr;
        for (size_t bit = net.prefix; bit < 128; bit++)
            masked.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
        size_t len = address_text(&masked, address);
        snprintf(why, sizeof why, "has bits set beyond its /%u: write %.*s/%u or leave /%u off", net.prefix,
                 (int)len, address, net.prefix, net.prefix);
        return bad_item(row, item, why, where, reterr);
    }
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i].prefix == net.prefix && address_eq(&set->items[i].addr, &net.addr))
            return bad_item(row, item, "is there twice", where, reterr);
    if (set->count == SETTINGS_NETWORKS)
        return error_set(reterr, -EINVAL, "%s%s holds %d networks at most", where, row->name,
                         SETTINGS_NETWORKS);
    set->items[set->count++] = net;
    return 0;
}

static int add_port(const struct setting_row *row, struct port_set *set, struct slice item, const char *where,
                    struct error *reterr)
{
    uint64_t port = 0;
    if (!item.len || slice_number(item, &port) != item.len || !port || port > 65535)
        return bad_item(row, item, "is no port: wants 1 to 65535", where, reterr);
    for (size_t i = 0; i < set->count; i++)
        if (set->items[i] == port)
            return bad_item(row, item, "is there twice", where, reterr);
    if (set->count == SETTINGS_PORTS)
        return error_set(reterr, -EINVAL, "%s%s holds %d ports at most", where, row->name, SETTINGS_PORTS);
    set->items[set->count++] = (uint16_t)port;
    return 0;
}

static int add_country(const struct setting_row *row, struct country_set *set, struct slice item,
                       const char *where, struct error *reterr)
{
    char code[3];
    if (!country_parse(item, code))
        return bad_item(row, item, "is no country: wants two letters, as CN", where, reterr);
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i], code) == 0)
            return bad_item(row, item, "is there twice", where, reterr);
    if (set->count == SETTINGS_COUNTRIES)
        return error_set(reterr, -EINVAL, "%s%s holds %d countries at most", where, row->name,
                         SETTINGS_COUNTRIES);
    memcpy(set->items[set->count++], code, sizeof code);
    return 0;
}

static int add_text(const struct setting_row *row, struct text_set *set, struct slice item, const char *where,
                    struct error *reterr)
{
    if (!item.len || item.len >= SETTINGS_TEXT || slice_index(item, 0) < item.len)
        return bad_item(row, item, "is empty or too long", where, reterr);
    if (set->count == SETTINGS_TEXTS)
        return error_set(reterr, -EINVAL, "%s%s holds %d texts at most", where, row->name, SETTINGS_TEXTS);
    char *to = set->items[set->count++].text;
    memcpy(to, item.data, item.len);
    to[item.len] = '\0';
    return 0;
}

static int add_kind(const struct setting_row *row, uint64_t *kinds, struct slice item, const char *where,
                    struct error *reterr)
{
    char why[64];
    struct nearest near = nearest_to(item);
    for (enum blocklist_kind k = 0; k < BLOCKLIST_KINDS; k++) {
        if (slice_eq(item, slice_str(blocklist_kind_name(k)))) {
            *kinds |= 1u << k;
            return 0;
        }
        nearest_try(&near, blocklist_kind_name(k));
    }
    snprintf(why, sizeof why, near.name ? "is no kind; the nearest is '%s'" : "is no kind%.0s",
             near.name ? near.name : "");
    return bad_item(row, item, why, where, reterr);
}

void list_clear(const struct setting_row *row, void *field)
{
    if (row->type == NETWORKS)
        ((struct network_set *)field)->count = 0;
    else if (row->type == PORTS)
        ((struct port_set *)field)->count = 0;
    else if (row->type == COUNTRIES)
        ((struct country_set *)field)->count = 0;
    else if (row->type == TEXTS)
        ((struct text_set *)field)->count = 0;
    else
        *(uint64_t *)field = 0;
}

int list_add(const struct setting_row *row, void *field, struct slice item, const char *where,
             struct error *reterr)
{
    if (row->type == NETWORKS)
        return add_network(row, field, item, where, reterr);
    if (row->type == PORTS)
        return add_port(row, field, item, where, reterr);
    if (row->type == COUNTRIES)
        return add_country(row, field, item, where, reterr);
    if (row->type == TEXTS)
        return add_text(row, field, item, where, reterr);
    return add_kind(row, field, item, where, reterr);
}
