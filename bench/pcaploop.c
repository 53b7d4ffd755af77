/* pcaploop.c: what libpcap alone takes for a file: the floor under every program that reads captures with it.
 */
#include <pcap/pcap.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    char text[PCAP_ERRBUF_SIZE];
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], text) : NULL;
    struct pcap_pkthdr *h;
    const u_char *data;
    unsigned long long packets = 0, sum = 0;
    if (!p)
        return 2;
    while (pcap_next_ex(p, &h, &data) == 1) {
        packets++;
        sum += h->caplen ? data[0] : 0;
    }
    pcap_close(p);
    printf("%llu packets (%llu)\n", packets, sum);
    return 0;
}
