/* What the numbers of TLS are called. */
#ifndef MAIL_TLS_NAMES_H
#define MAIL_TLS_NAMES_H

#include <stdint.h>

enum { TLS_NAME = 64 };

/* Each gives a text that lives as long as the program, or one written to `room`: "0x" and the number in four
 * hex digits, where it has no name. A version as Zeek writes it ("TLSv12"); a cipher suite, a group and an
 * alert as IANA registers them. */
const char *tls_version_name(uint16_t number, char room[static TLS_NAME]);
const char *tls_cipher_name(uint16_t number, char room[static TLS_NAME]);
const char *tls_group_name(uint16_t number, char room[static TLS_NAME]);
const char *tls_alert_name(uint8_t number, char room[static TLS_NAME]);

#endif
