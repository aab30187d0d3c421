/*
 * The DRM calls that the guest's programs use, over the kernel's own headers (as libdrm-dev ships them): no libdrm.
 * Errors end the program with one line and status 1.
 */
#ifndef GUEST_KMS_H
#define GUEST_KMS_H

#include <drm.h>
#include <drm_fourcc.h>
#include <drm_mode.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

struct screen {
	struct drm_mode_get_connector info;
	struct drm_mode_modeinfo modes[128];
	uint32_t props[64];
	uint64_t values[64];
	uint32_t crtc;
};

struct buffer {
	uint32_t handle, fb, w, h, stride;
	void *pixels;
};

static inline int drm(int fd, unsigned long request, void *arg)
{
	int r;

	do
		r = ioctl(fd, request, arg);
	while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r;
}

static inline double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static inline int card_open(int n)
{
	char path[32];
	int fd;

	snprintf(path, sizeof path, "/dev/dri/card%d", n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static inline struct drm_mode_card_res card_resources(int fd, uint32_t connectors[16], uint32_t crtcs[16])
{
	struct drm_mode_card_res res = { 0 };

	if (drm(fd, DRM_IOCTL_MODE_GETRESOURCES, &res) || res.count_connectors > 16 || res.count_crtcs > 16)
		die("the card has no or too many screens");
	res = (struct drm_mode_card_res){
		.connector_id_ptr = (uintptr_t)connectors, .count_connectors = res.count_connectors,
		.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = res.count_crtcs,
	};
	if (drm(fd, DRM_IOCTL_MODE_GETRESOURCES, &res))
		die("GETRESOURCES: %s", strerror(errno));
	return res;
}

/* The card's connector number n with its modes, and the CRTC of the same number (both drivers' layout). */
static inline int screen_find(int fd, unsigned int n, struct screen *s)
{
	uint32_t connectors[16], crtcs[16];
	struct drm_mode_card_res res = card_resources(fd, connectors, crtcs);

	if (n >= res.count_connectors)
		return -1;
	memset(s, 0, sizeof *s);
	s->info.connector_id = connectors[n];
	if (drm(fd, DRM_IOCTL_MODE_GETCONNECTOR, &s->info))
		die("GETCONNECTOR: %s", strerror(errno));
	if (s->info.count_modes > 128 || s->info.count_props > 64)
		die("connector %u has too many modes", n);
	s->info.modes_ptr = (uintptr_t)s->modes;
	s->info.props_ptr = (uintptr_t)s->props;
	s->info.prop_values_ptr = (uintptr_t)s->values;
	s->info.count_encoders = 0;
	if (drm(fd, DRM_IOCTL_MODE_GETCONNECTOR, &s->info))
		die("GETCONNECTOR: %s", strerror(errno));
	s->crtc = crtcs[n < res.count_crtcs ? n : 0];
	return 0;
}

/* The screen's mode of that size, or one made up, with plain blanking and 60 Hz. */
static inline struct drm_mode_modeinfo screen_mode(const struct screen *s, uint32_t w, uint32_t h)
{
	struct drm_mode_modeinfo m = {
		.hdisplay = w, .hsync_start = w + 16, .hsync_end = w + 48, .htotal = w + 160,
		.vdisplay = h, .vsync_start = h + 3, .vsync_end = h + 8, .vtotal = h + 30,
		.vrefresh = 60, .type = DRM_MODE_TYPE_USERDEF,
	};

	for (uint32_t i = 0; i < s->info.count_modes; i++)
		if (s->modes[i].hdisplay == w && s->modes[i].vdisplay == h)
			return s->modes[i];
	m.clock = (uint32_t)m.htotal * m.vtotal * 60 / 1000;
	snprintf(m.name, sizeof m.name, "%ux%u", w, h);
	return m;
}

/* A dumb buffer, mapped; with a format other than 0 also a frame buffer object. */
static inline struct buffer buffer_make(int fd, uint32_t w, uint32_t h, uint32_t format)
{
	struct drm_mode_create_dumb dumb = { .width = w, .height = h, .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	struct buffer b = { .w = w, .h = h };

	if (drm(fd, DRM_IOCTL_MODE_CREATE_DUMB, &dumb))
		die("CREATE_DUMB %ux%u: %s", w, h, strerror(errno));
	map.handle = b.handle = dumb.handle;
	b.stride = dumb.pitch;
	if (drm(fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		die("MAP_DUMB: %s", strerror(errno));
	b.pixels = mmap(NULL, dumb.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, map.offset);
	if (b.pixels == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (format) {
		struct drm_mode_fb_cmd2 cmd = {
			.width = w, .height = h, .pixel_format = format,
			.handles = { b.handle }, .pitches = { b.stride },
		};
		if (drm(fd, DRM_IOCTL_MODE_ADDFB2, &cmd))
			die("ADDFB2 %.4s: %s", (char *)&format, strerror(errno));
		b.fb = cmd.fb_id;
	}
	return b;
}

/* Shows the buffer; the console, when it has just let go, may hold the card for a moment. */
static inline void screen_show(int fd, struct screen *s, const struct buffer *b)
{
	struct drm_mode_crtc crtc = {
		.set_connectors_ptr = (uintptr_t)&s->info.connector_id, .count_connectors = 1,
		.crtc_id = s->crtc, .fb_id = b->fb, .mode_valid = 1, .mode = screen_mode(s, b->w, b->h),
	};

	if (drm(fd, DRM_IOCTL_MODE_SETCRTC, &crtc))
		die("SETCRTC %ux%u: %s", b->w, b->h, strerror(errno));
}

/* Says that rects of the buffer have changed; none means all of it. */
static inline void buffer_dirty(int fd, const struct buffer *b, struct drm_clip_rect *rects, uint32_t count)
{
	struct drm_mode_fb_dirty_cmd cmd = { .fb_id = b->fb, .num_clips = count, .clips_ptr = (uintptr_t)rects };

	if (drm(fd, DRM_IOCTL_MODE_DIRTYFB, &cmd) && errno != ENOSYS)
		die("DIRTYFB: %s", strerror(errno));
}

/* Asks for the flip and waits until it has happened. */
static inline void screen_flip(int fd, const struct screen *s, const struct buffer *b)
{
	struct drm_mode_crtc_page_flip flip = {
		.crtc_id = s->crtc, .fb_id = b->fb, .flags = DRM_MODE_PAGE_FLIP_EVENT,
	};
	char event[256];

	if (drm(fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip))
		die("PAGE_FLIP: %s", strerror(errno));
	if (read(fd, event, sizeof event) < 0)
		die("reading the flip's event: %s", strerror(errno));
}

#endif
