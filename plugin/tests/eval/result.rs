//! What a test evaluates to.

use serde_json::{Value, json};

use crate::nix::Entry;

/// The golden file that the runner's tests read, too.
const GOLDEN: &str = include_str!("../../../runner/crates/manifest/tests/golden/hello.json");

const HELLO: &str = r#"
  let path = name: "/nix/store/00000000000000000000000000000000-${name}"; in vmTest {
    name = "hello";
    testScript = "start_all()\n";
    sharedDir = true;
    waitForOutput = true;
    serialStdout = false;
    enableOCR = true;
    keepGoing = true;
    failOn = [ "BUG:" ];
    failOnExcept = [ "known" ];
    extraPythonPackages = [ (path "python-package") ];
    skipTypeCheck = true;
    skipLint = true;
    ignoredRules = [ "shell-syntax" ];
    tools = {
      system = "x86_64-linux";
      runner = path "vmtest"; agent = path "vmtest-agent"; qemu = path "qemu"; e2fsprogs = path "e2fsprogs";
      tesseract = path "tesseract";
    };
    nodes.client = {
      kernel = path "kernel";
      root.layers = [ { archive = path "debian.tar"; } { tree = path "client"; } ];
      root.persistentDisk.sizeMiB = 512;
      closure = [ (path "hello") ];
      disks = [ { sizeMiB = 64; } ];
      sharedDirectories.keys = { source = path "keys"; target = "/etc/keys"; readOnly = true; };
      qemuOptions = [ "-device" "virtio-rng-pci" ];
      userNetwork = {
        restrict = true;
        forwards = [ { host = { address = "127.0.0.1"; port = 8080; }; guest.port = 80; } ];
      };
    };
    nodes.installer = {
      startScript = path "installer/bin/run-installer-vm";
      vlans = [ 1 ];
      qemuOptions = [ "-m" "512" ];
      bootTimeout = 90;
    };
    meta.timeout = 7;
    passthru.extra = "yes";
  }"#;

fn json(entry: Entry, expression: &str) -> Value {
    let text = entry
        .eval(&["--json"], expression)
        .unwrap_or_else(|error| panic!("{entry:?}: {expression}: {error}"));
    serde_json::from_str(&text).expect("nix writes JSON")
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn manifest_is_the_golden_one() {
    let golden: Value = serde_json::from_str(GOLDEN).expect("golden file is JSON");
    for entry in Entry::ALL {
        assert_eq!(
            json(entry, &format!("({HELLO}).manifest")),
            golden,
            "{entry:?}"
        );
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn both_ways_in_give_the_same_derivation() {
    for expression in [
        format!("({HELLO}).drvPath"),
        "run { nodes = { a = machine; b = machine // { closure = [ (fake \"c\") ]; }; }; }"
            .to_owned(),
    ] {
        let [plugin, library] = Entry::ALL.map(|entry| json(entry, &expression));
        assert_eq!(plugin, library, "{expression}");
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn derivation_has_what_the_runner_needs() {
    let expression = format!(
        "let test = {HELLO}; in {{ inherit (test) name system builder args requiredSystemFeatures exportReferencesGraph \
         outputs meta extra; memory = test.nodes.client.memory; inputs = builtins.attrNames \
         (builtins.getContext (builtins.toJSON test.manifest)); }}"
    );
    let path = |name: &str| format!("/nix/store/00000000000000000000000000000000-{name}");
    let expected = json!({
        "name": "vm-test-run-hello",
        "system": "x86_64-linux",
        "builder": format!("{}/bin/vmtest", path("vmtest")),
        "args": ["build"],
        "requiredSystemFeatures": ["nixos-test"],
        "exportReferencesGraph": { "closure.client": [path("hello")] },
        "outputs": ["out"],
        "meta": { "timeout": 7 },
        "extra": "yes",
        "memory": 1024,
        "inputs": [
            path("client"), path("debian.tar"), path("e2fsprogs"), path("installer"), path("kernel"), path("keys"),
            path("python-package"), path("qemu"), path("tesseract"), path("vmtest-agent"),
        ],
    });
    assert_eq!(json(Entry::Plugin, &expression), expected);
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn required_acceleration_needs_a_machine_with_kvm() {
    let features = |acceleration: &str| {
        json(
            Entry::Plugin,
            &format!(
                r#"(vmTest {{ name = "t"; nodes = {{ }}; testScript = ""; inherit tools; acceleration = "{acceleration}"; }})
                  .requiredSystemFeatures"#
            ),
        )
    };
    assert_eq!(features("require"), json!(["nixos-test", "kvm"]));
    assert_eq!(features("prefer"), json!(["nixos-test"]));
    assert_eq!(features("never"), json!(["nixos-test"]));
}

/// Where nothing is said, the script decides whether there is a folder that all machines share.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn a_script_that_speaks_of_the_shared_folder_has_one() {
    for (arguments, expected) in [
        (r#"testScript = "start_all()";"#, false),
        (
            r#"testScript = "start_all()\nprint(machine.shared_dir)\n";"#,
            true,
        ),
        (r#"testScript = "machine.succeed('ls /tmp/shared')";"#, true),
        (
            r#"testScript = "machine.shared_dir"; sharedDir = false;"#,
            false,
        ),
        (r#"testScript = ""; sharedDir = true;"#, true),
        (r#"testScript = ""; sharedDir = null;"#, false),
    ] {
        let expression = format!(
            r#"(vmTest {{ name = "t"; nodes = {{ inherit machine; }}; inherit tools; {arguments} }}).manifest.sharedDir"#
        );
        assert_eq!(
            json(Entry::Plugin, &expression),
            json!(expected),
            "{arguments}"
        );
    }
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn a_machine_may_have_an_initrd_of_its_own() {
    let is_there = json(
        Entry::Plugin,
        r#"(vmTest {
          name = "t"; testScript = ""; inherit tools;
          nodes.a = { kernel = fake "k"; initrd = fake "initrd"; closure = [ (fake "c") ]; };
        }).manifest.nodes.a.boot == { initrd = "${fake "initrd"}"; }"#,
    );
    assert_eq!(is_there, json!(true));
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn names_stand_for_addresses_that_a_machine_gives_itself() {
    let hosts = json(
        Entry::Plugin,
        r#"(vmTest {
          name = "t"; testScript = ""; inherit tools;
          nodes.a = machine // {
            interfaces = [ { name = "lan"; vlan = 2; mac = "52:54:00:12:02:09"; addresses = [ "10.0.0.9/8" ]; } ];
          };
        }).manifest.nodes.a.network.hosts"#,
    );
    assert_eq!(hosts, json!([{ "address": "10.0.0.9", "names": ["a"] }]));
}

/// Machines are numbered alphabetically over all of them; a name stands for the address on the machine's first VLAN.
#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn addresses_follow_from_numbers_and_vlans() {
    let network = json(
        Entry::Plugin,
        r#"(vmTest {
          name = "t"; testScript = ""; inherit tools;
          nodes = { web = machine // { vlans = [ 20 3 ]; }; alone = machine // { vlans = [ ]; }; db = machine; };
        }).manifest.nodes.web.network"#,
    );
    let interface = |name: &str, vlan: u16, mac: &str| {
        json!({
            "name": name, "vlan": vlan, "mac": mac,
            "addresses": [format!("192.168.{vlan}.3/24"), format!("2001:db8:{vlan}::3/64")],
        })
    };
    assert_eq!(
        network,
        json!({
            "setup": "agent",
            "user": { "restrict": false, "forwards": [] },
            "hostName": "web",
            "interfaces": [interface("eth1", 20, "52:54:00:12:14:03"), interface("eth2", 3, "52:54:00:12:03:03")],
            "hosts": [
                { "address": "192.168.1.2", "names": ["db"] },
                { "address": "2001:db8:1::2", "names": ["db"] },
                { "address": "192.168.20.3", "names": ["web"] },
                { "address": "2001:db8:20::3", "names": ["web"] },
            ],
        })
    );
}

#[test]
#[ignore = "needs the toolbox: run `cargo xtask test`"]
fn results_can_be_kept() {
    let expression = r#"
      let
        test = attributes: vmTest ({ name = "t"; nodes = { }; testScript = ""; inherit tools; } // attributes);
        plain = test { };
        gated = test { results = "gated"; };
      in {
        plain = [ plain.name plain.args plain.report.name plain.report.args ];
        gated = [ gated.name gated.args gated.report.name ];
        same = plain.report.drvPath == gated.report.drvPath;
        gate = gated.drvAttrs.results == "${gated.report}" && !(gated.drvAttrs ? requiredSystemFeatures);
      }"#;
    let expected = json!({
        "plain": ["vm-test-run-t", ["build"], "vm-test-run-t-report", ["build", "--report"]],
        "gated": ["vm-test-run-t", ["gate"], "vm-test-run-t-report"],
        "same": true,
        "gate": true,
    });
    for entry in Entry::ALL {
        assert_eq!(json(entry, expression), expected, "{entry:?}");
    }
}
