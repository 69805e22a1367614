//! The two signs of five yuan (云影像5元/人次): one visit with two exams, one of them never indexed,
//! under Shenzhen's book, where the exam price includes the cloud and a missing index is deducted, and
//! under a made-up book, where the cloud is an item of its own.
//!
//! Type `cargo run -p mic-quickstart --bin charge_or_deduction`. It prints:
//!
//! ```text
//! 深圳市
//!   0.00 元
//!       不减收：影像云服务已内含于检查价格并已提供。
//!       检查 MADE-UP-1/F1（CT，2025-12-01 09:20:00）：“索引已被接收”于 2025-12-01 11:00:00 达成，未超过期限 2025-12-04 09:20:00。
//!       计算：0 × 5.00 = 0.00 元。
//!       规则 B-05、B-01、V…
//!       依据 深医保〔2025〕19…
//!       政策版本 nation/20…
//!       尚无文件证实的设定：计次单位…
//!   -5.00 元
//!       减收 5.00 元：未按要求提供影像云服务。
//!       检查 MADE-UP-1/F2（X线，2025-12-01 09:40:00）：至期限 2025-12-04 09:40:00 仍未见“索引已被接收”。
//!       计算：-1 × 5.00 = -5.00 元；付方 检查付费方 -5.00，收方 医院 -5.00。
//!       规则 B-05、B-01、V…
//!       依据 深医保〔2025〕19…
//!       政策版本 nation/20…
//!       尚无文件证实的设定：计次单位…
//!   lines 2, entries posted 2, on a second run 0
//! 虚构示例
//!   5.00 元
//!       收取 5.00 元：影像云服务（单独收费项目）。
//!       检查 MADE-UP-1/F1（CT，2025-12-01 09:20:00）：“索引已被接收”于 2025-12-01 11:00:00 达成，未超过期限 2025-12-04 09:20:00。
//!       检查 MADE-UP-1/F2（X线，2025-12-01 09:40:00）：至期限 2025-12-04 09:40:00 仍未见“索引已被接收”。
//!       计算：1 × 5.00 = 5.00 元；付方 医保基金 3.50、患者 1.50，收方 医院 0.75、存储服务方 3.00、传输服务方 1.25。
//!       规则 B-06、B-01、V…
//!       政策版本 nation/20…
//!       尚无文件证实的设定：收费方式…
//!   lines 1, entries posted 1, on a second run 0
//! ```
//!
//! Patient and hospital are made up.

use mic_billing::{
    Book, CareSetting, EncounterId, Event, EventKind, ExamLineId, InstitutionCode, Lang, Modality,
    Moment, PersonRef, ReceiptId, Source, VisitKey, VisitState, assess, books, delta, desired,
};

fn main() -> anyhow::Result<()> {
    let visit = VisitKey::new(
        InstitutionCode::new("H44030500001")?,
        EncounterId::new("MADE-UP-1")?,
    );
    let (head, chest) = (ExamLineId::new("F1")?, ExamLineId::new("F2")?);
    let registered = EventKind::Registered {
        setting: CareSetting::Outpatient,
    };
    let ct = EventKind::Performed {
        exam: head,
        modality: Modality::Ct,
    };
    let xray = EventKind::Performed {
        exam: chest,
        modality: Modality::XRay,
    };
    let receipt = ReceiptId::new("R-1")?;
    let indexed = EventKind::IndexAccepted {
        exam: head,
        study: None,
        receipt,
    };

    let events = [
        event(
            visit,
            Source::Hospital,
            registered,
            "2025-12-01T08:30:00+08:00",
        )?,
        event(visit, Source::Hospital, ct, "2025-12-01T09:20:00+08:00")?,
        event(visit, Source::Hospital, xray, "2025-12-01T09:40:00+08:00")?,
        event(
            visit,
            Source::Platform,
            indexed,
            "2025-12-01T11:00:00+08:00",
        )?,
    ];
    // The order of events and their repetition make no difference.
    let state = VisitState::of(events.iter().rev().chain(&events))?;
    let known_at: Moment = "2025-12-10T00:00:00+08:00".parse()?;

    let shenzhen = Book::load([books::national()?, books::shenzhen()?])?;
    let separate = Book::load([books::national()?, books::fictional_separate_item()?])?;
    for (name, book) in [("深圳市", &shenzhen), ("虚构示例", &separate)] {
        println!("{name}");
        let lines = desired(&[assess(&state, book, known_at)])?;
        for line in &lines {
            println!("  {} 元", line.amount());
            for sentence in line.explain(Lang::Zh).split_inclusive('。') {
                println!("      {sentence}");
            }
            // The line holds what it takes to work it out again.
            assert_eq!(line.why().recompute(book)?, line.amount());
        }
        // What is posted already is not posted again.
        let posted = delta(&lines, &[])?;
        let again = delta(&lines, &posted)?;
        println!(
            "  lines {}, entries posted {}, on a second run {}",
            lines.len(),
            posted.len(),
            again.len()
        );
    }
    Ok(())
}

fn event(visit: VisitKey, source: Source, kind: EventKind, at: &str) -> anyhow::Result<Event> {
    let at = at.parse()?;
    Ok(Event::new(
        visit,
        PersonRef::new([7; 16]),
        source,
        kind,
        at,
        at,
    ))
}
