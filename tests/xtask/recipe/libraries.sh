# shellcheck shell=sh
# For scripts that collect programs of a tree of Debian packages, each with all the libraries it needs, into directories that
# recipe/relocate.sh makes run from their own place.

# bundle TREE DIRECTORY PROGRAM…: below TREE/usr lie the programs, and their libraries. Further folders of libraries are in $also.
bundle() {
    tree=$1
    dir=$2
    shift 2
    lib=$tree/usr/lib/x86_64-linux-gnu
    loader=$tree/usr/lib64/ld-linux-x86-64.so.2
    mkdir -p "$dir/bin" "$dir/lib"
    cp -L "$loader" "$dir/lib/"
    for program in "$@"; do
        cp -L "$tree/$program" "$dir/bin/"
        libraries "$tree/$program"
    done
}

# libraries FILE: copies what FILE is linked with into the last bundle.
libraries() {
    "$loader" --library-path "${also-}:$lib:$lib/systemd:$lib/swtpm" --list "$1" > "$dir/list"
    if grep 'not found' "$dir/list"; then
        echo "$1 lacks libraries" >&2
        exit 1
    fi
    sed -n 's/.* => \(\/.*\) (0x.*/\1/p' "$dir/list" | while read -r library; do
        [ -e "$dir/lib/${library##*/}" ] || cp -L "$library" "$dir/lib/"
    done
    rm "$dir/list"
}

# loaded LIBRARY…: copies libraries that are loaded by name only, into the last bundle.
loaded() {
    for library in "$@"; do
        cp -L "$lib/$library" "$dir/lib/"
        libraries "$lib/$library"
    done
}
