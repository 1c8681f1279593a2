//! What machines that were restored from the same state make anew, so that they do not have it in common.

use vmtest_manifest::Fresh;

/// 32 hexadecimal digits, as systemd writes them; see machine-id(5).
const MACHINE_ID: &str = "\
if [ -e /etc/machine-id ]; then
    id=$(cat /proc/sys/kernel/random/uuid) || exit
    printf '%s\\n' \"$id\" | tr -d - > /etc/machine-id || exit
fi
";

/// Keys that are there are replaced: `ssh-keygen -A` makes those that are not.
const SSH_HOST_KEYS: &str = "\
set -- /etc/ssh/ssh_host_*_key
if [ -e \"$1\" ]; then
    if ! command -v ssh-keygen > /dev/null; then
        echo there are SSH host keys, and no ssh-keygen >&2
        exit 1
    fi
    rm -f \"$@\" /etc/ssh/ssh_host_*_key.pub || exit
    ssh-keygen -A > /dev/null || exit
    if [ -d /run/systemd/system ]; then
        systemctl try-restart ssh.service sshd.service 2> /dev/null || true
    fi
fi
";

/// What the guest's shell does.
pub(super) fn script(fresh: Fresh) -> &'static str {
    match fresh {
        Fresh::MachineId => MACHINE_ID,
        Fresh::SshHostKeys => SSH_HOST_KEYS,
    }
}
