/* Client bytes that no reply holds back. */
#ifndef MAIL_CLIENT_H
#define MAIL_CLIENT_H

#include "mail/dialogue.h"

/* Takes what the mode takes, and returns how many bytes; 0 only where the mode changed, or is MODE_HOLD. */
size_t client_consume(struct smtp *s, struct slice bytes);
void client_gap(struct smtp *s, uint64_t len);
/* Could this byte begin a TLS record, and no line of text? */
bool client_like_tls(uint8_t first);
/* The server takes the chunk that waited for its word. */
void client_take_chunk(struct smtp *s);
/* TLS: nothing readable follows on either side. */
void client_begin_opaque(struct smtp *s);

#endif
