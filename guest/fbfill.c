/*
 * Fills the fbdev /dev/fbN with a pattern that a test can compute (pattern.h), through mmap, or write with --write.
 * Linux 6.12, whatever the device: once a fbdev of virtio_gpu has been mapped, unbinding the driver never returns
 * (fb_deferred_io clears page->mapping and shmem_undo_range then loops). Use --write in a guest that will unbind.
 */
#include "pattern.h"
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "fb", 1, 0, 'b' }, { "pattern", 1, 0, 'p' }, { "seed", 1, 0, 's' }, { "frames", 1, 0, 'n' },
		{ "write", 0, 0, 'w' }, { 0 },
	};
	int n = 0, pattern = GRADIENT, by_write = 0, option, fd;
	uint32_t seed = 1, frames = 0;
	struct fb_var_screeninfo var;
	struct fb_fix_screeninfo fix;
	struct picture p;
	char path[32];
	void *map;

	setlinebuf(stdout);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'b': n = atoi(optarg); break;
		case 'p': pattern = pattern_named(optarg); break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 'n': frames = atoi(optarg); break;
		case 'w': by_write = 1; break;
		default: pattern = -1;
		}
	}
	if (pattern < 0 || optind != argc)
		die("usage: fbfill [--fb N] [--pattern NAME] [--seed S] [--frames N | --write]\n"
		    "patterns: gradient checker noise text solid");

	snprintf(path, sizeof path, "/dev/fb%d", n);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &var) || ioctl(fd, FBIOGET_FSCREENINFO, &fix))
		die("%s: %s", path, strerror(errno));
	if (var.bits_per_pixel != 32)
		die("%s: %u bits per pixel, only 32 is known", path, var.bits_per_pixel);
	p = (struct picture){ .pattern = pattern, .w = var.xres, .h = var.yres, .seed = seed };
	struct rect all = { 0, 0, p.w, p.h };
	size_t size = (size_t)fix.line_length * p.h;

	if (by_write) {
		void *drawn = calloc(1, size);

		pattern_draw(&p, all, drawn, fix.line_length);
		if (pwrite(fd, drawn, size, 0) != (ssize_t)size)
			die("%s: write: %s", path, strerror(errno));
		goto done;
	}
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		die("%s: mmap: %s", path, strerror(errno));

	if (frames) {
		void *drawn[2] = { malloc(size), malloc(size) };
		double begun, took;

		for (int i = 0; i < 2; i++) {
			p.frame = i;
			pattern_draw(&p, all, drawn[i], fix.line_length);
		}
		begun = seconds();
		for (uint32_t i = 0; i < frames; i++)
			memcpy(map, drawn[(frames - 1 - i) & 1], size);
		took = seconds() - begun;
		printf("fps %.2f frames %u seconds %.3f\n", frames / took, frames, took);
		p.frame = 0;
	} else {
		pattern_draw(&p, all, map, fix.line_length);
	}
done:
	printf("filled %ux%u stride %u %s %u %s\n", p.w, p.h, fix.line_length, pattern_names[pattern], seed, fix.id);
	return 0;
}
