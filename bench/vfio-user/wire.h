/*
 * The wire side of client.c: one connected socket, messages out and in with descriptors, and what a server that asks
 * for the client's memory (VFIO_USER_DMA_READ, _WRITE) is answered. Included by client.c alone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { C_VERSION = 1, C_DMA_MAP, C_DMA_UNMAP, C_GET_INFO, C_GET_REGION_INFO, C_GET_REGION_IO_FDS,
       C_GET_IRQ_INFO, C_SET_IRQS, C_REGION_READ, C_REGION_WRITE, C_DMA_READ, C_DMA_WRITE, C_RESET,
       C_WRITE_MULTI = 15, C_FEATURE = 16, C_MIG_READ = 17, C_MIG_WRITE = 18 };
#define F_REPLY 1u
#define F_NO_REPLY 0x10u
#define F_ERROR 0x20u

struct hdr { uint16_t id, cmd; uint32_t size, flags, err; } __attribute__((packed));
struct reg { uint64_t off; uint32_t region, count; } __attribute__((packed));
struct dmap { uint32_t argsz, flags; uint64_t off, addr, size; } __attribute__((packed));
struct dunmap { uint32_t argsz, flags; uint64_t addr, size; } __attribute__((packed));
struct dacc { uint64_t addr, count; } __attribute__((packed));
struct rinfo { uint32_t argsz, flags, index, cap; uint64_t size, off; } __attribute__((packed));
struct iinfo { uint32_t argsz, flags, index, count; } __attribute__((packed));
struct iset { uint32_t argsz, flags, index, start, count; } __attribute__((packed));
struct dinfo { uint32_t argsz, flags, nreg, nirq; } __attribute__((packed));

static int S = -1, SC = -1;               /* main socket, twin (server->client) socket */
static uint16_t next_id = 1;
static uint8_t *rb; static size_t rlen, rpos, rcap = 4 << 20;
static int rfds[64]; static int nrfds;
static bool spin; static int verbose;
static int runs = 5; static long N = 100000, ND = 10000, NT = 2000000;
static uint64_t max_xfer = 1 << 20; static int max_fds = 1;
static uint64_t rsize[64]; static uint32_t rflags[64]; static unsigned nreg, nirq; static uint32_t icount[64];
static uint8_t *dma_mem; static uint64_t dma_base, dma_len; /* window served to DMA_READ/WRITE messages */
static long served_reads, served_writes;

/* a test that breaks the connection is reported as figure=NAME broken=REASON; the next test reconnects */
static jmp_buf jb; static bool jset; static char why[256];
static void die(const char *f, ...)
{
    va_list a; va_start(a, f); vsnprintf(why, sizeof why, f, a); va_end(a);
    if (jset) longjmp(jb, 1);
    fprintf(stderr, "client: %s\n", why); exit(1);
}
static inline uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }

static void xsend(int s, const void *h, size_t hl, const void *b, size_t bl, const int *fds, int nf)
{
    struct iovec iov[2] = { { (void *)h, hl }, { (void *)b, bl } };
    struct msghdr m = { .msg_iov = iov, .msg_iovlen = bl ? 2 : 1 };
    char cb[CMSG_SPACE(sizeof(int) * 16)];
    if (nf) {
        memset(cb, 0, sizeof cb);
        m.msg_control = cb; m.msg_controllen = CMSG_SPACE(sizeof(int) * nf);
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(sizeof(int) * nf);
        memcpy(CMSG_DATA(c), fds, sizeof(int) * nf);
    }
    size_t left = hl + bl;
    while (left) {
        ssize_t r = sendmsg(s, &m, MSG_NOSIGNAL);
        if (r < 0) { if (errno == EINTR) continue; die("send: %s", errno == EAGAIN ? "timed out" : strerror(errno)); }
        left -= r; m.msg_control = NULL; m.msg_controllen = 0;
        for (size_t k = r; k && m.msg_iovlen;) {
            size_t t = k < m.msg_iov->iov_len ? k : m.msg_iov->iov_len;
            m.msg_iov->iov_base = (char *)m.msg_iov->iov_base + t; m.msg_iov->iov_len -= t; k -= t;
            if (!m.msg_iov->iov_len) { m.msg_iov++; m.msg_iovlen--; }
        }
    }
}

/* ensure at least `want` unread bytes are buffered */
static void fill(size_t want)
{
    if (rlen - rpos >= want) return;
    if (rpos) { memmove(rb, rb + rpos, rlen - rpos); rlen -= rpos; rpos = 0; }
    while (rlen < want) {
        char cb[CMSG_SPACE(sizeof(int) * 64)];
        struct iovec iov = { rb + rlen, rcap - rlen };
        struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = cb, .msg_controllen = sizeof cb };
        ssize_t r = recvmsg(S, &m, MSG_CMSG_CLOEXEC | (spin ? MSG_DONTWAIT : 0));
        if (r == 0) die("server closed the connection");
        if (r < 0) { if (errno == EINTR || (errno == EAGAIN && spin)) continue; die("recv: %s", errno == EAGAIN ? "timed out" : strerror(errno)); }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
                int n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (int i = 0; i < n && nrfds < 64; i++) rfds[nrfds++] = ((int *)CMSG_DATA(c))[i];
            }
        rlen += r;
    }
}

static void serve_dma(int s, struct hdr *h, uint8_t *p)
{
    struct dacc *a = (void *)p;
    bool ok = dma_mem && a->addr >= dma_base && a->count <= dma_len && a->addr - dma_base <= dma_len - a->count;
    struct { struct hdr h; struct dacc a; } __attribute__((packed)) r = { { h->id, h->cmd, sizeof r, F_REPLY, 0 }, *a };
    if (!ok) { struct hdr e = { h->id, h->cmd, sizeof e, F_REPLY | F_ERROR, EINVAL }; xsend(s, &e, sizeof e, NULL, 0, NULL, 0); return; }
    if (h->cmd == C_DMA_READ) {
        r.h.size += a->count; served_reads++;
        xsend(s, &r, sizeof r, dma_mem + (a->addr - dma_base), a->count, NULL, 0);
    } else {
        memcpy(dma_mem + (a->addr - dma_base), p + sizeof *a, a->count); served_writes++;
        xsend(s, &r, sizeof r, NULL, 0, NULL, 0);
    }
}

/* returns the payload of the reply with this id; serves DMA commands that come meanwhile on the main socket */
static uint8_t *get_reply(uint16_t id, struct hdr *out)
{
    for (;;) {
        fill(sizeof(struct hdr));
        struct hdr h; memcpy(&h, rb + rpos, sizeof h);
        if (h.size < sizeof h || h.size > rcap) die("bad reply size %u", h.size);
        fill(h.size);
        uint8_t *p = rb + rpos + sizeof h;
        rpos += h.size;
        if ((h.flags & 0xf) != F_REPLY) { serve_dma(S, &h, p); continue; }
        if (h.id != id) die("reply id %u, expected %u (cmd %u)", h.id, id, h.cmd);
        *out = h;
        return p;
    }
}

static uint16_t send_cmd(int cmd, const void *p, size_t pl, const void *d, size_t dl, const int *fds, int nf, uint32_t fl)
{
    uint8_t b[256];
    struct hdr h = { next_id, cmd, sizeof h + pl + dl, fl, 0 };
    memcpy(b, &h, sizeof h); memcpy(b + sizeof h, p, pl);
    if (dl <= sizeof b - sizeof h - pl) { memcpy(b + sizeof h + pl, d, dl); if (!nf) {
        ssize_t r = send(S, b, h.size, MSG_NOSIGNAL); if (r != (ssize_t)h.size) die("send: %s", r < 0 ? strerror(errno) : "short"); }
        else xsend(S, b, h.size, NULL, 0, fds, nf); }
    else xsend(S, b, sizeof h + pl, d, dl, fds, nf);
    return next_id++;
}

static int cmd(int c, const void *p, size_t pl, const void *d, size_t dl, const int *fds, int nf, uint8_t **rp, uint32_t *rl)
{
    struct hdr h;
    uint8_t *q = get_reply(send_cmd(c, p, pl, d, dl, fds, nf, 0), &h);
    if (h.flags & F_ERROR) return h.err ? (int)h.err : EIO;
    if (rp) *rp = q;
    if (rl) *rl = h.size - sizeof h;
    return 0;
}

/* v == NULL: leaves the data where it was received, as what is timed is the server and not another copy here */
static int rd(uint32_t region, uint64_t off, void *v, uint32_t n)
{
    struct reg a = { off, region, n }; uint8_t *p; uint32_t l;
    int e = cmd(C_REGION_READ, &a, sizeof a, NULL, 0, NULL, 0, &p, &l);
    if (e) return e;
    if (l != sizeof a + n) die("REGION_READ reply of %u bytes, expected %zu", l, sizeof a + n);
    if (v) memcpy(v, p + sizeof a, n);
    return 0;
}
static int wr(uint32_t region, uint64_t off, const void *v, uint32_t n)
{
    struct reg a = { off, region, n };
    return cmd(C_REGION_WRITE, &a, sizeof a, v, n, NULL, 0, NULL, NULL);
}
static int dma_map(int fd, uint64_t fo, uint64_t iova, uint64_t size)
{
    struct dmap m = { sizeof m, 3, fo, iova, size };
    return cmd(C_DMA_MAP, &m, sizeof m, NULL, 0, &fd, fd >= 0 ? 1 : 0, NULL, NULL);
}
static int dma_unmap(uint64_t iova, uint64_t size, uint32_t fl)
{
    struct dunmap m = { sizeof m, fl, iova, size };
    return cmd(C_DMA_UNMAP, &m, sizeof m, NULL, 0, NULL, 0, NULL, NULL);
}
