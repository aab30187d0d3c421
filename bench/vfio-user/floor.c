/*
 * The smallest responder: one recvmsg and one send a batch, the floor that a server on a socket can reach. Knows VERSION,
 * GET_INFO (2 regions), GET_REGION_INFO, GET_IRQ_INFO, REGION_READ and _WRITE of a 4 KiB register file.
 *
 *   floor [-s] SOCKET      -s: spins instead of blocking
 */
#define _GNU_SOURCE
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
struct hdr { uint16_t id, cmd; uint32_t size, flags, err; } __attribute__((packed));
static uint8_t regs[4096] = { 0x56, 0x55, 0x42, 0x4e, 1 };
int main(int argc, char **argv)
{
    int spin = argc > 2 && !strcmp(argv[1], "-s"); struct sockaddr_un a = { .sun_family = AF_UNIX }; strcpy(a.sun_path, argv[argc - 1]); unlink(a.sun_path);
    int l = socket(AF_UNIX, SOCK_STREAM, 0); if (bind(l, (void *)&a, sizeof a) || listen(l, 1)) err(1, "bind");
    static uint8_t b[1 << 16], o[1 << 16];
    for (;;) {
        int s = accept(l, 0, 0); size_t len = 0;
        for (;;) {
            char cb[CMSG_SPACE(64)]; struct iovec iov = { b + len, sizeof b - len }; struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = cb, .msg_controllen = sizeof cb };
            ssize_t r = recvmsg(s, &m, spin ? MSG_DONTWAIT : 0); if (r < 0 && errno == EAGAIN) continue; if (r <= 0) break; len += r;
            size_t p = 0, ol = 0; struct hdr h;
            while (len - p >= 16 && (memcpy(&h, b + p, 16), len - p >= h.size)) {
                uint8_t *q = b + p + 16, *w = o + ol; size_t n = h.size - 16; p += h.size; memcpy(w + 16, q, n < 64 ? n : 64);
                switch (h.cmd) {
                case 1: { const char *j = "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576}}"; strcpy((char *)w + 20, j); n = 4 + strlen(j) + 1; break; }
                case 4: { uint32_t d[4] = { 16, 3, 2, 0 }; memcpy(w + 16, d, 16); n = 16; break; }
                case 5: { uint32_t i; memcpy(&i, q + 8, 4); uint32_t f[4] = { 32, i ? 0 : 3, i, 0 }; uint64_t g[2] = { i ? 0 : 4096, 0 }; memcpy(w + 16, f, 16); memcpy(w + 32, g, 16); n = 32; break; }
                case 9: case 10: { uint64_t off; uint32_t c; memcpy(&off, q, 8); memcpy(&c, q + 12, 4); if (off + c > 4096) { n = 0; h.err = 22; break; }
                    if (h.cmd == 9) { memcpy(w + 32, regs + off, c); n = 16 + c; } else { memcpy(regs + off, q + 16, c); n = 16; } break; }
                default: n = 0; h.err = 22; }
                if (h.flags & 0x10) continue;
                h.flags = 1 | (h.err ? 0x20 : 0); h.size = 16 + n; memcpy(w, &h, 16); ol += 16 + n;
            }
            if (p) { memmove(b, b + p, len - p); len -= p; }
            if (ol && send(s, o, ol, MSG_NOSIGNAL) < 0) break;
        }
        close(s);
    }
}
