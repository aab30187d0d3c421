/*
 * The bench device (see client.c) on the C reference library, libvfio-user, which is built outside this tree.
 *
 *   peer [-m block|poll|spin] [-c cpu] SOCKET
 * block: blocking vfu_run_ctx; poll: non-blocking, with poll(vfu_get_poll_fd); spin: non-blocking, busy
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "libvfio-user.h"

static uint8_t regs[4096], bar1[1 << 20];
static vfu_ctx_t *ctx; static dma_sg_t *sg;
static inline uint64_t now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1000000000ull + t.tv_nsec; }
static uint64_t R(int o) { uint64_t v; memcpy(&v, regs + o, 8); return v; }

static void op(uint64_t v)
{
    int o = v & 0xff; uint64_t n = v >> 8, addr = R(0x18), len = R(0x20), stride = R(0x28), span = R(0x30), ok = 0; struct iovec iov;
    static uint8_t buf[1 << 20];
    if (!span) span = 1;
    uint64_t t = now();
    for (uint64_t i = 0; i < n; i++) {
        vfu_dma_addr_t a = (vfu_dma_addr_t)(addr + (i * 2654435761ull % span) * stride);
        switch (o) {
        case 1: ok += vfu_addr_to_sgl(ctx, a, len, sg, 1, PROT_READ) == 1; break;
        case 2: case 3:
            if (vfu_addr_to_sgl(ctx, a, len, sg, 1, o == 2 ? PROT_READ : PROT_READ | PROT_WRITE) != 1 || vfu_sgl_get(ctx, sg, &iov, 1, 0)) break;
            if (o == 3) *(volatile uint32_t *)iov.iov_base = i;
            vfu_sgl_put(ctx, sg, &iov, 1); ok++; break;
        case 4: ok += vfu_irq_trigger(ctx, 0) == 0; break;
        case 5: case 6:
            if (vfu_addr_to_sgl(ctx, a, len, sg, 1, PROT_READ | PROT_WRITE) != 1) break;
            ok += (o == 5 ? vfu_sgl_read(ctx, sg, 1, buf, 0) : vfu_sgl_write(ctx, sg, 1, buf, 0)) == 0; break;
        }
    }
    t = now() - t;
    memcpy(regs + 0x40, &t, 8); memcpy(regs + 0x48, &ok, 8);
}

static ssize_t b0(vfu_ctx_t *c, char *buf, size_t n, loff_t off, bool w)
{
    if (off + n > sizeof regs) { errno = EINVAL; return -1; }
    if (!w) { memcpy(buf, regs + off, n); return n; }
    if (off == 0x10 && n == 4) { vfu_irq_trigger(c, *(uint32_t *)buf); return n; }
    if (off == 0x38 && n == 8) { op(*(uint64_t *)buf); return n; }
    if (off >= 8 && !(off >= 0x40 && off < 0x50)) memcpy(regs + off, buf, n);
    return n;
}
static ssize_t b1(vfu_ctx_t *c, char *buf, size_t n, loff_t off, bool w)
{
    (void)c; if (w) memcpy(bar1 + off, buf, n); else memcpy(buf, bar1 + off, n);
    return n;
}
static void reg_cb(vfu_ctx_t *c, vfu_dma_info_t *i) { (void)c; (void)i; }
static int reset_cb(vfu_ctx_t *c, vfu_reset_type_t t) { (void)c; (void)t; return 0; }
static void logf_(vfu_ctx_t *c, int l, const char *m) { (void)c; fprintf(stderr, "peer[%d]: %s\n", l, m); }

int main(int argc, char **argv)
{
    const char *mode = "block"; int c, cpu = -1;
    while ((c = getopt(argc, argv, "m:c:")) != -1) if (c == 'm') mode = optarg; else if (c == 'c') cpu = atoi(optarg); else return 2;
    if (optind >= argc) return 2;
    if (cpu >= 0) { cpu_set_t s; CPU_ZERO(&s); CPU_SET(cpu, &s); sched_setaffinity(0, sizeof s, &s); }
    bool nb = strcmp(mode, "block"), spin = !strcmp(mode, "spin");
    unlink(argv[optind]);
    uint32_t magic[2] = { 0x4e425556, 1 }; memcpy(regs, magic, 8);
    ctx = vfu_create_ctx(VFU_TRANS_SOCK, argv[optind], nb ? LIBVFIO_USER_FLAG_ATTACH_NB : 0, NULL, VFU_DEV_TYPE_PCI);
    if (!ctx) err(1, "create");
    vfu_setup_log(ctx, logf_, LOG_ERR);
    if (vfu_pci_init(ctx, VFU_PCI_TYPE_EXPRESS, PCI_HEADER_TYPE_NORMAL, 0)) err(1, "pci");
    vfu_pci_set_id(ctx, 0x1234, 0x5678, 0x1234, 0x5678);
    if (vfu_setup_region(ctx, 0, 4096, b0, VFU_REGION_FLAG_RW | VFU_REGION_FLAG_MEM, NULL, 0, -1, 0)) err(1, "bar0");
    if (vfu_setup_region(ctx, 1, 1 << 20, b1, VFU_REGION_FLAG_RW | VFU_REGION_FLAG_MEM, NULL, 0, -1, 0)) err(1, "bar1");
    int fd = memfd_create("bar2", 0); if (ftruncate(fd, 16 << 20)) err(1, "memfd");
    struct iovec all = { 0, 16 << 20 };
    if (vfu_setup_region(ctx, 2, 16 << 20, b1, VFU_REGION_FLAG_RW | VFU_REGION_FLAG_MEM, &all, 1, fd, 0)) err(1, "bar2");
    if (vfu_setup_device_dma(ctx, LIBVFIO_USER_MAX_DMA_REGIONS, reg_cb, reg_cb)) err(1, "dma");
    if (vfu_setup_device_reset_cb(ctx, reset_cb)) err(1, "reset");
    if (vfu_setup_device_nr_irqs(ctx, VFU_DEV_INTX_IRQ, 1) || vfu_setup_device_nr_irqs(ctx, VFU_DEV_MSIX_IRQ, 32)) err(1, "irqs");
    if (vfu_realize_ctx(ctx)) err(1, "realize");
    sg = calloc(1, dma_sg_size());
    for (;;) {
        struct pollfd p = { vfu_get_poll_fd(ctx), POLLIN, 0 };
        if (nb) poll(&p, 1, -1);
        if (vfu_attach_ctx(ctx)) { if (errno == EAGAIN) continue; warn("attach"); continue; }
        p.fd = vfu_get_poll_fd(ctx);
        int r;
        do { if (nb && !spin) poll(&p, 1, -1); r = vfu_run_ctx(ctx); } while (r >= 0 || errno == EAGAIN || errno == EINTR || errno == EBUSY);
        if (errno != ENOTCONN) warn("run");
    }
}
