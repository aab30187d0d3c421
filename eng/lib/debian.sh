# shellcheck shell=bash
# Debian packages of the suite below, fetched and unpacked without being installed: apt with a state of its own
# resolves, downloads and verifies; nothing of the host's package system changes and root is not needed.

DEBIAN_SUITE=trixie

# debian_mirrors   prints "URI SUITE" lines for sources.list, by the machine's own apt configuration.
debian_mirrors() {
    local uri release component rest main='' security=''
    while read -r uri release component rest; do
        [[ $component == main ]] || continue
        case $release in
            bookworm | trixie | forky | sid | oldstable | stable | testing | unstable) main=${main:-$uri} ;;
            bookworm-security | trixie-security | stable-security | oldstable-security) security=${security:-$uri} ;;
        esac
    done < <(apt-get indextargets --no-release-info \
        --format "\$(REPO_URI) \$(RELEASE) \$(COMPONENT) -" 'Created-By: Packages')
    main=${VGPU_DEBIAN_MIRROR:-$main}
    [[ -n $main ]] ||
        die "no Debian mirror in this machine's apt sources; set VGPU_DEBIAN_MIRROR to the URI of one"
    printf '%s %s\n' "$main" "$DEBIAN_SUITE" "$main" "$DEBIAN_SUITE-backports"
    [[ -z $security ]] || printf '%s %s\n' "$security" "$DEBIAN_SUITE-security"
}

debian_keyring() {
    local file
    for file in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
        [[ ! -f $file ]] || { printf '%s\n' "$file"; return; }
    done
    die "Debian's archive keys are missing; run: apt-get install debian-archive-keyring"
}

# The host's apt.conf stays in force (proxies); its sources, pins, lists and status do not.
debian_options() {
    local apt=$VGPU_WORK/apt
    DEBIAN_OPTIONS=(
        -o "Dir::State=$apt" -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status"
        -o "Dir::State::extended_states=$apt/extended_states"
        -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives"
        -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
        -o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Default-Release=
        -o APT::Install-Recommends=false -o APT::Sandbox::User= -o APT::Keep-Downloaded-Packages=true
        -o Acquire::Languages=none -o Acquire::Retries=3 -o Debug::NoLocking=true
    )
}

# debian_open   makes apt's private state and reads the package lists.
debian_open() {
    local apt=$VGPU_WORK/apt keyring mirrors uri suite
    debian_options
    [[ ! -e $apt/ready ]] || return 0
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    : >"$apt/status"
    keyring=$(debian_keyring)
    mirrors=$(debian_mirrors)
    while read -r uri suite; do
        printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$suite"
    done <<<"$mirrors" >"$apt/sources.list"
    step "reading Debian's package lists" apt-get "${DEBIAN_OPTIONS[@]}" -q update
    : >"$apt/ready"
}

# debian_kernel   the package that holds the stock kernel.
debian_kernel() {
    apt-cache "${DEBIAN_OPTIONS[@]}" depends linux-image-amd64 |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2; exit }'
}

# debian_version PACKAGE SUITE   the version that the suite has.
debian_version() {
    apt-cache "${DEBIAN_OPTIONS[@]}" -t "$2" policy "$1" | awk '$1 == "Candidate:" { print $2 }'
}

# debian_uris with-needs|alone SUITE PACKAGE...   prints "FILE SIZE" of every package file.
debian_uris() {
    # Asked of an empty folder: apt leaves out what an interrupted set-up has already fetched.
    local how=$1 suite=$2 verb=(download) nothing=$VGPU_WORK/apt/nothing
    shift 2
    [[ $how != with-needs ]] || verb=(-y install)
    mkdir -p "$nothing/partial"
    (cd "$nothing" && apt-get "${DEBIAN_OPTIONS[@]}" -o "Dir::Cache::archives=$nothing" -t "$suite" -qq --print-uris "${verb[@]}" "$@") |
        awk '/^\047/ { print $2, $3 }'
}

# debian_fetch TEXT with-needs|alone SUITE PACKAGE...   leaves the package files' paths in DEBIAN_FILES.
debian_fetch() {
    local text=$1 how=$2 suite=$3 list name size bytes=0 archives=$VGPU_WORK/apt/archives
    shift 3
    list=$(debian_uris "$how" "$suite" "$@")
    [[ -n $list ]] || die "Debian's $suite has no $*; try again, or set VGPU_DEBIAN_MIRROR to another mirror"
    DEBIAN_FILES=()
    while read -r name size; do
        DEBIAN_FILES+=("$archives/$name")
        bytes=$((bytes + size))
    done <<<"$list"
    # Read by step.
    # shellcheck disable=SC2034
    local VGPU_STEP_DIR=$archives
    local VGPU_STEP_MB=$(((bytes + 999999) / 1000000))
    if [[ $how == with-needs ]]; then
        step "fetching $text, $VGPU_STEP_MB MB" \
            apt-get "${DEBIAN_OPTIONS[@]}" -t "$suite" -qq -y -d install "$@"
    else
        step "fetching $text, $VGPU_STEP_MB MB" debian_download "$archives" "$suite" "$@"
    fi
}

debian_download() {
    cd "$1" || return
    apt-get "${DEBIAN_OPTIONS[@]}" -t "$2" -qq download "${@:3}"
}

# debian_unpack DEST PATTERN...   unpacks from DEBIAN_FILES the members that match (tar wildcards, from ./).
debian_unpack() {
    local dest=$1 file
    shift
    mkdir -p "$dest"
    for file in "${DEBIAN_FILES[@]}"; do
        # tar says that patterns were not found; that is not an error here, a broken package is.
        dpkg-deb --fsys-tarfile "$file" >"$VGPU_WORK/member.tar"
        tar -x -C "$dest" --no-same-owner --wildcards -f "$VGPU_WORK/member.tar" "$@" 2>"$VGPU_WORK/tar.err" ||
            ! grep -Ev 'Not found in archive|Exiting with failure status' "$VGPU_WORK/tar.err"
    done
    rm -f "$VGPU_WORK/member.tar" "$VGPU_WORK/tar.err"
}
