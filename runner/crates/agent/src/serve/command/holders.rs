//! Who holds the outputs of a command that has ended.

use std::fs;
use std::path::Path;

/// Most processes that are named; who wants to know more looks into the guest.
const MOST: usize = 8;

/// The processes that hold one of these pipes, such as `sleep (pid 417)`.
pub(super) fn of(pipes: &[u64]) -> Vec<String> {
    if pipes.is_empty() {
        return Vec::new();
    }
    let links: Vec<String> = pipes
        .iter()
        .map(|inode| format!("pipe:[{inode}]"))
        .collect();
    let own = std::process::id();
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|pid| *pid != own && holds(*pid, &links))
        .map(|pid| format!("{} (pid {pid})", name(pid)))
        .take(MOST)
        .collect()
}

fn holds(pid: u32, links: &[String]) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let target = fs::read_link(file.path());
        target.is_ok_and(|target| links.iter().any(|link| target == Path::new(link)))
    })
}

fn name(pid: u32) -> String {
    match fs::read_to_string(format!("/proc/{pid}/comm")) {
        Ok(name) => name.trim_end().to_owned(),
        Err(_) => "a process that has gone".to_owned(),
    }
}
