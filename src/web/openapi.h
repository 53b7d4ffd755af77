/* The API's description, out of the tables. */
#ifndef WEB_OPENAPI_H
#define WEB_OPENAPI_H

#include "web/answer.h"

/* OpenAPI 3.1, as JSON. */
void openapi_write(struct answer *a, const char *version);

#endif
