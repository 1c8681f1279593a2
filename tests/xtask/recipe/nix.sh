#!/bin/sh
# Builds Nix inside the toolbox's root, in directory $1, into /usr/local.
#
# Debian's own package is one program that exports nothing and so cannot load plugins: what is built here has
# shared libraries, with those of the C API. A unity build compiles several files as one, which saves two thirds
# of the time; the three edits below are for files that were never meant to be compiled together.
set -eu
work=$1
cp -r /usr/src/nix "$work/source"
cd "$work/source"

# Says how optional values are written as JSON. Must be known before anything else of libstore uses it.
sed -i "s/'-include', 'config-store.hh',/&\n  '-include', 'json-utils.hh',/" src/libstore/meson.build
# flex's header for others takes away what its own source then misses.
sed -i '0,/^%{/s//%{\n#define YY_BUFFER_NEW 0\n#define YY_BUFFER_NORMAL 1\n#define YY_BUFFER_EOF_PENDING 2/' \
    src/libexpr/lexer.l
# Two writers of graphs have functions of the same name.
sed -i 's/\bmakeEdge\b/makeGraphmlEdge/g' src/nix/nix-store/graphml.cc

lib=/usr/lib/x86_64-linux-gnu
export EDITLINE_CFLAGS=-DREADLINE EDITLINE_LIBS="$lib/libhistory.so $lib/libreadline.so"
export CXXFLAGS='-O1 -w' LDFLAGS=-fuse-ld=mold

meson setup build --prefix=/usr/local --libdir=lib --sysconfdir=/etc --localstatedir=/nix/var --buildtype=plain \
    --unity=on --unity-size=8 -Ddoc-gen=false -Dbindings=false -Dunit-tests=false \
    -Dlibcmd:markdown=disabled -Dlibcmd:readline-flavor=readline -Dlibexpr:gc=enabled \
    -Dlibstore:sandbox-shell=/usr/bin/bash-static
ninja -C build
meson install -C build --no-rebuild
# For programs that are not linked with a path to it: plugins.
ldconfig
nix --version
