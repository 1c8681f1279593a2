//! The processor that machines were saved on, and that of this host.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result};

use crate::vm::accel::Accelerator;

/// What a machine on KVM sees of the processor, and may have decided by. The flags are those that Linux knows and uses, which
/// another kernel may name otherwise: then a snapshot is refused that might have been good.
///
/// # Errors
/// When the kernel does not tell.
pub(super) fn seen_on(accelerator: Accelerator) -> Result<Option<String>> {
    if accelerator == Accelerator::Tcg {
        return Ok(None);
    }
    let file = "/proc/cpuinfo";
    let text = fs::read_to_string(file).context(file)?;
    Ok(Some(processor_in(&text)))
}

fn processor_in(cpuinfo: &str) -> String {
    // Of x86, then of ARM.
    const FIELDS: [&str; 11] = [
        "vendor_id",
        "cpu family",
        "model",
        "stepping",
        "flags",
        "CPU implementer",
        "CPU architecture",
        "CPU variant",
        "CPU part",
        "CPU revision",
        "Features",
    ];
    let first = cpuinfo.split("\n\n").next().unwrap_or_default();
    let lines = first.lines().filter(|line| {
        let name = line.split('\t').next().unwrap_or_default();
        FIELDS.contains(&name.trim())
    });
    let lines: Vec<String> = lines.map(|line| line.replace('\t', "")).collect();
    lines.join("; ")
}

/// What is not the same in two descriptions of processors, in words; empty if nothing is. Flags have no order.
pub(super) fn difference(kept: &str, here: &str) -> String {
    fn fields(text: &str) -> BTreeMap<&str, &str> {
        let fields = text.split("; ");
        fields.filter_map(|field| field.split_once(": ")).collect()
    }
    let (kept, here) = (fields(kept), fields(here));
    let names: BTreeSet<&str> = kept.keys().chain(here.keys()).copied().collect();
    let value = |of: &BTreeMap<&str, &str>, name| of.get(name).map_or("", |value| value).to_owned();
    let differences = names.into_iter().filter_map(|name| {
        let (kept, here) = (value(&kept, name), value(&here, name));
        if kept == here {
            return None;
        }
        if !["flags", "Features"].contains(&name) {
            return Some(format!("{name} `{kept}`, here `{here}`"));
        }
        let only = |these: &str, those: &str| {
            let those: BTreeSet<&str> = those.split(' ').collect();
            let only: Vec<&str> = (these.split(' '))
                .filter(|flag| !those.contains(flag))
                .collect();
            only.join(" ")
        };
        let (gone, new) = (only(&kept, &here), only(&here, &kept));
        let gone = (!gone.is_empty()).then(|| format!("it had {gone}"));
        let new = (!new.is_empty()).then(|| format!("this one has {new}"));
        let parts: Vec<String> = gone.into_iter().chain(new).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    });
    differences.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_differ_in_a_few_words() {
        let kept = "vendor_id: X; model: 7; flags: fpu vme de";
        let table = [
            (
                "vendor_id: X; model: 8; flags: fpu vme de",
                "model `7`, here `8`",
            ),
            (
                "vendor_id: X; model: 7; flags: fpu avx vme",
                "it had de, this one has avx",
            ),
            ("vendor_id: X; model: 7; flags: de fpu vme", ""),
            (
                "vendor_id: X; model: 9; flags: fpu vme",
                "it had de; model `7`, here `9`",
            ),
        ];
        for (here, expected) in table {
            assert_eq!(difference(kept, here), expected);
        }
    }

    #[test]
    fn a_processor_is_what_machines_see_of_it() {
        let text = "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 7\nmodel name\t: Y\ncpu MHz\t\t: 2\nflags\t\t: fpu vme\n\nprocessor\t: 1\n";
        assert_eq!(processor_in(text), "vendor_id: X; model: 7; flags: fpu vme");
    }
}
