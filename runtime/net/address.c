/* address.c - which addresses belong to networks that are not the internet's (RFC 6890 and its updates). */
#include "runtime/net/exchange.h"

#include <netinet/in.h>

typedef struct Net {
    uint32_t network;
    int bits;
} Net;

static bool private4(uint32_t ip)
{
    static const Net nets[] = {
        {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24},
        {0xc0000200, 24}, {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
    };
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if ((ip ^ nets[i].network) >> (32 - nets[i].bits) == 0)
            return true;
    return false;
}

static uint32_t word(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

bool address_is_private(const struct sockaddr *address)
{
    static const uint8_t zeros[12], mapped[12] = {[10] = 0xff, [11] = 0xff}, nat64[12] = {0, 0x64, 0xff, 0x9b};
    if (address->sa_family == AF_INET)
        return private4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family != AF_INET6)
        return true;
    const uint8_t *b = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
    if (memcmp(b, zeros, 12) == 0) /* ::, ::1, and IPv4 as it was once written */
        return true;
    if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
        return private4(word(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
        return private4(word(b + 2));
    /* unique local, link-local, site-local, multicast, documentation, Teredo */
    return (b[0] & 0xfe) == 0xfc || (b[0] == 0xfe && b[1] >= 0x80) || b[0] == 0xff || word(b) == 0x20010db8 || word(b) == 0x20010000;
}
