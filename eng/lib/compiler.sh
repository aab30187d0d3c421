# shellcheck shell=bash
# The host's C compiler and static C library, for the guest's test programs, and what tests ask besides. The DRM headers, which Debian ships
# with libdrm, are fetched beside (eng/lib/guest.sh).

COMPILER_PACKAGES=(gcc libc6-dev linux-libc-dev edid-decode)

compiler_missing() {
    compiler_works || echo "build tools: missing (eng/setup --with build-tools installs ${COMPILER_PACKAGES[*]})"
}

compiler_works() {
    { command -v gcc && command -v edid-decode; } >/dev/null || return 1
    printf '#include <linux/fb.h>\n#include <stdio.h>\nint main(void) { return 0; }\n' |
        gcc -static -x c -o /dev/null - 2>/dev/null
}

compiler_make() {
    ! compiler_works || return 0
    local as=()
    if ((EUID != 0)); then
        sudo -n true 2>/dev/null || die "build tools need root; run: sudo apt-get install ${COMPILER_PACKAGES[*]}"
        as=(sudo -n)
    fi
    step "reading the package lists" "${as[@]}" apt-get -q update
    step "installing ${COMPILER_PACKAGES[*]}" "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends --no-upgrade install "${COMPILER_PACKAGES[@]}"
    compiler_works || die "gcc still builds no static program; run: apt-get install --reinstall ${COMPILER_PACKAGES[*]}"
}
