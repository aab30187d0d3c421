/*
 * Draws a pattern that a test can compute (pattern.h) through virtio_gpu's own calls (virtgpu_drm.h): on a blob of
 * guest memory, or with --2d on a resource of the host that is transferred to. drmdraw's dumb buffers are one or the
 * other as the driver chooses: blobs, where the device has them.
 */
#include "kms.h"
#include "pattern.h"
#include <getopt.h>
#include <signal.h>
#include <virtgpu_drm.h>

/* As the kernel has it; libdrm-dev's virtgpu_drm.h may be older than blobs. */
#ifndef DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB
#define VIRTGPU_BLOB_MEM_GUEST 1
#define VIRTGPU_BLOB_FLAG_USE_MAPPABLE 1
#define VIRTGPU_BLOB_FLAG_USE_SHAREABLE 2
struct drm_virtgpu_resource_create_blob {
	uint32_t blob_mem, blob_flags, bo_handle, res_handle;
	uint64_t size;
	uint32_t pad, cmd_size;
	uint64_t cmd, blob_id;
};
#define DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB \
	DRM_IOWR(DRM_COMMAND_BASE + 0x0a, struct drm_virtgpu_resource_create_blob)
#endif

/* What VIRTIO_GPU_FORMAT_B8G8R8X8_UNORM and gallium's PIPE_TEXTURE_2D are. */
enum { FORMAT_XRGB8888 = 2, TARGET_2D = 2 };

static uint32_t make_blob(int fd, uint64_t size)
{
	struct drm_virtgpu_resource_create_blob blob = {
		.blob_mem = VIRTGPU_BLOB_MEM_GUEST,
		.blob_flags = VIRTGPU_BLOB_FLAG_USE_MAPPABLE | VIRTGPU_BLOB_FLAG_USE_SHAREABLE,
		.size = size,
	};

	if (drm(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE_BLOB, &blob))
		die("RESOURCE_CREATE_BLOB of %llu: %s", (unsigned long long)size, strerror(errno));
	return blob.bo_handle;
}

static uint32_t make_2d(int fd, uint32_t w, uint32_t h)
{
	struct drm_virtgpu_resource_create resource = {
		.target = TARGET_2D, .format = FORMAT_XRGB8888, .width = w, .height = h, .depth = 1, .array_size = 1,
		.size = w * h * 4,
	};

	if (drm(fd, DRM_IOCTL_VIRTGPU_RESOURCE_CREATE, &resource))
		die("RESOURCE_CREATE %ux%u: %s", w, h, strerror(errno));
	return resource.bo_handle;
}

static uint32_t make(int fd, uint32_t w, uint32_t h, int is_2d)
{
	return is_2d ? make_2d(fd, w, h) : make_blob(fd, ((uint64_t)w * h * 4 + 4095) & ~4095ull);
}

static struct buffer open_buffer(int fd, uint32_t w, uint32_t h, int is_2d)
{
	struct buffer b = { .handle = make(fd, w, h, is_2d), .w = w, .h = h, .stride = w * 4 };
	struct drm_virtgpu_map map = { .handle = b.handle };
	struct drm_mode_fb_cmd2 cmd = {
		.width = w, .height = h, .pixel_format = DRM_FORMAT_XRGB8888,
		.handles = { b.handle }, .pitches = { b.stride },
	};

	if (drm(fd, DRM_IOCTL_VIRTGPU_MAP, &map))
		die("MAP: %s", strerror(errno));
	b.pixels = mmap(NULL, (size_t)b.stride * h, PROT_READ | PROT_WRITE, MAP_SHARED, fd, map.offset);
	if (b.pixels == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (drm(fd, DRM_IOCTL_MODE_ADDFB2, &cmd))
		die("ADDFB2: %s", strerror(errno));
	b.fb = cmd.fb_id;
	return b;
}

/* Says that a rectangle has changed, and first has the device fetch it where it does not read the guest's memory. */
static void push(int fd, const struct buffer *b, struct rect r, int is_2d)
{
	struct drm_clip_rect clip = { .x1 = r.x, .y1 = r.y, .x2 = r.x + r.w, .y2 = r.y + r.h };
	struct drm_virtgpu_3d_transfer_to_host transfer = {
		.bo_handle = b->handle, .box = { .x = r.x, .y = r.y, .w = r.w, .h = r.h, .d = 1 },
		.offset = r.y * b->stride + r.x * 4,
	};

	if (is_2d && drm(fd, DRM_IOCTL_VIRTGPU_TRANSFER_TO_HOST, &transfer))
		die("TRANSFER_TO_HOST: %s", strerror(errno));
	buffer_dirty(fd, b, &clip, 1);
}

static void rects(int fd, const struct buffer *b, uint32_t seed, uint32_t count, int is_2d)
{
	for (uint32_t k = 0; k < count; k++) {
		struct picture p = { .pattern = NOISE, .w = b->w, .h = b->h, .seed = seed + k + 1 };
		struct rect r = pattern_rect(b->w, b->h, seed, k);

		pattern_draw(&p, r, b->pixels, b->stride);
		push(fd, b, r, is_2d);
	}
	printf("rects %u seed %u\n", count, seed);
}

/* As drmdraw's: frames are prepared, and the last one is frame 0. */
static void frames(int fd, const struct buffer *b, struct picture p, uint32_t count, int is_2d)
{
	struct rect all = { 0, 0, b->w, b->h };
	size_t size = (size_t)b->stride * b->h;
	void *drawn[2] = { malloc(size), malloc(size) };
	double begun, took;

	for (int i = 0; i < 2; i++) {
		p.frame = i;
		pattern_draw(&p, all, drawn[i], b->stride);
	}
	begun = seconds();
	for (uint32_t n = 0; n < count; n++) {
		memcpy(b->pixels, drawn[(count - 1 - n) & 1], size);
		push(fd, b, all, is_2d);
	}
	took = seconds() - begun;
	printf("fps %.2f frames %u seconds %.3f\n", count / took, count, took);
}

static void usage(void)
{
	die("usage: blobdraw [--card N] [--connector I] [--mode WxH] [--pattern NAME] [--seed S] [--2d] [--hoard N]\n"
	    "                [--rects K | --frames N] [--hold [--on-signal]]\n"
	    "--hoard: makes N more resources of the picture's size first and keeps them\n"
	    "--on-signal: draws the rectangles when SIGUSR1 comes\n"
	    "patterns: gradient checker noise text solid");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "card", 1, 0, 'c' }, { "connector", 1, 0, 'i' }, { "mode", 1, 0, 'm' }, { "pattern", 1, 0, 'p' },
		{ "seed", 1, 0, 's' }, { "2d", 0, 0, '2' }, { "hoard", 1, 0, 'o' }, { "rects", 1, 0, 'r' },
		{ "frames", 1, 0, 'n' }, { "hold", 0, 0, 'h' }, { "on-signal", 0, 0, 'g' }, { 0 },
	};
	int card = 0, pattern = GRADIENT, hold = 0, is_2d = 0, on_signal = 0, option, fd, number;
	unsigned int connector = 0, w = 0, h = 0, seed = 1, hoard = 0, count_rects = 0, count_frames = 0;
	struct picture p;
	struct screen s;
	struct buffer b;
	sigset_t update;

	setlinebuf(stdout);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': card = atoi(optarg); break;
		case 'i': connector = atoi(optarg); break;
		case 'm': if (sscanf(optarg, "%ux%u", &w, &h) != 2 || !w || !h || w > 16384 || h > 16384) usage(); break;
		case 'p': pattern = pattern_named(optarg); break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case '2': is_2d = 1; break;
		case 'o': hoard = atoi(optarg); break;
		case 'r': count_rects = atoi(optarg); break;
		case 'n': count_frames = atoi(optarg); break;
		case 'h': hold = 1; break;
		case 'g': on_signal = 1; break;
		default: usage();
		}
	}
	if (pattern < 0 || optind != argc)
		usage();

	sigemptyset(&update);
	sigaddset(&update, SIGUSR1);
	sigprocmask(SIG_BLOCK, &update, NULL);
	fd = card_open(card);
	if (screen_find(fd, connector, &s))
		die("card %d has no connector %u", card, connector);
	if (!w && !s.info.count_modes)
		die("connector %u has no mode; give --mode", connector);
	w = w ? w : s.modes[0].hdisplay;
	h = h ? h : s.modes[0].vdisplay;
	for (unsigned int n = 0; n < hoard; n++)
		make(fd, w, h, is_2d);
	b = open_buffer(fd, w, h, is_2d);
	p = (struct picture){ .pattern = pattern, .w = w, .h = h, .seed = seed };
	if (count_rects && (w < 64 || h < 64))
		die("--rects needs a mode of 64x64 at least");

	pattern_draw(&p, (struct rect){ 0, 0, w, h }, b.pixels, b.stride);
	screen_show(fd, &s, &b);
	push(fd, &b, (struct rect){ 0, 0, w, h }, is_2d);
	printf("drawn %ux%u %s %u\n", w, h, pattern_names[pattern], seed);
	if (on_signal && sigwait(&update, &number))
		die("sigwait failed");
	if (count_rects)
		rects(fd, &b, seed, count_rects, is_2d);
	if (count_frames)
		frames(fd, &b, p, count_frames, is_2d);

	/* The picture lives as long as the program does; then the console comes back. */
	if (hold)
		pause();
	return 0;
}
