/* Draws a pattern that a test can compute (pattern.h) on a DRM screen: stills, rectangles, frames, a cursor. */
#define _GNU_SOURCE
#include "kms.h"
#include "pattern.h"
#include <getopt.h>
#include <linux/netlink.h>
#include <signal.h>
#include <sys/socket.h>

static void list(int fd)
{
	static const char *const states[] = { "?", "connected", "disconnected", "unknown" };
	struct screen s;

	for (unsigned int n = 0; screen_find(fd, n, &s) == 0; n++) {
		printf("connector %u id %u %s modes %u\n", n, s.info.connector_id, states[s.info.connection & 3],
		       s.info.count_modes);
		for (uint32_t i = 0; i < s.info.count_modes; i++)
			printf("  mode %ux%u@%u%s\n", s.modes[i].hdisplay, s.modes[i].vdisplay, s.modes[i].vrefresh,
			       s.modes[i].type & DRM_MODE_TYPE_PREFERRED ? " preferred" : "");
		for (uint32_t i = 0; i < s.info.count_props; i++) {
			struct drm_mode_get_property prop = { .prop_id = s.props[i] };
			uint8_t edid[4096];
			struct drm_mode_get_blob blob = { .data = (uintptr_t)edid };

			if (drm(fd, DRM_IOCTL_MODE_GETPROPERTY, &prop) || strcmp(prop.name, "EDID") || !s.values[i])
				continue;
			blob.blob_id = s.values[i];
			if (drm(fd, DRM_IOCTL_MODE_GETPROPBLOB, &blob) || blob.length < 128 || blob.length > sizeof edid)
				continue;
			if (drm(fd, DRM_IOCTL_MODE_GETPROPBLOB, &blob))
				continue;
			printf("  edid %u ", blob.length);
			for (int j = 0; j < 16; j++)
				printf("%02x", edid[j]);
			printf("\n");
			for (int d = 54; d < 126; d += 18)
				if (!edid[d] && !edid[d + 1] && edid[d + 3] == 0xFC)
					printf("  name %.*s\n", (int)strcspn((char *)edid + d + 5, "\n") % 14, edid + d + 5);
		}
	}
}

static void cursor(int fd, const struct screen *s, const char *file, int x, int y, int hot_x, int hot_y)
{
	struct buffer b = buffer_make(fd, 64, 64, 0);
	struct drm_mode_cursor2 c = {
		.flags = DRM_MODE_CURSOR_BO | DRM_MODE_CURSOR_MOVE, .crtc_id = s->crtc, .x = x, .y = y,
		.width = 64, .height = 64, .handle = b.handle, .hot_x = hot_x, .hot_y = hot_y,
	};

	if (strcmp(file, "builtin")) {
		FILE *f = fopen(file, "rb");

		if (!f || fread(b.pixels, 4, 64 * 64, f) != 64 * 64)
			die("%s: not 64 x 64 pixels of 4 bytes (blue, green, red, alpha)", file);
		fclose(f);
	} else {
		/* An arrow: the lower left triangle of 24 rows, white with a black rim; the rest is clear. */
		memset(b.pixels, 0, 64 * 64 * 4);
		for (int j = 0; j < 24; j++)
			for (int i = 0; i <= j; i++)
				((uint32_t *)b.pixels)[j * 64 + i] =
					i == 0 || i == j || j == 23 ? 0xFF000000 : 0xFFFFFFFF;
	}
	if (drm(fd, DRM_IOCTL_MODE_CURSOR2, &c))
		die("CURSOR2: %s", strerror(errno));
	printf("cursor %s at %d,%d hotspot %d,%d\n", file, x, y, hot_x, hot_y);
}

static void cursor_move(int fd, const struct screen *s, int x, int y)
{
	struct drm_mode_cursor2 c = { .flags = DRM_MODE_CURSOR_MOVE, .crtc_id = s->crtc, .x = x, .y = y };

	if (drm(fd, DRM_IOCTL_MODE_CURSOR2, &c))
		die("CURSOR2 to %d,%d: %s", x, y, strerror(errno));
	printf("cursor moved to %d,%d\n", x, y);
}

/* The pattern on every connected screen but the first, in its first mode: seed S + n on connector n. */
static void others(int fd, struct picture p)
{
	uint32_t seed = p.seed;
	struct screen s;

	for (unsigned int n = 1; screen_find(fd, n, &s) == 0; n++) {
		struct buffer b;

		if (s.info.connection != 1 || !s.info.count_modes)
			continue;
		b = buffer_make(fd, s.modes[0].hdisplay, s.modes[0].vdisplay, DRM_FORMAT_XRGB8888);
		p.w = b.w;
		p.h = b.h;
		p.seed = seed + n;
		pattern_draw(&p, (struct rect){ 0, 0, b.w, b.h }, b.pixels, b.stride);
		screen_show(fd, &s, &b);
		buffer_dirty(fd, &b, NULL, 0);
		printf("connector %u shows %ux%u %u\n", n, b.w, b.h, p.seed);
	}
}

static void rects(int fd, const struct buffer *b, uint32_t seed, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++) {
		struct picture p = { .pattern = NOISE, .w = b->w, .h = b->h, .seed = seed + k + 1 };
		struct rect r = pattern_rect(b->w, b->h, seed, k);
		struct drm_clip_rect clip = { .x1 = r.x, .y1 = r.y, .x2 = r.x + r.w, .y2 = r.y + r.h };

		pattern_draw(&p, r, b->pixels, b->stride);
		buffer_dirty(fd, b, &clip, 1);
	}
	printf("rects %u seed %u\n", count, seed);
}

/* What costs is the way to the screen, so frames are prepared: drawing is not what is measured. */
static void frames(int fd, struct screen *s, struct buffer *b, struct picture p, uint32_t count, int flip,
		   uint32_t format)
{
	struct buffer ring[2] = { *b, flip ? buffer_make(fd, b->w, b->h, format) : *b };
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
		struct buffer *to = &ring[(n + 1) & 1];

		/* The last frame is always frame 0, so that what stays is known. */
		memcpy(to->pixels, drawn[(count - 1 - n) & 1], size);
		if (flip)
			screen_flip(fd, s, to);
		else
			buffer_dirty(fd, to, NULL, 0);
	}
	took = seconds() - begun;
	printf("fps %.2f frames %u seconds %.3f\n", count / took, count, took);
}

static int uevents_open(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (struct sockaddr *)&kernel, sizeof kernel))
		die("uevents: %s", strerror(errno));
	return fd;
}

/* As a desktop that follows its monitor: after each hot-plug event the mode that the monitor prefers then, for ever. */
static void follow(int fd, int uevents, unsigned int connector, struct picture p, uint32_t format)
{
	char event[8192];

	for (;;) {
		ssize_t length = recv(uevents, event, sizeof event, 0);
		struct screen s;
		struct buffer b;

		/* Lines that end in NUL; ENOBUFS says that some were lost, which may have been ours. */
		if (length >= 0 && !memmem(event, length, "HOTPLUG=1", 10))
			continue;
		if (length < 0 && errno != ENOBUFS)
			die("uevents: %s", strerror(errno));
		if (screen_find(fd, connector, &s) || !s.info.count_modes ||
		    (s.modes[0].hdisplay == p.w && s.modes[0].vdisplay == p.h))
			continue;
		b = buffer_make(fd, s.modes[0].hdisplay, s.modes[0].vdisplay, format);
		p.w = b.w;
		p.h = b.h;
		pattern_draw(&p, (struct rect){ 0, 0, b.w, b.h }, b.pixels, b.stride);
		screen_show(fd, &s, &b);
		buffer_dirty(fd, &b, NULL, 0);
		printf("followed to %ux%u\n", b.w, b.h);
	}
}

static void usage(void)
{
	die("usage: drmdraw [--card N] [--connector I] --modes\n"
	    "       drmdraw [--card N] [--connector I] [--mode WxH] [--pattern NAME] [--seed S] [--format xr24|ar24]\n"
	    "               [--rects K [--on-signal] | --frames N [--flip]] [--all] [--hold | --follow]\n"
	    "               [--cursor FILE|builtin [--cursor-at X,Y] [--hotspot X,Y] [--cursor-move X,Y]...]\n"
	    "--all: on every other connected screen too, in its own mode and with seed S + its number\n"
	    "--on-signal: draws the rectangles when SIGUSR1 comes\n"
	    "--follow: holds it, and takes the mode that the monitor prefers whenever that changes\n"
	    "patterns: gradient checker noise text solid");
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "card", 1, 0, 'c' }, { "connector", 1, 0, 'i' }, { "mode", 1, 0, 'm' }, { "pattern", 1, 0, 'p' },
		{ "seed", 1, 0, 's' }, { "format", 1, 0, 'f' }, { "rects", 1, 0, 'r' }, { "frames", 1, 0, 'n' },
		{ "flip", 0, 0, 'F' }, { "cursor", 1, 0, 'u' }, { "cursor-at", 1, 0, 'a' }, { "hotspot", 1, 0, 'o' },
		{ "modes", 0, 0, 'l' }, { "hold", 0, 0, 'h' }, { "all", 0, 0, 'A' }, { "cursor-move", 1, 0, 'M' },
		{ "on-signal", 0, 0, 'g' }, { "follow", 0, 0, 'w' }, { 0 },
	};
	int card = 0, pattern = GRADIENT, modes = 0, hold = 0, flip = 0, all = 0, on_signal = 0, option, fd, number;
	int uevents = -1;
	int moves[16][2], count_moves = 0;
	int x = 0, y = 0, hot_x = 0, hot_y = 0;
	unsigned int connector = 0, w = 0, h = 0, seed = 1, count_rects = 0, count_frames = 0;
	uint32_t format = DRM_FORMAT_XRGB8888;
	const char *pointer = NULL;
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
		case 'f':
			if (strlen(optarg) != 4)
				usage();
			format = fourcc_code(optarg[0] & ~32, optarg[1] & ~32, optarg[2], optarg[3]);
			break;
		case 'r': count_rects = atoi(optarg); break;
		case 'n': count_frames = atoi(optarg); break;
		case 'F': flip = 1; break;
		case 'u': pointer = optarg; break;
		case 'a': if (sscanf(optarg, "%d,%d", &x, &y) != 2) usage(); break;
		case 'o': if (sscanf(optarg, "%d,%d", &hot_x, &hot_y) != 2) usage(); break;
		case 'l': modes = 1; break;
		case 'A': all = 1; break;
		case 'g': on_signal = 1; break;
		case 'M':
			if (count_moves == 16 ||
			    sscanf(optarg, "%d,%d", &moves[count_moves][0], &moves[count_moves][1]) != 2)
				usage();
			count_moves++;
			break;
		case 'h': hold = 1; break;
		case 'w': uevents = uevents_open(); break;
		default: usage();
		}
	}
	if (pattern < 0 || optind != argc)
		usage();

	sigemptyset(&update);
	sigaddset(&update, SIGUSR1);
	sigprocmask(SIG_BLOCK, &update, NULL);
	fd = card_open(card);
	if (modes) {
		list(fd);
		return 0;
	}
	if (screen_find(fd, connector, &s))
		die("card %d has no connector %u", card, connector);
	if (!w && !s.info.count_modes)
		die("connector %u has no mode; give --mode", connector);
	b = buffer_make(fd, w ? w : s.modes[0].hdisplay, h ? h : s.modes[0].vdisplay, format);
	p = (struct picture){ .pattern = pattern, .w = b.w, .h = b.h, .seed = seed };
	if (count_rects && (b.w < 64 || b.h < 64))
		die("--rects needs a mode of 64x64 at least");

	pattern_draw(&p, (struct rect){ 0, 0, b.w, b.h }, b.pixels, b.stride);
	screen_show(fd, &s, &b);
	buffer_dirty(fd, &b, NULL, 0);
	if (all)
		others(fd, p);
	if (on_signal) {
		printf("drawn %ux%u %s %u\n", b.w, b.h, pattern_names[pattern], seed);
		if (sigwait(&update, &number))
			die("sigwait failed");
	}
	if (count_rects)
		rects(fd, &b, seed, count_rects);
	if (count_frames)
		frames(fd, &s, &b, p, count_frames, flip, format);
	if (pointer)
		cursor(fd, &s, pointer, x, y, hot_x, hot_y);
	for (int i = 0; i < count_moves; i++)
		cursor_move(fd, &s, moves[i][0], moves[i][1]);
	if (!on_signal)
		printf("drawn %ux%u %s %u\n", b.w, b.h, pattern_names[pattern], seed);

	if (uevents >= 0)
		follow(fd, uevents, connector, p, format);

	/* The picture lives as long as the program does; then the console comes back. */
	if (hold)
		pause();
	return 0;
}
