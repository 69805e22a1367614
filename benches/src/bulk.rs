//! Made-up bulk files, and what becomes of their lines in one number.

use std::fmt::Write as _;

use mic_index::{ExamRecord, ExamType, IndexCode, RecordOutcome, StudyInstanceUid};

use crate::{Seed, index};

/// Codes, one a line.
///
/// # Errors
///
/// As [`index::codes`].
pub fn lines(count: usize) -> anyhow::Result<String> {
    Ok(index::codes(count)?
        .iter()
        .map(|code| format!("{code}\n"))
        .collect())
}

/// Codes with their studies.
///
/// # Errors
///
/// As [`index::codes`].
pub fn csv(count: usize) -> anyhow::Result<String> {
    let mut seed = Seed::new(0x57d1);
    let mut file = String::from("code,study_instance_uid\n");
    for code in index::codes(count)? {
        writeln!(file, "{code},{}", study(&mut seed))?;
    }
    Ok(file)
}

/// A StudyInstanceUID as scanners make them, 38 to 46 characters.
pub fn study(seed: &mut Seed) -> String {
    format!(
        "1.2.840.113619.2.{}.{}.{}",
        seed.below(400),
        1_000_000_000 + seed.below(9_000_000_000),
        seed.below(100_000_000)
    )
}

/// Whole records in CSV.
///
/// # Errors
///
/// As [`index::codes`].
pub fn csv_records(count: usize) -> anyhow::Result<String> {
    let mut seed = Seed::new(0x57d2);
    let mut file = String::from(
        "code,study_instance_uid,institution,accession_number,exam_type,series_count,image_count\n",
    );
    for code in index::codes(count)? {
        let (uid, institution, accession) = (
            study(&mut seed),
            institution(&mut seed),
            seed.below(1 << 40),
        );
        let (series, images) = (1 + seed.below(12), 1 + seed.below(900));
        let exam = 1 + seed.below(5);
        writeln!(
            file,
            "{code},{uid},{institution},A{accession},{exam},{series},{images}"
        )?;
    }
    Ok(file)
}

fn institution(seed: &mut Seed) -> String {
    format!("H{:011}", 35_020_300_000 + seed.below(100_000))
}

/// Whole records as objects, a line each.
///
/// # Errors
///
/// As [`index::codes`].
pub fn ndjson(count: usize) -> anyhow::Result<String> {
    let mut file = String::new();
    for line in csv_records(count)?.lines().skip(1) {
        let record = record_of(line).ok_or_else(|| anyhow::anyhow!("a line that is no record"))?;
        file += &serde_json::to_string(&record)?;
        file.push('\n');
    }
    Ok(file)
}

/// The record of a line of [`csv_records`], read in the plainest way.
#[must_use]
pub fn record_of(line: &str) -> Option<ExamRecord> {
    let mut fields = line.split(',');
    let mut next = || fields.next();
    let builder = ExamRecord::builder()
        .code(next()?.parse().ok()?)
        .study_instance_uid(next()?.parse().ok()?)
        .institution(next()?.parse().ok()?)
        .accession_number(next()?)
        .exam_type(ExamType::from_code(next()?.parse().ok()?)?)
        .counts(next()?.parse().ok()?, next()?.parse().ok()?);
    builder.build().ok().and_then(RecordOutcome::record)
}

/// A code and its study in one number.
#[must_use]
pub fn fold(code: &IndexCode, uid: Option<&StudyInstanceUid>) -> u64 {
    let packed = code.packed();
    let tail = packed[32..]
        .iter()
        .fold(0, |word, byte| word << 8 | u64::from(*byte));
    let uid = uid.map_or(0, |uid| {
        let text = uid.as_str().as_bytes();
        text.len() as u64 + text.last().map_or(0, |byte| u64::from(*byte))
    });
    (tail ^ u64::from(packed[11]) ^ uid) >> 16
}

/// A record in one number.
#[must_use]
pub fn fold_record(record: &ExamRecord) -> u64 {
    fold(&record.code(), Some(&record.study_instance_uid()))
        + u64::from(record.series_count())
        + u64::from(record.image_count())
        + record
            .accession_number()
            .map_or(0, |number| number.len() as u64)
}
