//! Packed codes as database keys: the order of the forty bytes is the order of the text, and one
//! person's exams between two days are one range.
//!
//! Type `cargo run -p mic-quickstart --bin sort_by_packed_code`. It prints:
//!
//! ```text
//! sorted as bytes and as text alike: true
//! exams of one person from March to July, of 12 in the table:
//!   2024-03-15 09:30:00
//!   2024-07-15 09:30:00
//! ```
//!
//! All persons are made up.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use mic_index::{DeviceCode, ExamTime, IndexCode, PersonCode, SiteCode, StorageUnitCode};

fn main() -> anyhow::Result<()> {
    let unit: StorageUnitCode = "123502004266007916".parse()?;
    let code = |person: u128, month: u32, day: u32| -> anyhow::Result<IndexCode> {
        let person = PersonCode::from_u128(person).ok_or_else(|| anyhow::anyhow!("no person"))?;
        let time =
            NaiveDate::from_ymd_opt(2024, month, day).and_then(|day| day.and_hms_opt(9, 30, 0));
        let time = ExamTime::from_naive(time.ok_or_else(|| anyhow::anyhow!("no such time"))?)?;
        Ok(IndexCode::new(
            person,
            time,
            SiteCode::FILLER,
            DeviceCode::FILLER,
            unit,
        ))
    };

    // Three persons, four exams each, from last to first.
    let mut codes = Vec::new();
    for person in [
        10_000_000_000_000_000_000_000_003,
        10_000_000_000_000_000_000_000_002,
        1,
    ] {
        for month in [12, 7, 3, 1] {
            codes.push(code(person, month, 15)?);
        }
    }
    codes.sort_unstable();

    let mut by_bytes = codes.clone();
    by_bytes.sort_unstable_by_key(|code| *code.packed());
    let mut by_text = codes.clone();
    by_text.sort_by_cached_key(ToString::to_string);
    println!(
        "sorted as bytes and as text alike: {}",
        by_bytes == codes && by_text == codes
    );

    // Any ordered store of bytes works the same way: a B-tree here, SQLite, LMDB, RocksDB.
    let table: BTreeMap<[u8; 40], &str> = codes
        .iter()
        .map(|code| (*code.packed(), "record"))
        .collect();
    let person = 10_000_000_000_000_000_000_000_002;
    let (first, last) = (code(person, 3, 1)?, code(person, 8, 1)?);
    println!(
        "exams of one person from March to July, of {} in the table:",
        table.len()
    );
    for (packed, _) in table.range(*first.packed()..*last.packed()) {
        let code = IndexCode::from_packed(*packed)?;
        println!("  {}", code.exam_time().to_naive());
    }
    Ok(())
}
