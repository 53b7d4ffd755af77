/* The kernel's half of steering: which of several sockets on one interface gets a packet. */
#ifndef CAPTURE_FANOUT_H
#define CAPTURE_FANOUT_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

enum { FANOUT_LENGTH = 160 };

/* Writes a program of classic BPF for PACKET_FANOUT_DATA and returns its length. For TCP over IPv4 or IPv6,
 * under up to three VLAN tags that are still in the packet, it computes endpoints_hash; for IP fragments and
 * all else over IP the same of ports that are 0, so that a datagram stays together; for what is not IP, 0.
 * With `ethernet` the interface has Ethernet headers. The kernel takes the result modulo the number of
 * sockets. */
size_t fanout_program(bool ethernet, struct sock_filter ret[static FANOUT_LENGTH]);

#endif
