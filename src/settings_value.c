/* settings_value.c: the text of one setting to its value.
 * In: text. Out: members of struct settings, or a message that says what is wanted. Owns: nothing.
 * Limits: each row's lowest and highest; SETTINGS_NETWORKS and SETTINGS_PORTS items a list.
 * Knowingly: a duration needs its unit, as nobody remembers whether a bare number is seconds or milliseconds;
 * a network with bits beyond its prefix is refused, as 10.0.0.1/8 may mean the host or the network, and
 * nothing later would show which. */
#include "settings_row.h"

#include <assert.h>
#include <errno.h>

struct unit {
    const char *name;
    double factor;
};

static bool parse_unit(const struct unit *units, struct slice name, double *ret)
{
    for (; units->name; units++) {
        if (slice_case_eq(name, slice_str(units->name))) {
            *ret = units->factor;
            return true;
        }
    }
    return false;
}

/* "8", "1.5MiB", "250 ms"; a count is whole. */
static bool parse_amount(enum setting_type type, struct slice text, double *ret)
{
    static const struct unit counts[] = {{"", 1}, {NULL, 0}};
    static const struct unit sizes[] = {
        {"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1048576}, {"GiB", 1073741824}, {NULL, 0}};
    static const struct unit times[] = {{"s", 1}, {"ms", 0.001}, {"m", 60}, {"h", 3600}, {NULL, 0}};
    uint64_t whole = 0;
    double factor = 1;
    size_t n = slice_number(text, &whole);
    double amount = (double)whole;
    if (n && type != COUNT && n < text.len && text.data[n] == '.') {
        size_t first = ++n;
        for (double place = 0.1; n < text.len && byte_is_digit(text.data[n]); n++, place /= 10)
            amount += (text.data[n] - '0') * place;
        if (n == first)
            return false;
    }
    if (!n || !parse_unit(type == COUNT  ? counts
                          : type == SIZE ? sizes
                                         : times,
                          slice_trim(slice_sub(text, n, text.len)), &factor))
        return false;
    *ret = amount * factor;
    return true;
}

static bool set_amount(const struct setting_row *row, void *field, struct slice text)
{
    double amount, lowest, highest;
    bool ok = parse_amount(row->type, slice_str(row->lowest), &lowest) &&
              parse_amount(row->type, slice_str(row->highest), &highest);
    assert(ok);
    if (!parse_amount(row->type, text, &amount) || amount < lowest || amount > highest)
        return false;
    if (row->type == DURATION)
        *(double *)field = amount;
    else
        *(uint64_t *)field = (uint64_t)amount;
    return true;
}

static bool set_word(const char *const *words, size_t count, void *field, struct slice text)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_case_eq(text, slice_str(words[i]))) {
            *(uint64_t *)field = i;
            return true;
        }
    }
    return false;
}

static bool set_scalar(const struct setting_row *row, void *field, struct slice text)
{
    static const char *const checksums[] = {"ignore", "verify"};
    static const char *const captures[] = {"local", "remote", "all", "none"};
    switch (row->type) {
    case CHECKSUMS:
        return set_word(checksums, 2, field, text);
    case CAPTURE:
        return set_word(captures, 4, field, text);
    case COUNT:
    case SIZE:
    case DURATION:
        return set_amount(row, field, text);
    case NETWORKS:
    case PORTS:
        break;
    }
    return false;
}

static int bad_value(const struct setting_row *row, struct slice text, const char *where,
                     struct error *reterr)
{
    char wants[128];
    row_wants(row, wants, sizeof wants);
    return error_set(reterr, -EINVAL, "%s'%s' is no value for %s; wanted: %s", where, shown(text).text,
                     row->name, wants);
}

static int bad_item(const struct setting_row *row, struct slice item, const char *why, const char *where,
                    struct error *reterr)
{
    return error_set(reterr, -EINVAL, "%s'%s' in %s %s", where, shown(item).text, row->name, why);
}

static bool is_network(const struct network *net)
{
    for (size_t bit = net->prefix; bit < (net->addr.family == 4 ? 32 : 128); bit++)
        if (net->addr.bytes[bit / 8] & (0x80 >> bit % 8))
            return false;
    return true;
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
    if (!is_network(&net)) {
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

static void *row_field(const struct setting_row *row, struct settings *set)
{
    return (char *)set + row->offset;
}

bool row_is_list(const struct setting_row *row)
{
    return row->type == NETWORKS || row->type == PORTS;
}

void row_clear(const struct setting_row *row, struct settings *set)
{
    if (row->type == NETWORKS)
        ((struct network_set *)row_field(row, set))->count = 0;
    else
        ((struct port_set *)row_field(row, set))->count = 0;
}

int row_add(const struct setting_row *row, struct settings *set, struct slice item, const char *where,
            struct error *reterr)
{
    item = slice_trim(item);
    if (row->type == NETWORKS)
        return add_network(row, row_field(row, set), item, where, reterr);
    return add_port(row, row_field(row, set), item, where, reterr);
}

int row_set(const struct setting_row *row, struct settings *set, struct slice text, const char *where,
            struct error *reterr)
{
    text = slice_trim(text);
    if (!row_is_list(row))
        return set_scalar(row, row_field(row, set), text) ? 0 : bad_value(row, text, where, reterr);
    row_clear(row, set);
    if (!text.len)
        return 0;
    for (;;) {
        size_t comma = slice_index(text, ',');
        int err = row_add(row, set, slice_sub(text, 0, comma), where, reterr);
        if (err || comma == text.len)
            return err;
        text = slice_sub(text, comma + 1, text.len);
    }
}

void row_wants(const struct setting_row *row, char *ret, size_t room)
{
    static const char *const names[] = {[CHECKSUMS] = "ignore or verify",
                                        [CAPTURE] = "local, remote, all or none",
                                        [NETWORKS] = "list of networks",
                                        [PORTS] = "list of ports, 1 to 65535",
                                        [COUNT] = "count",
                                        [SIZE] = "size in B, KiB, MiB or GiB",
                                        [DURATION] = "duration in ms, s, m or h"};
    snprintf(ret, room, *row->lowest ? "%s, %s to %s" : "%s", names[row->type], row->lowest, row->highest);
}

struct shown shown(struct slice text)
{
    struct shown ret;
    size_t most = sizeof ret.text - 4, len = text.len < most ? text.len : most;
    for (size_t i = 0; i < len; i++)
        ret.text[i] = text.data[i] >= 32 && text.data[i] < 127 ? (char)text.data[i] : '?';
    memcpy(ret.text + len, text.len > len ? "..." : "", text.len > len ? 4 : 1);
    return ret;
}
