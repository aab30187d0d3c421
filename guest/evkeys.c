/* Says which keys and buttons of an input device are pressed, as the kernel has it (EVIOCGKEY): evkeys /dev/input/eventN */
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

int main(int argc, char **argv)
{
	unsigned char keys[KEY_MAX / 8 + 1] = { 0 };
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0 || ioctl(fd, EVIOCGKEY(sizeof keys), keys) < 0) {
		fprintf(stderr, "evkeys: %s\n", argc == 2 ? strerror(errno) : "usage: evkeys /dev/input/eventN");
		return 1;
	}
	printf("pressed");
	for (int code = 0; code <= KEY_MAX; code++)
		if (keys[code / 8] & 1 << code % 8)
			printf(" %d", code);
	printf("\n");
	return 0;
}
