/* What libpcap calls a link type in what file formats do. */
#ifndef CAPTURE_LINK_TYPE_H
#define CAPTURE_LINK_TYPE_H

#include <pcap/pcap.h>
#include <stdint.h>

/* Files store LINKTYPE numbers; libpcap gives its own DLT numbers, which differ for raw IP. */
static inline uint16_t link_type_of(int dlt)
{
    return dlt == DLT_RAW ? 101 : (uint16_t)dlt;
}

#endif
