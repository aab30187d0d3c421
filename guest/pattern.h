/*
 * Patterns that both ends compute: the guest draws them, a test outside computes the same pixels and compares.
 *
 * A pixel is 0xRRGGBB. All arithmetic is on unsigned 32-bit integers that wrap; >> is a logical shift, / truncates.
 * W and H are the picture's size, x and y count from 0 at the top left, S is the seed, and F is the frame
 * (0 for a still picture). Every pattern depends only on these; no pixel depends on another.
 *
 *   gradient   X = x + F * 8, Y = y + F * 4
 *              R = (X * 255 / W + S) & 255,  G = (Y * 255 / H + (S >> 8)) & 255,  B = ((X + Y) ^ (S >> 16)) & 255
 *   checker    ((((x + F * 4) / 16) ^ (y / 16)) & 1) ? 0xFFFFFF ^ (S & 0xFFFFFF) : S & 0xFFFFFF
 *   noise      v = hash(y * 65536 + x + S * 0x9E3779B9 + F * 0x85EBCA6B) & 0xFFFFFF
 *   text       cells of 8 x 16: cx = x / 8, cy = y / 16 + F, g = hash(cy * 65536 + cx + S * 0x9E3779B9);
 *              blank, when (g & 7) == 0 or x % 8 == 7 or y % 16 >= 13 : 0x101418;
 *              else ink where (g >> ((x % 8) * 3 + (y % 16) / 2)) & 1 : 0xD0D0D0, and 0x101418 where not
 *   solid      (S + F * 0x010203) & 0xFFFFFF
 *
 *   hash(v)    xorshift32, twice, of v (of 0x6D2B79F5 when v is 0):
 *              v ^= v << 13; v ^= v >> 17; v ^= v << 5; and again
 *
 * A rectangle of --rects number k (from 0), for a picture of W x H with seed S, holds the noise pattern with seed
 * S + k + 1 at the rectangle's own absolute x and y, frame 0:
 *   r = hash(S + k * 4 + 1), hash(S + k * 4 + 2), hash(S + k * 4 + 3), hash(S + k * 4 + 4)
 *   w = r0 % 64 + 1, h = r1 % 64 + 1, x = r2 % (W - w + 1), y = r3 % (H - h + 1)
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>
#include <string.h>

enum pattern { GRADIENT, CHECKER, NOISE, TEXT, SOLID, PATTERNS };

static const char *const pattern_names[PATTERNS] = { "gradient", "checker", "noise", "text", "solid" };

struct picture {
	enum pattern pattern;
	uint32_t w, h, seed, frame;
};

struct rect {
	uint32_t x, y, w, h;
};

static inline int pattern_named(const char *name)
{
	for (int i = 0; i < PATTERNS; i++)
		if (!strcmp(name, pattern_names[i]))
			return i;
	return -1;
}

static inline uint32_t hash(uint32_t v)
{
	if (v == 0)
		v = 0x6D2B79F5;
	for (int i = 0; i < 2; i++) {
		v ^= v << 13;
		v ^= v >> 17;
		v ^= v << 5;
	}
	return v;
}

static inline uint32_t pattern_pixel(const struct picture *p, uint32_t x, uint32_t y)
{
	const uint32_t ink = 0xD0D0D0, paper = 0x101418;
	uint32_t s = p->seed, f = p->frame, g;

	switch (p->pattern) {
	case GRADIENT:
		x += f * 8;
		y += f * 4;
		return ((x * 255 / p->w + s) & 255) << 16 | ((y * 255 / p->h + (s >> 8)) & 255) << 8 |
		       (((x + y) ^ (s >> 16)) & 255);
	case CHECKER:
		return ((((x + f * 4) / 16) ^ (y / 16)) & 1 ? 0xFFFFFF ^ s : s) & 0xFFFFFF;
	case NOISE:
		return hash(y * 65536 + x + s * 0x9E3779B9 + f * 0x85EBCA6B) & 0xFFFFFF;
	case TEXT:
		g = hash((y / 16 + f) * 65536 + x / 8 + s * 0x9E3779B9);
		if ((g & 7) == 0 || x % 8 == 7 || y % 16 >= 13)
			return paper;
		return (g >> ((x % 8) * 3 + (y % 16) / 2)) & 1 ? ink : paper;
	default:
		return (s + f * 0x010203) & 0xFFFFFF;
	}
}

static inline struct rect pattern_rect(uint32_t w, uint32_t h, uint32_t seed, uint32_t k)
{
	struct rect r = { .w = hash(seed + k * 4 + 1) % 64 + 1, .h = hash(seed + k * 4 + 2) % 64 + 1 };

	r.x = hash(seed + k * 4 + 3) % (w - r.w + 1);
	r.y = hash(seed + k * 4 + 4) % (h - r.h + 1);
	return r;
}

/* Draws the part of the picture within r into a 32-bit surface, with the X or alpha byte set. */
static inline void pattern_draw(const struct picture *p, struct rect r, void *pixels, uint32_t stride)
{
	for (uint32_t y = r.y; y < r.y + r.h; y++) {
		uint32_t *row = (uint32_t *)((char *)pixels + (size_t)y * stride);

		for (uint32_t x = r.x; x < r.x + r.w; x++)
			row[x] = 0xFF000000 | pattern_pixel(p, x, y);
	}
}

#endif
