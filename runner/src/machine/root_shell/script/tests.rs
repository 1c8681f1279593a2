//! What a guest's shell is told, told to the host's shells.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::*;

const BOOT: &str = "3f2a8c1e-0000-4000-8000-00000000beef";
const MARK: &str = "vmtest-parcel-1-3f2a8c1e-0000-4000-8000-00000000beef";

/// Shells that this machine may have; the first one it has.
const SHELLS: [&[&str]; 3] = [&["sh"], &["bash", "--norc"], &["busybox", "sh"]];

/// A guest's places in a folder of the host's; its port is a pipe.
struct Guest(TempDir);

impl Guest {
    fn new() -> Self {
        let guest = Self(tempfile::tempdir().expect("folder"));
        for folder in ["ports/vport1p1", "ports/vport1p2", "dev", "tmp", "run"] {
            fs::create_dir_all(guest.path(folder)).expect("folder");
        }
        guest.write("boot_id", &format!("{BOOT}\n"));
        guest.write("ports/vport1p1/name", "com.redhat.spice.0\n");
        guest.write("ports/vport1p2/name", "org.nix-vmtest.agent.0\n");
        let mut mkfifo = Command::new("mkfifo");
        mkfifo.arg(guest.path("dev/vport1p2"));
        assert!(mkfifo.status().expect("mkfifo").success());
        guest
    }

    fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.0.path().display())
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("file");
    }

    /// A program that leaves a copy of itself and what it is told, with bytes that no text has.
    fn program(&self) -> Vec<u8> {
        let copy = self.path("copy");
        let text = format!("#!/bin/sh\ncp \"$0\" {copy}\necho \"$@\" > {copy}.told\nexit 0\n");
        let tail = (0..100_000_u32).map(|number| (number % 251) as u8);
        text.into_bytes().into_iter().chain(tail).collect()
    }

    /// What the shell prints when it reads the installation and the port holds that.
    fn install(&self, shell: &[&str], folders: &str, length: usize, port: Vec<u8>) -> String {
        let (boot_id, ports) = (self.path("boot_id"), self.path("ports"));
        let devices = self.path("dev");
        let places = Places {
            boot_id: &boot_id,
            ports: &ports,
            devices: &devices,
            folders,
        };
        let script = installation_at(&places, BOOT, MARK, length);
        let path = self.path("dev/vport1p2");
        // Never closed for reading, so that a shell that does not read ends the test by what it prints.
        let pipe = fs::File::options().read(true).write(true).open(path);
        let mut pipe = pipe.expect("pipe");
        let writer = std::thread::spawn(move || pipe.write_all(&port).map(|()| pipe));
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("a shell");
        let mut input = child.stdin.take().expect("input");
        input.write_all(script.as_bytes()).expect("it reads");
        drop(input);
        let mut printed = String::new();
        let mut output = child.stdout.take().expect("output");
        output.read_to_string(&mut printed).expect("text");
        child.wait().expect("ended");
        drop(writer);
        printed
    }
}

fn shells() -> impl Iterator<Item = &'static [&'static str]> {
    let is_there = |shell: &&[&str]| {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).args(["-c", "exit 0"]);
        command.status().is_ok_and(|status| status.success())
    };
    SHELLS.into_iter().filter(is_there)
}

#[test]
fn the_program_arrives_as_it_is_and_is_told_to_join() {
    for shell in shells() {
        let guest = Guest::new();
        let program = guest.program();
        let stale = b"stale\nvmtest-parcel-0\n\0\xff half a fra".to_vec();
        let port = [stale, parcel(MARK, &program)].concat();
        let folders = format!("/nonexistent {}", guest.path("tmp"));
        let printed = guest.install(shell, &folders, program.len(), port);
        assert_eq!(printed, "", "{shell:?}");
        assert_eq!(
            fs::read(guest.path("copy")).expect("a copy"),
            program,
            "{shell:?}"
        );
        let told = fs::read_to_string(guest.path("copy.told")).expect("told");
        assert_eq!(told, "join\n", "{shell:?}");
    }
}

#[test]
fn a_program_that_fails_is_told() {
    for shell in shells() {
        let guest = Guest::new();
        let program = b"#!/bin/sh\nexit 1\n";
        let port = parcel(MARK, program);
        let printed = guest.install(shell, &guest.path("tmp"), program.len(), port);
        assert_eq!(
            printed, "\nvmtest-agent: it cannot be started (the console may say why).\n",
            "{shell:?}"
        );
    }
}

#[test]
fn a_guest_without_a_place_is_told() {
    for shell in shells() {
        let guest = Guest::new();
        let port = parcel(MARK, b"program");
        let printed = guest.install(shell, "/nonexistent /proc", 7, port);
        assert_eq!(
            printed, "\nvmtest-agent: no folder takes a program (tried: /nonexistent /proc).\n",
            "{shell:?}"
        );
    }
}

#[test]
fn what_is_meant_for_another_boot_is_passed_over() {
    for shell in shells() {
        let guest = Guest::new();
        guest.write("boot_id", "00000000-0000-4000-8000-000000000000\n");
        let printed = guest.install(shell, &guest.path("tmp"), 7, Vec::new());
        assert_eq!(printed, "", "{shell:?}");
    }
}

#[test]
fn the_question_is_answered_and_not_an_answer_itself() {
    assert!(!question().contains(ANSWER));
    for shell in shells() {
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut input = child.stdin.take().expect("input");
        input.write_all(question().as_bytes()).expect("it reads");
        drop(input);
        let output = child.wait_with_output().expect("ended");
        let printed = String::from_utf8(output.stdout).expect("text");
        let id = fs::read_to_string(LINUX.boot_id).expect("a boot");
        assert_eq!(
            printed,
            format!("\n{ANSWER}{}:\n", id.trim_end()),
            "{shell:?}"
        );
    }
}

#[test]
fn a_terminal_takes_every_line() {
    let script = installation(BOOT, MARK, 1_500_000);
    assert!(!script.contains('@'), "{script}");
    assert!(!script.contains(COMPLAINT));
    assert!(script.is_ascii());
    // A terminal that edits lines takes no longer ones, and one that does not holds so much.
    assert!(script.len() < 4096, "{}", script.len());
}
