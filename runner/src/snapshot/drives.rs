//! Whether all that a machine writes to is saved with it.

use serde_json::{Value, json};
use vmtest_script::backend::MachineErrorKind as Failure;

use super::save::planned;
use crate::machine::Handle;
use crate::vm::plan::Disks;

/// Sees to it that a machine writes to no other disks than those that are saved: what stands on another one when it goes on
/// from the snapshot would not be what its guest knows of it.
///
/// # Errors
/// When it has another disk, from its option `qemuOptions` or from the script.
pub(super) async fn check(machine: &Handle) -> Result<(), Failure> {
    let disks = &planned(machine)?.files.disks;
    let query = machine.execute("query-named-block-nodes", json!({ "flat": true }));
    match unknown(&query.await?, disks) {
        None => Ok(()),
        Some(drive) => Err(Failure::Refused {
            reason: format!(
                "the machine cannot be saved: it can write to the drive {drive}, which is not one of its option `disks` and would not be \
                 saved with it"
            ),
        }),
    }
}

/// The first drive that can be written and is not among the machine's disks.
fn unknown<'a>(nodes: &'a Value, disks: &Disks) -> Option<&'a str> {
    let is_own = |file: &str| disks.all().any(|disk| disk.as_os_str() == file);
    let mut nodes = nodes.as_array()?.iter();
    let unknown = nodes.find(|node| node["ro"] != true && !is_own(file(node)))?;
    match file(unknown) {
        "" => unknown["node-name"].as_str().or(Some("without a name")),
        file => Some(file),
    }
}

fn file(node: &Value) -> &str {
    node["file"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_machines_own_disks_are_written() {
        let disks = Disks {
            persistent: Some("/m/persistent.img".into()),
            empty: vec!["/m/disk0.img".into()],
        };
        let node =
            |name: &str, ro: bool, file: &str| json!({ "node-name": name, "ro": ro, "file": file });
        let own = [
            node("root", true, "/root0.erofs"),
            node("persistent", false, "/m/persistent.img"),
            node("disk0", false, "/m/disk0.img"),
            node("#block100", true, "/cdrom.iso"),
        ];
        let table = [
            (None, None),
            (
                Some(node("#block200", false, "/extra.qcow2")),
                Some("/extra.qcow2"),
            ),
            (Some(node("#block201", false, "")), Some("#block201")),
        ];
        for (other, expected) in table {
            let nodes: Vec<Value> = own.iter().cloned().chain(other).collect();
            assert_eq!(unknown(&Value::from(nodes), &disks), expected);
        }
    }
}
