/* source.c: the kinds of bus.
 * In: a URL. Out: its row. Owns: nothing. */
#include "load/source.h"

const struct source_ops *const source_table[] = {&source_nats, &source_nats_tls, &source_kafka,
                                                 &source_kafka_tls, NULL};

const struct source_ops *source_find(const char *url)
{
    for (size_t i = 0; source_table[i]; i++) {
        size_t len = strlen(source_table[i]->scheme);
        if (strncmp(url, source_table[i]->scheme, len) == 0 && strncmp(url + len, "://", 3) == 0)
            return source_table[i];
    }
    return NULL;
}
