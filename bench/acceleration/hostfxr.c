/* Runs a .NET program under the C library and loader that this is run by: LIBHOSTFXR DOTNET_ROOT APP.dll ARGUMENTS... */
#include <dlfcn.h>
#include <stdio.h>

typedef int (*hostfxr_main_startupinfo_fn)(int, const char **, const char *, const char *, const char *);

int main(int argc, const char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s LIBHOSTFXR DOTNET_ROOT APP.dll [ARGUMENT]...\n", argv[0]);
        return 2;
    }

    void *library = dlopen(argv[1], RTLD_NOW);
    hostfxr_main_startupinfo_fn start = library ? (hostfxr_main_startupinfo_fn)dlsym(library, "hostfxr_main_startupinfo") : NULL;
    if (!start) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }

    const char *root = argv[2], *app = argv[3];
    argv[3] = argv[0];
    return start(argc - 3, argv + 3, argv[0], root, app);
}
