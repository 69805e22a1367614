//! Made-up index codes.

use mic_index::{DeviceCode, ExamTime, IndexCode, MINUTES, PersonCode, SiteCode, StorageUnitCode};

use crate::Seed;

const CREDIT: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// So many different valid codes in no order: half with filler for site and device, as today's are; all
/// with a fitting check character.
///
/// # Errors
///
/// A part that the generator made wrongly.
pub fn codes(count: usize) -> anyhow::Result<Vec<IndexCode>> {
    let mut codes = Codes::new();
    (0..count).map(|_| codes.next_code()).collect()
}

/// The codes of [`codes`], one after another and without end.
#[derive(Debug, Clone)]
pub struct Codes {
    seed: Seed,
    number: usize,
}

impl Default for Codes {
    fn default() -> Self {
        Self::new()
    }
}

impl Codes {
    /// From the first on.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            seed: Seed::new(0x1dc0de),
            number: 0,
        }
    }

    /// The next code.
    ///
    /// # Errors
    ///
    /// A part that the generator made wrongly.
    pub fn next_code(&mut self) -> anyhow::Result<IndexCode> {
        let filler = self.number.is_multiple_of(2);
        self.number += 1;
        code(&mut self.seed, filler)
    }
}

fn code(seed: &mut Seed, filler: bool) -> anyhow::Result<IndexCode> {
    let person = 10_000_000_000_000_000_000_000_000 + u128::from(seed.below(1_400_000_000));
    let person = PersonCode::from_u128(person).ok_or_else(|| anyhow::anyhow!("person"))?;
    let time = ExamTime::from_minutes(u32::try_from(seed.below(u64::from(MINUTES)))?);
    let time = time.ok_or_else(|| anyhow::anyhow!("time"))?;
    let (site, device) = if filler {
        (SiteCode::FILLER, DeviceCode::FILLER)
    } else {
        (
            alphanumeric(seed, 9).parse::<SiteCode>()?,
            alphanumeric(seed, 13).parse::<DeviceCode>()?,
        )
    };
    Ok(IndexCode::new(person, time, site, device, unit(seed)?))
}

fn alphanumeric(seed: &mut Seed, len: usize) -> String {
    (0..len)
        .filter_map(|_| char::from_digit(seed.below(36) as u32, 36))
        .map(|c| c.to_ascii_uppercase())
        .collect()
}

fn unit(seed: &mut Seed) -> anyhow::Result<StorageUnitCode> {
    let mut text = String::from("12");
    for _ in 0..6 {
        text.push(char::from(b'0' + seed.below(10) as u8));
    }
    for _ in 0..9 {
        text.push(char::from(CREDIT[seed.below(31) as usize]));
    }
    let unit: StorageUnitCode = format!("{text}0").parse()?;
    Ok(match unit.check() {
        mic_index::UnitCheck::Match => unit,
        mic_index::UnitCheck::Mismatch { expected, .. } => format!("{text}{expected}").parse()?,
    })
}
