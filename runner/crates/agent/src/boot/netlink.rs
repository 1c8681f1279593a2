//! The few requests of rtnetlink that it takes to bring up an interface.
//!
//! Numbers and layouts: `linux/netlink.h`, `linux/rtnetlink.h`, `linux/if_link.h`, `linux/if_addr.h`.

use std::net::IpAddr;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

const NLMSG_ERROR: u16 = 2;
const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;

const NLM_F_REQUEST: u16 = 0x1;
const NLM_F_ACK: u16 = 0x4;
const NLM_F_REPLACE: u16 = 0x100;
const NLM_F_CREATE: u16 = 0x400;

const IFLA_IFNAME: u16 = 3;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;

const IFF_UP: u32 = 0x1;
/// No duplicate address detection: the address can be used at once.
const IFA_F_NODAD: u32 = 0x2;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const HEADER: usize = 16;

/// A socket to the kernel's routing tables.
#[derive(Debug)]
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    pub(super) fn open() -> Result<Self, Errno> {
        let flags = SocketFlags::CLOEXEC;
        socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, None).map(Self)
    }

    /// Gives an interface, which must be down, a name.
    pub(super) fn rename(&self, index: u32, name: &str) -> Result<(), Errno> {
        let name = [name.as_bytes(), &[0]].concat();
        let body = [link(index, 0).as_slice(), &attribute(IFLA_IFNAME, &name)].concat();
        self.request(&message(RTM_NEWLINK, 0, &body))
    }

    pub(super) fn bring_up(&self, index: u32) -> Result<(), Errno> {
        self.request(&message(RTM_NEWLINK, 0, &link(index, IFF_UP)))
    }

    pub(super) fn add_address(&self, index: u32, address: IpAddr, prefix: u8) -> Result<(), Errno> {
        let body = address_body(index, address, prefix);
        self.request(&message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &body))
    }

    /// Sends one message and waits for the kernel's answer to it.
    fn request(&self, message: &[u8]) -> Result<(), Errno> {
        sendto(
            &self.0,
            message,
            SendFlags::empty(),
            &SocketAddrNetlink::new(0, 0),
        )?;
        let mut answer = [0; 4096];
        let (length, _) = recv(&self.0, &mut answer, RecvFlags::empty())?;
        acknowledged(&answer[..length])
    }
}

/// What an acknowledgement says: an error number, negated, or 0.
fn acknowledged(answer: &[u8]) -> Result<(), Errno> {
    let kind = answer
        .get(4..6)
        .map(|bytes| u16::from_ne_bytes([bytes[0], bytes[1]]));
    let code = answer.get(HEADER..).and_then(|body| body.first_chunk());
    match (kind, code.map(|code| i32::from_ne_bytes(*code))) {
        (Some(NLMSG_ERROR), Some(0)) => Ok(()),
        (Some(NLMSG_ERROR), Some(code)) => Err(Errno::from_raw_os_error(code.saturating_neg())),
        _ => Err(Errno::BADMSG),
    }
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(HEADER + body.len()).unwrap_or(u32::MAX);
    let flags = NLM_F_REQUEST | NLM_F_ACK | flags;
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    // Sequence number and sender: one request at a time needs neither.
    message.extend([0; 8]);
    message.extend(body);
    message
}

/// `struct ifinfomsg`: sets `flags`, and leaves the others.
fn link(index: u32, flags: u32) -> [u8; 16] {
    let mut body = [0; 16];
    body[4..8].copy_from_slice(&index.to_ne_bytes());
    body[8..12].copy_from_slice(&flags.to_ne_bytes());
    body[12..16].copy_from_slice(&flags.to_ne_bytes());
    body
}

/// `struct ifaddrmsg` and its attributes.
fn address_body(index: u32, address: IpAddr, prefix: u8) -> Vec<u8> {
    let (family, octets) = match address {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    };
    let mut body = vec![family, prefix, 0, 0];
    body.extend(index.to_ne_bytes());
    body.extend(attribute(IFA_LOCAL, &octets));
    body.extend(attribute(IFA_ADDRESS, &octets));
    if family == AF_INET6 {
        body.extend(attribute(IFA_FLAGS, &IFA_F_NODAD.to_ne_bytes()));
    }
    body
}

/// `struct rtattr` and its value, padded to four bytes.
fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
    let mut attribute = Vec::from(length.to_ne_bytes());
    attribute.extend(kind.to_ne_bytes());
    attribute.extend(value);
    attribute.resize(attribute.len().next_multiple_of(4), 0);
    attribute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let answer = |kind: u16, code: i32| {
            let mut bytes = vec![0; 36];
            bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
            bytes[16..20].copy_from_slice(&code.to_ne_bytes());
            bytes
        };
        assert_eq!(acknowledged(&answer(NLMSG_ERROR, 0)), Ok(()));
        assert_eq!(acknowledged(&answer(NLMSG_ERROR, -17)), Err(Errno::EXIST));
        assert_eq!(acknowledged(&answer(RTM_NEWLINK, 0)), Err(Errno::BADMSG));
        assert_eq!(acknowledged(&[]), Err(Errno::BADMSG));
    }

    #[test]
    fn attributes_are_padded() {
        assert_eq!(
            attribute(IFLA_IFNAME, b"eth1\0"),
            [9, 0, 3, 0, b'e', b't', b'h', b'1', 0, 0, 0, 0]
        );
        let body = address_body(2, "2001:db8::1".parse().expect("address"), 64);
        assert_eq!(body[..8], [AF_INET6, 64, 0, 0, 2, 0, 0, 0]);
        assert_eq!(body.len(), 8 + 20 + 20 + 8);
    }

    #[test]
    fn the_kernel_refuses_what_is_not_there() {
        let netlink = Netlink::open().expect("netlink");
        let refused = netlink.bring_up(u32::from(u16::MAX));
        assert!(
            matches!(refused, Err(Errno::NODEV | Errno::PERM)),
            "{refused:?}"
        );
    }
}
