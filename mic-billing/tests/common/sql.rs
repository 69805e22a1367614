//! A third engine, in SQL: the rules as steps over tables of events and policies, for many streams at
//! once. It is written from `spec/pricing.md` and shares nothing with the other two; whoever has the
//! events in a database can take it from here.

use alloc::collections::BTreeMap;

use mic_billing::{Event, EventKind, Moment};
use rusqlite::{Connection, Statement, params};
use serde_json::Value;

use super::{
    plans::{Asked, Plan},
    reference::{ExamPrice, Lines, Money},
};

/// The tables: a moment of knowledge per stream; the versions of its layers with their facts, and
/// the two facts that are lists; its events; the examinations whose price is asked.
const TABLES: &str = "
create table stream (stream integer primary key, at integer) strict;
create table version (
    stream integer, layer integer, version integer, first text, past text, known integer,
    primary key (stream, layer, version)) strict, without rowid;
create table stated (
    stream integer, layer integer, version integer, name text, value any,
    primary key (stream, layer, version, name)) strict, without rowid;
create table listed (stream integer, layer integer, version integer, modality text,
    primary key (stream, layer, version, modality)) strict, without rowid;
create table share (stream integer, layer integer, version integer, party text, weight integer,
    primary key (stream, layer, version, party)) strict, without rowid;
create table asked (stream integer, number integer, day text, modality text, one integer,
    positions integer) strict;
create table party (name text primary key, rank integer) strict;
insert into party values ('exam_payer', 1), ('fund', 2), ('patient', 3), ('hospital', 4),
    ('platform', 5), ('storage_vendor', 6), ('transfer_operator', 7);
create table event (
    stream integer, institution text, encounter text, person text, source text, kind text,
    exam text, modality text, amount integer, study text, receipt text, setting text, other text,
    payer text, hold text, occurred integer, known integer) strict;
";

/// From events to lines, each step a table made of those before.
const STEPS: &str = "
-- BIL-7, BIL-9: facts, each known since the earliest time, and only what was known.
create table fact as
    select e.stream, institution, encounter, person, source, kind, exam, modality, amount, study,
        receipt, setting, other, payer, hold, occurred, min(known) as known
    from event e join stream s on s.stream = e.stream and e.known <= s.at
    group by e.stream, institution, encounter, person, source, kind, exam, modality, amount, study,
        receipt, setting, other, payer, hold, occurred;
-- V-07: encounters reached from each one over links in both directions.
create table place as select distinct stream, institution, encounter from fact;
create table step as
    select f.stream, f.institution, f.encounter as a, f.other as b from fact f
        join place p on p.stream = f.stream and p.institution = f.institution and p.encounter = f.other
        where f.kind = 'linked'
    union
    select f.stream, f.institution, f.other, f.encounter from fact f
        join place p on p.stream = f.stream and p.institution = f.institution and p.encounter = f.other
        where f.kind = 'linked';
create table reach as
    with recursive reach (stream, institution, a, b) as (
        select stream, institution, encounter, encounter from place
        union
        select r.stream, r.institution, r.a, s.b from reach r
            join step s on s.stream = r.stream and s.institution = r.institution and s.a = r.b)
    select * from reach;
create table member as
    select stream, institution, a as encounter, min(b) as leader from reach
    group by stream, institution, a;
create table own as select f.*, m.leader from fact f
    join member m on m.stream = f.stream and m.institution = f.institution and m.encounter = f.encounter;
-- One person or none charged; the stay is the root, else the smallest encounter.
create table visit as
    select stream, institution, leader, min(person) as person,
        coalesce(min(case when setting = 'inpatient' then encounter end), min(encounter)) as root
    from own group by stream, institution, leader having count(distinct person) = 1;
-- BIL-10: the word known last, of those known at once the earliest time.
create table word as
    select stream, institution, leader, encounter, exam, kind, occurred, row_number() over (
        partition by stream, institution, encounter, exam, kind order by known desc, occurred) as place
    from own where kind in ('performed', 'fee_line', 'reported');
create table kind as
    select stream, institution, encounter, exam, modality, row_number() over (
        partition by stream, institution, encounter, exam
        order by kind = 'performed' desc, known desc, rank desc) as place
    from own join (select column1 as name, column2 as rank from (values
        ('xray', 0), ('fluoroscopy', 1), ('angiography', 2), ('ct', 3), ('mr', 4), ('mammography', 5), ('nuclear', 6), ('ultrasound', 7)))
        on name = modality
    where kind in ('performed', 'exam_ordered');
create index near_word on word (stream, institution, encounter, exam);
create index near_kind on kind (stream, institution, encounter, exam);
create table exam as
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
    from own o where o.exam is not null group by o.stream, o.institution, o.leader, o.encounter, o.exam;
-- C-08, C-09, V-06: live exams with their dates; null times play no part in a minimum.
create table live as
    select e.*, coalesce(performed, fee) as since,
        (select min(x) from (select fee as x union all select performed union all select reported)) as earliest
    from exam e where (performed is not null or fee is not null) and not refunded
        and not coalesce(cancelled < performed, cancelled is not null);
create table wanted as
    select stream, date(fee + 28800, 'unixepoch') as day from live where fee is not null
    union select stream, date(performed + 28800, 'unixepoch') from live where performed is not null
    union select stream, date(reported + 28800, 'unixepoch') from live where reported is not null
    union select stream, day from asked;
-- T-02, T-04: of each layer the version known last; then the lowest layer that states the fact.
create table holds as
    select * from (select w.stream, w.day, v.layer, v.version, row_number() over (
        partition by w.stream, w.day, v.layer order by v.known desc) as place
    from wanted w join stream s on s.stream = w.stream
        join version v on v.stream = w.stream and v.known <= s.at and v.first <= w.day
            and (v.past is null or w.day < v.past))
    where place = 1;
create table says as
    select * from (select h.stream, h.day, h.layer, h.version, f.name, f.value, row_number() over (
        partition by h.stream, h.day, f.name order by h.layer desc) as place
    from holds h join stated f on f.stream = h.stream and f.layer = h.layer and f.version = h.version)
    where place = 1;
-- A region is in force where a layer below the nation has a version.
create table region (stream integer, day text, primary key (stream, day)) without rowid;
insert into region select distinct stream, day from holds where layer > 0;
create table policy as
    select stream, day,
        max(value) filter (where name = 'charge_model') as model,
        max(value) filter (where name = 'price') as price,
        max(value) filter (where name = 'counting_unit') as counting,
        max(value) filter (where name = 'deduction_unit') as deducting,
        max(value) filter (where name = 'trigger') as cause,
        max(value) filter (where name = 'completeness') = 'all' as every,
        max(value) filter (where name = 'grace_hours') as grace,
        max(value) filter (where name = 'late_cure_days') as cure,
        max(value) filter (where name = 'date_basis') as basis,
        max(value) filter (where name = 'fund_share') as fund_share,
        (max(value) filter (where name = 'contract_price') + 5000) / 10000 as bought,
        max(value) filter (where name = 'surplus_to') as surplus_to,
        max(layer) filter (where name = 'modalities') as kinds_layer,
        max(version) filter (where name = 'modalities') as kinds_version,
        max(layer) filter (where name = 'payee_shares') as shares_layer,
        max(version) filter (where name = 'payee_shares') as shares_version
    from says cross join region using (stream, day)
    group by stream, day;
create index near_policy on policy (stream, day);
-- V-06: the policy of the fee's date tells the basis, the basis the date, the date the policy.
create table first_dated as
    select stream, institution, leader, date(min(coalesce(fee, earliest)) + 28800, 'unixepoch') as first
    from live group by stream, institution, leader;
create table based as
    select f.stream, f.institution, f.leader, coalesce(p.basis, 'fee_occurred') as basis
    from first_dated f left join policy p on p.stream = f.stream and p.day = f.first;
-- C-12: who paid is the word known last; of two at once the patient.
create table settled as
    select stream, institution, leader, payer, row_number() over (
        partition by stream, institution, leader order by known desc, payer desc) as place
    from own where kind = 'settled';
create table dated as
    select l.*, v.person, v.root, s.at, coalesce(t.payer, 'insured') as paid,
        date(min(coalesce(case b.basis when 'fee_occurred' then fee when 'performed' then performed
            else reported end, earliest)) over (partition by l.stream, l.institution, l.leader)
            + 28800, 'unixepoch') as day
    from live l join stream s on s.stream = l.stream
        join visit v on v.stream = l.stream and v.institution = l.institution and v.leader = l.leader
        join based b on b.stream = l.stream and b.institution = l.institution and b.leader = l.leader
        left join settled t on t.stream = l.stream and t.institution = l.institution
            and t.leader = l.leader and t.place = 1;
-- V-05: of a listed kind, or of one nobody told.
create table covered as
    select d.*, p.model, p.cause, p.grace, p.cure, p.counting,
        iif(p.model = 'embedded_deduction', p.deducting, p.counting) as unit
    from dated d join policy p on p.stream = d.stream and p.day = d.day
    where d.modality is null or exists (select 1 from listed m where m.stream = p.stream
        and m.layer = p.kinds_layer and m.version = p.kinds_version and m.modality = d.modality);
create table proof as
    select stream, institution, encounter, exam, study, kind, occurred from own
    where kind in ('index_accepted', 'pixels_stored');
create index near_proof on proof (stream, institution, encounter, exam);
-- V-03: each study apart where studies are counted and one is named.
create table part as
    select distinct c.stream, c.institution, c.encounter, c.exam, p.study
    from covered c join proof p on c.unit = 'study' and p.study is not null and p.stream = c.stream
        and p.institution = c.institution and p.encounter = c.encounter and p.exam = c.exam;
create table judged as
    select c.*, part.study as named,
        (select min(occurred) from proof p where p.kind = 'index_accepted' and p.stream = c.stream
            and p.institution = c.institution and p.encounter = c.encounter and p.exam = c.exam
            and (part.study is null or p.study is null or p.study = part.study)) as accepted,
        (select min(occurred) from proof p where p.kind = 'pixels_stored' and p.stream = c.stream
            and p.institution = c.institution and p.encounter = c.encounter and p.exam = c.exam
            and (part.study is null or p.study is null or p.study = part.study)) as stored
    from covered c left join part on part.stream = c.stream and part.institution = c.institution
        and part.encounter = c.encounter and part.exam = c.exam;
-- C-01, C-03, C-05.
create table proven as
    select j.*, case cause when 'index_accepted' then accepted when 'pixels_stored' then stored
        else max(accepted, stored) end as proven, since + grace * 3600 as deadline from judged j;
create table judgement as
    select p.*, case when modality is null then 'open'
            when proven <= deadline + cure * 86400 then 'served'
            when proven is not null then 'failed'
            when at <= deadline then 'open' else 'failed' end as fate
    from proven p;
create table fate as
    select j.stream, j.day, j.paid, j.fate, w.role, institution || case iif(w.role = 1, unit, counting)
            when 'encounter' then '/encounter/' || root
            when 'person_day' then '/person-day/' || person || '/' || day
            when 'exam' then '/exam/' || encounter || '/' || exam
            when 'study' then '/study/' || encounter || '/' || exam || '/' || coalesce(named, '-')
            else '/modality/' || root || '/' || coalesce(modality, '-') end as unit, j.number
    from (select *, row_number() over () as number from judgement) j
        join (select 1 as role union all select 2) w;
create index near_fate on fate (stream, number, role);
-- C-02.
create table verdict as
    select f.stream, f.unit, f.day, min(f.paid) as paid, case
            when p.every and max(fate = 'failed') then 'failed'
            when p.every and max(fate = 'open') then 'open'
            when p.every then 'served'
            when max(fate = 'served') then 'served'
            when max(fate = 'open') then 'open' else 'failed' end as verdict
    from fate f join policy p on p.stream = f.stream and p.day = f.day
    where f.role = 1 group by f.stream, f.unit, f.day;
create table line as
    select v.stream, v.unit, v.day, v.paid, p.model, p.bought, p.surplus_to, p.fund_share,
        p.shares_layer, p.shares_version,
        case when p.model <> 'embedded_deduction' then 'service'
            when verdict = 'served' then 'included' else 'deduction' end as kind,
        case when p.model <> 'embedded_deduction' then iif(coalesce(p.surplus_to = 'payer', 0), p.bought, p.price)
            when verdict = 'served' then 0 else -p.price end as fen
    from verdict v join policy p on p.stream = v.stream and p.day = v.day
    where verdict = 'served' or (verdict = 'failed' and p.model = 'embedded_deduction');
-- B-08, S-01, S-02, C-12: who has which part of what. Under a contract the payees have its price.
create table weight as
    select stream, unit, 'payer' as side, 'patient' as party, fen as base, 1000000 as weight
        from line where paid = 'self_paid'
    union all select stream, unit, 'payer', 'fund', fen, 1000000
        from line where paid = 'insured' and model = 'fund_direct'
    union all select stream, unit, 'payer', 'fund', fen, fund_share
        from line where paid = 'insured' and model <> 'fund_direct' and fund_share is not null
    union all select stream, unit, 'payer', 'patient', fen, 1000000 - fund_share
        from line where paid = 'insured' and model <> 'fund_direct' and fund_share is not null
    union all select stream, unit, 'payer', 'exam_payer', fen, 1000000
        from line where paid = 'insured' and model <> 'fund_direct' and fund_share is null
    union all select l.stream, unit, 'payee', s.party, coalesce(bought, fen), s.weight
        from line l join share s on s.stream = l.stream and s.layer = l.shares_layer
            and s.version = l.shares_version where kind = 'service'
    union all select stream, unit, 'payee', iif(model = 'fund_direct', 'storage_vendor', 'hospital'),
            coalesce(bought, fen), 1000000
        from line where kind = 'service' and shares_layer is null
    union all select stream, unit, 'payee', 'hospital', fen, 1000000 from line where kind <> 'service';
-- S-06.
create table exact as
    select w.*, p.rank, abs(base) * weight / 1000000 as whole, abs(base) * weight % 1000000 as rest
    from weight w join party p on p.name = w.party;
create table dealt as
    select *, iif(base < 0, -1, 1) * (whole + (row_number() over (partition by stream, unit, side order by rest desc, rank)
        <= abs(base) - sum(whole) over (partition by stream, unit, side))) as part
    from exact;
create index near_weight on weight (stream, unit, party);
create index near_dealt on dealt (stream, unit, side, party);
-- S-03: what the charge is above the contract's price; the fund gets back what it paid at most.
create table surplus as
    select l.stream, l.unit, l.fen - l.bought as whole, case when surplus_to <> 'fund' then 0
        when exists (select 1 from weight w where w.stream = l.stream and w.unit = l.unit
            and w.party = 'exam_payer') then l.fen - l.bought
        else min(l.fen - l.bought, coalesce((select part from dealt d where d.stream = l.stream
            and d.unit = l.unit and d.side = 'payer' and d.party = 'fund'), 0)) end as back
    from line l where kind = 'service' and bought is not null;
create table piece as
    select stream, unit, side, party, part from dealt
    union all select stream, unit, 'payee', 'fund', back from surplus
    union all select stream, unit, 'payee', 'hospital', whole - back from surplus;
create table total as
    select stream, unit, side, party, sum(part) as part from piece
    group by stream, unit, side, party having sum(part) <> 0;
create table side as
    select stream, unit, side, group_concat(rank || party || '=' || part, ' ') as words
    from total t join party p on p.name = t.party group by stream, unit, side;
-- B-02: the counting units of the served exams of a line.
create table served as
    select a.stream, a.unit, group_concat(distinct b.unit) as units
    from fate a join fate b on b.stream = a.stream and b.number = a.number and b.role = 2
    where a.role = 1 and a.fate = 'served' group by a.stream, a.unit;
create index near_side on side (stream, unit, side);
create index near_served on served (stream, unit);
";

/// The lines with their sides.
const LINES: &str = "
select l.stream, l.unit, l.kind, l.fen, coalesce(p.words, ''), coalesce(r.words, ''), l.day,
    case l.kind when 'service' then l.unit when 'included' then c.units else '' end
from line l
    left join side p on p.stream = l.stream and p.unit = l.unit and p.side = 'payer'
    left join side r on r.stream = l.stream and r.unit = l.unit and r.side = 'payee'
    left join served c on c.stream = l.stream and c.unit = l.unit
";

/// The prices of examinations, and whether film may be charged: B-09, B-10, B-11.
const PRICES: &str = "
with rules as (
    select stream, day, max(value) filter (where name = 'position_share') as share,
        max(value) filter (where name = 'positions_max') as most,
        max(value) filter (where name = 'xray_cap') as cap,
        max(value) filter (where name = 'film') as film
    from says group by stream, day),
summed as (
    select a.*, r.cap, r.film, one + (one * (min(positions, coalesce(r.most, positions)) - 1)
        * coalesce(r.share, 1000000) + 500000) / 1000000 as whole
    from asked a left join rules r on r.stream = a.stream and r.day = a.day)
select stream, number, case when modality = 'xray' then min(whole, coalesce(cap, whole)) else whole end,
    coalesce(film = 'free', 0), coalesce(film in ('free', 'agreed'), 0)
from summed
";

/// One stream to be judged.
pub(crate) type Stream = (Vec<Event>, Plan, Vec<Asked>, Moment);

/// The lines of each stream, and the prices asked.
#[track_caller]
pub(crate) fn answers(streams: &[Stream]) -> Vec<(Lines, Vec<ExamPrice>)> {
    let mut db = Connection::open_in_memory().unwrap();
    db.execute_batch(TABLES).unwrap();
    let tables = db.transaction().unwrap();
    let mut into = Into {
        stream: tables.prepare(&insert_of("stream", 2)).unwrap(),
        version: tables.prepare(&insert_of("version", 6)).unwrap(),
        stated: tables.prepare(&insert_of("stated", 5)).unwrap(),
        listed: tables.prepare(&insert_of("listed", 4)).unwrap(),
        share: tables.prepare(&insert_of("share", 5)).unwrap(),
        asked: tables.prepare(&insert_of("asked", 6)).unwrap(),
        event: tables.prepare(&insert_of("event", 17)).unwrap(),
    };
    for (stream, (events, plan, asked, at)) in (0_i64..).zip(streams) {
        into.stream
            .execute(params![stream, at.unix_seconds()])
            .unwrap();
        insert_plan(&mut into, stream, plan);
        for (number, asked) in (0_i64..).zip(asked) {
            let row = params![
                stream,
                number,
                asked.day.to_string(),
                asked.modality.name(),
                asked.one,
                asked.positions,
            ];
            into.asked.execute(row).unwrap();
        }
        for event in events {
            insert_event(&mut into, stream, event);
        }
    }
    drop(into);
    tables.commit().unwrap();
    // The events of one exam, whatever the step asks of them.
    db.execute_batch("create index near on event (stream, institution, encounter, exam); analyze;")
        .unwrap();
    let mut answers = vec![(Lines::new(), Vec::new()); streams.len()];
    db.execute_batch(STEPS).unwrap();
    let mut query = db.prepare(LINES).unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let stream = usize::try_from(row.get::<_, i64>(0).unwrap()).unwrap();
        let counted: String = row.get(7).unwrap();
        let mut counted: Vec<&str> = counted.split(',').collect();
        counted.sort_unstable();
        let money = Money {
            kind: row.get(2).unwrap(),
            fen: row.get(3).unwrap(),
            payers: in_order(&row.get::<_, String>(4).unwrap()),
            payees: in_order(&row.get::<_, String>(5).unwrap()),
            day: row.get(6).unwrap(),
            counted: counted.join(" "),
        };
        let held = answers[stream].0.insert(row.get(1).unwrap(), money);
        assert!(held.is_none(), "I-07");
    }
    let mut query = db.prepare(PRICES).unwrap();
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let stream = usize::try_from(row.get::<_, i64>(0).unwrap()).unwrap();
        let film = [row.get(3).unwrap(), row.get(4).unwrap()];
        answers[stream].1.push((row.get(2).unwrap(), film));
    }
    answers
}

/// Parties by their ranks, which go before their names: an aggregate has no order of its own.
fn in_order(words: &str) -> String {
    let mut words: Vec<&str> = words.split_whitespace().collect();
    words.sort_unstable();
    let bare = words
        .iter()
        .map(|word| word.trim_start_matches(|c: char| c.is_ascii_digit()));
    bare.collect::<Vec<_>>().join(" ")
}

/// A statement for each table.
struct Into<'db> {
    stream: Statement<'db>,
    version: Statement<'db>,
    stated: Statement<'db>,
    listed: Statement<'db>,
    share: Statement<'db>,
    asked: Statement<'db>,
    event: Statement<'db>,
}

fn insert_of(table: &str, columns: usize) -> String {
    format!(
        "insert into {table} values ({})",
        vec!["?"; columns].join(", ")
    )
}

fn insert_plan(into: &mut Into<'_>, stream: i64, plan: &Plan) {
    for (level, versions) in &plan.layers {
        let level = i64::try_from(*level).unwrap();
        for (at, version) in (0_i64..).zip(versions) {
            let row = params![
                stream,
                level,
                at,
                version.from.to_string(),
                version.to.map(|to| to.to_string()),
                version.known.unix_seconds(),
            ];
            into.version.execute(row).unwrap();
            for (name, value) in &version.facts {
                insert_fact(into, (stream, level, at), name, value);
            }
        }
    }
}

fn insert_fact(into: &mut Into<'_>, of: (i64, i64, i64), name: &str, value: &Value) {
    let (stream, level, at) = of;
    match value {
        Value::Array(kinds) => {
            for kind in kinds {
                let row = params![stream, level, at, kind.as_str()];
                into.listed.execute(row).unwrap();
            }
        }
        Value::Object(shares) => {
            for (party, weight) in shares {
                let row = params![stream, level, at, party, weight.as_i64()];
                into.share.execute(row).unwrap();
            }
        }
        _ => {}
    }
    let done = match value {
        Value::Number(number) => {
            into.stated
                .execute(params![stream, level, at, name, number.as_i64()])
        }
        Value::String(text) => into.stated.execute(params![stream, level, at, name, text]),
        _ => into
            .stated
            .execute(params![stream, level, at, name, "list"]),
    };
    done.unwrap();
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
