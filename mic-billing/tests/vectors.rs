//! Every vector of `vectors/` is run here; a file without a runner fails the last test.

#![cfg(feature = "toml")]
#![expect(clippy::unwrap_used, reason = "a test")]

extern crate alloc;

mod common;

use alloc::collections::BTreeSet;

use common::{book, cases, events, shipped, vector_files, visits};
use mic_billing::{
    Accounts, Book, DisposalList, Entry, Event, Fen, Lang, Layer, Line, Moment, Party, Placed,
    Rounding, Statement, UnitPrice, Usage, VisitState, allocate, delta, handover, retention,
    transfer_of, transfer_pool,
};
use serde_json::{Value, json};
use sha2::Digest as _;

/// Runs all cases of a file and tells every one that fails.
#[track_caller]
fn run(name: &str, check: impl Fn(&Value, &Value) -> Value) {
    let mut wrong = Vec::new();
    for case in cases(name) {
        let (input, expect) = (&case["input"], &case["expect"]);
        let found = check(input, expect);
        if found != *expect {
            wrong.push(format!(
                "{}: expected\n  {expect}\nfound\n  {found}",
                case["id"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shares(line: &Line, which: &str) -> Value {
    let shares = if which == "payers" {
        line.payers()
    } else {
        line.payees()
    };
    shares
        .iter()
        .map(|share| (share.party.name().to_owned(), json!(share.amount)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn show(line: &Line, expect: &Value) -> Value {
    let mut shown = json!({
        "unit": line.unit().to_string(), "kind": line.kind().name(), "amount_fen": line.amount(),
    });
    for which in ["payers", "payees"] {
        if expect.get(which).is_some() {
            shown[which] = shares(line, which);
        }
    }
    if expect.get("rules").is_some() {
        shown["rules"] = json!(line.why().rules);
    }
    shown
}

/// Events to lines: reasons, lines, total, and every line recomputed from its explanation.
fn lines(input: &Value, expect: &Value) -> Value {
    let book = book(&input["book"]);
    let events = events(&input["events"]);
    let known_at: Moment = input["known_at"].as_str().unwrap().parse().unwrap();
    let visits = visits(&events);
    let assessments = visits.assess(&book, known_at);
    let lines = mic_billing::desired(&assessments).unwrap();
    let shown: Vec<Value> = lines
        .iter()
        .enumerate()
        .map(|(at, line)| show(line, &expect["lines"][at]))
        .collect();
    let mut found = json!({
        "lines": shown,
        "total_fen": Fen::sum(lines.iter().map(Line::amount)).unwrap(),
    });
    if expect.get("reasons").is_some() {
        found["reasons"] = assessments.iter().map(|a| a.reason().code()).collect();
    }
    if expect.get("standings").is_some() {
        found["standings"] = assessments
            .iter()
            .flat_map(mic_billing::Assessment::exams)
            .map(|exam| exam.standing.code())
            .collect();
    }
    for (field, lang) in [("explain_zh", Lang::Zh), ("explain_en", Lang::En)] {
        if expect.get(field).is_some() {
            found[field] = lines.iter().map(|line| line.explain(lang)).collect();
        }
    }
    for line in &lines {
        assert_eq!(line.why().recompute(&book), Ok(line.amount()), "I-19");
        let text = serde_json::to_string(line).unwrap();
        assert_eq!(&serde_json::from_str::<Line>(&text).unwrap(), line, "I-18");
    }
    found
}

#[test]
fn models() {
    run("models", lines);
}

#[test]
fn counting() {
    run("counting", lines);
}

#[test]
fn service() {
    run("service", lines);
}

#[test]
fn tariff() {
    run("tariff", lines);
}

#[test]
fn explanations() {
    run("explanations", lines);
}

#[test]
fn retention_dates() {
    run("retention", |input, _| {
        let book = book(&input["book"]);
        let known_at: Moment = input["known_at"].as_str().unwrap().parse().unwrap();
        let resolved = visits(&events(&input["events"])).resolved(known_at);
        let wanted = input["visit"].as_str().unwrap();
        let visit: &VisitState = resolved
            .iter()
            .find(|state| state.encounters().any(|id| id.as_str() == wanted))
            .unwrap();
        match retention(visit, &resolved, &book, known_at) {
            Ok(kept) => json!({
                "clock": kept.clock.name(), "base": kept.base.to_string(), "years": kept.years,
                "last_kept": kept.last_kept.to_string(), "first_disposable": kept.first_disposable.to_string(),
                "holds": kept.holds,
            }),
            Err(error) => json!({ "error": error.to_string() }),
        }
    });
}

fn show_entries(entries: &[Entry]) -> Value {
    let show = |entry: &Entry| {
        let postings: serde_json::Map<_, _> = entry
            .postings()
            .iter()
            .map(|side| (side.party.name().to_owned(), json!(side.amount)))
            .collect();
        json!({ "id": entry.id().to_string(), "amount_fen": entry.amount(), "postings": postings })
    };
    entries.iter().map(show).collect()
}

#[test]
fn ledger() {
    run("ledger", |input, expect| {
        let book = book(&input["book"]);
        let visits = visits(&events(&input["events"]));
        let mut journal: Vec<Entry> = Vec::new();
        let mut steps = Vec::new();
        for step in expect["steps"].as_array().unwrap() {
            let known_at: Moment = step["known_at"].as_str().unwrap().parse().unwrap();
            let desired = visits.desired(&book, known_at).unwrap();
            let entries = delta(&desired, &journal).unwrap();
            steps.push(json!({ "known_at": step["known_at"], "entries": show_entries(&entries) }));
            journal.extend(entries);
            assert_eq!(delta(&desired, &journal), Ok(Vec::new()), "I-05");
        }
        json!({ "steps": steps })
    });
}

#[test]
fn journal_errors() {
    let case = cases("models")
        .into_iter()
        .find(|case| case["id"] == "deduction")
        .unwrap();
    let input = &case["input"];
    let known_at: Moment = input["known_at"].as_str().unwrap().parse().unwrap();
    let desired = visits(&events(&input["events"]))
        .desired(&book(&input["book"]), known_at)
        .unwrap();
    let posted = delta(&desired, &[]).unwrap();
    let good = serde_json::to_value(&posted[1]).unwrap();
    assert_eq!(
        serde_json::from_value::<Entry>(good.clone()).unwrap(),
        posted[1]
    );
    run("journal-errors", |input, _| {
        let mut bad = good.clone();
        for (place, value) in input["mutate"].as_object().unwrap() {
            *bad.pointer_mut(place).unwrap() = value.clone();
        }
        json!({ "error": serde_json::from_value::<Entry>(bad).unwrap_err().to_string() })
    });
}

#[test]
fn events_one_by_one() {
    run("events", |input, _| {
        match serde_json::from_value::<Event>(input["event"].clone()) {
            Ok(event) => {
                let again = serde_json::to_value(&event).unwrap();
                assert_eq!(
                    serde_json::from_value::<Event>(again).unwrap(),
                    event,
                    "I-18"
                );
                json!({ "ok": true })
            }
            Err(error) => json!({ "error": error.to_string() }),
        }
    });
}

#[test]
fn money() {
    fn done<T, E: ToString>(result: Result<T, E>, show: impl Fn(T) -> Value) -> Value {
        result.map_or_else(|error| json!({ "error": error.to_string() }), show)
    }
    run("money", |input, _| {
        if let Some(text) = input["fen"].as_str() {
            done(
                text.parse::<Fen>(),
                |fen| json!({ "fen": fen, "text": fen.to_string() }),
            )
        } else if let Some(text) = input["unit_price"].as_str() {
            let quantity = input["quantity"].as_u64().unwrap();
            done(
                text.parse::<UnitPrice>(),
                |price| json!({ "fen": price.total(quantity, Rounding::HalfUp).unwrap() }),
            )
        } else {
            let parties: Vec<(String, u64)> =
                serde_json::from_value(input["parties"].clone()).unwrap();
            let amount = Fen::new(input["allocate"].as_i64().unwrap());
            done(
                allocate(amount, &parties),
                |shares| json!({ "shares": shares }),
            )
        }
    });
}

#[test]
fn policy_books() {
    run("books", |input, _| {
        let mut layers: Vec<Layer> = input["shipped"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| shipped(id.as_str().unwrap()))
            .collect();
        let text = input["toml"].as_str().unwrap();
        if !text.is_empty() {
            match Layer::from_toml(text) {
                Ok(layer) => layers.push(layer),
                Err(error) => return json!({ "errors": [error.to_string()] }),
            }
        }
        match Book::load(layers) {
            Ok(_) => json!({ "ok": true }),
            Err(errors) => {
                json!({ "errors": errors.iter().map(ToString::to_string).collect::<Vec<_>>() })
            }
        }
    });
}

/// Posting, closing and posting again: where each entry goes, and what is sealed.
#[test]
fn statements() {
    run("statements", |input, _| {
        if let Some(parts) = input["merge"].as_array() {
            let read = |part: &Value| serde_json::from_value::<Statement>(part.clone());
            let mut merged = read(&parts[0]).unwrap();
            return match merged.merge(&read(&parts[1]).unwrap()) {
                Ok(()) => json!({ "text": merged.canonical() }),
                Err(error) => json!({ "error": error.to_string() }),
            };
        }
        let institution = mic_billing::InstitutionCode::new("H44030500001").unwrap();
        let first = input["first"].as_str().unwrap().parse().unwrap();
        let mut accounts = Accounts::new(institution, first);
        let visits = visits(&events(&input["events"]));
        let book = book(&input["book"]);
        let mut steps = Vec::new();
        for step in input["steps"].as_array().unwrap() {
            let known_at: Moment = step["known_at"].as_str().unwrap().parse().unwrap();
            let desired = visits.desired(&book, known_at).unwrap();
            let placed = match accounts.post(&desired) {
                Ok(placed) => placed,
                Err(error) => return json!({ "error": error.to_string() }),
            };
            assert_eq!(accounts.post(&desired), Ok(Vec::new()), "I-05");
            steps.push(placed.iter().map(show_placed).collect::<Value>());
            for _ in 0..step["close"].as_u64().unwrap_or(0) {
                accounts.close(sha256);
            }
        }
        let closed: Vec<String> = accounts
            .closed()
            .iter()
            .map(|month| month.statement().canonical())
            .collect();
        assert!(
            accounts
                .closed()
                .iter()
                .all(|month| month.is_sealed_by(sha256))
        );
        let open: Vec<String> = accounts.open().map(Statement::canonical).collect();
        json!({ "steps": steps, "closed": closed, "open": open })
    });
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

fn show_placed(placed: &Placed) -> Value {
    let mut shown = json!({ "id": placed.id.to_string(), "period": placed.period });
    if let Some((original, month)) = placed.corrects {
        shown["corrects"] = json!([original.to_string(), month]);
    }
    shown
}

/// Contracts: lines with their payees, what the vendor is owed, and the pool of the transfer.
#[test]
fn contracts() {
    run("contracts", |input, expect| {
        let book = book(&input["book"]);
        let known_at: Moment = input["known_at"].as_str().unwrap().parse().unwrap();
        let assessments = visits(&events(&input["events"])).assess(&book, known_at);
        let lines = mic_billing::desired(&assessments).unwrap();
        let shown: Vec<Value> = lines
            .iter()
            .enumerate()
            .map(|(at, line)| show(line, &expect["lines"][at]))
            .collect();
        for line in &lines {
            assert_eq!(line.why().recompute(&book), Ok(line.amount()), "I-19");
        }
        let mut found = json!({ "lines": shown });
        let charge = assessments[0].policy().charge().unwrap();
        if let Some(contract) = &charge.contract {
            let owed = contract.owed(&lines).unwrap();
            found["owed"] = json!({ "units": owed.units, "amount_fen": owed.amount });
            if let Some(moved) = input["moved"].as_array() {
                let moved: Vec<(String, Usage)> = moved
                    .iter()
                    .map(|who| {
                        let number = |at: usize| who[at].as_u64().unwrap();
                        (
                            who[0].as_str().unwrap().to_owned(),
                            Usage::new(number(1), number(2)),
                        )
                    })
                    .collect();
                let entries = delta(&lines, &[]).unwrap();
                let pool = if charge.model == mic_billing::ChargeModel::EmbeddedDeduction {
                    let parts = charge.owed_parts(&owed).unwrap();
                    let operators = parts
                        .iter()
                        .find(|part| part.party == Party::TransferOperator);
                    operators.map_or(Fen::ZERO, |part| part.amount)
                } else {
                    // What is posted, taken back and posted again is in the pool once.
                    let mut journal = entries.clone();
                    journal.extend(delta(&[], &journal).unwrap());
                    assert_eq!(transfer_of(&journal), Ok(Fen::ZERO));
                    journal.extend(delta(&lines, &journal).unwrap());
                    assert_eq!(transfer_of(&journal), transfer_of(&entries));
                    transfer_of(&entries).unwrap()
                };
                if let Some(of_all) = input["units_of_all"].as_u64() {
                    found["agreed_units"] = contract.agreed_units(of_all).into();
                }
                match transfer_pool(pool, contract.transfer_basis, &moved) {
                    Ok(pool) => found["pool"] = json!(pool),
                    Err(error) => return json!({ "error": error.to_string() }),
                }
            }
        }
        found
    });
}

#[test]
fn exam_prices() {
    run("exam-prices", |input, _| {
        let book = book(&input["book"]);
        let day = input["date"].as_str().unwrap().parse().unwrap();
        let policy = book.policy(day, "2026-06-01T00:00:00+08:00".parse().unwrap());
        let Some(rules) = policy.exams() else {
            return json!({ "error": "no rules of exam prices" });
        };
        if let Some(film) = input.get("film") {
            let told = |name: &str| film[name].as_bool().unwrap();
            let answer = rules.film_may_be_charged(told("needed"), told("agreed"));
            return if answer {
                json!({ "film": true })
            } else {
                json!({ "refused": "film" })
            };
        }
        let modality = serde_json::from_value(input["modality"].clone()).unwrap();
        let positions = u32::try_from(input["positions"].as_u64().unwrap())
            .unwrap()
            .try_into()
            .unwrap();
        let one = serde_json::from_value(input["one_fen"].clone()).unwrap();
        match rules.price(one, modality, positions) {
            Ok(price) => {
                json!({ "amount_fen": price.amount, "positions": price.positions, "rules": price.rules })
            }
            Err(error) => json!({ "error": error.to_string() }),
        }
    });
}

/// Lists of what may go, the last look before it goes, and rows for the next vendor.
#[test]
fn disposal() {
    run("disposal", |input, _| {
        let book = book(&input["book"]);
        let visits = visits(&events(&input["events"]));
        let moment = |name: &str| -> Moment { input[name].as_str().unwrap().parse().unwrap() };
        let day =
            |name: &str| -> chrono::NaiveDate { input[name].as_str().unwrap().parse().unwrap() };
        let kept = |at: Moment| -> Vec<mic_billing::Retention> {
            visits
                .retention(&book, at)
                .into_iter()
                .filter_map(|(_, kept)| kept.ok())
                .collect()
        };
        if input.get("last_day").is_some() {
            let at = moment("known_at");
            let policy = book.policy(day("date"), at);
            let contract = policy.charge().unwrap().contract.clone().unwrap();
            let units = u32::try_from(input["units"].as_u64().unwrap()).unwrap();
            let rows: Vec<Value> = visits
                .resolved(at)
                .iter()
                .zip(visits.retention(&book, at))
                .filter_map(|(state, (_, kept))| {
                    let row = handover(state, kept.as_ref(), &contract, units, day("last_day"), at)
                        .unwrap()?;
                    let mut shown =
                        json!({ "visit": row.visit.to_string(), "studies": row.studies });
                    match row.duty {
                        Ok(duty) => {
                            shown["from"] = duty.from.to_string().into();
                            shown["last_kept"] = duty.last_kept.to_string().into();
                            shown["days_left"] = duty.days_left.into();
                            shown["days"] = duty.days.into();
                            shown["holds"] = json!(duty.holds);
                            shown["unearned_fen"] = json!(duty.unearned);
                        }
                        Err(error) => shown["unknown"] = error.to_string().into(),
                    }
                    Some(shown)
                })
                .collect();
            return json!({ "rows": rows });
        }
        let list = DisposalList::of(day("day"), &kept(moment("known_at")));
        let text = list.text();
        let signed =
            match list.signed(|signed| signed == text.as_bytes() && input["signed"] == true) {
                Ok(signed) => signed,
                Err(error) => return json!({ "error": error.to_string() }),
            };
        let mut faults = serde_json::Map::new();
        for kept in kept(moment("then")) {
            if let Err(error) = signed.permits(&kept, day("today")) {
                faults.insert(kept.visit.to_string(), error.to_string().into());
            }
        }
        let mut found = json!({ "text": text });
        if !faults.is_empty() {
            found["faults"] = faults.into();
        }
        found
    });
}

/// Rules that a line can cite.
const OF_LINES: [&str; 17] = [
    "B-01", "B-02", "B-05", "B-06", "B-07", "V-01", "V-03", "V-04", "C-01", "C-02", "C-04", "C-05",
    "C-12", "S-01", "S-02", "S-03", "T-02",
];

/// The rules that a case names are no mere label: where it expects lines, one of them cites each
/// rule that a line can cite. What is owed under an embedded price is on no line, and its rules aren't
/// either.
#[test]
fn every_rule_of_a_case_with_lines_is_cited_by_one() {
    let (mut wrong, mut held) = (Vec::new(), 0);
    let mut cited_ever = BTreeSet::new();
    for file in [
        "models",
        "counting",
        "service",
        "tariff",
        "explanations",
        "contracts",
    ] {
        for case in cases(file) {
            let input = &case["input"];
            let known_at: Moment = input["known_at"].as_str().unwrap().parse().unwrap();
            let lines = visits(&events(&input["events"]))
                .desired(&book(&input["book"]), known_at)
                .unwrap();
            let cited: BTreeSet<&str> = lines
                .iter()
                .flat_map(|line| &line.why().rules)
                .map(|rule| rule.id())
                .collect();
            cited_ever.extend(cited.iter().copied());
            if lines.is_empty() {
                continue;
            }
            for rule in case["rules"].as_array().unwrap() {
                let rule = rule.as_str().unwrap();
                let of_owed =
                    case["expect"]["owed"].is_object() && ["B-02", "S-02"].contains(&rule);
                if OF_LINES.contains(&rule) && !of_owed {
                    held += 1;
                    if !cited.contains(rule) {
                        wrong.push(format!(
                            "{file}/{}: no line cites {rule}, but {cited:?}",
                            case["id"]
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(cited_ever, BTreeSet::from(OF_LINES));
    assert!(held > 40, "only {held} rules of cases are cited");
}

#[test]
fn every_file_is_run() {
    let run = [
        "books",
        "contracts",
        "counting",
        "disposal",
        "events",
        "exam-prices",
        "explanations",
        "journal-errors",
        "ledger",
        "models",
        "money",
        "readers",
        "retention",
        "service",
        "statements",
        "tariff",
    ];
    assert_eq!(vector_files(), run);
    let ids: Vec<Value> = run.iter().flat_map(|name| cases(name)).collect();
    let wrong = ids
        .iter()
        .filter(|case| {
            case["expect"].get("error").is_some() || case["expect"].get("errors").is_some()
        })
        .count();
    assert!(
        wrong >= 50,
        "only {wrong} of {} vectors are wrong on purpose",
        ids.len()
    );
}
