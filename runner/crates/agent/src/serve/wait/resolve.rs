//! Host names, as the guest knows them.
//!
//! The C library of a static program cannot be asked: it would load the guest's own plugins for names into itself. So
//! the hosts file is read here, and for what it does not hold the guest's `getent` is asked.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::process::{HOME, capture, tool};

/// Between two questions to `getent`: it costs a process.
const PAUSE: Duration = Duration::from_millis(500);

/// How long an answer of `getent` may take: it may wait for a name server.
const FOR_ANSWER: Duration = Duration::from_secs(10);

/// Finds a host's addresses, as often as it is asked: the guest may come to know it.
#[derive(Debug)]
pub(super) struct Resolver {
    host: String,
    /// When `getent` was asked, and what it said.
    answer: Option<(Instant, Vec<IpAddr>)>,
}

impl Resolver {
    pub(super) fn new(host: &str) -> Self {
        Self {
            host: host.trim_start_matches('[').trim_end_matches(']').into(),
            answer: None,
        }
    }

    /// The host's addresses; none while it is not known.
    pub(super) fn addresses(&mut self) -> Vec<IpAddr> {
        if let Ok(address) = self.host.parse() {
            return vec![address];
        }
        if self.host.eq_ignore_ascii_case("localhost") {
            return vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        let hosts = fs::read("/etc/hosts").unwrap_or_default();
        let known = in_hosts(&String::from_utf8_lossy(&hosts), &self.host);
        if !known.is_empty() {
            return known;
        }
        match &self.answer {
            Some((asked, answer)) if asked.elapsed() < PAUSE || !answer.is_empty() => {
                answer.clone()
            }
            _ => {
                let answer = ask(&self.host);
                self.answer = Some((Instant::now(), answer.clone()));
                answer
            }
        }
    }
}

fn in_hosts(hosts: &str, wanted: &str) -> Vec<IpAddr> {
    let lines = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default());
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words
                .any(|name| name.eq_ignore_ascii_case(wanted))
                .then_some(address)
        })
        .collect()
}

fn ask(host: &str) -> Vec<IpAddr> {
    let mut command = tool("getent");
    command.args(["ahosts", "--", host]);
    let output = capture(command, HOME.as_ref(), FOR_ANSWER).unwrap_or_default();
    let mut addresses: Vec<IpAddr> = String::from_utf8_lossy(&output)
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect();
    // One line for each kind of socket.
    addresses.dedup();
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_by_every_name() {
        let hosts = "127.0.0.1 localhost\n# 1.2.3.4 server\n192.168.1.1\tserver  Server.test # one\n2001:db8::1 server\nbroken\n";
        let address = |text: &str| text.parse::<IpAddr>().expect("address");
        let both = vec![address("192.168.1.1"), address("2001:db8::1")];
        assert_eq!(in_hosts(hosts, "server"), both);
        assert_eq!(in_hosts(hosts, "server.TEST"), both[..1]);
        assert!(in_hosts(hosts, "one").is_empty());
    }

    #[test]
    fn addresses_need_no_lookup() {
        assert_eq!(
            Resolver::new("[::1]").addresses(),
            [IpAddr::from(Ipv6Addr::LOCALHOST)]
        );
        assert_eq!(Resolver::new("localhost").addresses().len(), 2);
        let mut unknown = Resolver::new("no-such-host.invalid");
        assert!(unknown.addresses().is_empty());
    }
}
