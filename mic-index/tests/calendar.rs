//! Every slot of the calendar, read by every reader, against chrono (`IDX-6`, `IDX-27`).

mod common;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use common::EXAMPLE;
use mic_index::{ExamTime, IndexCode, grammar};

/// The example with another stamp, and what every reader makes of it.
#[track_caller]
fn minute(stamp: &str) -> Option<ExamTime> {
    let mut text = EXAMPLE.as_bytes().to_vec();
    text[27..39].copy_from_slice(stamp.as_bytes());
    let code = IndexCode::try_parse(&text);
    assert_eq!(grammar::parse(&text).ok(), code, "{stamp}");
    let time: Option<ExamTime> = stamp.parse().ok();
    assert_eq!(code.map(|code| code.exam_time()), time, "{stamp}");
    time
}

#[test]
fn every_month_and_day_from_1899_to_2156() {
    let epoch = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
    let mut days = 0;
    for year in 1899..=2156_u16 {
        for month in 0..=13 {
            for day in 0..=32 {
                let date = NaiveDate::from_ymd_opt(year.into(), month, day)
                    .filter(|_| (1900..=2154).contains(&year));
                let time = minute(&format!("{year}{month:02}{day:02}0000"));
                let expected = date.map(|date| (date - epoch).num_minutes());
                assert_eq!(time.map(|time| i64::from(time.minutes())), expected);
                days += u32::from(time.is_some());
            }
        }
    }
    assert_eq!(days, 93_137, "255 years, 62 of them leap years");
}

#[test]
fn every_pair_of_digits_for_hour_and_minute() {
    let midnight = NaiveDate::from_ymd_opt(2024, 11, 22).and_then(|day| day.and_hms_opt(0, 0, 0));
    let mut minutes = 0;
    for hour in 0..100 {
        for of_hour in 0..100 {
            let time = minute(&format!("20241122{hour:02}{of_hour:02}"));
            let expected = (hour < 24 && of_hour < 60)
                .then(|| midnight.unwrap() + TimeDelta::minutes(hour * 60 + of_hour));
            assert_eq!(time.map(ExamTime::to_naive), expected);
            minutes += u32::from(time.is_some());
        }
    }
    assert_eq!(minutes, 24 * 60);
}

#[test]
fn every_month_and_day_of_two_digits_in_a_leap_year_and_another() {
    for year in [2023, 2024_u16] {
        for month in 0..100 {
            for day in 0..100 {
                let time = minute(&format!("{year}{month:02}{day:02}2359"));
                let date = NaiveDate::from_ymd_opt(year.into(), month, day);
                assert_eq!(time.map(|time| time.to_naive().date()), date);
            }
        }
    }
}

/// Why the calendar is our own: chrono's reader takes stamps that are none.
#[test]
fn chrono_reads_stamps_that_are_refused_here() {
    let root: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/invalid.json")).unwrap();
    let read_by_chrono = |stamp: &str| NaiveDateTime::parse_from_str(stamp, "%Y%m%d%H%M").ok();
    let day = NaiveDate::from_ymd_opt(2024, 11, 22).unwrap();
    for id in ["time-eleven-digits", "time-blank"] {
        let cases = root["cases"].as_array().unwrap();
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let input = case["input"].as_str().unwrap();
        let stamp = input.split('-').nth(1).unwrap();
        assert_eq!(read_by_chrono(stamp), day.and_hms_opt(14, 3, 0), "{id}");
        assert_eq!(IndexCode::try_parse(input.as_bytes()), None, "{id}");
        assert!(grammar::parse(input.as_bytes()).is_err(), "{id}");
        assert!(stamp.parse::<ExamTime>().is_err(), "{id}");
    }
}
