//! The command lines of some machines.

use std::time::Duration;

use vmtest_manifest::{Disk, Endpoint, Forward};

use super::*;
use crate::spec::{Image, Interface, Share};

const EMULATED: Processor = Processor {
    architecture: Architecture::X86_64,
    accelerator: Accelerator::Tcg,
};

fn machine() -> Machine {
    Machine {
        name: "server".into(),
        boot: manifest::Boot::Direct,
        kernel: "/kernel/vmlinuz".into(),
        unpack_kernel: true,
        modules: "/kernel/lib/modules/6.12.0".into(),
        kernel_params: vec!["systemd.log_level=debug".into()],
        image: Image::Store,
        layers: Vec::new(),
        persistent: None,
        init: "/sbin/init".into(),
        memory: 1024,
        cores: 2,
        disks: Vec::new(),
        shares: Vec::new(),
        interfaces: vec![Interface {
            name: "eth1".into(),
            vlan: 1,
            mac: Mac([0x52, 0x54, 0, 0x12, 1, 1]),
            addresses: Vec::new(),
        }],
        user_network: Some(UserNetwork {
            restrict: false,
            forwards: Vec::new(),
        }),
        network: Network::Guest,
        qemu_options: vec!["-device".into(), "i6300esb".into()],
        boot_timeout: Duration::from_secs(60),
    }
}

fn files() -> Files {
    Files {
        boot: Boot {
            kernel: "/b/kernel".into(),
            initrd: "/b/initrd".into(),
            root: "/b/a,b.erofs".into(),
        },
        disks: Disks {
            persistent: None,
            empty: Vec::new(),
        },
    }
}

/// One option a line.
fn show(plan: &Plan) -> String {
    let words: Vec<_> = plan
        .arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ").replace(" -", "\n-")
}

#[test]
fn a_machine_with_one_vlan() {
    insta::assert_snapshot!(show(&Plan::new(
        &machine(),
        &Additions::default(),
        &files(),
        EMULATED,
        Mode::default()
    )));
}

/// The name is for the guest.
#[test]
fn an_interface_of_any_name_is_no_option_of_qemus() {
    let mut machine = machine();
    machine.interfaces[0].name = "user,1".into();
    let none = Additions::default();
    let mode = Mode::default();
    let shown = show(&Plan::new(&machine, &none, &files(), EMULATED, mode));
    assert!(shown.contains("-netdev dgram,id=vlan0,"), "{shown}");
    assert!(!shown.contains("user,1"), "{shown}");
}

#[test]
fn a_machine_with_additions_of_the_environment() {
    let additions = Additions {
        options: ["-snapshot", "-m", "2G"].map(str::to_owned).into(),
        user_network: "hostfwd=tcp::8080-:80".into(),
        kernel_parameters: vec!["debug".into()],
    };
    let mode = Mode::default();
    let plan = Plan::new(&machine(), &additions, &files(), EMULATED, mode);
    let shown = show(&plan);
    for part in [
        "-machine q35,memory-backend=memory",
        ",size=2048M,",
        "-netdev user,id=user,hostfwd=tcp::8080-:80\n",
        "systemd.log_level=debug debug\n",
        "-device i6300esb\n-snapshot\n-m 2G",
    ] {
        assert!(shown.contains(part), "no {part:?} in:\n{shown}");
    }
}

#[test]
fn memory_is_what_the_last_option_says() {
    let memory_with = |options: &[&str]| {
        let qemu_options = options.iter().map(|&option| option.to_owned()).collect();
        let machine = Machine {
            qemu_options,
            ..machine()
        };
        memory(&machine, &Additions::default())
    };
    let table: [(&[&str], u32); 6] = [
        (&[], 1024),
        (&["-m", "512"], 512),
        (&["-m", "512", "-m", "size=3G,slots=2"], 3072),
        (&["-m", "300M"], 300),
        // QEMU has to say what is wrong with it.
        (&["-m", "much"], 1024),
        (&["-m"], 1024),
    ];
    for (options, expected) in table {
        assert_eq!(memory_with(options), expected, "{options:?}");
    }
}

#[test]
fn the_user_network_takes_forwards_of_the_machine_and_of_the_environment() {
    let endpoint = |address: &str, port| Endpoint {
        address: address.into(),
        port,
    };
    let network = UserNetwork {
        restrict: true,
        forwards: vec![Forward {
            protocol: Protocol::Udp,
            host: endpoint("127.0.0.1", 5353),
            guest: endpoint("", 53),
        }],
    };
    let additions = Additions {
        user_network: "hostfwd=tcp::8080-:80".into(),
        ..Additions::default()
    };
    assert_eq!(
        user_netdev(&network, &additions),
        "user,id=user,restrict=on,hostfwd=udp:127.0.0.1:5353-:53,hostfwd=tcp::8080-:80"
    );
}

#[test]
fn a_machine_with_shared_folders() {
    let share = |tag: &str| Share {
        tag: tag.into(),
        source: "/host".into(),
        target: "/guest".into(),
        read_only: false,
    };
    let machine = Machine {
        shares: vec![share("keys"), share("shared")],
        ..machine()
    };
    let plan = Plan::new(
        &machine,
        &Additions::default(),
        &files(),
        EMULATED,
        Mode::default(),
    );
    insta::assert_snapshot!(show(&plan));
}

#[test]
fn a_machine_with_disks_on_kvm_that_is_restored_and_may_reboot() {
    let files = Files {
        disks: Disks {
            persistent: Some("/b/persistent.img".into()),
            empty: vec!["/b/disk0.img".into(), "/b/disk1.img".into()],
        },
        ..files()
    };
    let disk = |serial: &str| Disk {
        size: 16,
        serial: serial.into(),
    };
    let machine = Machine {
        disks: vec![disk("disk0"), disk("data")],
        ..machine()
    };
    let mode = Mode {
        allow_reboot: true,
        restore: true,
        ..Mode::default()
    };
    let none = Additions::default();
    let plan = Plan::new(
        &machine,
        &none,
        &files,
        Processor {
            accelerator: Accelerator::Kvm,
            ..EMULATED
        },
        mode,
    );
    insta::assert_snapshot!(show(&plan));
}

#[test]
fn a_machine_of_another_architecture() {
    let architecture = Architecture::Aarch64;
    let machine = Machine {
        kernel: "/kernel/Image".into(),
        qemu_options: Vec::new(),
        ..machine()
    };
    let [emulated, native] = [Accelerator::Tcg, Accelerator::Kvm].map(|accelerator| {
        let processor = Processor {
            architecture,
            accelerator,
        };
        let none = Additions::default();
        show(&Plan::new(
            &machine,
            &none,
            &files(),
            processor,
            Mode::default(),
        ))
    });
    insta::assert_snapshot!(emulated);
    let differs: Vec<_> = (emulated.lines().zip(native.lines()))
        .filter(|(emulated, native)| emulated != native)
        .map(|(_, native)| native)
        .collect();
    assert_eq!(
        differs,
        [
            "-accel kvm",
            "-cpu host",
            "-append console=ttyAMA0 panic=-1 systemd.log_level=debug"
        ]
    );
}
