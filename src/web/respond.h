/* Answers as libmicrohttpd's responses, with the headers that all of them have. */
#ifndef WEB_RESPOND_H
#define WEB_RESPOND_H

#include <microhttpd.h>
#include "web/answer.h"

struct respond_settings {
    bool secure; /* by TLS */
    bool gzip;   /* the client takes it */
};

/* Takes the body's memory from the answer. */
struct MHD_Response *respond_whole(struct answer *a, const struct respond_settings *set);
/* The body comes from a->out. */
struct MHD_Response *respond_pieces(const struct answer *a, const struct respond_settings *set);
/* Bytes that live as long as the program. */
struct MHD_Response *respond_fixed(struct slice body, const char *type, const struct respond_settings *set);
void respond_header(struct MHD_Response *r, const char *name, const char *value);

#endif
