//! Addresses as a manifest writes them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl FromStr for Mac {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "is no MAC address of the form 52:54:00:12:01:01";
        let mut bytes = [0; 6];
        let mut pairs = text.split(':');
        for byte in &mut bytes {
            // The number's own parser takes a sign for a digit's place.
            let is_pair =
                |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
            let pair = pairs.next().filter(is_pair).ok_or(FORM)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| FORM)?;
        }
        match pairs.next() {
            Some(_) => Err(FORM),
            None if bytes[0] & 1 == 1 => Err("is the MAC address of a group, not of one interface"),
            None => Ok(Self(bytes)),
        }
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// An address with the length of its network's prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    /// The address.
    pub address: IpAddr,
    /// Bits of the prefix.
    pub prefix: u8,
}

impl FromStr for Subnet {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str =
            "is no address with prefix length, such as 192.168.1.1/24 or 2001:db8:1::1/64";
        let (address, prefix) = text.split_once('/').ok_or(FORM)?;
        let address: IpAddr = address.parse().map_err(|_| FORM)?;
        let prefix: u8 = prefix.parse().map_err(|_| FORM)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        if prefix > longest {
            return Err("has a prefix longer than its address");
        }
        Ok(Self { address, prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses() {
        assert_eq!(
            "52:54:00:12:01:0a".parse(),
            Ok(Mac([0x52, 0x54, 0, 0x12, 1, 10]))
        );
        assert_eq!(
            Mac([0x52, 0x54, 0, 0x12, 1, 10]).to_string(),
            "52:54:00:12:01:0a"
        );
        for wrong in [
            "",
            "52:54:00:12:01",
            "52:54:00:12:01:01:01",
            "52:54:00:12:01:+1",
            "53:54:00:12:01:01",
        ] {
            assert!(wrong.parse::<Mac>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn subnets() {
        let subnet: Subnet = "2001:db8:1::1/64".parse().expect("an address");
        assert_eq!(subnet.prefix, 64);
        for wrong in [
            "192.168.1.1",
            "192.168.1.1/33",
            "::1/129",
            "host/24",
            "192.168.1.1/",
        ] {
            assert!(wrong.parse::<Subnet>().is_err(), "{wrong}");
        }
    }
}
