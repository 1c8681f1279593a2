//! How each test ends.

/// How one test ends.
#[derive(Debug)]
pub struct Expected {
    /// Name of its folder.
    pub test: &'static str,
    /// Exit code of its builder.
    pub exit_code: u8,
    /// The outcome in words, as in the last line of its log; none for a test that the runner cannot read.
    pub outcome: Option<&'static str>,
    /// What its log says, in this order.
    pub log: &'static [&'static str],
    /// What the error of its evaluation says where the plugin is loaded, in this order; it is built without the plugin then.
    pub evaluation: Option<&'static [&'static str]>,
}

const fn passes(test: &'static str, log: &'static [&'static str]) -> Expected {
    Expected {
        test,
        exit_code: 0,
        outcome: Some("passed"),
        log,
        evaluation: None,
    }
}

/// Every test beside this crate is in this table, and nothing else is.
pub const TABLE: &[Expected] = &[
    passes(
        "nixos-hello",
        &[
            "machine: waiting for unit helloNixosTests.service",
            "machine: waiting for TCP port 3000 on localhost",
        ],
    ),
    passes(
        "nixos-guest",
        &[
            "subtest: the system is the one of the configuration",
            "subtest: a port of the host leads to one of the machine",
        ],
    ),
    passes(
        "nixos-boots",
        &[
            "own boots by its own initrd, ",
            "scripted is started by ",
            "subtest: machines see each other, whatever started them",
            "subtest: a start script's machine goes off, and is started again with its disk",
        ],
    ),
    passes(
        "nixos-stage1",
        &[
            "machine is started by ",
            "subtest: commands run in the initrd",
            "subtest: and in the system, from when the machine is there",
        ],
    ),
    passes(
        "nixos-bootloader",
        &[
            "efi is started by ",
            "subtest: systemd-boot has started the system, from the disk",
            "subtest: it does what the system asks it for, once",
            "subtest: GRUB has started the system: bios",
            "subtest: GRUB starts what it is told to, once: grub",
        ],
    ),
    passes(
        "nixos-firmware",
        &[
            "machine is started by ",
            "subtest: there is a TPM, and the firmware has measured into it",
            "subtest: they outlive the machine, in whichever way it ends",
        ],
    ),
    passes(
        "nixos-nix",
        &[
            "scripted is started by ",
            "subtest: plain: hashes and sizes are those of what is there",
            "subtest: scripted: a derivation is built, in a sandbox, without a network",
        ],
    ),
    passes(
        "nixos-network",
        &[
            "subtest: machines know each other by name",
            "subtest: a root in memory",
        ],
    ),
    passes(
        "busybox",
        &[
            "machine: waiting for TCP port 3000 on localhost",
            "machine: powered off",
        ],
    ),
    passes(
        "conformance",
        &[
            "subtest: Machine.early: runs commands before the guest is up",
            "debian # console-line-shown",
            "warning: debug.breakpoint() does nothing here",
            "message-of-info",
            "warning: message-of-warning",
            "error: message-of-log_test_error",
            "some-machine: message-of-log",
            "some-machine: # message-of-log_serial",
            "debian: message-of-machine-log",
            "debian: # message-of-machine-serial",
            "debian: warning: a command has ended, and its output is still held by sleep (pid ",
            "debian: (late) | said later: hello",
            "warning: wait_for_job() is deprecated",
            "warning: copy_from_vm() is deprecated",
            "debian: warning: QEMU cannot press the key `no-such-key`",
            "small: QEMU ended unexpectedly: signal: 9",
            "debian: powered off",
            "cases went as expected",
        ],
    ),
    passes(
        "conformance-restored",
        &[
            "debian: goes on from where it was saved",
            "small: goes on from where it was saved",
            "cases went as expected",
        ],
    ),
    passes(
        "snapshot",
        &[
            "machine: goes on from where it was saved",
            "machine: (connecting took ",
            "subtest: what it writes is kept, and then it boots",
            "machine # [    0.000000] Linux version",
        ],
    ),
    passes(
        "snapshot-prepared",
        &[
            "server: goes on from where it was saved",
            "run the VM test script",
            "third: QEMU running",
        ],
    ),
    passes(
        "snapshot-prefer",
        &[
            "warning: the machines boot, since they cannot go on from the snapshot /nix/store/",
            "the machines could not be saved: machine: the machine cannot be saved: QEMU refuses `migrate`: State blocked by \
             non-migratable device",
            "machine: must succeed: echo prepared > /state",
        ],
    ),
    passes(
        "snapshot-prefer-fresh",
        &[
            "warning: the machines boot, since they cannot go on from the snapshot /nix/store/",
            "machine: what a machine has for itself cannot be made anew (exit code 1): there are SSH host keys, and no ssh-keygen",
            "machine: must succeed: echo prepared >> /state",
        ],
    ),
    passes("restores", &["held by the runner: (", "124 times"]),
    passes(
        "eight-machines",
        &[
            "node7: must succeed: ping -c 1 -W 20 node7",
            "node1: must fail: ping",
        ],
    ),
    passes(
        "hello",
        &[
            "server: waiting for unit hello.service",
            "(finished: waiting for unit hello.service, in ",
            "subtest: client reaches server",
            "client: must succeed: echo ping | nc -N server 3000",
            "(finished: subtest: client reaches server, in ",
            "server: powered off",
        ],
    ),
    passes(
        "reboot",
        &[
            "subtest: an orderly reboot",
            "subtest: a power failure after a sync",
        ],
    ),
    passes(
        "shared-dir",
        &[
            "subtest: links do not lead out of the folder",
            "debian: powered off",
        ],
    ),
    Expected {
        test: "fails-assertion",
        exit_code: 1,
        outcome: Some("assertion failed"),
        log: &[
            "machine: must succeed: cat /no/such/file",
            "line 5, in <module>",
            "check(\"/no/such/file\")",
            "line 2, in check",
            "machine.succeed(f\"cat {path}\")",
            "command `cat /no/such/file` failed (exit code 1)",
            "No such file or directory",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-exception",
        exit_code: 3,
        outcome: Some("error in the test script"),
        log: &[
            "line 2, in <module>",
            "machine.wait_for_open_port(ports[\"https\"])",
            "KeyError: 'https'",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-syntax",
        exit_code: 3,
        outcome: Some("error in the test script"),
        log: &[
            "the test script is wrong:",
            "error[invalid-syntax]: Expected `:`, found newline",
            "--> testScript:2:27",
            "if machine.succeed(\"true\")",
        ],
        evaluation: Some(&[
            "vmTest: the test script is wrong:",
            "error[invalid-syntax]: Expected `:`, found newline",
            "fails-syntax/default.nix:8:31",
            "if machine.succeed(\"true\")",
        ]),
    },
    Expected {
        test: "fails-panic",
        exit_code: 4,
        outcome: Some("machine failed"),
        log: &[
            "machine # ",
            "sysrq triggered crash",
            "machine.succeed(",
            "the guest's kernel panicked: Kernel panic",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-timeout",
        exit_code: 5,
        outcome: Some("timed out"),
        log: &[
            "machine: waiting for success: test -e /never",
            "line 1, in <module>",
            "the test did not end within 20 seconds (globalTimeout)",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-qemu-killed",
        exit_code: 4,
        outcome: Some("machine failed"),
        log: &[
            "line 6, in <module>",
            "machine.succeed(\"sleep 60\")",
            "QEMU ended unexpectedly (signal: 9",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-disk-full",
        exit_code: 1,
        outcome: Some("assertion failed"),
        log: &[
            "machine: must succeed: dd if=/dev/zero of=/small/file",
            "No space left on device",
            "testScript, line 2:",
            "the attribute `report` of the test",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-out-of-memory",
        exit_code: 1,
        outcome: Some("assertion failed"),
        log: &[
            "machine.succeed(\"dd if=/dev/zero",
            "machine: process killed for lack of memory: Out of memory: Killed process",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-console-line",
        exit_code: 1,
        outcome: Some("assertion failed"),
        log: &[
            "line 2, in <module>",
            "machine: a line on its console fails the test (failOn, `something is [a-z]+`): something is wrong",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-keep-going",
        exit_code: 1,
        outcome: Some("assertion failed"),
        log: &[
            "subtest: the machine still answers",
            "the script came to its end",
            "command `cat /no/such/file` failed (exit code 1)",
            "testScript, line 2:",
            "subtest: arithmetic",
            "AssertionError: it is two",
            ">    4      assert 1 + 1 == 3",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-gated",
        exit_code: 1,
        // The gate itself runs no test: its log ends with where the report lies.
        outcome: None,
        log: &[
            "subtest: all units are well",
            "machine: broken.service has failed:",
            "this is why",
            "vmtest: the whole report: /nix/store/",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-snapshot",
        exit_code: 4,
        outcome: Some("machine failed"),
        log: &[
            "machine: the machine cannot be saved: QEMU refuses `migrate`: State blocked by non-migratable device",
        ],
        evaluation: None,
    },
    Expected {
        test: "fails-manifest",
        exit_code: 6,
        outcome: None,
        log: &[
            "vmtest: bad manifest: ",
            "malformed manifest: unknown field `colour`",
        ],
        evaluation: None,
    },
];

/// What the report of a test that fails says, and its page shows first.
#[derive(Debug)]
pub struct Reported {
    /// Name of the test's folder.
    pub test: &'static str,
    /// The outcome in the report.
    pub outcome: &'static str,
    /// What stands on the page before everything else, as it is escaped there.
    pub cause: &'static [&'static str],
}

/// Tests whose reports are looked at: one for each way to fail.
pub const REPORTED: &[Reported] = &[
    Reported {
        test: "fails-assertion",
        outcome: "assertion-failed",
        cause: &[
            "subtest: the file is there",
            "command `cat /no/such/file` failed (exit code 1)",
            "<mark><b data-n=\"2\"></b>    machine.succeed(f&quot;cat {path}&quot;)",
            "<pre class=\"command\">cat /no/such/file</pre>",
            "No such file or directory",
        ],
    },
    Reported {
        test: "fails-exception",
        outcome: "script-error",
        cause: &[
            "KeyError: &#39;https&#39;",
            "<mark><b data-n=\"2\"></b>machine.wait_for_open_port(",
        ],
    },
    Reported {
        test: "fails-timeout",
        outcome: "timed-out",
        cause: &[
            "the test did not end within 20 seconds (globalTimeout)",
            "<mark><b data-n=\"1\"></b>machine.wait_until_succeeds(",
            "<pre class=\"command\">test -e /never</pre>",
        ],
    },
    Reported {
        test: "fails-panic",
        outcome: "machine-failed",
        cause: &[
            "the guest&#39;s kernel panicked: Kernel panic",
            "<pre class=\"command\">echo c &gt; /proc/sysrq-trigger</pre>",
            "machine: Kernel panic - not syncing: sysrq triggered crash",
            "the end of its console",
        ],
    },
    Reported {
        test: "fails-qemu-killed",
        outcome: "machine-failed",
        cause: &[
            "QEMU ended unexpectedly (signal: 9",
            "<mark><b data-n=\"6\"></b>machine.succeed(&quot;sleep 60&quot;)",
        ],
    },
    Reported {
        test: "fails-disk-full",
        outcome: "assertion-failed",
        cause: &[
            "<mark><b data-n=\"2\"></b>machine.succeed(&quot;dd ",
            "No space left on device",
        ],
    },
    Reported {
        test: "fails-out-of-memory",
        outcome: "assertion-failed",
        cause: &[
            "machine: process killed for lack of memory",
            "Out of memory: Killed process",
        ],
    },
    Reported {
        test: "fails-keep-going",
        outcome: "assertion-failed",
        cause: &[
            "2 failures",
            "subtest: a file is there",
            "subtest: arithmetic",
            "AssertionError: it is two",
        ],
    },
    Reported {
        test: "fails-gated",
        outcome: "assertion-failed",
        cause: &[
            "subtest: all units are well",
            "<span class=\"bad\">exit code 1</span>",
            "machine: broken.service has failed",
            "this is why",
        ],
    },
    Reported {
        test: "fails-syntax",
        outcome: "script-error",
        cause: &[
            "the test script is wrong:",
            "error[invalid-syntax]: Expected `:`, found newline",
            "<mark><b data-n=\"2\"></b>if machine.succeed(",
        ],
    },
];
