# shellcheck shell=bash disable=SC2154 # the derivation sets files, storePaths and loader
# Builder of make.nix: an uncompressed archive for the kernel. Under emulation a compressed one takes longer, and there is no
# cpio in the toolbox.
export LC_ALL=C
tree=$PWD/tree
mkdir "$tree"

isProgram() {
    local magic
    IFS= read -r -N 4 magic < "$1" && [ "$magic" = $'\x7fELF' ]
}

# The path under its own name, and what it leads to or is linked with.
declare -A added
add() {
    local path=$1 part
    [ ! -v "added[$path]" ] || return 0
    added[$path]=1
    mkdir -p "$tree${path%/*}"
    # Something in it may be there already.
    cp -dRT --remove-destination "$path" "$tree$path"
    if [ -d "$path" ] && [ ! -L "$path" ]; then
        chmod -R u+w "$tree$path"
        while IFS= read -r part; do addParts "$part"; done < <(find "$path" -type l -o -type f -perm /111)
    else
        addParts "$path"
    fi
}

addParts() {
    local path=$1 target library
    if [ -L "$path" ]; then
        target=$(readlink "$path")
        case $target in
        /*) ;;
        *) target=$(realpath -ms "${path%/*}/$target") ;;
        esac
        case $target in
        /nix/store/*) [ ! -e "$target" ] || add "$target" ;;
        esac
    elif isProgram "$path"; then
        while read -r library; do add "$library"; done < <(
            "$loader" --library-path "${loader%/*}" --list "$path" | sed -n 's,.*[[:space:]]\(/[^ ]*\) (0x.*,\1,p'
        )
    fi
}

for path in "${storePaths[@]}"; do add "$path"; done
for file in "${!files[@]}"; do
    mkdir -p "$tree${file%/*}"
    ln -sT "${files[$file]}" "$tree$file"
    add "${files[$file]}"
done

zeros=('' '\0' '\0\0' '\0\0\0')
pad() { printf "${zeros[-$1 & 3]}"; }

# entry NAME MODE SIZE: the header of a file, in the format `newc`.
inode=0
entry() {
    inode=$((inode + 1))
    printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
        $inode "$2" 0 0 1 1 "$3" 0 0 0 0 $((${#1} + 1)) 0 "$1"
    pad $((110 + ${#1} + 1))
}

mkdir "$out"
(
    cd "$tree"
    while IFS=$'\t' read -r path kind mode size target; do
        case $kind in
        d) entry "$path" $((8#40755)) 0 ;;
        l)
            entry "$path" $((8#120777)) "$size"
            printf %s "$target"
            pad "$size"
            ;;
        f)
            entry "$path" $((8#100000 | 8#$mode)) "$size"
            cat "$path"
            pad "$size"
            ;;
        esac
    done < <(find . -mindepth 1 -printf '%P\t%y\t%m\t%s\t%l\n' | sort)
    entry 'TRAILER!!!' 0 0
) > "$out/initrd"
