//! Made-up visits.

use mic_billing::{
    Book, CareSetting, EncounterId, Event, EventKind, ExamLineId, InstitutionCode, Modality,
    Moment, PersonRef, ReceiptId, Source, VisitKey, books,
};

use crate::Seed;

/// National layer and Shenzhen.
///
/// # Errors
///
/// None as long as the shipped books are whole.
pub fn shenzhen() -> anyhow::Result<Book> {
    Ok(Book::load([books::national()?, books::shenzhen()?])?)
}

/// The events of so many visits, sorted by visit, under keys as long as real ones: 12 characters of institution, 30 of
/// encounter. A registration and one to three exams, each performed and, nine times in ten, indexed in time.
///
/// # Errors
///
/// A part that the generator made wrongly.
pub fn events(visits: usize) -> anyhow::Result<Vec<Event>> {
    let mut seed = Seed::new(0xb111);
    let mut events = Vec::new();
    let start: Moment = "2025-12-01T08:00:00+08:00".parse()?;
    for number in 0..visits {
        let institution = InstitutionCode::new(&format!("H4403050{:04}", seed.below(40)))?;
        let encounter = EncounterId::new(&format!("{institution}20251201{number:010}"))?;
        let visit = VisitKey::new(institution, encounter);
        let mut person = [0; 16];
        person.copy_from_slice(&seed.bytes(16));
        let person = PersonRef::new(person);
        let mut clock = start.unix_seconds() + i64::try_from(seed.below(20 * 86_400))?;
        let mut tell = |source, kind, seconds: u64| -> anyhow::Result<()> {
            clock += i64::try_from(seconds)?;
            let at = chrono::DateTime::from_timestamp(clock, 0)
                .ok_or_else(|| anyhow::anyhow!("clock"))?;
            let at = Moment::try_from(at)?;
            events.push(Event::new(visit, person, source, kind, at, at));
            Ok(())
        };
        tell(
            Source::Hospital,
            EventKind::Registered {
                setting: CareSetting::Outpatient,
            },
            0,
        )?;
        for exam in 0..=seed.below(3) {
            let exam = ExamLineId::new(&format!("F{exam}"))?;
            let modality = if seed.below(2) == 0 {
                Modality::Ct
            } else {
                Modality::XRay
            };
            tell(
                Source::Hospital,
                EventKind::Performed { exam, modality },
                60 + seed.below(3_600),
            )?;
            if seed.below(10) > 0 {
                let receipt = ReceiptId::new(&format!("R{}", seed.below(1 << 40)))?;
                let kind = EventKind::IndexAccepted {
                    exam,
                    study: None,
                    receipt,
                };
                tell(Source::Platform, kind, 60 + seed.below(86_400))?;
            }
        }
    }
    // Stable: within a visit in the order of things.
    events.sort_by_key(Event::visit);
    Ok(events)
}
