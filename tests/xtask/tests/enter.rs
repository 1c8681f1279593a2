//! `xtask enter` as the recipes use it: exit codes, a root of its own, and nothing left when it is killed.
//! Needs root, as all of the toolbox does.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

fn enter(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("enter").args(arguments);
    command
}

#[test]
fn the_exit_code_is_the_program_s() {
    let status = enter(&["--", "sh", "-c", "exit 7"]).status().unwrap();
    assert_eq!(status.code(), Some(7));
    let status = enter(&["--", "sh", "-c", "kill -TERM $$"])
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(128 + 15));
}

#[test]
fn the_program_is_alone_with_its_root() {
    let root = tempfile::tempdir().unwrap();
    for dir in ["proc", "sys", "dev", "tmp", "usr"] {
        fs::create_dir(root.path().join(dir)).unwrap();
    }
    for (link, target) in [
        ("bin", "usr/bin"),
        ("lib", "usr/lib"),
        ("lib64", "usr/lib64"),
    ] {
        std::os::unix::fs::symlink(target, root.path().join(link)).unwrap();
    }
    let shown = tempfile::tempdir().unwrap();
    fs::write(shown.path().join("file"), "shown").unwrap();
    let bind = format!("{}:/there/inside", shown.path().display());
    let root_path = root.path().display().to_string();
    let script = "cat /there/inside/file; echo; ls /; ls -d /proc/[0-9]* | wc -l";
    let options = ["--root", &root_path, "--bind", "/usr:/usr", "--bind", &bind];
    let output = enter(&[&options[..], &["--", "sh", "-c", script]].concat())
        .output()
        .unwrap();

    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.lines().collect();
    let [first, names @ .., processes] = &lines[..] else {
        panic!("{text}{errors}")
    };
    assert_eq!(*first, "shown");
    assert_eq!(
        names,
        [
            "bin", "dev", "lib", "lib64", "proc", "sys", "there", "tmp", "usr"
        ]
    );
    // Process 1, the shell, and `ls` or `wc` at most.
    assert!(processes.trim().parse::<u32>().unwrap() <= 4, "{processes}");
    // All of it was mounted in there only.
    assert_eq!(fs::read_dir(root.path().join("proc")).unwrap().count(), 0);
}

#[test]
fn killed_it_leaves_nothing_behind() {
    // A child in a session of its own: no signal to a group reaches it.
    let script = "setsid sh -c 'echo ready; exec sleep 600' & wait";
    let mut outside = enter(&["--", "sh", "-c", script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(outside.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");

    outside.kill().unwrap();
    outside.wait().unwrap();
    // The pipe ends when the last process that holds it is gone; a leftover would keep this here for ten minutes.
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}
