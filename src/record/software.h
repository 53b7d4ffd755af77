/* What software runs where: stream "software". */
#ifndef RECORD_SOFTWARE_H
#define RECORD_SOFTWARE_H

#include "record/record.h"

/* A program that a host has shown. */
struct software {
    struct timespec ts;
    struct slice uid;
    struct address host;
    uint16_t host_p; /* 0: none, as of clients */
    struct slice software_type;
    struct product product;
    struct slice unparsed_version;
    struct slice sensor;
};

#endif
