//! The names of a guest's network interfaces, and the network of a guest that does not set it up itself.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use rustix::io::Errno;
use thiserror::Error;
use vmtest_protocol::boot::Interface;

use super::devices::{values, wait_for};
use super::netlink::Netlink;
use crate::kmsg::{Level, note};

const CLASS: &str = "/sys/class/net";

/// QEMU's user network: the name and address that its interface has in every test.
const USER_NETWORK: (&str, IpAddr, u8) = ("eth0", IpAddr::V4(Ipv4Addr::new(10, 0, 2, 15)), 24);

/// Why there is no network.
#[derive(Debug, Error)]
pub(super) enum NetworkError {
    #[error("no network interface has the MAC address {mac} (meant to be {name})")]
    Missing { mac: String, name: String },
    #[error("cannot {action} of the network interface {name}: {source}")]
    Refused {
        action: String,
        name: String,
        source: Errno,
    },
    #[error("cannot reach the kernel's network: {0}")]
    Netlink(#[source] Errno),
    #[error("cannot set the host name {name:?}: {source}")]
    HostName { name: String, source: Errno },
}

/// An interface that is there, and what it is to become.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    index: u32,
    name: String,
    addresses: Vec<(IpAddr, u8)>,
}

/// Names the guest.
pub(super) fn set_host_name(name: &str) -> Result<(), NetworkError> {
    rustix::system::sethostname(name.as_bytes()).map_err(|source| NetworkError::HostName {
        name: name.to_owned(),
        source,
    })
}

/// Names the guest's interfaces; `up` also addresses them and brings them up.
pub(super) fn name(interfaces: &[Interface], up: bool) -> Result<(), NetworkError> {
    let mut plans = Err(NetworkError::Netlink(Errno::NODEV));
    wait_for(|| {
        plans = plan(interfaces, &present());
        plans.is_ok().then_some(())
    });
    let plans = plans?;

    let netlink = Netlink::open().map_err(NetworkError::Netlink)?;
    // Two interfaces may have each other's name. A name that was given also tells udev to leave it alone.
    for plan in &plans {
        let passing = format!("vmtest{}", plan.index);
        netlink
            .rename(plan.index, &passing)
            .map_err(refused("change the name", plan))?;
    }
    for plan in &plans {
        netlink
            .rename(plan.index, &plan.name)
            .map_err(refused("change the name", plan))?;
        if up {
            bring_up(&netlink, plan)?;
        }
    }
    match index_of("lo") {
        Some(index) if up => netlink.bring_up(index).map_err(NetworkError::Netlink),
        _ => Ok(()),
    }
}

fn bring_up(netlink: &Netlink, plan: &Plan) -> Result<(), NetworkError> {
    netlink
        .bring_up(plan.index)
        .map_err(refused("change the state", plan))?;
    for &(address, prefix) in &plan.addresses {
        let action = format!("add the address {address}/{prefix}");
        match netlink.add_address(plan.index, address, prefix) {
            Err(error @ (Errno::OPNOTSUPP | Errno::ACCESS)) if address.is_ipv6() => {
                let text = format!("{}: {address}: IPv6 is off: {error}", plan.name);
                note(Level::Warning, &text);
            }
            result => result.map_err(refused(&action, plan))?,
        }
    }
    Ok(())
}

fn refused(action: &str, plan: &Plan) -> impl FnOnce(Errno) -> NetworkError {
    let (action, name) = (action.to_owned(), plan.name.clone());
    move |source| NetworkError::Refused {
        action,
        name,
        source,
    }
}

/// What becomes of which interface; the first that is not listed is on the user network.
fn plan(wanted: &[Interface], present: &[(u32, String)]) -> Result<Vec<Plan>, NetworkError> {
    let mut plans = Vec::new();
    for interface in wanted {
        let mac = colons(interface.mac);
        let found = present.iter().find(|(_, address)| *address == mac);
        let (index, _) = found.ok_or_else(|| NetworkError::Missing {
            mac: mac.clone(),
            name: interface.name.clone(),
        })?;
        plans.push(Plan {
            index: *index,
            name: interface.name.clone(),
            addresses: interface.addresses.clone(),
        });
    }
    let (name, address, prefix) = USER_NETWORK;
    let rest = present
        .iter()
        .map(|(index, _)| *index)
        .filter(|index| !plans.iter().any(|plan| plan.index == *index));
    if let Some(index) = rest
        .min()
        .filter(|_| !plans.iter().any(|plan| plan.name == name))
    {
        plans.push(Plan {
            index,
            name: name.into(),
            addresses: vec![(address, prefix)],
        });
    }
    Ok(plans)
}

/// Index and MAC address of every interface that is a device (and not loopback, a bridge or the like).
fn present() -> Vec<(u32, String)> {
    let devices = values(Path::new(CLASS), "address")
        .filter(|(name, _)| Path::new(CLASS).join(name).join("device").exists());
    devices
        .filter_map(|(name, mac)| Some((index_of(&name)?, mac)))
        .collect()
}

fn index_of(name: &str) -> Option<u32> {
    let text = fs::read_to_string(Path::new(CLASS).join(name).join("ifindex")).ok()?;
    text.trim().parse().ok()
}

fn colons(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(last: u8, name: &str) -> Interface {
        Interface {
            mac: [0x52, 0x54, 0, 0x12, 1, last],
            name: name.into(),
            addresses: vec![],
        }
    }

    fn named(plans: &[Plan]) -> Vec<(u32, &str)> {
        plans
            .iter()
            .map(|plan| (plan.index, plan.name.as_str()))
            .collect()
    }

    #[test]
    fn interfaces_are_told_apart_by_mac() {
        let present = [
            (2, "52:54:00:12:01:02".into()),
            (3, "52:54:00:12:34:56".into()),
            (4, "52:54:00:12:01:01".into()),
        ];
        let wanted = [interface(1, "eth1"), interface(2, "eth2")];
        let plans = plan(&wanted, &present).expect("all there");
        assert_eq!(named(&plans), [(4, "eth1"), (2, "eth2"), (3, "eth0")]);
        assert_eq!(
            plans[2].addresses,
            [("10.0.2.15".parse().expect("address"), 24)]
        );
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let error = plan(&[interface(0xab, "eth1")], &[]).expect_err("missing");
        assert_eq!(
            error.to_string(),
            "no network interface has the MAC address 52:54:00:12:01:ab (meant to be eth1)"
        );
        assert_eq!(plan(&[], &[]).expect("nothing to do"), []);
    }
}
