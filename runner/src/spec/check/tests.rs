//! Mistakes in a manifest, and what is said of each.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use vmtest_manifest::Disk;

use crate::spec::{Mac, Share, Subnet};

/// A folder with everything that a valid manifest points to. Complaints are compared without its path, as `DIR`.
struct Site(TempDir);

impl Site {
    fn new() -> Self {
        let site = Self(tempfile::tempdir().expect("folder"));
        for folder in ["modules/6.12.0", "tree"] {
            fs::create_dir_all(site.0.path().join(folder)).expect("folder");
        }
        for file in [
            "vmlinuz",
            "qemu",
            "agent",
            "mke2fs",
            "root.tar",
            "modules/README",
        ] {
            fs::write(site.0.path().join(file), "").expect("file");
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Attributes of a valid test with one machine, `server`.
    fn attributes(&self) -> Value {
        let node = json!({
            "boot": "direct",
            "kernel": { "image": self.path("vmlinuz"), "modules": self.path("modules"), "unpack": true },
            "kernelParams": ["quiet"],
            "root": { "layers": [{ "archive": self.path("root.tar") }, { "tree": self.path("tree") }], "persistent": { "size": 512 } },
            "closure": "closure.server",
            "init": "/sbin/init",
            "memory": 1024,
            "cores": 2,
            "disks": [{ "size": 64, "serial": "disk0" }, { "size": 32, "serial": "data" }],
            "sharedDirectories": [{ "tag": "tree", "source": self.path("tree"), "target": "/srv/tree", "readOnly": true }],
            "network": {
                "setup": "agent",
                "user": { "restrict": false, "forwards": [] },
                "hostName": "server",
                "interfaces": [{ "name": "eth1", "vlan": 2, "mac": "52:54:00:12:02:01", "addresses": ["192.168.2.1/24", "2001:db8:2::1/64"] }],
                "hosts": [{ "address": "192.168.2.1", "names": ["server", "s"] }],
            },
            "qemuOptions": ["-device", "i6300esb"],
            "bootTimeout": 60,
        });
        json!({
            "outputs": { "out": "/out" },
            "closure.server": [
                { "path": "/nix/store/1-a", "narHash": "sha256:00", "narSize": 1, "references": [] },
                { "path": "/nix/store/2-b", "narHash": "sha256:00", "narSize": 1, "references": ["/nix/store/1-a"] },
            ],
            "manifest": {
                "version": 1,
                "name": "small",
                "system": SYSTEM,
                "testScript": "pass\n",
                "globalTimeout": 90,
                "acceleration": "never",
                "sharedDir": false,
                "waitForOutput": false,
                "serialStdout": true,
                "extraPythonPackages": [],
                "skipTypeCheck": false,
                "skipLint": false,
                "ignoredRules": [],
                "tools": { "qemu": self.path("qemu"), "agent": self.path("agent"), "mke2fs": self.path("mke2fs") },
                "nodes": { "server": node },
                "startScripts": {},
            },
        })
    }

    /// What is said when the valid attributes are changed so.
    fn complaints(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut value = self.attributes();
        change(&mut value);
        let attributes = Attributes::parse(&value.to_string()).expect("of the right form");
        let complaints = resolve(&attributes).expect_err("a mistake");
        let text = complaints.to_string();
        text.replace(&self.0.path().display().to_string(), "DIR")
    }
}

/// What the machine's own Nix is told of its closure.
const REGISTRATION: &str = "/nix/store/1-a\nsha256:00\n1\n\n0\n\
                            /nix/store/2-b\nsha256:00\n1\n\n1\n/nix/store/1-a\n";

/// The part of the attributes that most mistakes are made in.
fn server(attributes: &mut Value) -> &mut Value {
    &mut attributes["manifest"]["nodes"]["server"]
}

/// Its shared folder.
fn shared(attributes: &mut Value) -> &mut Value {
    &mut server(attributes)["sharedDirectories"][0]
}

#[test]
fn a_valid_manifest_is_resolved() {
    let site = Site::new();
    let attributes = Attributes::parse(&site.attributes().to_string()).expect("attributes");
    let test = resolve(&attributes).expect("nothing wrong");
    assert_eq!(test.name, "small");
    assert_eq!(test.timeout, Duration::from_secs(90));
    assert_eq!(test.vlans(), [2]);
    let [machine] = test.machines.as_slice() else {
        panic!("one machine: {:?}", test.machines);
    };
    assert_eq!(machine.name, "server");
    assert_eq!(machine.modules, site.path("modules/6.12.0"));
    assert_eq!(
        machine.layers,
        [
            Layer::Archive(site.path("root.tar")),
            Layer::Tree(site.path("tree")),
            Layer::File {
                path: "/nix/.registration".into(),
                bytes: REGISTRATION.as_bytes().into(),
            },
            Layer::StorePaths(vec!["/nix/store/1-a".into(), "/nix/store/2-b".into()]),
        ]
    );
    assert_eq!(
        (machine.persistent, &machine.disks[..]),
        (
            Some(512),
            &[
                Disk {
                    size: 64,
                    serial: "disk0".into()
                },
                Disk {
                    size: 32,
                    serial: "data".into()
                }
            ][..]
        )
    );
    assert_eq!(machine.boot_timeout, Duration::from_secs(60));
    assert_eq!(
        machine.shares,
        [Share {
            tag: "tree".into(),
            source: site.path("tree"),
            target: "/srv/tree".into(),
            read_only: true,
        }]
    );
    let subnet = |address: &str, prefix| Subnet {
        address: address.parse().expect("address"),
        prefix,
    };
    assert_eq!(
        machine.interfaces,
        [Interface {
            name: "eth1".into(),
            vlan: 2,
            mac: Mac([0x52, 0x54, 0, 0x12, 2, 1]),
            addresses: vec![subnet("192.168.2.1", 24), subnet("2001:db8:2::1", 64)],
        }]
    );
    assert_eq!(
        machine.network,
        Network::Agent {
            host_name: "server".into(),
            hosts: vec![(
                "192.168.2.1".parse().expect("address"),
                vec!["server".into(), "s".into()]
            )],
        }
    );
}

#[test]
fn an_initrd_of_its_own_finds_a_store_and_mounts_the_root() {
    let site = Site::new();
    let mut attributes = site.attributes();
    let initrd = site.path("vmlinuz");
    server(&mut attributes)["boot"] = json!({ "initrd": initrd });
    server(&mut attributes)["root"]["layers"] = json!([]);
    let attributes = Attributes::parse(&attributes.to_string()).expect("attributes");
    let test = resolve(&attributes).expect("nothing wrong");
    let machine = &test.machines[0];
    assert_eq!(machine.boot, Boot::Initrd(initrd));
    assert_eq!(
        machine.layers,
        [
            Layer::File {
                path: "/.registration".into(),
                bytes: REGISTRATION.as_bytes().into(),
            },
            Layer::Store(vec!["/nix/store/1-a".into(), "/nix/store/2-b".into()]),
        ]
    );
}

#[test]
fn an_initrd_of_its_own_has_no_use_for_layers() {
    let complaints = Site::new().complaints(|attributes| {
        server(attributes)["boot"] = json!({ "initrd": "/none" });
    });
    let expected = "\n  nodes.server.boot.initrd: /none: No such file or directory (os error 2)\
                    \n  nodes.server.root.layers: a machine with an initrd of its own has no layers: the initrd mounts its root";
    assert!(complaints.ends_with(expected), "{complaints}");
}

#[test]
fn machines_of_start_scripts_are_checked() {
    let site = Site::new();
    let scripts = json!({
        "installer": { "program": site.path("qemu"), "vlans": [1, 3], "qemuOptions": [], "bootTimeout": 90 },
    });
    let mut attributes = site.attributes();
    attributes["manifest"]["startScripts"] = scripts.clone();
    let valid = Attributes::parse(&attributes.to_string()).expect("attributes");
    let test = resolve(&valid).expect("nothing wrong");
    assert_eq!(test.vlans(), [1, 2, 3]);
    assert_eq!(test.start_scripts[0].program, site.path("qemu"));
    attributes["manifest"]["snapshot"] = json!({ "boot": { "prepare": "pass" } });
    let booting = Attributes::parse(&attributes.to_string()).expect("attributes");
    resolve(&booting).expect("nothing is saved");

    let complaints = site.complaints(|attributes| {
        let manifest = &mut attributes["manifest"];
        manifest["startScripts"] = scripts;
        manifest["startScripts"]["server"] =
            json!({ "program": "/none", "vlans": [], "qemuOptions": [], "bootTimeout": 0 });
        manifest["snapshot"] = json!({ "save": { "required": true, "prepared": false } });
    });
    let expected = "the manifest cannot be run:\
                    \n  nodes.server: has the same variable in the script as `server`\
                    \n  startScripts.server.program: /none: No such file or directory (os error 2)\
                    \n  startScripts.server.bootTimeout: is no time at all\
                    \n  startScripts.installer: machines of start scripts cannot be saved";
    assert_eq!(complaints, expected);
}

#[test]
fn a_forward_to_a_host_name_is_refused() {
    let complaints = Site::new().complaints(|attributes| {
        server(attributes)["network"]["user"]["forwards"] = json!([{
            "protocol": "tcp",
            "host": { "address": "", "port": 8080 },
            "guest": { "address": "server", "port": 80 },
        }]);
    });
    let expected = "nodes.server.network.user.forwards.0: `server` is not an IPv4 address";
    assert!(complaints.ends_with(expected), "{complaints}");
}

#[test]
fn a_guest_that_sets_up_its_network_is_left_alone() {
    let site = Site::new();
    for (setup, network) in [("guest", Network::Guest), ("names", Network::Names)] {
        let mut value = site.attributes();
        server(&mut value)["network"]["setup"] = json!(setup);
        let attributes = Attributes::parse(&value.to_string()).expect("attributes");
        let test = resolve(&attributes).expect("nothing wrong");
        assert_eq!(test.machines[0].network, network);
        assert_eq!(test.machines[0].interfaces.len(), 1);
    }
}

#[test]
fn each_mistake_is_named() {
    type Change = fn(&Site, &mut Value);
    let table: &[(&str, Change)] = &[
        ("name: is empty", |_, a| a["manifest"]["name"] = json!("")),
        (
            "system: this runner is for x86_64-linux, not for aarch64-linux",
            |_, a| a["manifest"]["system"] = json!("aarch64-linux"),
        ),
        ("globalTimeout: is no time at all", |_, a| {
            a["manifest"]["globalTimeout"] = json!(0);
        }),
        (
            "tools.qemu: DIR/nothing: No such file or directory (os error 2)",
            |site, a| a["manifest"]["tools"]["qemu"] = json!(site.path("nothing")),
        ),
        (
            "tools.tesseract: DIR/nothing: No such file or directory (os error 2)",
            |site, a| a["manifest"]["tools"]["tesseract"] = json!(site.path("nothing")),
        ),
        (
            "extraPythonPackages.1: DIR/vmlinuz: is not a folder",
            |site, a| {
                a["manifest"]["extraPythonPackages"] =
                    json!([site.path("tree"), site.path("vmlinuz")]);
            },
        ),
        ("tools.agent: agent: is not an absolute path", |_, a| {
            a["manifest"]["tools"]["agent"] = json!("agent");
        }),
        ("tools.mke2fs: DIR/tree: is not a file", |site, a| {
            a["manifest"]["tools"]["mke2fs"] = json!(site.path("tree"));
        }),
        (
            "nodes.server.kernel.image: DIR/bzImage: No such file or directory (os error 2)",
            |site, a| server(a)["kernel"]["image"] = json!(site.path("bzImage")),
        ),
        (
            "nodes.server.kernel.modules: DIR/nothing: No such file or directory (os error 2)",
            |site, a| server(a)["kernel"]["modules"] = json!(site.path("nothing")),
        ),
        (
            "nodes.server.kernel.modules: DIR/tree holds modules of 0 kernels, not of one",
            |site, a| server(a)["kernel"]["modules"] = json!(site.path("tree")),
        ),
        (
            "nodes.server.kernel.modules: DIR/modules holds modules of 2 kernels, not of one",
            |site, _| fs::create_dir(site.path("modules/6.13.0")).expect("folder"),
        ),
        (
            "nodes.server.init: `sbin/init` is not an absolute path",
            |_, a| server(a)["init"] = json!("sbin/init"),
        ),
        (
            "nodes.server.memory: 63 MiB is too little: 64 at least",
            |_, a| server(a)["memory"] = json!(63),
        ),
        ("nodes.server.cores: a machine needs a CPU", |_, a| {
            server(a)["cores"] = json!(0);
        }),
        ("nodes.server.bootTimeout: is no time at all", |_, a| {
            server(a)["bootTimeout"] = json!(0);
        }),
        ("nodes.server.root.persistent: has no size", |_, a| {
            server(a)["root"]["persistent"]["size"] = json!(0);
        }),
        ("nodes.server.disks.1: has no size", |_, a| {
            server(a)["disks"][1]["size"] = json!(0);
        }),
        (
            "nodes.server.root.layers.0: DIR/nothing: No such file or directory (os error 2)",
            |site, a| server(a)["root"]["layers"][0]["archive"] = json!(site.path("nothing")),
        ),
        (
            "nodes.server.root.layers.1: DIR/root.tar is not a folder",
            |site, a| server(a)["root"]["layers"][1]["tree"] = json!(site.path("root.tar")),
        ),
        ("nodes.server.root.layers: the root is empty", |_, a| {
            server(a)["root"]["layers"] = json!([]);
            server(a)["closure"] = Value::Null;
        }),
        (
            "nodes.server.closure: the derivation has no closure `closure.other` (exportReferencesGraph)",
            |_, a| server(a)["closure"] = json!("closure.other"),
        ),
        (
            "nodes.server.sharedDirectories.a,b: a shared folder's tag has 1 to 36 letters, digits and characters of `+-._`",
            |_, a| shared(a)["tag"] = json!("a,b"),
        ),
        (
            "nodes.server.sharedDirectories.tree.source: DIR/nothing: No such file or directory (os error 2)",
            |site, a| shared(a)["source"] = json!(site.path("nothing")),
        ),
        (
            "nodes.server.sharedDirectories.tree.source: DIR/vmlinuz: is not a folder",
            |site, a| shared(a)["source"] = json!(site.path("vmlinuz")),
        ),
        (
            "nodes.server.sharedDirectories.tree.source: tree: is not an absolute path",
            |_, a| shared(a)["source"] = json!("tree"),
        ),
        (
            "nodes.server.sharedDirectories.tree.target: `/srv/../tree` is no absolute path without `..`, white space and \
             backslashes",
            |_, a| shared(a)["target"] = json!("/srv/../tree"),
        ),
        (
            "nodes.server.sharedDirectories.tree.target: `/a b` is no absolute path without `..`, white space and backslashes",
            |_, a| shared(a)["target"] = json!("/a b"),
        ),
        (
            "nodes.server.sharedDirectories.tree.target: `/` is no absolute path without `..`, white space and backslashes",
            |_, a| shared(a)["target"] = json!("/"),
        ),
        (
            "nodes.server.sharedDirectories.shared: another shared folder of the machine has this tag",
            |_, a| {
                a["manifest"]["sharedDir"] = json!(true);
                shared(a)["tag"] = json!("shared");
            },
        ),
        (
            "nodes.server.sharedDirectories.tree.target: another shared folder of the machine is at `/tmp/shared`",
            |_, a| {
                a["manifest"]["sharedDir"] = json!(true);
                shared(a)["target"] = json!("/tmp/shared");
            },
        ),
        (
            "nodes.server.network.interfaces.eth1: `1:2` is no MAC address of the form 52:54:00:12:01:01",
            |_, a| server(a)["network"]["interfaces"][0]["mac"] = json!("1:2"),
        ),
        (
            "nodes.server.network.interfaces.eth1: `192.168.2.1/33` has a prefix longer than its address",
            |_, a| {
                server(a)["network"]["interfaces"][0]["addresses"][0] = json!("192.168.2.1/33");
            },
        ),
        (
            "nodes.server.network.interfaces.an-interface-too: an interface's name has 1 to 15 bytes, without `/`, `:`, `%` and white space, and is not `.` or `..`",
            |_, a| server(a)["network"]["interfaces"][0]["name"] = json!("an-interface-too"),
        ),
        (
            "nodes.server.network.interfaces.eth1: another interface of the machine has this name",
            |_, a| {
                let interfaces = &mut server(a)["network"]["interfaces"];
                let mut second = interfaces[0].clone();
                second["mac"] = json!("52:54:00:12:02:02");
                interfaces.as_array_mut().expect("list").push(second);
            },
        ),
        (
            "nodes.server.network.hosts: `localhost`: invalid IP address syntax",
            |_, a| server(a)["network"]["hosts"][0]["address"] = json!("localhost"),
        ),
        (
            "nodes.-web: a machine's name begins with a letter or digit and holds letters, digits, `-` and `_`",
            |_, a| {
                let nodes = a["manifest"]["nodes"].as_object_mut().expect("machines");
                let node = nodes.remove("server").expect("machine");
                nodes.insert("-web".into(), node);
            },
        ),
    ];
    for (expected, change) in table {
        let site = Site::new();
        assert_eq!(
            site.complaints(|attributes| change(&site, attributes)),
            format!("the manifest cannot be run:\n  {expected}")
        );
    }
}

/// Machines are compared with each other, too.
#[test]
fn machines_do_not_collide() {
    let text = Site::new().complaints(|attributes| {
        let node = server(attributes).clone();
        let nodes = &mut attributes["manifest"]["nodes"];
        nodes["web-1"] = node.clone();
        nodes["web_1"] = node;
        nodes["web_1"]["network"]["interfaces"][0]["vlan"] = json!(3);
        nodes["server"]["network"]["interfaces"][0]["mac"] = json!("52:54:00:12:02:0a");
        nodes["web-1"]["network"]["interfaces"][0]["mac"] = json!("52:54:00:12:02:0A");
    });
    assert_eq!(
        text,
        "the manifest cannot be run:\n  \
         nodes.web_1: has the same variable in the script as `web-1`\n  \
         nodes.web-1.network.interfaces.eth1: has the MAC address of nodes.server.network.interfaces.eth1, on the same VLAN"
    );
}

/// Nobody wants to mend a manifest complaint by complaint.
#[test]
fn everything_is_said_at_once() {
    let text = Site::new().complaints(|attributes| {
        attributes["manifest"]["globalTimeout"] = json!(0);
        let mut client = server(attributes).clone();
        client["network"]["interfaces"] = json!([]);
        client["cores"] = json!(0);
        attributes["manifest"]["nodes"]["client"] = client;
        server(attributes)["memory"] = json!(8);
        server(attributes)["init"] = json!("init");
    });
    assert_eq!(
        text,
        "the manifest cannot be run:\n  \
         globalTimeout: is no time at all\n  \
         nodes.client.cores: a machine needs a CPU\n  \
         nodes.server.init: `init` is not an absolute path\n  \
         nodes.server.memory: 8 MiB is too little: 64 at least"
    );
}
