/*
 * Drives the edu device from user space, by its register map (QEMU's docs/specs/edu.rst): the registers through sysfs,
 * DMA with addresses from /proc/self/pagemap, interrupts through uio_pci_generic (Linux, Documentation/driver-api/
 * uio-howto.rst). Prints a line for each thing that worked, and ends with status 1 at the first that did not.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define die(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

enum { IDENTIFICATION = 0x00, LIVENESS = 0x04, FACTORIAL = 0x08, STATUS = 0x20, INTERRUPT_STATUS = 0x24,
       INTERRUPT_RAISE = 0x60, INTERRUPT_ACKNOWLEDGE = 0x64, SOURCE = 0x80, DESTINATION = 0x88, COUNT = 0x90, COMMAND = 0x98 };
enum { COMPUTING = 0x01, INTERRUPT_WHEN_COMPUTED = 0x80, START = 1, TO_MEMORY = 2, INTERRUPT_WHEN_DONE = 4 };
enum { PCI_COMMAND = 0x04, PCI_COMMAND_MEMORY = 0x2, PCI_COMMAND_MASTER = 0x4, PCI_COMMAND_INTX_DISABLE = 0x400 };
#define BUFFER 0x40000u
#define PAGE 4096

static volatile uint8_t *registers;
static int config;

static uint32_t get(int at) { return *(volatile uint32_t *)(registers + at); }
static void set(int at, uint32_t value) { *(volatile uint32_t *)(registers + at) = value; }
static uint64_t get64(int at) { return *(volatile uint64_t *)(registers + at); }
static void set64(int at, uint64_t value) { *(volatile uint64_t *)(registers + at) = value; }

static void wait_until_clear(int at, uint32_t bit)
{
	time_t deadline = time(NULL) + 20;

	while (get(at) & bit)
		if (time(NULL) > deadline)
			die("register 0x%x keeps bit 0x%x", at, bit);
}

static int open_in(const char *folder, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void put_in(const char *folder, const char *name, const char *text)
{
	int fd = open_in(folder, name, O_WRONLY);

	if (write(fd, text, strlen(text)) < 0)
		die("%s/%s: %s", folder, name, strerror(errno));
	close(fd);
}

static int holds(const char *folder, const char *name, const char *text)
{
	char read_text[32] = "";
	int fd = open_in(folder, name, O_RDONLY);

	if (read(fd, read_text, sizeof read_text - 1) < 0)
		die("%s/%s: %s", folder, name, strerror(errno));
	close(fd);
	return strncmp(read_text, text, strlen(text)) == 0;
}

static const char *find(void)
{
	static glob_t found;

	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (holds(found.gl_pathv[i], "vendor", "0x1234") && holds(found.gl_pathv[i], "device", "0x11e8"))
			return found.gl_pathv[i];
	die("no edu device");
}

static void change_command(uint16_t set_bits, uint16_t clear_bits)
{
	uint16_t command;

	if (pread(config, &command, 2, PCI_COMMAND) != 2)
		die("config: %s", strerror(errno));
	command = (command | set_bits) & ~clear_bits;
	if (pwrite(config, &command, 2, PCI_COMMAND) != 2)
		die("config: %s", strerror(errno));
}

/* Where the memory is for a device, while it is locked and nothing moves it. */
static uint64_t physical(const void *memory)
{
	uint64_t entry;
	int fd = open_in("/proc/self", "pagemap", O_RDONLY);

	if (pread(fd, &entry, 8, (uintptr_t)memory / PAGE * 8) != 8 || !(entry >> 63) || !(entry & 0x7fffffffffffff))
		die("pagemap says nothing of %p", memory);
	close(fd);
	return (entry & 0x7fffffffffffff) * PAGE + (uintptr_t)memory % PAGE;
}

static void transfer(uint64_t from, uint64_t to, uint64_t count, uint32_t flags)
{
	set64(SOURCE, from);
	set64(DESTINATION, to);
	set64(COUNT, count);
	if (get64(SOURCE) != from || get64(DESTINATION) != to || get64(COUNT) != count)
		die("the DMA registers do not keep what they are given");
	set64(COMMAND, START | flags);
	wait_until_clear(COMMAND, START);
}

static void check_computing(void)
{
	uint32_t id = get(IDENTIFICATION), inverted;

	if ((id & 0xffff) != 0x00ed)
		die("identification 0x%08x", id);
	printf("identification 0x%08x\n", id);
	set(LIVENESS, 0x12345678);
	inverted = get(LIVENESS);
	if (inverted != ~0x12345678u)
		die("the inverse of 0x12345678 is not 0x%08x", inverted);
	printf("inversion 0x%08x\n", inverted);
	set(FACTORIAL, 10);
	wait_until_clear(STATUS, COMPUTING);
	printf("factorial %u\n", get(FACTORIAL));
}

static void check_dma(void)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	uint64_t address;

	if (page == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	for (int i = 0; i < PAGE / 2; i++)
		page[i] = i * 7 + (i >> 8);
	address = physical(page);

	change_command(0, PCI_COMMAND_MASTER);
	transfer(address, BUFFER, PAGE / 2, 0);
	change_command(PCI_COMMAND_MASTER, 0);
	transfer(BUFFER, address + PAGE / 2, PAGE / 2, TO_MEMORY);
	for (int i = 0; i < PAGE / 2; i++)
		if (page[PAGE / 2 + i])
			die("the device reads memory though it is no bus master");
	printf("no DMA without bus mastering\n");

	transfer(address, BUFFER + 100, PAGE / 2, 0);
	transfer(BUFFER + 100, address + PAGE / 2, PAGE / 2, TO_MEMORY);
	if (memcmp(page, page + PAGE / 2, PAGE / 2))
		die("what came back by DMA is not what was sent");
	printf("DMA round trip of %d bytes\n", PAGE / 2);
}

/* Waits for interrupt number COUNT, as the kernel saw it arrive, and lets the next come. */
static void expect_interrupt(int uio, uint32_t count, uint32_t status)
{
	struct pollfd waiting = { .fd = uio, .events = POLLIN };
	uint32_t seen;

	if (poll(&waiting, 1, 20000) != 1 || read(uio, &seen, 4) != 4)
		die("interrupt %u did not come; status 0x%x", count, get(INTERRUPT_STATUS));
	if (seen != count || get(INTERRUPT_STATUS) != status)
		die("interrupt %u with status 0x%x, not %u with 0x%x", seen, get(INTERRUPT_STATUS), count, status);
	set(INTERRUPT_ACKNOWLEDGE, status);
	if (get(INTERRUPT_STATUS))
		die("acknowledged, status is still 0x%x", get(INTERRUPT_STATUS));
	change_command(0, PCI_COMMAND_INTX_DISABLE);
	printf("interrupt 0x%x\n", status);
}

static void check_interrupts(void)
{
	int uio;

	put_in("/sys/bus/pci/drivers/uio_pci_generic", "new_id", "1234 11e8");
	uio = open_in("/dev", "uio0", O_RDWR);
	change_command(PCI_COMMAND_MASTER, PCI_COMMAND_INTX_DISABLE);
	set(INTERRUPT_RAISE, 0x5a);
	expect_interrupt(uio, 1, 0x5a);
	set(STATUS, INTERRUPT_WHEN_COMPUTED);
	set(FACTORIAL, 12);
	expect_interrupt(uio, 2, 0x01);
	printf("factorial %u\n", get(FACTORIAL));
	transfer(BUFFER, BUFFER, 0, INTERRUPT_WHEN_DONE);
	expect_interrupt(uio, 3, 0x100);
}

int main(void)
{
	const char *folder = find();

	setlinebuf(stdout);
	put_in(folder, "enable", "1");
	config = open_in(folder, "config", O_RDWR);
	change_command(PCI_COMMAND_MEMORY, 0);
	registers = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, open_in(folder, "resource0", O_RDWR), 0);
	if (registers == MAP_FAILED)
		die("resource0: %s", strerror(errno));
	check_computing();
	check_dma();
	check_interrupts();
	return 0;
}
