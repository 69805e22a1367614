//! Laws that hold for every code and every text.

mod common;

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta, Utc};
use mic_index::{
    CheckPolicy, DeviceCode, ExamTime, IndexCode, InstitutionCode, PACKED_LEN, ParseError, Parser,
    PersonCode, SiteCode, StorageUnitCode, StudyInstanceUid, TimeFault, UnitCheck, diagnose,
    normalise,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// `IDX-1`, `IDX-4`.
    #[test]
    fn text_and_bytes_round_trip(code in common::code()) {
        prop_assert_eq!(IndexCode::parse(&code.to_string()), Ok(code));
        prop_assert_eq!(IndexCode::parse(code.compact().as_str()), Ok(code));
        prop_assert_eq!(IndexCode::from_packed(*code.packed()), Ok(code));
        let parts = IndexCode::new(
            code.person(), code.exam_time(), code.site(), code.device(), code.unit(),
        );
        prop_assert_eq!(parts, code);
        let read_again = IndexCode::new(
            code.person().to_string().parse()?,
            code.exam_time().to_string().parse()?,
            code.site().to_string().parse()?,
            code.device().to_string().parse()?,
            code.unit().to_string().parse()?,
        );
        prop_assert_eq!(read_again, code);
        prop_assert_eq!(PersonCode::from_u128(code.person().to_u128()), Some(code.person()));
    }

    /// `IDX-35`.
    #[test]
    fn order_of_bytes_text_and_parts_is_one(
        a in common::code(),
        b in common::code(),
        shared in 0..6_usize,
    ) {
        // Codes with a common beginning: `b` takes its leading parts from `a`.
        let pick = |at: usize| if at < shared { a } else { b };
        let b = IndexCode::new(
            pick(0).person(), pick(1).exam_time(), pick(2).site(), pick(3).device(), pick(4).unit(),
        );
        let parts = |c: IndexCode| (c.person(), c.exam_time(), c.site(), c.device(), c.unit());
        let order = a.cmp(&b);
        prop_assert_eq!(a.packed().cmp(b.packed()), order);
        prop_assert_eq!(a.to_string().cmp(&b.to_string()), order);
        prop_assert_eq!(a.compact().cmp(&b.compact()), order);
        prop_assert_eq!(parts(a).cmp(&parts(b)), order);
    }

    /// `IDX-33`, `IDX-34`.
    #[test]
    fn packed_bytes_are_refused_or_kept(bytes in prop::array::uniform32(any::<u8>()), tail: u64) {
        let mut packed = [0; PACKED_LEN];
        packed[..32].copy_from_slice(&bytes);
        packed[32..].copy_from_slice(&tail.to_be_bytes());
        if let Ok(code) = IndexCode::from_packed(packed) {
            prop_assert!(packed[0] < 0x96, "reserved");
            prop_assert_eq!(code.packed(), &packed);
            prop_assert_eq!(IndexCode::parse(&code.to_string()), Ok(code));
        }
    }

    #[test]
    fn one_flipped_bit_is_another_code_or_none(code in common::code(), bit in 0..320_usize) {
        let mut packed = *code.packed();
        packed[bit / 8] ^= 0x80 >> (bit % 8);
        if let Ok(other) = IndexCode::from_packed(packed) {
            prop_assert_ne!(other, code);
            prop_assert_ne!(other.to_string(), code.to_string());
            prop_assert_eq!(IndexCode::parse(&other.to_string()), Ok(other));
        }
    }

    /// GB 32100: exactly one of the 31 characters fits, and a requiring parser takes that alone.
    #[test]
    fn one_check_character_in_31_fits(code in common::code()) {
        let text = code.to_string();
        let require = Parser::new().check(CheckPolicy::Require);
        let fitting: Vec<char> = "0123456789ABCDEFGHJKLMNPQRTUWXY"
            .chars()
            .filter(|last| require.parse(&format!("{}{last}", &text[..81])).is_ok())
            .collect();
        // Seventeen zeros are fitted by the zero that no unit may end with.
        prop_assume!(!text.ends_with(&format!("{}-0", "0".repeat(17))));
        if text[64..81] != "0".repeat(17) {
            prop_assert_eq!(fitting.len(), 1);
            if let UnitCheck::Mismatch { expected, .. } = code.unit().check() {
                prop_assert_eq!(fitting[0], expected);
            } else {
                prop_assert!(text.ends_with(fitting[0]));
            }
        }
    }

    /// Any single substitution or swap of neighbours in a fitting unit is noticed.
    #[test]
    fn the_check_notices_every_slip(code in common::code(), at in 0..17_usize, other in 0..31_usize) {
        let unit = code.unit();
        let fitted: StorageUnitCode = match unit.check() {
            UnitCheck::Match => unit,
            UnitCheck::Mismatch { expected, .. } => {
                format!("{}{expected}", &unit.to_string()[..17]).parse()?
            }
        };
        prop_assert_eq!(fitted.check(), UnitCheck::Match);
        let symbols: Vec<char> = fitted.to_string().chars().collect();
        let mut swapped = symbols.clone();
        swapped.swap(at, at + 1);
        let mut replaced = symbols.clone();
        replaced[at] = char::from(b"0123456789ABCDEFGHJKLMNPQRTUWXY"[other]);
        for wrong in [swapped, replaced].iter().filter(|wrong| **wrong != symbols) {
            let text: String = wrong.iter().collect();
            if let Ok(unit) = text.parse::<StorageUnitCode>() {
                prop_assert!(!unit.check().is_match());
            }
        }
    }

    #[test]
    fn no_text_panics_and_faults_lie_in_the_text(text in common::nearly()) {
        let diagnosis = diagnose(&text);
        for fault in diagnosis.faults() {
            let span = fault.span();
            prop_assert!(text.get(span).is_some(), "spans are whole characters");
            for proposal in fault.proposals() {
                prop_assert!(text[proposal.offset()..].starts_with(proposal.from()));
            }
        }
        _ = diagnosis.picture(&text).to_string();
    }

    /// `IDX-26`: the changes are the whole difference, and a second pass finds nothing.
    #[test]
    fn the_normaliser_tells_every_change(text in common::nearly()) {
        let (out, changes) = normalise(&text);
        let mut rebuilt = String::new();
        for (offset, c) in text.char_indices() {
            match changes.iter().find(|change| change.offset() == offset) {
                Some(change) => {
                    prop_assert_eq!(change.from(), c);
                    rebuilt.extend(change.to());
                }
                None => rebuilt.push(c),
            }
        }
        prop_assert_eq!(&rebuilt, &out);
        if IndexCode::parse(&text).is_ok() {
            prop_assert!(changes.is_empty());
        }
        let (again, second) = normalise(&out);
        prop_assert_eq!(again, out);
        prop_assert_eq!(second, []);
    }

    /// `IDX-7`: fractions and leap seconds belong to the minute they stand in, whichever way they come.
    #[test]
    fn fractions_and_leap_seconds_stay_in_their_minute(
        seconds in prop_oneof![-2_208_988_870_i64..-2_208_988_700, -2_208_988_800_i64..5_838_048_000],
        nanos in 0..1_000_000_000_u32,
        leap: bool,
    ) {
        let seconds = if leap { seconds.div_euclid(60) * 60 + 59 } else { seconds };
        let nanos = if leap { nanos + 1_000_000_000 } else { nanos };
        let utc = DateTime::from_timestamp(seconds, nanos).unwrap();
        let beijing = utc.with_timezone(&FixedOffset::east_opt(8 * 3600).unwrap());
        let shown = beijing.format("%Y%m%d%H%M").to_string();
        let found = ExamTime::from_naive(beijing.naive_local());
        prop_assert_eq!(found, ExamTime::from_chrono(&utc));
        match found {
            Ok(minute) => prop_assert_eq!(minute.to_string(), shown),
            Err(fault) => prop_assert!(fault == TimeFault::Year && &shown[..4] < "1900"),
        }
    }

    /// `IDX-7`: any instant lands on the minute a clock in Beijing shows, whatever its offset.
    #[test]
    fn instants_are_cut_to_the_minute_in_beijing(
        seconds in -2_208_988_800_i64..5_838_048_000,
        offset in -14..=14_i32,
    ) {
        let utc: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let zone = FixedOffset::east_opt(offset * 3600).unwrap_or(FixedOffset::east_opt(0).unwrap());
        let beijing = FixedOffset::east_opt(8 * 3600).unwrap();
        let shown = utc.with_timezone(&beijing).format("%Y%m%d%H%M").to_string();
        if let Ok(time) = ExamTime::from_chrono(&utc.with_timezone(&zone)) {
            prop_assert_eq!(time.to_string(), shown);
            let past = utc.signed_duration_since(time.to_chrono());
            prop_assert!(past >= TimeDelta::zero() && past < TimeDelta::minutes(1));
            prop_assert_eq!(ExamTime::from_naive(time.to_naive()), Ok(time));
        } else {
            prop_assert!(!("1900".."2155").contains(&&shown[..4]));
        }
    }
}

proptest! {
    /// `IDX-28`: errors have offsets, lengths and years, which are short; five digits in a row can
    /// only come from the input.
    #[test]
    fn no_error_repeats_digits(text in common::nearly()) {
        let mut shown = String::new();
        if let Err(error) = IndexCode::parse(&text) {
            shown += &format!("{error} {error:?} {error:#?}");
        }
        let require = Parser::new().check(CheckPolicy::Require);
        if let Err(error) = require.parse(&text) {
            shown += &format!("{error} {error:?}");
        }
        let diagnosis = diagnose(&text);
        shown += &format!("{diagnosis:?} {:?}", diagnosis.picture(&text));
        for fault in diagnosis.faults() {
            shown += &format!("{} {fault:?} {:?}", fault.error(), fault.proposals());
        }
        shown += &format!("{:?}", normalise(&text).1);
        for part in text.split('-') {
            let parts: [Option<ParseError>; 5] = [
                part.parse::<PersonCode>().err(),
                part.parse::<ExamTime>().err(),
                part.parse::<SiteCode>().err(),
                part.parse::<DeviceCode>().err(),
                part.parse::<StorageUnitCode>().err(),
            ];
            for error in parts.into_iter().flatten() {
                shown += &format!("{error} {error:?}");
            }
            if let Err(error) = part.parse::<InstitutionCode>() {
                shown += &format!("{error} {error:?}");
            }
            if let Err(error) = part.parse::<StudyInstanceUid>() {
                shown += &format!("{error} {error:?}");
            }
        }
        let digits = shown
            .split(|c: char| !c.is_ascii_digit())
            .map(str::len)
            .max();
        prop_assert!(digits < Some(5), "{}", shown);
    }
}

#[test]
fn no_error_or_debug_shows_a_person() {
    let person = "48291750386617295004837261";
    let legal = common::EXAMPLE.replace("10000000000000000708463177", person);
    let code: IndexCode = legal.parse().unwrap();
    let mut shown = format!(
        "{code:?} {code:#?} {:?} {:?} {:?} {:?}",
        code.person(),
        code.printed(),
        code.compact(),
        code.person().text(),
    );
    for at in 0..legal.len() {
        for wrong in ["", "O", " ", "-", "１", "\u{0}"] {
            let text = format!("{}{wrong}{}", &legal[..at], &legal[at + 1..]);
            let Err(error) = IndexCode::parse(&text) else {
                continue;
            };
            let diagnosis = diagnose(&text);
            shown += &format!(
                "{error} {error:?} {diagnosis:?} {:?}",
                diagnosis.picture(&text)
            );
        }
    }
    // No five neighbouring digits of the person anywhere.
    for digits in person.as_bytes().windows(5) {
        let digits = core::str::from_utf8(digits).unwrap();
        assert!(!shown.contains(digits), "{digits}");
    }
}

/// `IDX-7`, at the edges.
#[test]
fn half_a_second_before_1900_is_no_minute_of_1900() {
    let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
    let before = day(1899, 12, 31)
        .and_hms_milli_opt(23, 59, 59, 500)
        .unwrap();
    assert_eq!(ExamTime::from_naive(before), Err(TimeFault::Year));
    let leap = day(2017, 1, 1).and_hms_milli_opt(7, 59, 59, 1000).unwrap();
    assert_eq!(ExamTime::from_naive(leap), ExamTime::new(2017, 1, 1, 7, 59));
    let end = day(2155, 1, 1).and_hms_opt(0, 0, 0).unwrap();
    assert_eq!(ExamTime::from_naive(end), Err(TimeFault::Year));
}
