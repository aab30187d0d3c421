/*
 * A vfio-user client that times a server, by the wire protocol alone: point it at any server's socket.
 *
 *   cc -O2 -o client client.c && ./client [options] SOCKET
 *
 * One line per figure:
 *   figure=NAME runs=R ops=N median_ns=.. p90_ns=.. p99_ns=.. min_ns=.. ops_per_s=..
 * median, p90, p99 and min are of one operation, each the median over runs of that run's own; ops_per_s is the median
 * over runs of N / elapsed. A test that breaks the connection is figure=NAME broken=REASON, and the next one reconnects.
 *
 * The bench device (see Vgpu.BenchDevice and peer.c; known by the magic at BAR 0 + 0):
 *   0x00 RO u32 magic 0x4e425556        0x04 RO u32 version (1)
 *   0x08 RW u32 scratch                 0x10 WO u32 doorbell: trigger interrupt <value> once
 *   0x18 RW u64 ADDR   0x20 RW u64 LEN  0x28 RW u64 STRIDE  0x30 RW u64 SPAN
 *   0x38 WO u64 OP = op | count << 8    0x40 RO u64 elapsed ns  0x48 RO u64 how many succeeded
 *   op i uses address ADDR + (i*2654435761 mod SPAN) * STRIDE, length LEN:
 *     1 translate only              2 translate, get, put (read)  3 the same, write 4 bytes, put (dirty)
 *     4 trigger subindex 0          5 DMA_READ message            6 DMA_WRITE message
 */
#include "wire.h"

/* --- statistics --- */
static int cmp(const void *a, const void *b) { uint64_t x = *(uint64_t *)a, y = *(uint64_t *)b; return x < y ? -1 : x > y; }
static int cmpd(const void *a, const void *b) { double x = *(double *)a, y = *(double *)b; return x < y ? -1 : x > y; }
#define MAXR 64
struct stat_ { const char *name; int n; long ops; double med[MAXR], p90[MAXR], p99[MAXR], mn[MAXR], rate[MAXR]; };
static void st_add(struct stat_ *s, uint64_t *v, long n, uint64_t elapsed)
{
    qsort(v, n, sizeof *v, cmp); int i = s->n++;
    s->ops = n; s->med[i] = v[n / 2]; s->p90[i] = v[n * 9 / 10]; s->p99[i] = v[n * 99 / 100]; s->mn[i] = v[0];
    s->rate[i] = n * 1e9 / elapsed;
}
static double mid(double *v, int n) { double t[MAXR]; memcpy(t, v, n * sizeof *v); qsort(t, n, sizeof *t, cmpd); return t[n / 2]; }
static void st_print(struct stat_ *s)
{
    printf("figure=%s runs=%d ops=%ld median_ns=%.0f p90_ns=%.0f p99_ns=%.0f min_ns=%.0f ops_per_s=%.0f\n",
           s->name, s->n, s->ops, mid(s->med, s->n), mid(s->p90, s->n), mid(s->p99, s->n), mid(s->mn, s->n), mid(s->rate, s->n));
    fflush(stdout);
}
static uint64_t *lat;

static void reconnect(void);
static void bench_rw(bool wrt, uint32_t region, uint64_t off, uint32_t w, long n, const char *name)
{
    struct stat_ s = { .name = name }; uint8_t *v = calloc(1, w); int e;
    if ((e = wrt ? wr(region, off, v, w) : rd(region, off, v, w))) { printf("figure=%s error=%s\n", name, strerror(e)); free(v); reconnect(); return; }
    for (int r = 0; r < runs; r++) {
        for (long i = 0; i < n / 20; i++) wrt ? wr(region, off, v, w) : rd(region, off, NULL, w);
        uint64_t t0 = now(), t = t0;
        for (long i = 0; i < n; i++) {
            if (wrt) wr(region, off, v, w); else rd(region, off, NULL, w);
            uint64_t u = now(); lat[i] = u - t; t = u;
        }
        st_add(&s, lat, n, t - t0);
    }
    st_print(&s); free(v);
}

/* keep `depth` requests in flight */
static void bench_pipe(bool wrt, uint32_t region, uint64_t off, uint32_t w, long n, int depth)
{
    char name[64]; snprintf(name, sizeof name, "region_%s%u_pipelined_%d", wrt ? "write" : "read", w, depth);
    double rate[MAXR]; uint8_t v[64] = { 0 }; struct reg a = { off, region, w }; struct hdr h;
    for (int r = 0; r < runs; r++) {
        uint16_t head = next_id; long sent = 0, got = 0; uint64_t t0 = now();
        while (got < n) {
            while (sent < n && sent - got < depth) { send_cmd(wrt ? C_REGION_WRITE : C_REGION_READ, &a, sizeof a, v, wrt ? w : 0, NULL, 0, 0); sent++; }
            get_reply(head++, &h); got++;
            if (h.flags & F_ERROR) { printf("figure=%s error=%s\n", name, strerror(h.err)); while (got < sent) { get_reply(head++, &h); got++; } return; }
        }
        rate[r] = n * 1e9 / (now() - t0);
    }
    printf("figure=%s runs=%d ops=%ld ops_per_s=%.0f\n", name, runs, n, mid(rate, runs)); fflush(stdout);
}

/* posted writes: NO_REPLY; one read every `batch` as a barrier (bounds the socket queue) */
static void bench_posted(uint32_t region, uint64_t off, uint32_t w, long n, int batch)
{
    double rate[MAXR]; uint8_t v[64] = { 0 }; struct reg a = { off, region, w };
    if (wr(region, off, v, w) || rd(region, off, v, w)) return;
    memset(v, 0, sizeof v);
    for (int r = 0; r < runs; r++) {
        uint64_t t0 = now();
        for (long i = 0; i < n; i++) {
            send_cmd(C_REGION_WRITE, &a, sizeof a, v, w, NULL, 0, F_NO_REPLY);
            if (i % batch == batch - 1) { uint8_t t[64]; rd(region, off, t, w); }
        }
        rate[r] = n * 1e9 / (now() - t0);
    }
    printf("figure=region_write%u_posted_batch%d runs=%d ops=%ld ops_per_s=%.0f\n", w, batch, runs, n, mid(rate, runs)); fflush(stdout);
}

static int mkmem(uint64_t size)
{
    int fd = memfd_create("bench-client", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, size)) die("memfd of %llu: %s", (unsigned long long)size, strerror(errno));
    return fd;
}

static void bench_dma(long existing, uint64_t size, long n)
{
    char nm[2][64]; struct stat_ m = { .name = nm[0] }, u = { .name = nm[1] };
    snprintf(nm[0], 64, "dma_map_existing_%ld", existing); snprintf(nm[1], 64, "dma_unmap_existing_%ld", existing);
    int fd = mkmem(size * (existing + 2)), e; uint64_t base = 0x100000000ull, hole = existing / 2;
    uint64_t *l2 = malloc(n * sizeof *l2); double pair[MAXR];
    uint64_t t0 = now();
    for (long i = 0; i <= existing; i++) {
        if ((uint64_t)i == hole) continue;
        if ((e = dma_map(fd, i * size, base + i * size, size))) { printf("figure=%s error=%s at=%ld\n", nm[0], strerror(e), i); dma_unmap(0, 0, 2); close(fd); free(l2); return; }
    }
    uint64_t tp = now() - t0;
    for (int r = 0; r < runs; r++) {
        uint64_t sum = 0;
        for (long i = 0; i < n; i++) {
            uint64_t a = now();
            if ((e = dma_map(fd, hole * size, base + hole * size, size))) die("dma_map: %s", strerror(e));
            uint64_t b = now();
            if ((e = dma_unmap(base + hole * size, size, 0))) die("dma_unmap: %s", strerror(e));
            uint64_t c = now();
            lat[i] = b - a; l2[i] = c - b; sum += c - a;
        }
        pair[r] = n * 1e9 / sum;
        st_add(&m, lat, n, sum); st_add(&u, l2, n, sum);
    }
    st_print(&m); st_print(&u);
    printf("figure=dma_map_unmap_pairs_existing_%ld runs=%d ops=%ld size=%llu ops_per_s=%.0f\n", existing, runs, n, (unsigned long long)size, mid(pair, runs));
    if (existing) printf("figure=dma_populate_%ld ns_per_map=%.0f\n", existing, (double)tp / existing);
    t0 = now(); e = dma_unmap(0, 0, 2);
    if (e) { printf("figure=dma_unmap_all_%ld error=%s\n", existing, strerror(e)); for (long i = 0; i <= existing; i++) if ((uint64_t)i != hole) dma_unmap(base + i * size, size, 0); }
    else printf("figure=dma_unmap_all_%ld total_us=%.0f\n", existing, (now() - t0) / 1e3);
    fflush(stdout); close(fd); free(l2);
}

static bool bench_dev(void)
{
    uint32_t m = 0;
    return nreg && rsize[0] >= 0x50 && rd(0, 0, &m, 4) == 0 && m == 0x4e425556;
}

static double srv_op(int op, uint64_t addr, uint64_t len, uint64_t stride, uint64_t span, uint64_t count, uint64_t *okp)
{
    uint64_t v[4] = { addr, len, stride, span }, o = op | count << 8, ns = 0, ok = 0;
    for (int i = 0; i < 4; i++) if (wr(0, 0x18 + 8 * i, &v[i], 8)) return -1;
    if (wr(0, 0x38, &o, 8)) return -1;
    if (rd(0, 0x40, &ns, 8) || rd(0, 0x48, &ok, 8)) return -1;
    if (okp) *okp = ok;
    return (double)ns / count;
}

static void bench_translate(long existing, uint64_t size)
{
    static const struct { int op; bool rnd; const char *n; } T[] = {
        { 1, false, "translate_same_region" }, { 1, true, "translate_random_region" },
        { 2, false, "translate_get_put_same_region" }, { 2, true, "translate_get_put_random_region" },
        { 3, true, "translate_get_write4_put_random_region" } };
    uint64_t base = 0x100000000ull, ok; int fd = mkmem(size * existing), e;
    for (long i = 0; i < existing; i++) if ((e = dma_map(fd, i * size, base + i * size, size))) { printf("figure=translate_%ld error=%s at=%ld\n", existing, strerror(e), i); goto out; }
    for (unsigned k = 0; k < sizeof T / sizeof *T; k++) {
        double v[MAXR]; uint64_t cnt = NT;
        srv_op(T[k].op, base, 64, T[k].rnd ? size : 64, T[k].rnd ? existing : 1024, 100000, &ok);
        for (int r = 0; r < runs; r++) v[r] = srv_op(T[k].op, base, 64, T[k].rnd ? size : 64, T[k].rnd ? existing : 1024, cnt, &ok);
        printf("figure=server_%s_regions_%ld runs=%d ops=%llu ok=%llu ns_per_op=%.2f\n", T[k].n, existing, runs, (unsigned long long)cnt, (unsigned long long)ok, mid(v, runs));
    }
out:
    fflush(stdout); dma_unmap(0, 0, 2); close(fd);
}

static void bench_dmamsg(uint64_t len)
{
    double v[MAXR]; uint64_t ok; int e; long n = 20000;
    dma_len = 16 << 20; dma_base = 0x100000000ull; dma_mem = calloc(1, dma_len);
    if ((e = dma_map(-1, 0, dma_base, dma_len))) { printf("figure=dma_message error=%s\n", strerror(e)); goto out; }
    for (int op = 5; op <= 6; op++) {
        for (int r = 0; r < runs; r++) v[r] = srv_op(op, dma_base, len, 4096, 64, n, &ok);
        printf("figure=server_dma_%s_message_%llu runs=%d ops=%ld ok=%llu ns_per_op=%.0f\n", op == 5 ? "read" : "write", (unsigned long long)len, runs, n, (unsigned long long)ok, mid(v, runs));
    }
    dma_unmap(0, 0, 2);
out:
    fflush(stdout); free(dma_mem); dma_mem = NULL;
}

static int set_irq(uint32_t index, uint32_t fl, uint32_t start, uint32_t count, int *fds, int nf)
{
    struct iset s = { sizeof s, fl, index, start, count };
    return cmd(C_SET_IRQS, &s, sizeof s, NULL, 0, fds, nf, NULL, NULL);
}

static void bench_irq(int index, long n, bool dev)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), e; uint64_t x;
    if ((e = set_irq(index, 4 | 32, 0, 1, &fd, 1))) { printf("figure=irq error=%s\n", strerror(e)); close(fd); return; }
    /* client-commanded trigger: SET_IRQS DATA_NONE|TRIGGER; the reply follows the eventfd write */
    if (!(e = set_irq(index, 1 | 32, 0, 1, NULL, 0)) && read(fd, &x, 8) == 8) {
        struct stat_ s = { .name = "set_irqs_trigger_roundtrip" };
        for (int r = 0; r < runs; r++) {
            uint64_t t0 = now(), t = t0;
            for (long i = 0; i < n; i++) { set_irq(index, 1 | 32, 0, 1, NULL, 0); uint64_t u = now(); lat[i] = u - t; t = u; }
            st_add(&s, lat, n, t - t0); if (read(fd, &x, 8) != 8 || x != (uint64_t)n) printf("warn=irq_count got=%llu want=%ld\n", (unsigned long long)x, n);
        }
        st_print(&s);
    }
    if (dev) {
        double v[MAXR]; uint64_t ok;
        for (int r = 0; r < runs; r++) { v[r] = srv_op(4, 0, 0, 0, 1, 200000, &ok); if (read(fd, &x, 8) != 8) x = 0; }
        printf("figure=server_irq_trigger runs=%d ops=200000 ok=%llu seen=%llu ns_per_op=%.1f\n", runs, (unsigned long long)ok, (unsigned long long)x, mid(v, runs));
        /* doorbell write (posted) -> eventfd readable */
        struct stat_ s = { .name = "doorbell_to_eventfd" }; uint32_t z = 0; struct reg a = { 0x10, 0, 4 };
        struct pollfd pf = { fd, POLLIN, 0 };
        for (int r = 0; r < runs; r++) {
            uint64_t t0 = now();
            for (long i = 0; i < n; i++) {
                uint64_t b = now(); uint16_t id = send_cmd(C_REGION_WRITE, &a, sizeof a, &z, 4, NULL, 0, 0); struct hdr h;
                while (read(fd, &x, 8) != 8) if (!spin) poll(&pf, 1, 1000);
                lat[i] = now() - b; get_reply(id, &h);
            }
            st_add(&s, lat, n, now() - t0);
        }
        st_print(&s);
    }
    set_irq(index, 1 | 32, 0, 0, NULL, 0); fflush(stdout); close(fd);
}

static void probe(void)
{
    struct dinfo d = { .argsz = sizeof d }; uint8_t *p; int e;
    if ((e = cmd(C_GET_INFO, &d, sizeof d, NULL, 0, NULL, 0, &p, NULL))) die("GET_INFO: %s", strerror(e));
    memcpy(&d, p, sizeof d); nreg = d.nreg; nirq = d.nirq;
    printf("info=device flags=%#x regions=%u irqs=%u\n", d.flags, d.nreg, d.nirq);
    for (unsigned i = 0; i < nreg && i < 64; i++) {
        struct rinfo r = { .argsz = sizeof r, .index = i }; uint32_t l;
        if ((e = cmd(C_GET_REGION_INFO, &r, sizeof r, NULL, 0, NULL, 0, &p, &l))) { printf("info=region index=%u error=%s\n", i, strerror(e)); continue; }
        memcpy(&r, p, sizeof r); uint32_t want = r.argsz; int nf = 0, areas = 0;
        if (want > sizeof r) {
            uint8_t q[4096] = { 0 }; struct rinfo r2 = { .argsz = want, .index = i }; memcpy(q, &r2, sizeof r2); nrfds = 0;
            /* QEMU sends only the fixed struct with a larger argsz */
            if (!(e = cmd(C_GET_REGION_INFO, &r2, sizeof r2, NULL, 0, NULL, 0, &p, &l))) { memcpy(&r, p, sizeof r); nf = nrfds; if (r.cap && l >= r.cap + 12) areas = *(uint32_t *)(p + r.cap + 8); }
            for (int k = 0; k < nrfds; k++) close(rfds[k]);
            nrfds = 0;
        }
        rsize[i] = r.size; rflags[i] = r.flags;
        if (r.size) printf("info=region index=%u size=%#llx flags=%#x argsz=%u fds=%d sparse_areas=%d\n", i, (unsigned long long)r.size, r.flags, r.argsz, nf, areas);
    }
    for (unsigned i = 0; i < nirq && i < 64; i++) {
        struct iinfo r = { sizeof r, 0, i, 0 };
        if (cmd(C_GET_IRQ_INFO, &r, sizeof r, NULL, 0, NULL, 0, &p, NULL)) continue;
        memcpy(&r, p, sizeof r); icount[i] = r.count;
        if (r.count) printf("info=irq index=%u count=%u flags=%#x\n", i, r.count, r.flags);
    }
}

static long jnum(const char *j, const char *k, long d) { const char *s = strstr(j, k); if (!s) return d; s += strlen(k); while (*s == '"' || *s == ' ' || *s == ':') s++; return strtol(s, NULL, 0); }

static void handshake(const char *path, bool twin, bool quiet)
{
    if (S >= 0) close(S);
    rlen = rpos = 0; nrfds = 0;
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof sa.sun_path) die("path too long");
    strcpy(sa.sun_path, path);
    S = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval tv = { 10, 0 };
    setsockopt(S, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv); setsockopt(S, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    if (connect(S, (void *)&sa, sizeof sa)) die("connect %s: %s", path, strerror(errno));
    char j[512]; struct { uint16_t maj, min; } v = { 0, twin ? 2 : 1 };
    snprintf(j, sizeof j, "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,\"migration\":{\"pgsize\":4096}%s}}",
             twin ? ",\"twin_socket\":{\"supported\":true}" : "");
    uint8_t *p; uint32_t l; int e;
    uint64_t t = now();
    if ((e = cmd(C_VERSION, &v, sizeof v, j, strlen(j) + 1, NULL, 0, &p, &l))) die("VERSION: %s", strerror(e));
    t = now() - t;
    if (l < 4) die("short VERSION reply");
    memcpy(&v, p, 4);
    const char *js = l > 4 ? (char *)p + 4 : "{}";
    max_fds = jnum(js, "max_msg_fds", 1); max_xfer = jnum(js, "max_data_xfer_size", 1 << 20);
    if (!quiet) printf("info=version major=%u minor=%u handshake_us=%.1f server=%s\n", v.maj, v.min, t / 1e3, js);
    if (nrfds) { SC = rfds[0]; nrfds = 0; printf("info=twin_socket fd=%d (not read)\n", SC); }
}

static const char *path_; static bool twin_;
static void reconnect(void) { usleep(100000); handshake(path_, twin_, true); }
#define GUARD(name, stmt) do { jset = true; if (!setjmp(jb)) { stmt; } else { jset = false; \
    printf("figure=%s broken=%s\n", name, why); fflush(stdout); usleep(200000); dma_mem = NULL; handshake(path_, twin_, true); } jset = false; } while (0)

static void usage(void)
{
    fprintf(stderr,
        "client [options] SOCKET\n"
        "  -r R -o O      region and offset for 4-byte accesses (default: bench device scratch 0:0x8, else 7:0 read only)\n"
        "  -w W           access width (4)\n"
        "  -n N           region accesses a run (100000)   -d N  dma map/unmap pairs a run (10000)\n"
        "  -x N           translations a run (2000000)\n"
        "  -R R           runs (5)                         -s B  dma region size (2097152)\n"
        "  -e A,B,..      existing regions (0,1,100,10000) -i I  irq index (2, MSI-X)\n"
        "  -b R           region for bulk accesses (1)     -k K  their sizes in KiB (4,16,64,256,1024)\n"
        "  -t L           tests: any of rpbBwdtmi (default all)\n"
        "                 r read/write p pipelined b bulk reads B bulk writes w posted d dma t translate m dma messages i irq\n"
        "  -S             client spins instead of blocking -c C  pin to cpu\n"
        "  -T             offer twin_socket                -W    allow writes to region/offset without the bench device\n");
    exit(2);
}

int main(int argc, char **argv)
{
    int c, region = -1, width = 4, cpu = -1, irq = 2, bulk = 1; uint64_t off = 0, size = 2 << 20; bool twin = false, wok = false;
    const char *ex = "0,1,100,10000", *kib = "4,16,64,256,1024", *tests = "rpbBwdtmi";
    while ((c = getopt(argc, argv, "r:o:w:n:d:x:R:s:e:i:b:k:t:c:STWv")) != -1) switch (c) {
        case 'r': region = atoi(optarg); break;   case 'o': off = strtoull(optarg, 0, 0); break;
        case 'w': width = atoi(optarg); break;    case 'n': N = atol(optarg); break;
        case 'd': ND = atol(optarg); break;        case 'x': NT = atol(optarg); break;       case 'R': runs = atoi(optarg); if (runs < 1 || runs > MAXR) usage(); break;
        case 's': size = strtoull(optarg, 0, 0); break; case 'e': ex = optarg; break;
        case 'i': irq = atoi(optarg); break;      case 'b': bulk = atoi(optarg); break;    case 'k': kib = optarg; break;
        case 't': tests = optarg; break;          case 'c': cpu = atoi(optarg); break;
        case 'S': spin = true; break;             case 'T': twin = true; break;
        case 'W': wok = true; break;              case 'v': verbose++; break;
        default: usage(); }
    if (optind + 1 != argc) usage();
    if (cpu >= 0) { cpu_set_t s; CPU_ZERO(&s); CPU_SET(cpu, &s); sched_setaffinity(0, sizeof s, &s); }
    rb = malloc(rcap); lat = malloc((N > ND ? N : ND) * sizeof *lat + 64);
    if (!rb || !lat) die("memory");
    path_ = argv[optind]; twin_ = twin; handshake(path_, twin, false); probe();
    bool dev = bench_dev();
    printf("info=bench_device present=%d client_mode=%s runs=%d\n", dev, spin ? "spin" : "block", runs);
    if (region < 0) { if (dev) { region = 0; off = 8; } else { region = 7; off = 0; } }
    bool w = dev || wok;
    static char nm[64];
    if (strchr(tests, 'r')) {
        snprintf(nm, 64, "region_read%d", width); GUARD(nm, bench_rw(false, region, off, width, N, nm));
        if (w) { snprintf(nm, 64, "region_write%d", width); GUARD(nm, bench_rw(true, region, off, width, N, nm)); }
    }
    if (strchr(tests, 'p')) {
        GUARD("pipelined_read_8", bench_pipe(false, region, off, width, N, 8)); GUARD("pipelined_read_64", bench_pipe(false, region, off, width, N, 64));
        if (w) GUARD("pipelined_write_64", bench_pipe(true, region, off, width, N, 64));
    }
    if (strchr(tests, 'w') && w) GUARD("posted_write", bench_posted(region, off, width, N, 256));
    if ((unsigned)bulk < nreg)
        for (const char *volatile s = kib; *s;) {
            char *q; volatile uint32_t b = strtoul(s, &q, 0) << 10; volatile long n = b ? N / 10 * 4096 / b + 200 : 0;
            s = *q ? q + 1 : q; if (n > N) n = N;
            if (!b || rsize[bulk] < b || b > max_xfer) continue;
            if (strchr(tests, 'b')) { snprintf(nm, 64, "region_read_%uk", b >> 10); GUARD(nm, bench_rw(false, bulk, 0, b, n, nm)); }
            if (strchr(tests, 'B') && w) { snprintf(nm, 64, "region_write_%uk", b >> 10); GUARD(nm, bench_rw(true, bulk, 0, b, n, nm)); }
        }
    for (const char *s = ex; *s;) { char *q; volatile long k = strtol(s, &q, 0); const char *volatile nx = *q ? q + 1 : q;
        if (strchr(tests, 'd')) { snprintf(nm, 64, "dma_existing_%ld", k); GUARD(nm, bench_dma(k, size, ND)); }
        s = nx; }
    for (const char *s = ex; *s;) { char *q; volatile long k = strtol(s, &q, 0); const char *volatile nx = *q ? q + 1 : q;
        if (strchr(tests, 't') && dev && k > 0) { snprintf(nm, 64, "translate_%ld", k); GUARD(nm, bench_translate(k, size)); }
        s = nx; }
    if (strchr(tests, 'm') && dev && !twin) { GUARD("dma_message_64", bench_dmamsg(64)); GUARD("dma_message_4096", bench_dmamsg(4096)); }
    if (strchr(tests, 'i') && (unsigned)irq < nirq && icount[irq]) GUARD("irq", bench_irq(irq, N / 2 ? N / 2 : 1, dev));
    return 0;
}
