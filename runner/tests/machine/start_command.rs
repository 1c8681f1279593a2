//! Machines that a command of the host's shell starts, and the agent's way into their guests.

use std::fs;
use std::process::Command as Program;
use std::time::Duration;

use tempfile::TempDir;
use tokio::task::spawn_blocking;
use vmtest::machine::lifecycle::{End, State};
use vmtest_script::backend::{MachineErrorKind as Failure, Start};

use crate::bench::{AGENT, Bench, POWERED_OFF, Process, RESET, Test, block_on, command};
use crate::fake_qemu::{FIRST_ARGUMENT, STEPS};

pub(crate) const TESTS: &[Test] = &[
    (
        "start_command::from_start_to_power_off",
        from_start_to_power_off,
    ),
    ("start_command::every_boot_anew", every_boot_anew),
    (
        "start_command::another_root_shell_without_a_reset",
        another_root_shell,
    ),
    (
        "start_command::an_agent_that_cannot_come",
        an_agent_that_cannot_come,
    ),
    (
        "start_command::a_command_that_is_no_qemu",
        a_command_that_is_no_qemu,
    ),
    (
        "start_command::a_command_that_is_given_up",
        a_command_that_is_given_up,
    ),
    (
        "start_command::qemu_behind_a_shell_ends_with_it",
        qemu_behind_a_shell,
    ),
    (
        "start_command::the_state_directory_of_another",
        another_state_directory,
    ),
];

/// The root shell announces itself, and takes the agent.
const ANNOUNCED: &str = "announce:Spawning backdoor root shell...";

fn folder() -> TempDir {
    tempfile::tempdir().expect("folder")
}

/// The command that is a QEMU which takes these steps.
fn qemu(steps: &[&str]) -> String {
    let program = std::env::current_exe().expect("this program");
    let steps: Vec<_> = steps
        .iter()
        .map(|step| format!("'{}'", step.replace('\'', "'\\''")))
        .collect();
    format!(
        "'{}' {FIRST_ARGUMENT} server {STEPS} {}",
        program.display(),
        steps.join(" ")
    )
}

fn installed() -> String {
    format!("install:{AGENT}")
}

fn from_start_to_power_off() {
    block_on(async {
        let steps = [
            "console:[    0.1] Linux",
            ANNOUNCED,
            &installed(),
            "hello",
            "answer:3",
            "answer:0",
            POWERED_OFF,
            "exit:0",
        ];
        let line = format!(
            "test \"$USE_TMPDIR $TMPDIR\" = \"1 $PWD\" && test -d \"$SHARED_DIR\" \
             && test \"$NIX_EFI_VARS\" = \"$PWD/server-efi-vars.fd\" && echo made a disk && exec {}\n",
            qemu(&steps)
        );
        let mut bench = Bench::by_command(folder(), &line);
        let handle = bench.handle.clone();
        handle.start(false).await.expect("started");
        handle.connect().await.expect("booted");
        let completed = handle.run(&command("echo")).await.expect("completed");
        assert_eq!(completed.stdout, b"echo");
        handle.power_off().await.expect("told");
        handle.wait_for_shutdown(None).await.expect("powered off");
        assert_eq!(handle.exit_status(), Some(0));
        let allow_reboot = false;
        let off = State::Off(Some(End::PoweredOff));
        assert_eq!(
            bench.states_until(&off).await,
            [
                State::Booting { allow_reboot },
                State::Ready { allow_reboot },
                State::Ending(End::PoweredOff),
                off,
            ]
        );
        assert_eq!(bench.log("console.log"), "made a disk\n[    0.1] Linux\r\n");
    });
}

fn every_boot_anew() {
    block_on(async {
        let steps = [
            ANNOUNCED,
            &installed(),
            "hello",
            "answer:0",
            RESET,
            "screendump",
            ANNOUNCED,
            &installed(),
            "hello",
            "answer:0",
            "hang",
        ];
        let mut bench = Bench::by_command(folder(), &qemu(&steps));
        let handle = bench.handle.clone();
        let allow_reboot = true;
        handle.start(allow_reboot).await.expect("started");
        handle.run(&command("first")).await.expect("completed");
        bench.until(&State::Ready { allow_reboot }).await;
        bench.until(&State::Booting { allow_reboot }).await;
        bench.next_step().await;
        let completed = handle.run(&command("second")).await.expect("completed");
        assert_eq!(completed.stdout, b"second");
    });
}

/// As when the initrd hands over to the root: the agent of the first shell is no longer spoken to.
fn another_root_shell() {
    block_on(async {
        let steps = [
            ANNOUNCED,
            &installed(),
            "hello",
            "hear",
            ANNOUNCED,
            &installed(),
            "hello",
            "answer:0",
            "hang",
        ];
        let bench = Bench::by_command(folder(), &qemu(&steps));
        let handle = bench.handle.clone();
        handle.start(false).await.expect("started");
        let switch = command("systemctl isolate initrd-switch-root.target");
        assert_eq!(handle.run(&switch).await, Err(Failure::Closed));
        let completed = handle.run(&command("second")).await.expect("completed");
        assert_eq!(completed.stdout, b"second");
    });
}

fn an_agent_that_cannot_come() {
    block_on(async {
        let steps = [ANNOUNCED, "complain:there is no port.", "hang"];
        let bench = Bench::by_command(folder(), &qemu(&steps));
        bench.handle.start(false).await.expect("started");
        let reason =
            "the agent cannot be brought into the guest through its root shell: there is no port."
                .to_owned();
        assert_eq!(
            bench.handle.connect().await,
            Err(Failure::Broken { reason })
        );
    });
}

fn a_command_that_is_no_qemu() {
    block_on(async {
        let table = [
            (
                "echo no disk >&2; exit 3;",
                "the start command ended (exit status: 3) before QEMU had connected; it said: no disk",
            ),
            (
                "true",
                "the start command ended (exit status: 0) before QEMU had connected",
            ),
        ];
        for (command, reason) in table {
            let bench = Bench::by_command(folder(), command);
            let reason = reason.to_owned();
            assert_eq!(
                bench.handle.start(false).await,
                Err(Failure::CannotStart { reason })
            );
            assert_eq!(bench.handle.state(), State::Off(None));
        }
    });
}

/// A pipe through which a command tells of a process.
struct Pipe(std::path::PathBuf);

impl Pipe {
    fn new(folder: &TempDir) -> Self {
        let path = folder.path().join("pipe");
        let made = Program::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        Self(path)
    }

    async fn process(self) -> Process {
        let read = spawn_blocking(move || fs::read_to_string(&self.0));
        let text = read.await.expect("no panic").expect("text");
        Process::open(text.trim().parse().expect("a process id"))
    }
}

fn a_command_that_is_given_up() {
    block_on(async {
        let folder = folder();
        let pipe = Pipe::new(&folder);
        let bench = Bench::by_command(folder, "sleep 1000 & echo $! > pipe; wait; true");
        let handle = bench.handle.clone();
        let (started, again, process) =
            tokio::join!(handle.start(false), handle.start(false), async {
                let process = pipe.process().await;
                handle.end().await.expect("ended");
                process
            });
        let reason = "it was given up before QEMU ran".to_owned();
        assert_eq!(started, Err(Failure::CannotStart { reason }));
        assert_eq!(again, started);
        process.end().await;
    });
}

fn qemu_behind_a_shell() {
    block_on(async {
        let folder = folder();
        let pipe = Pipe::new(&folder);
        let steps = [ANNOUNCED, &installed(), "hello", "hang"];
        let line = format!(
            "start() {{ {} \"$@\" & echo $! > pipe; wait; }}; start",
            qemu(&steps)
        );
        let bench = Bench::by_command(folder, &line);
        let (started, process) = tokio::join!(bench.handle.start(false), pipe.process());
        started.expect("started");
        bench.handle.connect().await.expect("booted");
        bench.handle.kill().await.expect("ended");
        process.end().await;
    });
}

fn another_state_directory() {
    block_on(async {
        let other = folder();
        fs::write(other.path().join("disk"), "disk").expect("written");
        let steps = [ANNOUNCED, &installed(), "hello", "hang"];
        let line = format!(
            "test -e disk && test -e \"$TMPDIR/disk\" && exec {}",
            qemu(&steps)
        );
        let bench = Bench::by_command(folder(), &line);
        let start = |folder: &TempDir| Start {
            allow_reboot: false,
            state_dir: Some(folder.path().to_owned()),
        };
        bench
            .handle
            .start_with(start(&other))
            .await
            .expect("started");
        bench.handle.connect().await.expect("booted");

        let planned = Bench::with(
            &std::env::current_exe().expect("program"),
            &[],
            Duration::ZERO,
        );
        let refused = planned.handle.start_with(start(&other)).await;
        assert!(
            matches!(refused, Err(Failure::Refused { .. })),
            "{refused:?}"
        );
    });
}
