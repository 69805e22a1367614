//! What a scene tells at its end: one row a step, for people as a table, for programs as JSON.

use std::collections::BTreeSet;
use std::time::Duration;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;

use super::Lang;
use super::take_in::TakenIn;
use crate::node::Ready;
use crate::node::nation::desk::{LineText, Posted, VisitText};
use crate::wire::{Drawn, Indexed, Job, Sealed, TimeSource};

/// One step of the scene as it went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Stable name for programs: `take_in`, `pull`.
    pub step: &'static str,
    /// The step's title in the reader's language.
    pub title: String,
    /// What it did, in the reader's language.
    pub did: String,
    /// How long it took.
    pub seconds: f64,
    /// Bytes it moved over sockets, where moving bytes is its work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl Step {
    #[expect(clippy::float_arithmetic, reason = "a rate for people to read")]
    fn rate(&self) -> String {
        match self.bytes {
            Some(bytes) if bytes > 0 && self.seconds > 0.0 => {
                format!("{:.1} MB/s", bytes as f64 / 1e6 / self.seconds)
            }
            _ => String::new(),
        }
    }
}

/// The whole scene as it went.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether every file has one outcome and every taken file arrived unchanged.
    pub ok: bool,
    /// The steps in order.
    pub steps: Vec<Step>,
    /// The processes that played, with their doors.
    pub processes: Vec<Ready>,
    /// What became of each file.
    pub intake: TakenIn,
    /// The studies as they were indexed.
    pub studies: Vec<Study>,
    /// The pull's counts.
    pub job: Job,
    /// Files at the source against files at the front-end machine.
    pub proven: Proven,
    /// What was drawn, study by study.
    pub drawn: Vec<Drawn>,
    /// What the insurer posted.
    pub bill: Bill,
}

impl Report {
    /// 0 if all held, 1 if the data were at fault.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        u8::from(!self.ok)
    }

    /// The report for people; `width` in columns, the terminal's own if `None`.
    #[must_use]
    pub fn to_text(&self, lang: Lang, width: Option<u16>) -> String {
        format!(
            "{}\n{}",
            self.bill.table(lang, width),
            steps(&self.steps, lang, width)
        )
    }
}

/// One study as it was indexed. The code itself stays out: it holds the person code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Study {
    /// StudyInstanceUID.
    pub study: String,
    /// Exam time in the code, RFC 3339.
    pub exam_time: String,
    /// Where that time came from.
    pub time_source: TimeSource,
    /// DICOM modalities.
    pub modalities: Vec<String>,
    /// How many instances.
    pub instances: u32,
    /// Their size in bytes.
    pub bytes: u64,
    /// What the national index made of the record.
    pub indexed: Indexed,
}

impl Study {
    pub(super) fn of(sealed: &Sealed) -> Self {
        let exam = &sealed.exam;
        Self {
            study: exam.study.clone(),
            exam_time: exam.code.exam_time().to_chrono().to_rfc3339(),
            time_source: exam.time_source,
            modalities: exam.modalities.clone(),
            instances: exam.instances,
            bytes: exam.bytes,
            indexed: sealed.indexed,
        }
    }

    pub(super) fn indexed(sealed: &[Sealed], lang: Lang) -> String {
        let count = |outcome| sealed.iter().filter(|one| one.indexed == outcome).count();
        let (new, same) = (count(Indexed::Accepted), count(Indexed::Duplicate));
        let (updated, collided) = (count(Indexed::Updated), count(Indexed::Collided));
        let ordered = sealed
            .iter()
            .filter(|one| one.exam.time_source == TimeSource::Order)
            .count();
        let parts = match lang {
            Lang::En => counted(&[
                (new, "accepted"),
                (same, "already there"),
                (updated, "updated"),
                (collided, "of the same code (kept)"),
            ]),
            Lang::Zh => counted(&[
                (new, "条接受"),
                (same, "条已有"),
                (updated, "条更新"),
                (collided, "条同码（均保留）"),
            ]),
        };
        let timed = match (lang, ordered) {
            (_, 0) => String::new(),
            (Lang::En, _) => format!("; {ordered} with the order's time, the header has none"),
            (Lang::Zh, _) => format!("；{ordered} 条用申请单时间，因文件头无有效时间"),
        };
        match lang {
            Lang::En => format!("{} = {parts}{timed}", plural(sealed.len(), "record")),
            Lang::Zh => format!("{} 条索引 = {parts}{timed}", sealed.len()),
        }
    }
}

/// Files at the source against files at the front-end machine, by SHA-256 and size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// On both sides, byte for byte.
    pub identical: usize,
    /// At the source, but not (or not with these bytes) at the front-end machine.
    pub missing: usize,
    /// At the front-end machine beyond this folder: of the same studies, from earlier runs.
    pub beyond: usize,
}

impl Proven {
    pub(super) fn compare(taken: &TakenIn, held: &BTreeSet<(String, u64)>) -> Self {
        let source: BTreeSet<_> = taken
            .taken
            .values()
            .map(|print| (print.sha256.clone(), print.bytes))
            .collect();
        Self {
            identical: source.intersection(held).count(),
            missing: source.difference(held).count(),
            beyond: held.difference(&source).count(),
        }
    }
}

/// What the insurer posted, and how every visit stands under both charge models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bill {
    /// Entries this run appended to the journal.
    pub posted: Posted,
    /// Every visit.
    pub visits: Vec<VisitText>,
}

impl Bill {
    pub(super) fn summary(&self, lang: Lang) -> String {
        let (new, before) = (self.posted.appended.len(), self.posted.before);
        match lang {
            Lang::En => format!("{new} new entries, {before} already posted; see the table above"),
            Lang::Zh => format!("新记 {new} 笔，已有 {before} 笔；见上表"),
        }
    }

    /// The lines that people want explained: all that move money, and one that does not.
    fn explained(&self) -> impl Iterator<Item = &LineText> {
        let lines = || self.visits.iter().flat_map(|visit| &visit.lines);
        let moves = |line: &&LineText| line.amount != "0.00";
        let still = lines().find(|line| !moves(line));
        lines().filter(moves).chain(still)
    }

    /// The visits as a table, the lines explained below it.
    fn table(&self, lang: Lang, width: Option<u16>) -> String {
        let mut table = table(width);
        table.set_header(match lang {
            Lang::En => [
                "visit (made up)",
                "exams provided",
                "Shenzhen book: deduction",
                "beside it: separate item",
                "keep until",
            ],
            Lang::Zh => [
                "就诊（虚构）",
                "已提供检查",
                "深圳规则：减收",
                "对照：单独收费",
                "保存至",
            ],
        });
        for visit in &self.visits {
            let years = visit.years.map_or_else(String::new, |years| match lang {
                Lang::En => format!(" ({years} years)"),
                Lang::Zh => format!("（{years} 年）"),
            });
            table.add_row([
                visit.visit.clone(),
                format!("{} / {}", visit.provided, visit.exams),
                format!("{} 元", visit.deduction),
                format!("{} 元", visit.separate_item),
                format!("{}{years}", visit.disposable),
            ]);
        }
        let mut text = table.to_string();
        for line in self.explained() {
            let why = lang.pick(&line.en, &line.zh);
            text.push_str(&format!(
                "\n{} {} {} 元\n{why}\n",
                line.unit, line.kind, line.amount
            ));
        }
        text
    }
}

/// A table without vertical lines, fitted to `width` columns or the terminal's own width.
fn table(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_BORDERS_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    table
}

fn steps(steps: &[Step], lang: Lang, width: Option<u16>) -> String {
    let mut table = table(width);
    table.set_header(match lang {
        Lang::En => ["step", "what happened", "time", "bytes", "rate"],
        Lang::Zh => ["步骤", "经过", "用时", "字节", "速率"],
    });
    for step in steps {
        table.add_row([
            step.title.clone(),
            step.did.clone(),
            time(step.seconds),
            step.bytes.map(grouped).unwrap_or_default(),
            step.rate(),
        ]);
    }
    for column in 2..5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

/// The parts of a sum that are not nought, or `0`.
pub(super) fn counted(parts: &[(usize, &str)]) -> String {
    let shown: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    if shown.is_empty() {
        return "0".to_owned();
    }
    shown.join(" + ")
}

/// `1 study`, `2 studies`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {noun}s"),
    }
}

/// A duration as people read it: `3.1 ms`, `1.24 s`, `2 min 05 s`.
#[expect(clippy::float_arithmetic, reason = "a duration for people to read")]
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.1} ms", s * 1e3),
        s if s < 60.0 => format!("{s:.2} s"),
        s => {
            let whole = Duration::from_secs_f64(s).as_secs();
            format!("{} min {:02} s", whole / 60, whole % 60)
        }
    }
}

/// A count with its thousands set apart: `126 345 728`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_counts_are_grouped_in_threes() {
        assert_eq!(
            [0, 7, 999, 1_000, 1_234_567].map(grouped),
            ["0", "7", "999", "1 000", "1 234 567"]
        );
    }

    #[test]
    fn ok_sums_leave_out_what_is_nought() {
        assert_eq!(
            counted(&[(3, "new"), (0, "held"), (1, "repeated")]),
            "3 new + 1 repeated"
        );
        assert_eq!(counted(&[(0, "new")]), "0");
        assert_eq!(
            (plural(1, "study"), plural(2, "study")),
            ("1 study".into(), "2 studies".into())
        );
    }

    #[test]
    fn ok_times_take_the_unit_people_read() {
        assert_eq!(
            [0.0031, 1.239, 125.4].map(time),
            ["3.1 ms", "1.24 s", "2 min 05 s"]
        );
    }
}
