#!/bin/sh
# Collects the Nix that was built into $1, with the libraries of the root $2 in which it was built, into directory $3: a Nix for
# guests that have nothing outside their store.
set -eu
nix=$1
root=$2
out=$3
. "${0%/*}/libraries.sh"
also=$nix/lib

bundle "$root" "$out"
cp "$nix/bin/nix" "$out/bin/"
libraries "$nix/bin/nix"
# It asks for this one before it goes into a sandbox.
loaded libnss_dns.so.2
# One program that goes by many names.
for name in nix-build nix-collect-garbage nix-instantiate nix-store nix-env; do
    cp "$out/bin/nix" "$out/bin/$name"
done
# For its sandbox, which has it as /bin/sh.
mkdir -p "$out/share"
cp "$root/usr/bin/bash-static" "$out/share/"
