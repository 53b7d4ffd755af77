/* One record as a message of syslog (RFC 5424). */
#ifndef CARRIER_SYSLOG_LINE_H
#define CARRIER_SYSLOG_LINE_H

#include "carrier/carrier.h"
#include "sink/line.h"

/* What all messages of a carrier have in common. */
struct syslog_head {
    const struct carrier_syslog *set; /* borrowed */
    char host[256], process[16];
    size_t most;       /* bytes of one message */
    uint32_t sequence; /* of the last one: 1 to 2^31 - 1, then from 1 again; 0: none so far */
};

enum syslog_fit {
    SYSLOG_WHOLE,
    SYSLOG_SHORT, /* fields were left out, *retwhy says which */
    SYSLOG_NONE,  /* it does not fit however short; nothing was added */
};

/* `sensor` becomes HOSTNAME, what may not stand there '_'. */
void syslog_head_init(struct syslog_head *head, const struct carrier_syslog *set, size_t most,
                      const char *sensor);
/* Adds a message whose MSG is `json`, an object in one line without LF. */
enum syslog_fit syslog_message(struct syslog_head *head, struct slice json, struct line *out,
                               struct error *retwhy);

#endif
