# shellcheck shell=bash
# The cache: where everything lies, its lock, and stamps that say what is whole and current.

[[ -n ${VGPU_CACHE:-}${XDG_CACHE_HOME:-}${HOME:-} ]] || die "HOME is not set; set it, or VGPU_CACHE to a folder for the cache"
VGPU_CACHE=${VGPU_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vgpu}
[[ $VGPU_CACHE == /* ]] || VGPU_CACHE=$PWD/$VGPU_CACHE
VGPU_LOG=$VGPU_CACHE/setup.log
VGPU_WORK=$VGPU_CACHE/work

cache_open() {
    mkdir -p "$VGPU_CACHE" || die "cannot make $VGPU_CACHE; set VGPU_CACHE to a folder you may write"
    exec 9>"$VGPU_CACHE/lock"
    if ! flock -n 9; then
        say "another set-up is running; waiting for it"
        flock 9
    fi
    : >"$VGPU_LOG"
    # Downloads in work/apt are kept, so that an interrupted set-up goes on where it was; half-made trees are not.
    rm -rf "$VGPU_WORK"/*.new
    mkdir -p "$VGPU_WORK"
}

cache_close() { rm -rf "$VGPU_WORK"; }

# inputs_of NAME FILE...   the hash that a stamp holds: the files that make the thing, and the architecture.
inputs_of() {
    local name=$1
    shift
    { printf '%s %s\n' "$name" "$(uname -m)"; cat -- "$@"; } | sha256sum | cut -d' ' -f1
}

stamp_is() { [[ -f $VGPU_CACHE/stamps/$1 && $(<"$VGPU_CACHE/stamps/$1") == "$2" ]]; }

stamp_put() {
    mkdir -p "$VGPU_CACHE/stamps"
    printf '%s\n' "$2" >"$VGPU_CACHE/stamps/.$1.new"
    mv "$VGPU_CACHE/stamps/.$1.new" "$VGPU_CACHE/stamps/$1"
}

stamp_drop() { rm -f "$VGPU_CACHE/stamps/$1"; }

# swap_in NEW PLACE   puts a finished tree in its place.
swap_in() {
    rm -rf "$2.old"
    [[ ! -e $2 ]] || mv -T "$2" "$2.old"
    mv -T "$1" "$2"
    rm -rf "$2.old"
}
