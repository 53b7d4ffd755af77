/* tls_names.c: numbers of TLS to their names.
 * In: numbers. Out: texts. Owns: the tables, which are in order. Spec: the registry "TLS Parameters" of IANA.
 */
#include "mail/tls_names.h"

#include <stddef.h>
#include <stdio.h>

struct row {
    uint16_t number;
    const char *name;
};

#define ROW(number, name) {number, name},
static const struct row versions[] = {
#define TLS_VERSION ROW
#include "mail/tls_names.def"
#undef TLS_VERSION
};
static const struct row ciphers[] = {
#define TLS_CIPHER ROW
#include "mail/tls_names.def"
#undef TLS_CIPHER
};
static const struct row groups[] = {
#define TLS_GROUP ROW
#include "mail/tls_names.def"
#undef TLS_GROUP
};
static const struct row alerts[] = {
#define TLS_ALERT ROW
#include "mail/tls_names.def"
#undef TLS_ALERT
};

static const char *name_of(const struct row *rows, size_t count, uint16_t number, char room[static TLS_NAME])
{
    size_t from = 0, to = count;
    while (from < to) {
        size_t middle = (from + to) / 2;
        if (rows[middle].number < number)
            from = middle + 1;
        else
            to = middle;
    }
    if (from < count && rows[from].number == number)
        return rows[from].name;
    snprintf(room, TLS_NAME, "0x%04x", number);
    return room;
}
#define NAME_OF(rows, number, room) name_of(rows, sizeof(rows) / sizeof *(rows), number, room)

const char *tls_version_name(uint16_t number, char room[static TLS_NAME])
{
    return NAME_OF(versions, number, room);
}

const char *tls_cipher_name(uint16_t number, char room[static TLS_NAME])
{
    return NAME_OF(ciphers, number, room);
}

const char *tls_group_name(uint16_t number, char room[static TLS_NAME])
{
    return NAME_OF(groups, number, room);
}

const char *tls_alert_name(uint8_t number, char room[static TLS_NAME])
{
    return NAME_OF(alerts, number, room);
}
