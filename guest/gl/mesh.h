/* A torus of triangles: its positions, normals and places in a texture that goes round both ways. */
#ifndef MESH_H
#define MESH_H

#include <math.h>
#include <stdint.h>

enum { MESH_ROUND = 48, MESH_TUBE = 24, MESH_VERTICES = (MESH_ROUND + 1) * (MESH_TUBE + 1), MESH_INDICES = MESH_ROUND * MESH_TUBE * 6 };

struct vertex {
	float position[3], normal[3], at[2];
};

static inline void mesh_torus(struct vertex *vertices, uint16_t *indices)
{
	for (int i = 0; i <= MESH_ROUND; i++) {
		for (int j = 0; j <= MESH_TUBE; j++) {
			double a = 2 * 3.14159265358979 * i / MESH_ROUND, b = 2 * 3.14159265358979 * j / MESH_TUBE;

			*vertices++ = (struct vertex) {
				.position = { cos(a) * (1 + 0.4 * cos(b)), sin(a) * (1 + 0.4 * cos(b)), 0.4 * sin(b) },
				.normal = { cos(a) * cos(b), sin(a) * cos(b), sin(b) },
				.at = { (float)i / MESH_ROUND, (float)j / MESH_TUBE },
			};
		}
	}
	for (int i = 0; i < MESH_ROUND; i++) {
		for (int j = 0; j < MESH_TUBE; j++) {
			uint16_t here = i * (MESH_TUBE + 1) + j, next = here + MESH_TUBE + 1;
			uint16_t six[] = { here, next, here + 1, here + 1, next, next + 1 };

			for (int k = 0; k < 6; k++)
				*indices++ = six[k];
		}
	}
}

#endif
