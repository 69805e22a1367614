//! A third engine, in SQL: the rules as one query over tables of events, for many streams at once.
//! It is written from `spec/pricing.md` part 3 and shares nothing with the other two; whoever has
//! the events in a database can take it from here.

use alloc::collections::BTreeMap;

use mic_billing::{
    ChargeModel, Completeness, CountingUnit, DateBasis, Event, EventKind, Modality, Moment, Trigger,
};
use rusqlite::{Connection, Statement, params};

use super::reference::{Answer, Terms};

/// The tables: one row per stream with its terms and moment of knowledge, one per event.
const TABLES: &str = "
create table terms (
    stream integer primary key, at integer, embedded integer, price integer, unit text, cause text,
    every integer, grace integer, cure integer, basis text) strict;
create table modality (stream integer, name text) strict;
create table event (
    stream integer, institution text, encounter text, person text, source text, kind text,
    exam text, modality text, amount integer, study text, receipt text, setting text, other text,
    payer text, hold text, occurred integer, known integer) strict;
";

/// From events to lines. Each step is a view of the step before.
const RULES: &str = "
with recursive
-- BIL-7, BIL-9: facts, each known since the earliest time, and only what was known.
fact as materialized (
    select e.stream, institution, encounter, person, source, kind, exam, modality, amount, study,
        receipt, setting, other, payer, hold, occurred, min(known) as known
    from event e join terms t on t.stream = e.stream and e.known <= t.at
    group by e.stream, institution, encounter, person, source, kind, exam, modality, amount, study,
        receipt, setting, other, payer, hold, occurred),
-- V-07: encounters reached from each one over links in both directions.
place as materialized (select distinct stream, institution, encounter from fact),
step as materialized (
    select f.stream, f.institution, f.encounter as a, f.other as b from fact f
        join place p on p.stream = f.stream and p.institution = f.institution and p.encounter = f.other
        where f.kind = 'linked'
    union
    select f.stream, f.institution, f.other, f.encounter from fact f
        join place p on p.stream = f.stream and p.institution = f.institution and p.encounter = f.other
        where f.kind = 'linked'),
reach (stream, institution, a, b) as (
    select stream, institution, encounter, encounter from place
    union
    select r.stream, r.institution, r.a, s.b from reach r
        join step s on s.stream = r.stream and s.institution = r.institution and s.a = r.b),
member as materialized (
    select stream, institution, a as encounter, min(b) as leader from reach
    group by stream, institution, a),
own as materialized (select f.*, m.leader from fact f
    join member m on m.stream = f.stream and m.institution = f.institution and m.encounter = f.encounter),
-- One person or none charged; the stay is the root, else the smallest encounter.
visit as materialized (
    select stream, institution, leader, min(person) as person,
        coalesce(min(case when setting = 'inpatient' then encounter end), min(encounter)) as root
    from own group by stream, institution, leader having count(distinct person) = 1),
-- BIL-10: the word known last, of those known at once the earliest time.
word as materialized (
    select stream, institution, leader, encounter, exam, kind, occurred, row_number() over (
        partition by stream, institution, encounter, exam, kind order by known desc, occurred) as place
    from own where kind in ('performed', 'fee_line', 'reported')),
kind as materialized (
    select stream, institution, encounter, exam, modality, row_number() over (
        partition by stream, institution, encounter, exam
        order by kind = 'performed' desc, known desc, rank desc) as place
    from own join (select column1 as name, column2 as rank from (values
        ('xray', 0), ('fluoroscopy', 1), ('angiography', 2), ('ct', 3), ('mr', 4), ('mammography', 5), ('nuclear', 6), ('ultrasound', 7)))
        on name = modality
    where kind in ('performed', 'exam_ordered')),
exam as materialized (
    select o.stream, o.institution, o.leader, o.encounter, o.exam,
        (select occurred from word w where place = 1 and w.kind = 'performed' and w.stream = o.stream
            and w.institution = o.institution and w.encounter = o.encounter and w.exam = o.exam) as performed,
        (select occurred from word w where place = 1 and w.kind = 'fee_line' and w.stream = o.stream
            and w.institution = o.institution and w.encounter = o.encounter and w.exam = o.exam) as fee,
        (select occurred from word w where place = 1 and w.kind = 'reported' and w.stream = o.stream
            and w.institution = o.institution and w.encounter = o.encounter and w.exam = o.exam) as reported,
        (select modality from kind k where place = 1 and k.stream = o.stream
            and k.institution = o.institution and k.encounter = o.encounter and k.exam = o.exam) as modality,
        min(case when o.kind = 'cancelled' then occurred end) as cancelled,
        max(o.kind = 'refunded') as refunded
    from own o where o.exam is not null group by o.stream, o.institution, o.leader, o.encounter, o.exam),
-- C-08, C-09, V-06: live exams with their dates; null times play no part in a minimum.
live as materialized (
    select e.*, coalesce(performed, fee) as since,
        (select min(x) from (select fee as x union all select performed union all select reported)) as earliest
    from exam e where (performed is not null or fee is not null) and not refunded
        and not coalesce(cancelled < performed, cancelled is not null)),
dated as materialized (
    select l.*, v.person, v.root, t.unit, t.at, t.cause, t.grace, t.cure,
        min(coalesce(case t.basis when 'fee_occurred' then fee when 'performed' then performed
            else reported end, earliest)) over (partition by l.stream, l.institution, l.leader) as day
    from live l join terms t on t.stream = l.stream
        join visit v on v.stream = l.stream and v.institution = l.institution and v.leader = l.leader),
-- V-05: of a listed kind, or of one nobody told.
covered as materialized (
    select * from dated d where modality is null or exists (
        select 1 from modality m where m.stream = d.stream and m.name = d.modality)),
proof as materialized (
    select stream, institution, encounter, exam, study, kind, occurred from own
    where kind in ('index_accepted', 'pixels_stored')),
-- V-03: each study apart where studies are counted and one is named.
part as materialized (
    select distinct c.stream, c.institution, c.encounter, c.exam, p.study
    from covered c join proof p on c.unit = 'study' and p.study is not null and p.stream = c.stream
        and p.institution = c.institution and p.encounter = c.encounter and p.exam = c.exam),
judged as materialized (
    select c.*, part.study as named,
        (select min(occurred) from proof p where p.kind = 'index_accepted' and p.stream = c.stream
            and p.institution = c.institution and p.encounter = c.encounter and p.exam = c.exam
            and (part.study is null or p.study is null or p.study = part.study)) as accepted,
        (select min(occurred) from proof p where p.kind = 'pixels_stored' and p.stream = c.stream
            and p.institution = c.institution and p.encounter = c.encounter and p.exam = c.exam
            and (part.study is null or p.study is null or p.study = part.study)) as stored
    from covered c left join part on part.stream = c.stream and part.institution = c.institution
        and part.encounter = c.encounter and part.exam = c.exam),
-- C-01, C-03, C-05.
proven as (
    select j.*, case cause when 'index_accepted' then accepted when 'pixels_stored' then stored
        else max(accepted, stored) end as proven, since + grace * 3600 as deadline from judged j),
fate as (
    select stream, institution, case unit
            when 'encounter' then institution || '/encounter/' || root
            when 'person_day' then institution || '/person-day/' || person || '/'
                || date(day + 28800, 'unixepoch')
            when 'exam' then institution || '/exam/' || encounter || '/' || exam
            when 'study' then institution || '/study/' || encounter || '/' || exam || '/'
                || coalesce(named, '-')
            else institution || '/modality/' || root || '/' || coalesce(modality, '-') end as unit,
        case when modality is null then 'open'
            when proven <= deadline + cure * 86400 then 'served'
            when proven is not null then 'failed'
            when at <= deadline then 'open' else 'failed' end as fate
    from proven),
-- C-02.
verdict as (
    select f.stream, f.unit, case
            when t.every and max(fate = 'failed') then 'failed'
            when t.every and max(fate = 'open') then 'open'
            when t.every then 'served'
            when max(fate = 'served') then 'served'
            when max(fate = 'open') then 'open' else 'failed' end as verdict,
        t.embedded, t.price
    from fate f join terms t on t.stream = f.stream group by f.stream, f.unit)
select stream, unit, case when embedded then iif(verdict = 'served', 'included', 'deduction')
        else 'service' end,
    case when verdict = 'served' then iif(embedded, 0, price) else -price end
from verdict where verdict = 'served' or (verdict = 'failed' and embedded)
";

/// One stream to be judged.
pub(crate) type Stream = (Vec<Event>, Terms, Moment);

/// The lines of each stream.
#[track_caller]
pub(crate) fn lines(streams: &[Stream]) -> Vec<Answer> {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch(TABLES).unwrap();
    let tables = db.transaction().unwrap();
    let mut into = Into {
        terms: tables.prepare(&insert_of("terms", 10)).unwrap(),
        modality: tables.prepare(&insert_of("modality", 2)).unwrap(),
        event: tables.prepare(&insert_of("event", 17)).unwrap(),
    };
    for (stream, (events, terms, at)) in (0_i64..).zip(streams) {
        insert(&mut into, stream, events, terms, *at);
    }
    drop(into);
    tables.commit().unwrap();
    // The events of one exam, whatever the step asks of them.
    db.execute_batch("create index near on event (stream, institution, encounter, exam); analyze;")
        .unwrap();
    let mut answers = vec![Answer::new(); streams.len()];
    let mut query = db.prepare(RULES).unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let stream = usize::try_from(row.get::<_, i64>(0).unwrap()).unwrap();
        let kind = match row.get_ref(2).unwrap().as_str().unwrap() {
            "included" => "included",
            "deduction" => "deduction",
            _ => "service",
        };
        let (unit, fen) = (row.get(1).unwrap(), row.get(3).unwrap());
        assert!(answers[stream].insert(unit, (kind, fen)).is_none(), "I-07");
    }
    answers
}

/// A statement for each table.
struct Into<'db> {
    terms: Statement<'db>,
    modality: Statement<'db>,
    event: Statement<'db>,
}

fn insert_of(table: &str, columns: usize) -> String {
    format!(
        "insert into {table} values ({})",
        vec!["?"; columns].join(", ")
    )
}

fn insert(into: &mut Into<'_>, stream: i64, events: &[Event], terms: &Terms, at: Moment) {
    let embedded = terms.model == ChargeModel::EmbeddedDeduction;
    let unit = if embedded {
        terms.deduction_unit
    } else {
        terms.counting_unit
    };
    let row = params![
        stream,
        at.unix_seconds(),
        embedded,
        terms.price,
        CountingUnit::name(unit),
        Trigger::name(terms.trigger),
        terms.completeness == Completeness::All,
        terms.grace_hours,
        terms.late_cure_days,
        DateBasis::name(terms.date_basis),
    ];
    into.terms.execute(row).unwrap();
    for modality in &terms.modalities {
        into.modality
            .execute(params![stream, Modality::name(*modality)])
            .unwrap();
    }
    for event in events {
        insert_event(into, stream, event);
    }
}

fn insert_event(into: &mut Into<'_>, stream: i64, event: &Event) {
    let mut own: BTreeMap<&str, String> = BTreeMap::new();
    let mut amount = None;
    match event.kind() {
        EventKind::ExamOrdered { modality, .. } | EventKind::Performed { modality, .. } => {
            own.insert("modality", modality.to_string());
        }
        EventKind::FeeLine { amount: fen, .. } => amount = Some(fen.get()),
        EventKind::PixelsStored { study, .. } => {
            study.map(|study| own.insert("study", study.to_string()));
        }
        EventKind::IndexAccepted { study, receipt, .. } => {
            study.map(|study| own.insert("study", study.to_string()));
            own.insert("receipt", receipt.to_string());
        }
        EventKind::Registered { setting } => {
            own.insert("setting", setting.to_string());
        }
        EventKind::Linked { to } => {
            own.insert("other", to.to_string());
        }
        EventKind::Settled { payer } => {
            own.insert("payer", payer.to_string());
        }
        EventKind::HoldPlaced { hold } | EventKind::HoldReleased { hold } => {
            own.insert("hold", hold.to_string());
        }
        _ => {}
    }
    let (visit, kind) = (event.visit(), event.kind());
    let row = params![
        stream,
        visit.institution.as_str(),
        visit.encounter.as_str(),
        event.person().to_string(),
        event.source().name(),
        kind.name(),
        kind.exam().map(|exam| exam.to_string()),
        own.get("modality"),
        amount,
        own.get("study"),
        own.get("receipt"),
        own.get("setting"),
        own.get("other"),
        own.get("payer"),
        own.get("hold"),
        event.occurred().unix_seconds(),
        event.known().unix_seconds(),
    ];
    into.event.execute(row).unwrap();
}
