//! Before a doctor orders an exam: which earlier ones it may repeat, the message 4804 that asks the
//! platform, and its three outcomes, which lead to different screens.
//!
//! Type `cargo run -p mic-quickstart --bin repeat_exam_before_ordering`. It prints:
//!
//! ```text
//! own records, no person read   not askable: no person code
//! own records                   CT 7 days ago, part: region
//! own records, the first apart  nothing
//! input   {"data":{"psnName":"张三","psnCertType":"01","certno":"110105194912310021","imgExamType":"2","examDate":"2024-11-29","examPart":"B02010ZZZ","admdvs":""}}
//! output  {"url":"https://example.org/exam?t=1"}: found, show https://example.org/exam?t=1
//! output  {"url":""}: nothing, order it
//! output  {"infcode":-1}: error, url: expected text, empty if there is nothing
//! no input: not askable, certno: missing
//! ```
//!
//! All persons, numbers and addresses are made up.

use chrono::NaiveDate;
use mic_index::messages::{DataNode, RepeatAnswer, RepeatCheck, RepeatCheckOutput};
use mic_index::repeat::{Nomination, Question};
use mic_index::{ExamRecord, ExamType};

fn main() -> anyhow::Result<()> {
    // The hospital's own records: a head CT and a chest film of one person, a head CT of another one.
    let records = [
        record(
            "10000000000000000708463177-202411221430",
            1,
            ExamType::Ct,
            "B020ZYZZZ",
        )?,
        record(
            "10000000000000000708463177-202411250900",
            2,
            ExamType::XRay,
            "BW23ZYZZZ",
        )?,
        record(
            "10000000000000000708463178-202411281015",
            3,
            ExamType::Ct,
            "B020ZYZZZ",
        )?,
    ];

    // The order: CT of the head, plain and enhanced, within two weeks.
    let day =
        NaiveDate::from_ymd_opt(2024, 11, 29).ok_or_else(|| anyhow::anyhow!("no such day"))?;
    let order = Question::builder(day)
        .exam_type(ExamType::Ct)
        .part("B02010ZZZ".parse()?)
        .window_days(14);

    // A nomination is a hint for the doctor, who decides.
    println!(
        "own records, no person read   {}",
        told(&order.clone().nominate(&records))
    );
    let order = order
        .person("10000000000000000708463177".parse()?)
        .build()?;
    println!(
        "own records                   {}",
        told(&order.nominate(&records))
    );
    println!(
        "own records, the first apart  {}",
        told(&order.nominate(&records[1..]))
    );

    // What the hospital has not got, the platform may know.
    let check = RepeatCheck::builder()
        .psn_name("张三")
        .psn_cert_type("01")
        .certno("110105194912310021")
        .question(&order);
    println!(
        "input   {}",
        serde_json::to_string(&DataNode(check.build()?))?
    );

    for output in [
        r#"{"url":"https://example.org/exam?t=1"}"#,
        r#"{"url":""}"#,
        r#"{"infcode":-1}"#,
    ] {
        // An answer that says nothing is an error, never "nothing found".
        match RepeatCheckOutput::from_json(output).map(RepeatAnswer::from) {
            Ok(answer) => println!("output  {output}: {}", screen(&answer)),
            Err(error) => println!("output  {output}: error, {error}"),
        }
    }
    // Without a certificate nobody is asked.
    let unknown = RepeatCheck::builder()
        .psn_name("张三")
        .question(&order)
        .build();
    if let Err(missing) = unknown {
        println!("no input: {}", screen(&RepeatAnswer::from(missing)));
    }
    Ok(())
}

/// A record of one exam; the code of a record mostly has no part, the record itself has.
fn record(
    person_and_time: &str,
    study: u8,
    kind: ExamType,
    part: &str,
) -> anyhow::Result<ExamRecord> {
    let code = format!("{person_and_time}-000000000-0000000000000-123502004266007916");
    ExamRecord::builder()
        .code(code.parse()?)
        .study_instance_uid(format!("1.2.826.0.1.3680043.10.1.{study}").parse()?)
        .institution("H35020300001".parse()?)
        .exam_type(kind)
        .part(part.parse()?)
        .counts(1, 28)
        .build()?
        .record()
        .ok_or_else(|| anyhow::anyhow!("not indexable"))
}

fn told(nomination: &Nomination) -> String {
    match nomination {
        Nomination::NotAskable(why) => why.to_string(),
        Nomination::Nothing => "nothing".to_owned(),
        Nomination::Found(found) => {
            let best = found.best();
            let (kind, part) = (best.exam_type().chinese_name(), best.part().name());
            format!("{kind} {} days ago, part: {part}", best.days_before())
        }
    }
}

fn screen(answer: &RepeatAnswer) -> String {
    match answer {
        RepeatAnswer::NotAskable(missing) => format!("not askable, {missing}"),
        RepeatAnswer::Nothing => "nothing, order it".to_owned(),
        RepeatAnswer::Found(page) => format!("found, show {page}"),
    }
}
