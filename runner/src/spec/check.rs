//! The rules of a manifest.

mod patterns;
mod shares;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use vmtest_image::tree::Layer;
use vmtest_manifest::{
    self as manifest, Attributes, Boot, NetworkSetup, Node, Snapshot, UserNetwork,
};

use vmtest_protocol::boot::{PERSISTENT_SERIAL, ROOT_IMAGE_SERIAL};
use vmtest_script::variable_name;

use crate::vm::architecture::Architecture;

use super::names::{is_interface_name, is_serial_number};
use super::{
    Complaint, Complaints, Image, Interface, Machine, Network, ScriptCheck, StartScript, Test,
    registration,
};

/// The smallest memory in MiB with which a Linux guest gets anywhere.
const LEAST_MEMORY: u32 = 64;

/// The system that this runner is made for.
const SYSTEM: &str = Architecture::OWN.system();

pub(super) fn resolve(attributes: &Attributes) -> Result<Test, Complaints> {
    let manifest = &attributes.manifest;
    let mut rules = Rules {
        attributes,
        complaints: Vec::new(),
    };
    rules.require("name", !manifest.name.is_empty(), "is empty");
    rules.require(
        "system",
        manifest.system == SYSTEM,
        format!("this runner is for {SYSTEM}, not for {}", manifest.system),
    );
    rules.require(
        "globalTimeout",
        manifest.global_timeout > 0,
        "is no time at all",
    );
    for (place, tool) in [
        ("qemu", &manifest.tools.qemu),
        ("agent", &manifest.tools.agent),
        ("mke2fs", &manifest.tools.mke2fs),
    ] {
        rules.file(&format!("tools.{place}"), tool);
    }
    if let Some(tesseract) = &manifest.tools.tesseract {
        rules.file("tools.tesseract", tesseract);
    }
    for (index, folder) in manifest.extra_python_packages.iter().enumerate() {
        rules.folder(&format!("extraPythonPackages.{index}"), folder);
    }
    for (index, name) in manifest.ignored_rules.iter().enumerate() {
        rules.require(
            &format!("ignoredRules.{index}"),
            vmtest_check::rules::named(name).is_some(),
            format!("there is no rule `{name}`: `vmtest check --rules` lists them"),
        );
    }
    rules.names(manifest.nodes.keys().chain(manifest.start_scripts.keys()));
    rules.cards(&manifest.nodes);
    let machines = manifest
        .nodes
        .iter()
        .filter_map(|(name, node)| rules.machine(name, node))
        .collect();
    let start_scripts = manifest.start_scripts.iter();
    let start_scripts = start_scripts.map(|(name, script)| rules.start_script(name, script));
    let start_scripts: Vec<StartScript> = start_scripts.collect();
    let failures = manifest.failures.clone().unwrap_or_default();
    let patterns = rules.patterns(&failures);
    rules.snapshot(manifest.snapshot.as_ref(), &start_scripts);
    if !rules.complaints.is_empty() {
        return Err(Complaints(rules.complaints));
    }
    Ok(Test {
        name: manifest.name.clone(),
        script: manifest.test_script.clone(),
        timeout: Duration::from_secs(manifest.global_timeout),
        acceleration: manifest.acceleration,
        shared_dir: manifest.shared_dir,
        wait_for_output: manifest.wait_for_output,
        serial_stdout: manifest.serial_stdout,
        python_path: manifest.extra_python_packages.clone(),
        check: ScriptCheck {
            skip_types: manifest.skip_type_check,
            skip_lint: manifest.skip_lint,
            ignored: manifest.ignored_rules.clone(),
        },
        snapshot: manifest.snapshot.clone(),
        keep_going: failures.keep_going,
        patterns,
        tools: manifest.tools.clone(),
        machines,
        start_scripts,
    })
}

struct Rules<'a> {
    attributes: &'a Attributes,
    complaints: Vec<Complaint>,
}

impl Rules<'_> {
    fn complain(&mut self, place: &str, text: impl Display) {
        self.complaints.push(Complaint {
            place: place.to_owned(),
            text: text.to_string(),
        });
    }

    fn require(&mut self, place: &str, holds: bool, otherwise: impl Display) {
        if !holds {
            self.complain(place, otherwise);
        }
    }

    fn file(&mut self, place: &str, path: &Path) {
        let complaint = match path.metadata() {
            _ if !path.is_absolute() => Some("is not an absolute path".to_owned()),
            Ok(metadata) if metadata.is_file() => None,
            Ok(_) => Some("is not a file".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(complaint) = complaint {
            self.complain(place, format!("{}: {complaint}", path.display()));
        }
    }

    fn folder(&mut self, place: &str, path: &Path) {
        let complaint = match path.metadata() {
            _ if !path.is_absolute() => "is not an absolute path".to_owned(),
            Ok(metadata) if metadata.is_dir() => return,
            Ok(_) => "is not a folder".to_owned(),
            Err(error) => error.to_string(),
        };
        self.complain(place, format!("{}: {complaint}", path.display()));
    }

    fn parse<T: FromStr<Err = &'static str>>(&mut self, place: &str, text: &str) -> Option<T> {
        text.parse()
            .map_err(|complaint| self.complain(place, format!("`{text}` {complaint}")))
            .ok()
    }

    /// A script knows a machine by its name with `_` in place of what is not allowed in an identifier.
    fn names<'a>(&mut self, names: impl Iterator<Item = &'a String>) {
        let mut variables = BTreeMap::<String, &str>::new();
        for name in names {
            let place = format!("nodes.{name}");
            if let Some(other) = variables.insert(variable_name(name), name) {
                self.complain(
                    &place,
                    format!("has the same variable in the script as `{other}`"),
                );
            }
            let sound = name.starts_with(|first: char| first.is_ascii_alphanumeric())
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            self.require(
                &place,
                sound,
                "a machine's name begins with a letter or digit and holds letters, digits, `-` and `_`",
            );
        }
    }

    /// Two cards with one address on one VLAN would never hear from each other. Two of one name a guest cannot have.
    fn cards(&mut self, nodes: &BTreeMap<String, Node>) {
        let mut cards = BTreeMap::<(u16, String), String>::new();
        for (name, node) in nodes {
            let mut names = BTreeSet::new();
            for interface in &node.network.interfaces {
                let place = format!("nodes.{name}.network.interfaces.{}", interface.name);
                self.require(
                    &place,
                    names.insert(&interface.name),
                    "another interface of the machine has this name",
                );
                let card = (interface.vlan, interface.mac.to_lowercase());
                if let Some(other) = cards.insert(card, place.clone()) {
                    self.complain(
                        &place,
                        format!("has the MAC address of {other}, on the same VLAN"),
                    );
                }
            }
        }
    }

    fn machine(&mut self, name: &str, node: &Node) -> Option<Machine> {
        let at = |field: &str| format!("nodes.{name}.{field}");
        self.hardware(&at, node);
        self.disks(&at, node);
        let layers = self.layers(name, node);
        let shares = self.shares(&at("sharedDirectories"), &node.shared_directories);
        let modules = self.modules(&at("kernel.modules"), &node.kernel.modules);
        if let Some(user) = &node.network.user {
            self.forwards(&at("network.user"), user);
        }
        let interfaces: Vec<_> = node
            .network
            .interfaces
            .iter()
            .filter_map(|interface| self.interface(&at("network.interfaces"), interface))
            .collect();
        Some(Machine {
            name: name.to_owned(),
            boot: node.boot.clone(),
            image: image(node),
            kernel: node.kernel.image.clone(),
            unpack_kernel: node.kernel.unpack,
            modules: modules?,
            kernel_params: node.kernel_params.clone(),
            layers,
            persistent: node.root.persistent.map(|disk| disk.size),
            init: node.init.clone(),
            memory: node.memory,
            cores: node.cores,
            disks: node.disks.clone(),
            shares,
            interfaces,
            user_network: node.network.user.clone(),
            network: self.network(&at("network"), &node.network),
            qemu_options: node.qemu_options.clone(),
            boot_timeout: Duration::from_secs(node.boot_timeout),
        })
    }

    /// What is true or not of a machine by itself; `at` names a field of it.
    fn hardware(&mut self, at: &impl Fn(&str) -> String, node: &Node) {
        if let Boot::Initrd(initrd) = &node.boot {
            self.file(&at("boot.initrd"), initrd);
            self.require(
                &at("root.layers"),
                node.root.layers.is_empty(),
                "a machine with an initrd of its own has no layers: the initrd mounts its root",
            );
        }
        self.file(&at("kernel.image"), &node.kernel.image);
        self.require(
            &at("init"),
            node.init.starts_with('/'),
            format!("`{}` is not an absolute path", node.init),
        );
        self.require(
            &at("memory"),
            node.memory >= LEAST_MEMORY,
            format!("{} MiB is too little: {LEAST_MEMORY} at least", node.memory),
        );
        self.require(&at("cores"), node.cores > 0, "a machine needs a CPU");
        self.require(
            &at("bootTimeout"),
            node.boot_timeout > 0,
            "is no time at all",
        );
    }

    fn disks(&mut self, at: &impl Fn(&str) -> String, node: &Node) {
        if let Some(disk) = node.root.persistent {
            self.require(&at("root.persistent"), disk.size > 0, "has no size");
        }
        let mut serials = BTreeSet::from([PERSISTENT_SERIAL, ROOT_IMAGE_SERIAL]);
        for (index, disk) in node.disks.iter().enumerate() {
            let place = at(&format!("disks.{index}"));
            self.require(&place, disk.size > 0, "has no size");
            self.require(
                &place,
                is_serial_number(&disk.serial),
                format!(
                    "bad serial number `{}`: 1 to 20 letters, digits, `_`, `.` and `-`",
                    disk.serial
                ),
            );
            self.require(
                &place,
                serials.insert(&disk.serial),
                format!("another disk has the serial number `{}`", disk.serial),
            );
        }
    }

    fn snapshot(&mut self, snapshot: Option<&Snapshot>, start_scripts: &[StartScript]) {
        if let (Some(Snapshot::Save(_) | Snapshot::Restore(_)), Some(script)) =
            (snapshot, start_scripts.first())
        {
            let place = format!("startScripts.{}", script.name);
            self.complain(&place, "machines of start scripts cannot be saved");
        }
    }

    fn start_script(&mut self, name: &str, script: &manifest::StartScript) -> StartScript {
        let at = |field: &str| format!("startScripts.{name}.{field}");
        self.file(&at("program"), &script.program);
        self.require(
            &at("bootTimeout"),
            script.boot_timeout > 0,
            "is no time at all",
        );
        StartScript {
            name: name.to_owned(),
            program: script.program.clone(),
            vlans: script.vlans.clone(),
            qemu_options: script.qemu_options.clone(),
            boot_timeout: Duration::from_secs(script.boot_timeout),
        }
    }

    fn layers(&mut self, name: &str, node: &Node) -> Vec<Layer> {
        let mut layers = Vec::new();
        for (index, layer) in node.root.layers.iter().enumerate() {
            let place = format!("nodes.{name}.root.layers.{index}");
            layers.push(match layer {
                manifest::Layer::Archive(path) => {
                    self.file(&place, path);
                    Layer::Archive(path.clone())
                }
                manifest::Layer::Tree(path) => {
                    self.require(
                        &place,
                        path.is_dir(),
                        format!("{} is not a folder", path.display()),
                    );
                    Layer::Tree(path.clone())
                }
            });
        }
        match node
            .closure
            .as_ref()
            .map(|key| self.attributes.closure(key))
        {
            Some(Ok(closure)) => {
                let bytes = registration::text(&closure).into_bytes().into();
                let paths = closure.into_iter().map(|info| info.path).collect();
                let (path, paths) = match image(node) {
                    Image::Root => (registration::PATH, Layer::StorePaths(paths)),
                    Image::Store => (registration::PATH_IN_STORE, Layer::Store(paths)),
                };
                let path = path.into();
                layers.extend([Layer::File { path, bytes }, paths]);
            }
            Some(Err(error)) => self.complain(&format!("nodes.{name}.closure"), error),
            None => {}
        }
        self.require(
            &format!("nodes.{name}.root.layers"),
            !layers.is_empty(),
            "the root is empty",
        );
        layers
    }

    /// The one folder in `lib/modules`.
    fn modules(&mut self, place: &str, path: &Path) -> Option<PathBuf> {
        let versions: Vec<PathBuf> = match path.read_dir() {
            Ok(entries) => entries
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.is_dir())
                .collect(),
            Err(error) => {
                self.complain(place, format!("{}: {error}", path.display()));
                return None;
            }
        };
        match versions.as_slice() {
            [version] => Some(version.clone()),
            versions => {
                let found = versions.len();
                self.complain(
                    place,
                    format!(
                        "{} holds modules of {found} kernels, not of one",
                        path.display()
                    ),
                );
                None
            }
        }
    }

    fn interface(&mut self, place: &str, interface: &manifest::Interface) -> Option<Interface> {
        let at = format!("{place}.{}", interface.name);
        self.require(
            &at,
            is_interface_name(&interface.name),
            "an interface's name has 1 to 15 bytes, without `/`, `:`, `%` and white space, and is not `.` or `..`",
        );
        let mac = self.parse(&at, &interface.mac);
        let addresses = interface
            .addresses
            .iter()
            .filter_map(|address| self.parse(&at, address))
            .collect();
        Some(Interface {
            name: interface.name.clone(),
            vlan: interface.vlan,
            mac: mac?,
            addresses,
        })
    }

    fn network(&mut self, place: &str, network: &manifest::Network) -> Network {
        match network.setup {
            NetworkSetup::Guest => return Network::Guest,
            NetworkSetup::Names => return Network::Names,
            NetworkSetup::Agent => {}
        }
        let mut hosts = Vec::new();
        for entry in &network.hosts {
            match entry.address.parse() {
                Ok(address) => hosts.push((address, entry.names.clone())),
                Err(error) => self.complain(
                    &format!("{place}.hosts"),
                    format!("`{}`: {error}", entry.address),
                ),
            }
        }
        Network::Agent {
            host_name: network.host_name.clone(),
            hosts,
        }
    }

    /// An address that QEMU would take for something else.
    fn forwards(&mut self, place: &str, user: &UserNetwork) {
        for (index, forward) in user.forwards.iter().enumerate() {
            for endpoint in [&forward.host, &forward.guest] {
                let address = &endpoint.address;
                self.require(
                    &format!("{place}.forwards.{index}"),
                    address.is_empty() || address.parse::<Ipv4Addr>().is_ok(),
                    format!("`{address}` is not an IPv4 address"),
                );
            }
        }
    }
}

/// Without layers there is nothing but the store.
fn image(node: &Node) -> Image {
    match node.root.layers.as_slice() {
        [] => Image::Store,
        _ => Image::Root,
    }
}

#[cfg(test)]
mod tests;
