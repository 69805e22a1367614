//! A set of places: a bitmap in memory, sorted gaps in Golomb-Rice code on the wire (CST-94, CST-95).
//!
//! One set has one code: the parameter follows from count and places. A million places with one in a hundred
//! set takes some ten kilobytes, which is the entropy of such a set but for a few hundredths; a test reads one
//! word.

use alloc::{vec, vec::Vec};

use crate::limits::STATUS_PLACES_MAX;

/// Places that are set, out of 0 to `places` - 1.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Places {
    places: u32,
    count: u32,
    words: Vec<u64>,
}

impl Places {
    pub(crate) fn new(places: u32) -> Self {
        let words = usize::try_from(places.div_ceil(64)).unwrap_or_default();
        Self {
            places,
            count: 0,
            words: vec![0; words],
        }
    }

    /// Sets a place; false when there is no such place.
    pub(crate) fn insert(&mut self, place: u32) -> bool {
        if place >= self.places {
            return false;
        }
        let (word, bit) = at(place);
        if let Some(word) = self.words.get_mut(word) {
            self.count += u32::from(*word & bit == 0);
            *word |= bit;
        }
        true
    }

    pub(crate) fn contains(&self, place: u32) -> bool {
        let (word, bit) = at(place);
        place < self.places && self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(crate) const fn places(&self) -> u32 {
        self.places
    }

    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words
            .iter()
            .zip((0..).step_by(64))
            .flat_map(|(word, base): (&u64, u32)| {
                let mut left = *word;
                core::iter::from_fn(move || {
                    (left != 0).then(|| {
                        let bit = left.trailing_zeros();
                        left &= left - 1;
                        base + bit
                    })
                })
            })
    }

    /// Whether every place of `other` is set here as well.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.places >= other.places
            && other
                .words
                .iter()
                .zip(&self.words)
                .all(|(other, own)| other & !own == 0)
    }

    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        self.words
            .iter()
            .zip(&other.words)
            .all(|(own, other)| own & other == 0)
    }

    /// The one code of the set.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let low_bits = parameter(self.places, self.count);
        let mut out = Bits::default();
        let mut next = 0;
        for place in self.iter() {
            let gap = place - next;
            next = place + 1;
            for _ in 0..gap >> low_bits {
                out.push(true);
            }
            out.push(false);
            for bit in (0..low_bits).rev() {
                out.push(gap >> bit & 1 == 1);
            }
        }
        out.bytes
    }

    /// Reads `count` of `places`. None when the bytes are not the one code of such a set.
    pub(crate) fn decode(places: u32, count: u32, code: &[u8]) -> Option<Self> {
        if places > STATUS_PLACES_MAX || count > places {
            return None;
        }
        let low_bits = parameter(places, count);
        let mut set = Self::new(places);
        let mut bits = code
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
        let mut read: u64 = 0;
        let mut next: u32 = 0;
        for _ in 0..count {
            let mut gap: u32 = 0;
            // Each step ends at a zero or beyond the last place.
            while bits.next()? {
                gap = gap.checked_add(1)?;
                if gap > places >> low_bits {
                    return None;
                }
            }
            read += u64::from(gap) + 1 + u64::from(low_bits);
            for _ in 0..low_bits {
                gap = gap << 1 | u32::from(bits.next()?);
            }
            let place = next.checked_add(gap)?;
            if !set.insert(place) {
                return None;
            }
            next = place + 1;
        }
        // No byte too many, and zeros to the end of the last.
        let whole = code.len() as u64 == read.div_ceil(8);
        (whole && !bits.any(|bit| bit)).then_some(set)
    }
}

impl core::fmt::Debug for Places {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Places({} of {})", self.count, self.places)
    }
}

fn at(place: u32) -> (usize, u64) {
    let word = usize::try_from(place / 64).unwrap_or(usize::MAX);
    (word, 1 << (place % 64))
}

/// The number of low bits that are written plainly: the logarithm of seven tenths of the mean distance,
/// rounded down, which is the best or next to the best for sets chosen at random.
pub(crate) fn parameter(places: u32, count: u32) -> u32 {
    let scaled = u64::from(places) * 7 / (u64::from(count.max(1)) * 10);
    scaled.max(1).ilog2()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u8,
}

impl Bits {
    fn push(&mut self, bit: bool) {
        if self.used == 0 {
            self.bytes.push(0);
        }
        if let (true, Some(last)) = (bit, self.bytes.last_mut()) {
            *last |= 0x80 >> self.used;
        }
        self.used = (self.used + 1) % 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(places: u32, step: u32) -> Places {
        let mut set = Places::new(places);
        for place in (0..places).step_by(usize::try_from(step).unwrap_or(1)) {
            assert!(set.insert(place));
        }
        set
    }

    #[test]
    fn ok_every_set_of_nine_places_has_its_one_code() {
        for chosen in 0..512_u32 {
            let mut some = Places::new(9);
            for place in 0..9 {
                if chosen >> place & 1 == 1 {
                    assert!(some.insert(place));
                }
            }
            let code = some.encode();
            assert_eq!(Places::decode(9, some.count(), &code).as_ref(), Some(&some));
            // Any other bytes of that length, should they be read, are another set.
            for byte in 0..code.len() {
                for bit in 0..8 {
                    let mut other = code.clone();
                    if let Some(byte) = other.get_mut(byte) {
                        *byte ^= 1 << bit;
                    }
                    if let Some(read) = Places::decode(9, some.count(), &other) {
                        assert_ne!(read, some);
                        assert_eq!(read.encode(), other);
                    }
                }
            }
        }
    }

    #[test]
    fn ok_the_densest_and_the_thinnest_fit_the_limit() {
        for step in [1, 2, 3, 5, 100, 4_000_000] {
            let code = set(STATUS_PLACES_MAX, step).encode();
            assert!(
                code.len() * 2 + 1024 <= crate::limits::STATUS_LIST_BYTES_MAX,
                "{step}: {}",
                code.len()
            );
        }
    }

    #[test]
    fn err_a_code_that_is_cut_padded_or_leads_beyond() {
        let some = set(1000, 37);
        let code = some.encode();
        assert!(Places::decode(1000, some.count(), &code).is_some());
        assert!(Places::decode(1000, some.count(), &code[..code.len() - 1]).is_none());
        assert!(Places::decode(1000, some.count(), &[&code[..], &[0]].concat()).is_none());
        assert!(Places::decode(1000, 1001, &code).is_none());
        assert!(Places::decode(1000, 1, &[0xff; 200]).is_none());
        assert!(Places::decode(0, 0, &[]).is_some());
        assert!(Places::decode(STATUS_PLACES_MAX + 1, 0, &[]).is_none());
    }
}
