#!/bin/sh
# Hook of mmdebstrap for the toolbox's root ($1): what building and running Nix needs, and Nix's source.
set -eu
root=$1

chroot "$root" sh -eu <<'INSIDE'
export DEBIAN_FRONTEND=noninteractive
apt-get build-dep -y --no-install-recommends nix
cd /usr/src
apt-get source nix
rm nix_*
mv nix-* nix

# Nix runs builders as members of this group, one user for each build at a time.
groupadd --system nixbld
for n in 1 2 3 4 5 6 7 8; do
    useradd --system --no-create-home --home-dir /var/empty --shell /usr/sbin/nologin \
        --gid nixbld --groups nixbld "nixbld$n"
done

# Places where the toolbox shows what lies elsewhere in the cache.
mkdir -p /nix /etc/nix
INSIDE
