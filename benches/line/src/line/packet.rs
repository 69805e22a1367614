//! IPv4 packets as a TUN device hands them over: a virtio header, then one packet of one or several segments.

/// Bytes of the virtio header.
const VIRTIO_BYTES: usize = 10;
const GSO_NONE: u8 = 0;
const GSO_TCP4: u8 = 1;
const GSO_UDP: u8 = 5;
/// Fields of the virtio header.
const GSO_TYPE: usize = 1;
const GSO_SIZE: usize = 4;
const CHECKSUM_START: usize = 6;
const PROTOCOL_TCP: u64 = 6;
const PROTOCOL_UDP: u64 = 17;
const TCP_FIN_PSH: u8 = 0x09;
const TCP_CWR: u8 = 0x80;

/// Where the segments of a packet lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    kind: u8,
    /// Where the header of TCP or UDP begins, the virtio header counted.
    transport: usize,
    /// Headers of IP and TCP or UDP.
    header_bytes: u64,
    payload_bytes: u64,
    segment_bytes: u64,
}

impl Layout {
    /// Reads the headers; what is not understood is one segment.
    pub fn of(packet: &[u8]) -> Self {
        let single = Self {
            kind: GSO_NONE,
            transport: VIRTIO_BYTES,
            header_bytes: 0,
            payload_bytes: packet.len().saturating_sub(VIRTIO_BYTES) as u64,
            segment_bytes: u64::MAX,
        };
        let kind = byte(packet, GSO_TYPE) & 0x7f;
        let size = u64::from(word_le(packet, GSO_SIZE));
        let transport = VIRTIO_BYTES + usize::from(word_le(packet, CHECKSUM_START));
        let header = match kind {
            GSO_TCP4 => usize::from(byte(packet, transport + 12) >> 4) * 4,
            GSO_UDP => 8,
            _ => 0,
        };
        let start = transport + header;
        if header == 0 || size == 0 || byte(packet, VIRTIO_BYTES) >> 4 != 4 || packet.len() <= start
        {
            // One segment: its payload is told for TCP alone, for the tests of the line.
            let ip_header = usize::from(byte(packet, VIRTIO_BYTES) & 15) * 4;
            let tcp = usize::from(byte(packet, VIRTIO_BYTES + ip_header + 12) >> 4) * 4;
            let headers = (ip_header + tcp) as u64;
            return if byte(packet, VIRTIO_BYTES + 9) == 6 && headers <= single.payload_bytes {
                Self {
                    header_bytes: headers,
                    payload_bytes: single.payload_bytes - headers,
                    ..single
                }
            } else {
                single
            };
        }
        Self {
            kind,
            transport,
            header_bytes: (start - VIRTIO_BYTES) as u64,
            payload_bytes: (packet.len() - start) as u64,
            segment_bytes: size,
        }
    }

    /// Segments that a wire would carry.
    pub fn segments(&self) -> u64 {
        self.payload_bytes.div_ceil(self.segment_bytes).max(1)
    }

    /// Bytes above TCP or UDP.
    #[cfg(test)]
    pub fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Bytes of the IP packet of a segment.
    pub fn ip_bytes(&self, index: u64) -> u64 {
        self.header_bytes + (self.end(index) - index.saturating_mul(self.segment_bytes))
    }

    fn end(&self, index: u64) -> u64 {
        (index + 1)
            .saturating_mul(self.segment_bytes)
            .min(self.payload_bytes)
    }

    /// A packet of some of the segments alone: lengths, sequence number, flags and checksums put right.
    pub fn part(&self, packet: &[u8], from: u64, to: u64) -> Vec<u8> {
        if to <= from || (from == 0 && to == self.segments()) {
            return packet.to_vec();
        }
        let headers = VIRTIO_BYTES + self.header_bytes as usize;
        let (start, end) = (from * self.segment_bytes, self.end(to - 1));
        let payload = &packet[headers + start as usize..headers + end as usize];
        let mut part = Vec::with_capacity(headers + payload.len());
        part.extend_from_slice(&packet[..headers]);
        part.extend_from_slice(payload);
        if to - from == 1 {
            part[GSO_TYPE] = GSO_NONE;
            part[GSO_SIZE..GSO_SIZE + 2].fill(0);
        }
        let ip_bytes = (part.len() - VIRTIO_BYTES) as u16;
        let transport_bytes = (part.len() - self.transport) as u64;
        put(&mut part, VIRTIO_BYTES + 2, ip_bytes);
        let identification = word(&part, VIRTIO_BYTES + 4).wrapping_add(from as u16);
        put(&mut part, VIRTIO_BYTES + 4, identification);
        put(&mut part, VIRTIO_BYTES + 10, 0);
        let ip_checksum = !fold(sum(&part[VIRTIO_BYTES..self.transport]));
        put(&mut part, VIRTIO_BYTES + 10, ip_checksum);
        let addresses = sum(&part[VIRTIO_BYTES + 12..VIRTIO_BYTES + 20]);
        let at = self.transport;
        if self.kind == GSO_TCP4 {
            let sequence =
                u32::from_be_bytes([part[at + 4], part[at + 5], part[at + 6], part[at + 7]]);
            let sequence = sequence.wrapping_add(start as u32);
            part[at + 4..at + 8].copy_from_slice(&sequence.to_be_bytes());
            if to != self.segments() {
                part[at + 13] &= !TCP_FIN_PSH;
            }
            if from != 0 {
                part[at + 13] &= !TCP_CWR;
            }
            // The receiving kernel completes it: only the pseudo header is in it.
            put(
                &mut part,
                at + 16,
                fold(addresses + PROTOCOL_TCP + transport_bytes),
            );
        } else {
            put(&mut part, at + 4, transport_bytes as u16);
            put(
                &mut part,
                at + 6,
                fold(addresses + PROTOCOL_UDP + transport_bytes),
            );
        }
        part
    }
}

fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn word_le(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([byte(bytes, at), byte(bytes, at + 1)])
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([byte(bytes, at), byte(bytes, at + 1)])
}

fn put(bytes: &mut [u8], at: usize, word: u16) {
    bytes[at..at + 2].copy_from_slice(&word.to_be_bytes());
}

/// The sum of the 16-bit words.
fn sum(bytes: &[u8]) -> u64 {
    bytes.chunks(2).map(|pair| u64::from(word(pair, 0))).sum()
}

/// The Internet checksum's sum in 16 bits (RFC 1071).
fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// A TCP packet of so many segments of so many bytes of payload, each byte telling where it lies.
#[cfg(test)]
pub(super) fn test_packet(segments: u64, segment_bytes: u16) -> Vec<u8> {
    let payload = segments as usize * usize::from(segment_bytes);
    let mut packet = vec![0; VIRTIO_BYTES + 20 + 32];
    if segments > 1 {
        packet[GSO_TYPE] = GSO_TCP4;
        packet[GSO_SIZE..GSO_SIZE + 2].copy_from_slice(&segment_bytes.to_le_bytes());
    }
    packet[CHECKSUM_START] = 20;
    packet[VIRTIO_BYTES] = 0x45;
    put(
        &mut packet,
        VIRTIO_BYTES + 2,
        (52 + payload).min(65_535) as u16,
    );
    packet[VIRTIO_BYTES + 9] = 6;
    packet[VIRTIO_BYTES + 12..VIRTIO_BYTES + 20].copy_from_slice(&[198, 18, 0, 1, 198, 18, 0, 2]);
    packet[VIRTIO_BYTES + 20 + 4..VIRTIO_BYTES + 20 + 8]
        .copy_from_slice(&0xffff_ff00_u32.to_be_bytes());
    packet[VIRTIO_BYTES + 20 + 12] = 8 << 4;
    packet[VIRTIO_BYTES + 20 + 13] = 0x18 | TCP_CWR;
    packet.extend((0..payload).map(|at| (at % 251) as u8));
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_part_is_a_packet_of_its_own() {
        let packet = test_packet(5, 1000);
        let layout = Layout::of(&packet);
        assert_eq!(
            (
                layout.segments(),
                layout.payload_bytes(),
                layout.ip_bytes(4)
            ),
            (5, 5000, 1052)
        );
        let part = layout.part(&packet, 1, 3);
        let of_part = Layout::of(&part);
        assert_eq!((of_part.segments(), of_part.payload_bytes()), (2, 2000));
        assert_eq!(
            fold(sum(&part[VIRTIO_BYTES..VIRTIO_BYTES + 20])),
            0xffff,
            "IP checksum"
        );
        assert_eq!(
            part[VIRTIO_BYTES + 24..VIRTIO_BYTES + 28],
            0x0000_02e8_u32.to_be_bytes(),
            "sequence wraps"
        );
        assert_eq!(
            part[VIRTIO_BYTES + 33],
            0x10,
            "neither first nor last: no CWR, no PSH"
        );
        assert_eq!(
            part[VIRTIO_BYTES + 52..],
            packet[VIRTIO_BYTES + 52 + 1000..VIRTIO_BYTES + 52 + 3000]
        );
        let pseudo = 198 * 256 + 18 + 1 + 198 * 256 + 18 + 2 + 6 + 2032;
        assert_eq!(word(&part, VIRTIO_BYTES + 36), fold(pseudo));
    }

    #[test]
    fn ok_the_last_segment_alone_is_a_plain_packet() {
        let packet = test_packet(3, 1000);
        let part = Layout::of(&packet).part(&packet, 2, 3);
        assert_eq!((part[GSO_TYPE], part[GSO_SIZE]), (GSO_NONE, 0));
        assert_eq!(
            part[VIRTIO_BYTES + 33] & TCP_FIN_PSH,
            0x08,
            "the last keeps PSH"
        );
        assert_eq!(Layout::of(&part).payload_bytes(), 1000);
    }

    #[test]
    fn ok_what_is_no_ipv4_is_one_segment() {
        for bytes in [&[][..], &[0; 5], &[0; 40], &[0xff; 60]] {
            let layout = Layout::of(bytes);
            assert_eq!(layout.segments(), 1, "{bytes:?}");
        }
    }
}
