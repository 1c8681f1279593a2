# Builder of the stub's `mkDerivation`, run by bash.
set -eu -o pipefail
shopt -s nullglob
if [ -n "${NIX_ATTRS_SH_FILE-}" ]; then
    # shellcheck disable=SC1090 # Nix makes it
    . "$NIX_ATTRS_SH_FILE"
    for output in "${!outputs[@]}"; do export "$output=${outputs[$output]}"; done
fi
shopt -u nullglob
export HOME=/homeless-shelter
: "${outputs:=out}"

runHook() { if [ -n "${!1-}" ]; then eval "${!1}"; elif declare -F "$1" > /dev/null; then "$1"; fi; }

# substituteInPlace FILE… --replace-fail FROM TO…
substituteInPlace() {
    local files=() file content
    while [ $# -gt 0 ] && [[ $1 != --* ]]; do files+=("$1"); shift; done
    for file in "${files[@]}"; do
        content=$(cat "$file"; echo .)
        content=${content%.}
        local edits=("$@") i
        for ((i = 0; i < ${#edits[@]}; i += 3)); do
            content=${content//"${edits[i + 1]}"/${edits[i + 2]}}
        done
        printf %s "$content" > "$file"
    done
}

# Scripts of packages begin with the bash of the toolbox.
patchShebangs() {
    local file first
    while read -r file; do
        IFS= read -r first < "$file" || true
        case $first in
        '#!/bin/sh'* | '#!/usr/bin/env bash'* | '#!/bin/bash'* | '#!/usr/bin/env sh'*)
            local mode
            mode=$(stat -c %a "$file")
            sed "1s|.*|#!$BASH|" "$file" > "$file.tmp"
            chmod "$mode" "$file.tmp"
            mv "$file.tmp" "$file"
            ;;
        esac
    done < <(find "$@" -type f -perm -0100)
}

unpackPhase_() {
    [ -n "${src-}" ] || return 0
    if [ -d "$src" ]; then
        cp -r "$src" source
        chmod -R u+w source
    else
        mkdir source
        case $src in
        *.tar*) tar -xf "$src" -C source --strip-components=1 ;;
        *) cp "$src" "source/$(stripHash "$src")" ;;
        esac
    fi
    cd "${sourceRoot-source}"
}
stripHash() { local name=${1##*/}; printf %s "${name#*-}"; }
buildPhase_() { [ ! -e Makefile ] || make; }
checkPhase_() { :; }
installPhase_() { :; }
configurePhase_() { :; }
patchPhase_() { :; }
fixupPhase_() {
    local output
    for output in $outputs; do
        [ ! -d "${!output-}" ] || patchShebangs "${!output}"
    done
}

phase() {
    local dont=$2
    [ -z "${!dont-}" ] || return 0
    local pre="pre${1^}" post="post${1^}" body="${1}Phase"
    runHook "$pre"
    if [ -n "${!body-}" ]; then eval "${!body}"; else "${body}_"; fi
    runHook "$post"
}

if [ -n "${buildCommandPath-}" ]; then
    # shellcheck disable=SC1090 # the derivation says where it is
    . "$buildCommandPath"
elif [ -n "${buildCommand-}" ]; then
    eval "$buildCommand"
else
    phase unpack dontUnpack
    phase patch dontPatch
    phase configure dontConfigure
    phase build dontBuild
    [ -z "${doCheck-}" ] || phase check dontCheck
    phase install dontInstall
    phase fixup dontFixup
fi
