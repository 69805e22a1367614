//! One direction of a line, without a clock or a socket of its own: a rate, a queue that drops at its tail, random
//! loss of single segments, and a delay. The caller says what time it is.
//!
//! Packets that the kernel hands over whole for several segments ("GSO") stay whole where none of their segments is
//! lost; where one is, they are cut as a wire would have cut them.

mod packet;
mod random;

use std::collections::VecDeque;

pub use packet::Layout;
pub use random::Random;

/// What a frame of Ethernet adds to an IP packet: header, checksum, preamble and the gap behind it.
pub const ETHERNET_BYTES: u64 = 38;

/// What a line is like; both directions are the same.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LineConfig {
    /// Bits a second on the wire, what Ethernet adds included.
    pub bits_per_s: u64,
    /// From one end to the other, without the time on the queue.
    pub delay_ns: u64,
    /// Most bytes that wait for the wire.
    pub queue_bytes: u64,
    /// Segments lost of a million.
    pub loss_ppm: u32,
    /// Where the losses fall follows from it.
    pub seed: u64,
}

/// What one direction has carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counters {
    /// Segments that came to the line.
    pub segments: u64,
    /// Bytes of the IP packets delivered.
    pub bytes: u64,
    /// Segments lost at random.
    pub lost: u64,
    /// Segments that found the queue full.
    pub dropped: u64,
}

/// One direction.
#[derive(Debug)]
pub struct Direction {
    config: LineConfig,
    ps_per_byte: u64,
    /// When the wire is free again.
    busy_until_ps: u64,
    /// On the wire or in the queue; in the order of their arrival times.
    on_the_way: VecDeque<(u64, Vec<u8>)>,
    random: Random,
    until_loss: u64,
    counters: Counters,
}

impl Direction {
    /// An idle direction.
    pub fn new(config: LineConfig) -> Self {
        let mut random = Random::new(config.seed);
        Self {
            config,
            ps_per_byte: 8_000_000_000_000 / config.bits_per_s.max(1),
            busy_until_ps: 0,
            on_the_way: VecDeque::new(),
            until_loss: random.segments_to_next_loss(config.loss_ppm),
            random,
            counters: Counters::default(),
        }
    }

    /// Takes a packet, its virtio header in front, from the near end.
    pub fn take(&mut self, now_ns: u64, packet: Vec<u8>) {
        let layout = Layout::of(&packet);
        let now_ps = now_ns * 1000;
        self.busy_until_ps = self.busy_until_ps.max(now_ps);
        let mut whole_from = Some(0);
        for index in 0..layout.segments() {
            let wire = layout.ip_bytes(index) + ETHERNET_BYTES;
            let queued = (self.busy_until_ps - now_ps) / self.ps_per_byte;
            self.counters.segments += 1;
            let survives = if queued + wire > self.config.queue_bytes {
                self.counters.dropped += 1;
                false
            } else {
                // What is lost is lost at the far end: it has taken its time on the wire.
                self.busy_until_ps += wire * self.ps_per_byte;
                !self.is_lost()
            };
            whole_from = match (whole_from, survives) {
                (Some(from), false) => {
                    self.deliver_part(&packet, &layout, from, index, now_ps);
                    None
                }
                (None, true) => Some(index),
                (from, _) => from,
            };
        }
        match whole_from {
            Some(0) => self.deliver(&layout, 0, layout.segments(), packet),
            Some(from) => self.deliver_part(&packet, &layout, from, layout.segments(), now_ps),
            None => {}
        }
    }

    /// The next packet that has arrived at the far end.
    pub fn arrived(&mut self, now_ns: u64) -> Option<Vec<u8>> {
        match self.on_the_way.front() {
            Some((due, _)) if *due <= now_ns => {
                self.on_the_way.pop_front().map(|(_, packet)| packet)
            }
            _ => None,
        }
    }

    /// When the next packet arrives.
    pub fn next_arrival(&self) -> Option<u64> {
        self.on_the_way.front().map(|(due, _)| *due)
    }

    /// What was carried so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn is_lost(&mut self) -> bool {
        if self.until_loss > 0 {
            self.until_loss -= 1;
            return false;
        }
        self.until_loss = self.random.segments_to_next_loss(self.config.loss_ppm);
        self.counters.lost += 1;
        true
    }

    fn deliver_part(&mut self, packet: &[u8], layout: &Layout, from: u64, to: u64, now_ps: u64) {
        debug_assert!(self.busy_until_ps >= now_ps);
        if from < to {
            self.deliver(layout, from, to, layout.part(packet, from, to));
        }
    }

    fn deliver(&mut self, layout: &Layout, from: u64, to: u64, packet: Vec<u8>) {
        self.counters.bytes += (from..to).map(|index| layout.ip_bytes(index)).sum::<u64>();
        let due = self.busy_until_ps / 1000 + self.config.delay_ns;
        self.on_the_way.push_back((due, packet));
    }
}

#[cfg(test)]
mod tests {
    use super::packet::test_packet;
    use super::*;

    const GIGABIT: LineConfig = LineConfig {
        bits_per_s: 1_000_000_000,
        delay_ns: 1_000_000,
        queue_bytes: 4_000_000,
        loss_ppm: 0,
        seed: 1,
    };

    fn carried(direction: &mut Direction, until_ns: u64) -> (u64, u64) {
        let (mut payload, mut last) = (0, 0);
        while let Some(due) = direction.next_arrival() {
            assert!(due <= until_ns && due >= last, "out of order");
            last = due;
            let packet = direction.arrived(due).unwrap_or_default();
            payload += Layout::of(&packet).payload_bytes();
        }
        (payload, last)
    }

    #[test]
    fn ok_a_gigabit_of_full_segments_is_117_7_megabytes_of_payload() {
        let mut direction = Direction::new(GIGABIT);
        // 40 segments of 1448 bytes a packet, offered just as fast as the wire takes them.
        let wire_ns = 40 * (1500 + ETHERNET_BYTES) * 8;
        let packets = 1_000_000_000 / wire_ns;
        for number in 0..packets {
            direction.take(number * wire_ns, test_packet(40, 1448));
        }
        let (payload, last) = carried(&mut direction, 2_000_000_000);
        let rate = payload as f64 / (last - GIGABIT.delay_ns) as f64 * 1e3;
        assert!((rate - 117.7).abs() < 0.1, "{rate} MB/s");
        assert_eq!(direction.counters().dropped, 0);
    }

    #[test]
    fn ok_a_packet_arrives_after_its_time_on_the_wire_and_the_delay() {
        let mut direction = Direction::new(GIGABIT);
        direction.take(500, test_packet(1, 1448));
        let due = 500 + (1500 + ETHERNET_BYTES) * 8 + 1_000_000;
        assert_eq!(direction.next_arrival(), Some(due));
        assert_eq!(direction.arrived(due - 1), None);
        assert!(direction.arrived(due).is_some());
        assert_eq!(direction.next_arrival(), None);
    }

    #[test]
    fn ok_a_full_queue_drops_at_its_tail_and_empties_with_time() {
        let config = LineConfig {
            queue_bytes: 2 * 1538,
            ..GIGABIT
        };
        let mut direction = Direction::new(config);
        direction.take(0, test_packet(5, 1448));
        assert_eq!(
            direction.counters(),
            Counters {
                segments: 5,
                bytes: 3000,
                lost: 0,
                dropped: 3
            }
        );
        // One segment's time later there is room for one.
        direction.take(1538 * 8, test_packet(2, 1448));
        assert_eq!(direction.counters().dropped, 4);
    }

    #[test]
    fn ok_losses_follow_from_the_seed_and_hit_single_segments() {
        let config = LineConfig {
            loss_ppm: 10_000,
            ..GIGABIT
        };
        let packet = test_packet(40, 10);
        let lost = |seed| {
            let mut direction = Direction::new(LineConfig { seed, ..config });
            for number in 0..2_500 {
                direction.take(number * 1_000_000, packet.clone());
            }
            let lost = direction.counters().lost;
            let (payload, _) = carried(&mut direction, u64::MAX);
            assert_eq!(payload, (100_000 - lost) * 10);
            lost
        };
        assert_eq!(lost(7), lost(7));
        assert_ne!(lost(7), lost(8));
        assert!((900..1_100).contains(&lost(7)), "{}", lost(7));
    }
}
