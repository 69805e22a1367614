//! The made-up people and institutions of the scene.

use chrono::{DateTime, FixedOffset};
use mic_billing::{CareSetting, Event, EventKind, Modality, Moment, PersonRef, Source, VisitKey};
use mic_consent::Suite;

use crate::problem::Problem;

/// 人员管理码 of the made-up patient from Yan'an.
pub const PATIENT: &str = "10000000000000000990000001";
/// 定点医药机构编码 of the made-up examining hospital in Yan'an (610600).
pub const YANAN_HOSPITAL: &str = "H61060099001";
/// 定点医药机构编码 of the made-up hospital in Beijing (110108) whose front-end machine asks.
pub(crate) const BEIJING_HOSPITAL: &str = "H11010899001";
/// Code of the made-up provincial archive of Shaanxi.
pub(crate) const SHAANXI_ARCHIVE: &str = "P61000099001";
/// Code of the made-up national index.
pub(crate) const NATION: &str = "N10000099001";
/// Code of the made-up consent authority.
pub(crate) const AUTHORITY: &str = "A10000099001";
/// 统一社会信用代码 of the made-up provincial archive: the storage unit in its index codes.
pub(crate) const SHAANXI_STORAGE_UNIT: &str = "12610000990000009R";

/// The suite of the scene's keys: the national algorithms.
pub(crate) const SUITE: Suite = Suite::Sm2Sm3;

/// 就诊ID of the made-up visit at which the studies were made: one a day.
pub(crate) fn encounter(visit: &DateTime<FixedOffset>) -> String {
    visit.format("MZ%Y%m%d0001").to_string()
}

/// A made-up visit of another patient whose exam's index never came: what a deduction looks like.
pub(crate) fn visit_without_index() -> Result<Vec<Event>, Problem> {
    let odd = |e: &dyn core::fmt::Display| Problem::system("scene.visit", e);
    let moment: Moment = "2026-03-16T10:00:00+08:00".parse().map_err(|e| odd(&e))?;
    let visit = VisitKey::new(
        YANAN_HOSPITAL.parse().map_err(|e| odd(&e))?,
        "MZ202603160002".parse().map_err(|e| odd(&e))?,
    );
    let exam = "F0002".parse().map_err(|e| odd(&e))?;
    let modality = Modality::Ct;
    let setting = CareSetting::Outpatient;
    Ok([
        EventKind::Registered { setting },
        EventKind::ExamOrdered { exam, modality },
        EventKind::Performed { exam, modality },
    ]
    .map(|kind| {
        let person = PersonRef::new(*b"made-up person 2");
        Event::new(visit, person, Source::Hospital, kind, moment, moment)
    })
    .into())
}
