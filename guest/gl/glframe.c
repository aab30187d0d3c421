/*
 * Draws one frame with OpenGL ES 3.0, without any screen, and says what it came to: the renderer, and a hash (FNV-1a,
 * 32 bits) of the picture's bytes R, G, B, row by row from y = 0. The same picture goes to a file as PPM with --out.
 *
 *   exact   what any right OpenGL draws, to the last bit, and what pattern.h computes: the noise pattern, a texture that is
 *           read texel by texel, and over it --rects rectangles that a shader computes. They are drawn front to back, so
 *           that only the depth test puts them in their order.
 *   lit     a torus in perspective with light on every pixel and a mipmapped texture, and a translucent one over it:
 *           what may differ by a bit between two drivers.
 */
#include "../pattern.h"
#include "mesh.h"
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

static uint32_t width = 160, height = 120, seed = 1, rects = 24;

static void begin(void)
{
	static const EGLint any[] = { EGL_SURFACE_TYPE, 0, EGL_RENDERABLE_TYPE, EGL_OPENGL_ES3_BIT, EGL_NONE };
	static const EGLint es3[] = { EGL_CONTEXT_MAJOR_VERSION, 3, EGL_NONE };
	EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
	EGLContext context;
	EGLConfig config;
	EGLint n;

	if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API) ||
	    !eglChooseConfig(display, any, &config, 1, &n) || n == 0 ||
	    !(context = eglCreateContext(display, config, EGL_NO_CONTEXT, es3)) ||
	    !eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context))
		die("no OpenGL ES 3.0 without a screen: EGL error 0x%x", eglGetError());
	printf("renderer %s\n", glGetString(GL_RENDERER));
}

/* A picture with depth, which everything is drawn to; its first row is y = 0. */
static void begin_picture(void)
{
	GLuint framebuffer, colour, depth;

	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
	glGenTextures(1, &colour);
	glBindTexture(GL_TEXTURE_2D, colour);
	glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, width, height);
	glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, colour, 0);
	glGenRenderbuffers(1, &depth);
	glBindRenderbuffer(GL_RENDERBUFFER, depth);
	glRenderbufferStorage(GL_RENDERBUFFER, GL_DEPTH_COMPONENT24, width, height);
	glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_RENDERBUFFER, depth);
	if (glCheckFramebufferStatus(GL_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE)
		die("a picture of %ux%u can't be drawn to", width, height);
	glViewport(0, 0, width, height);
	glDisable(GL_DITHER);
	glEnable(GL_DEPTH_TEST);
	glClearColor(0.25f, 0.25f, 0.25f, 1);
	glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
}

static GLuint shader(GLenum type, const char *text)
{
	GLuint it = glCreateShader(type);
	char log[1024];
	GLint well;

	glShaderSource(it, 1, &text, NULL);
	glCompileShader(it);
	glGetShaderiv(it, GL_COMPILE_STATUS, &well);
	if (!well) {
		glGetShaderInfoLog(it, sizeof log, NULL, log);
		die("a shader does not compile: %s", log);
	}
	return it;
}

static GLuint use(const char *vertex, const char *fragment)
{
	GLuint program = glCreateProgram();
	GLint well;

	glAttachShader(program, shader(GL_VERTEX_SHADER, vertex));
	glAttachShader(program, shader(GL_FRAGMENT_SHADER, fragment));
	glLinkProgram(program);
	glGetProgramiv(program, GL_LINK_STATUS, &well);
	if (!well)
		die("a program does not link");
	glUseProgram(program);
	return program;
}

static void texture(uint32_t w, uint32_t h, int levels, const void *rgba)
{
	GLuint it;

	glGenTextures(1, &it);
	glBindTexture(GL_TEXTURE_2D, it);
	glTexStorage2D(GL_TEXTURE_2D, levels, GL_RGBA8, w, h);
	glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, w, h, GL_RGBA, GL_UNSIGNED_BYTE, rgba);
}

/* The rectangle is a uniform; the vertices are its corners, by their number. */
static const char corner[] =
	"#version 300 es\n"
	"precision highp float;\n"
	"uniform vec4 rect;\n"  /* left, top, right, bottom: pixels */
	"uniform vec3 space;\n" /* width, height, depth from -1 (near) */
	"void main() {\n"
	"	vec2 at = vec2((gl_VertexID & 1) == 0 ? rect.x : rect.z, (gl_VertexID & 2) == 0 ? rect.y : rect.w);\n"
	"	gl_Position = vec4(at / space.xy * 2.0 - 1.0, space.z, 1.0);\n"
	"}\n";

static void draw_rect(GLuint program, struct rect r, float depth)
{
	glUniform4f(glGetUniformLocation(program, "rect"), r.x, r.y, r.x + r.w, r.y + r.h);
	glUniform3f(glGetUniformLocation(program, "space"), width, height, depth);
	glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

static void draw_exact(void)
{
	static const char texel[] =
		"#version 300 es\n"
		"precision highp float;\n"
		"uniform highp sampler2D background;\n"
		"out vec4 colour;\n"
		"void main() { colour = texelFetch(background, ivec2(gl_FragCoord.xy), 0); }\n";
	static const char noise[] =
		"#version 300 es\n"
		"precision highp float;\n"
		"precision highp int;\n"
		"uniform uint seed;\n"
		"out vec4 colour;\n"
		"void main() {\n"
		"	uvec2 at = uvec2(gl_FragCoord.xy);\n"
		"	uint v = at.y * 65536u + at.x + seed * 0x9E3779B9u;\n"
		"	v = v == 0u ? 0x6D2B79F5u : v;\n"
		"	for (int i = 0; i < 2; i++) {\n"
		"		v ^= v << 13;\n"
		"		v ^= v >> 17;\n"
		"		v ^= v << 5;\n"
		"	}\n"
		"	colour = vec4(uvec4(v >> 16, v >> 8, v, 255u) & 255u) / 255.0;\n"
		"}\n";
	struct picture p = { .pattern = NOISE, .w = width, .h = height, .seed = seed };
	uint8_t *rgba = malloc((size_t)width * height * 4);
	GLuint program;

	for (uint32_t i = 0; i < width * height; i++) {
		uint32_t pixel = pattern_pixel(&p, i % width, i / width);

		rgba[i * 4] = pixel >> 16;
		rgba[i * 4 + 1] = pixel >> 8;
		rgba[i * 4 + 2] = pixel;
		rgba[i * 4 + 3] = 255;
	}
	texture(width, height, 1, rgba);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
	free(rgba);

	program = use(corner, noise);
	for (uint32_t k = rects; k-- > 0;) {
		glUniform1ui(glGetUniformLocation(program, "seed"), seed + k + 1);
		draw_rect(program, pattern_rect(width, height, seed, k), 0.5f - (k + 1.0f) / (rects + 1.0f));
	}
	draw_rect(use(corner, texel), (struct rect) { 0, 0, width, height }, 0.75f);
}

static void draw_lit(void)
{
	static const char turned[] =
		"#version 300 es\n"
		"precision highp float;\n"
		"layout(location = 0) in vec3 position;\n"
		"layout(location = 1) in vec3 normal;\n"
		"layout(location = 2) in vec2 round;\n"
		"uniform vec4 place;\n" /* x, y, z, angle */
		"uniform float aspect;\n"
		"out vec3 facing, seen;\n"
		"out vec2 at;\n"
		"void main() {\n"
		"	float c = cos(place.w), s = sin(place.w);\n"
		"	mat3 turn = mat3(c, s, 0, -s, c, 0, 0, 0, 1) * mat3(1, 0, 0, 0, c, s, 0, -s, c);\n"
		"	seen = turn * position + place.xyz;\n"
		"	facing = turn * normal;\n"
		"	at = round;\n"
		"	gl_Position = vec4(seen.x * 2.0 / aspect, seen.y * 2.0, -seen.z * 1.2 - 2.2, -seen.z);\n"
		"}\n";
	static const char lit[] =
		"#version 300 es\n"
		"precision highp float;\n"
		"uniform highp sampler2D skin;\n"
		"uniform float alpha;\n"
		"in vec3 facing, seen;\n"
		"in vec2 at;\n"
		"out vec4 colour;\n"
		"void main() {\n"
		"	vec3 n = normalize(facing), light = normalize(vec3(2, 3, 4) - seen);\n"
		"	float shine = pow(max(dot(reflect(-light, n), normalize(-seen)), 0.0), 24.0);\n"
		"	vec3 base = texture(skin, at * vec2(6, 2)).rgb;\n"
		"	colour = vec4(base * (0.15 + 0.85 * max(dot(n, light), 0.0)) + shine, alpha);\n"
		"}\n";
	static struct vertex vertices[MESH_VERTICES];
	static uint16_t indices[MESH_INDICES];
	static uint8_t rgba[64 * 64 * 4];
	struct picture p = { .pattern = CHECKER, .w = 64, .h = 64, .seed = 0x2060C0 + seed };
	GLuint program = use(turned, lit), buffers[2];

	for (uint32_t i = 0; i < 64 * 64; i++) {
		uint32_t pixel = pattern_pixel(&p, i % 64, i / 64);

		rgba[i * 4] = pixel >> 16;
		rgba[i * 4 + 1] = pixel >> 8;
		rgba[i * 4 + 2] = pixel;
		rgba[i * 4 + 3] = 255;
	}
	texture(64, 64, 7, rgba);
	glGenerateMipmap(GL_TEXTURE_2D);
	glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_LINEAR);

	mesh_torus(vertices, indices);
	glGenBuffers(2, buffers);
	glBindBuffer(GL_ARRAY_BUFFER, buffers[0]);
	glBufferData(GL_ARRAY_BUFFER, sizeof vertices, vertices, GL_STATIC_DRAW);
	glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffers[1]);
	glBufferData(GL_ELEMENT_ARRAY_BUFFER, sizeof indices, indices, GL_STATIC_DRAW);
	for (int i = 0; i < 3; i++) {
		glVertexAttribPointer(i, i < 2 ? 3 : 2, GL_FLOAT, GL_FALSE, sizeof(struct vertex), (void *)(i * 3 * sizeof(float)));
		glEnableVertexAttribArray(i);
	}

	glUniform1f(glGetUniformLocation(program, "aspect"), (float)width / height);
	glUniform1f(glGetUniformLocation(program, "alpha"), 1);
	glUniform4f(glGetUniformLocation(program, "place"), -0.3f, 0, -4, 0.8f);
	glDrawElements(GL_TRIANGLES, MESH_INDICES, GL_UNSIGNED_SHORT, NULL);
	glEnable(GL_BLEND);
	glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
	glUniform1f(glGetUniformLocation(program, "alpha"), 0.5f);
	glUniform4f(glGetUniformLocation(program, "place"), 0.5f, 0.2f, -3.2f, 2.1f);
	glDrawElements(GL_TRIANGLES, MESH_INDICES, GL_UNSIGNED_SHORT, NULL);
}

static void end_picture(const char *out)
{
	size_t pixels = (size_t)width * height;
	uint8_t *rgba = malloc(pixels * 4);
	uint32_t sum = 2166136261;
	FILE *file = NULL;
	GLenum wrong;

	glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, rgba);
	wrong = glGetError();
	if (wrong)
		die("OpenGL error 0x%x", wrong);
	if (out && (!(file = fopen(out, "w")) || fprintf(file, "P6\n%u %u\n255\n", width, height) < 0))
		die("%s can't be written", out);
	for (size_t i = 0; i < pixels * 4; i++) {
		if (i % 4 == 3)
			continue;
		sum = (sum ^ rgba[i]) * 16777619;
		if (file)
			putc(rgba[i], file);
	}
	if (file && fclose(file))
		die("%s can't be written", out);
	printf("size %ux%u\nhash %08x\n", width, height, sum);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "scene", 1, 0, 'c' }, { "size", 1, 0, 'z' }, { "seed", 1, 0, 's' }, { "rects", 1, 0, 'r' }, { "out", 1, 0, 'o' }, { 0 },
	};
	const char *scene = "exact", *out = NULL;
	int option, well = 1;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'c': scene = optarg; break;
		case 'z': well &= sscanf(optarg, "%ux%u", &width, &height) == 2; break;
		case 's': seed = strtoul(optarg, NULL, 0); break;
		case 'r': rects = strtoul(optarg, NULL, 0); break;
		case 'o': out = optarg; break;
		default: well = 0;
		}
	}
	/* A rectangle of pattern.h takes up to 64 pixels each way. */
	if (!well || optind != argc || width < 64 || height < 64 || width > 2048 || height > 2048 || (strcmp(scene, "exact") && strcmp(scene, "lit")))
		die("usage: glframe [--scene exact|lit] [--size WxH] [--seed S] [--rects K] [--out FILE]\nW and H from 64 to 2048");
	begin();
	begin_picture();
	if (!strcmp(scene, "lit"))
		draw_lit();
	else
		draw_exact();
	end_picture(out);
	return 0;
}
