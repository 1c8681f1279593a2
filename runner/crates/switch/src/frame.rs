//! The little of Ethernet that a switch reads (IEEE 802.3, and 802.1Q for tags).

/// A MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// Whether it addresses a group: multicast or broadcast.
    #[must_use]
    pub fn is_group(self) -> bool {
        self.0[0] & 1 == 1
    }
}

/// Ethertype of a frame that carries an 802.1Q tag.
const TAGGED: u16 = 0x8100;

/// What decides where a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Where to.
    pub destination: Mac,
    /// Where from.
    pub source: Mac,
    /// VLAN identifier of its 802.1Q tag; 0 without one. Addresses are learned for each by itself.
    pub tag: u16,
}

impl Header {
    /// Reads the front of a frame; none when it is too short to be one.
    #[must_use]
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let (destination, rest) = frame.split_first_chunk()?;
        let (source, rest) = rest.split_first_chunk()?;
        let (ethertype, rest) = rest.split_first_chunk()?;
        let tag = if u16::from_be_bytes(*ethertype) == TAGGED {
            u16::from_be_bytes(*rest.first_chunk()?) & 0x0fff
        } else {
            0
        };
        Some(Self {
            destination: Mac(*destination),
            source: Mac(*source),
            tag,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_is_read_without_its_priority() {
        let mut frame = [0u8; 18];
        frame[0] = 0xff;
        frame[11] = 7;
        frame[12..16].copy_from_slice(&[0x81, 0x00, 0xa0, 0x05]);
        let header = Header::parse(&frame).expect("long enough");
        assert!(header.destination.is_group());
        assert_eq!((header.source, header.tag), (Mac([0, 0, 0, 0, 0, 7]), 5));
    }

    #[test]
    fn short_frames_are_none() {
        assert_eq!(Header::parse(&[0; 13]), None);
        assert!(Header::parse(&[0; 14]).is_some());
        let mut tagged = [0; 15];
        tagged[12] = 0x81;
        assert_eq!(Header::parse(&tagged), None);
    }
}
