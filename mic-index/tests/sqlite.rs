//! Columns of a real SQLite: values come back, and the database sorts like the codes.
#![cfg(all(feature = "rusqlite", feature = "proptest"))]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use mic_index::{
    DeviceCode, ExamTime, ExamType, IndexCode, InstitutionCode, PersonCode, SiteCode,
    StorageUnitCode, StudyInstanceUid, index_code, strategy,
};
use proptest::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params};

const EXAMPLE: IndexCode = index_code!(
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916"
);

fn exams() -> Connection {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE exam (code BLOB NOT NULL, study TEXT NOT NULL, PRIMARY KEY (code, study)) WITHOUT ROWID")
        .unwrap();
    db
}

fn insert(db: &Connection, code: IndexCode) {
    db.execute("INSERT OR IGNORE INTO exam VALUES (?1, '1.2.3')", [code])
        .unwrap();
}

fn codes(db: &Connection, query: &str, parameters: impl rusqlite::Params) -> Vec<IndexCode> {
    let mut statement = db.prepare(query).unwrap();
    let rows = statement.query_map(parameters, |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// `IDX-35`, with SQLite as the one who sorts.
    #[test]
    fn order_by_is_the_order_of_codes(
        mut expected in prop::collection::vec(strategy::code(), 1..60),
        shared in strategy::person(),
    ) {
        // Neighbours that differ late: half of the codes belong to one person.
        for code in expected.iter_mut().step_by(2) {
            *code = IndexCode::new(shared, code.exam_time(), code.site(), code.device(), code.unit());
        }
        let db = exams();
        expected.iter().for_each(|code| insert(&db, *code));
        expected.sort();
        expected.dedup();
        prop_assert_eq!(&codes(&db, "SELECT code FROM exam ORDER BY code", []), &expected);

        let range = shared.codes();
        let between = "SELECT code FROM exam WHERE code BETWEEN ?1 AND ?2 ORDER BY code";
        expected.retain(|code| code.person() == shared);
        prop_assert_eq!(codes(&db, between, params![range.start(), range.end()]), expected);
    }
}

#[test]
fn a_range_of_minutes_is_a_range_of_rows() {
    let db = exams();
    for minute in ["202411221429", "202411221430", "202411221431"] {
        let text = EXAMPLE.to_string().replace("202411221430", minute);
        insert(&db, text.parse().unwrap());
    }
    let minute = EXAMPLE.exam_time();
    let range = EXAMPLE.person().codes_between(minute, minute);
    let between = "SELECT code FROM exam WHERE code BETWEEN ?1 AND ?2";
    assert_eq!(
        codes(&db, between, params![range.start(), range.end()]),
        [EXAMPLE]
    );
}

#[test]
fn codes_are_blobs_of_forty_and_texts_are_read() {
    let db = Connection::open_in_memory().unwrap();
    let read = |value: Value| db.query_row("SELECT ?1", [value], |row| row.get::<_, IndexCode>(0));
    let stored: Value = db
        .query_row("SELECT ?1", [EXAMPLE], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, Value::Blob(EXAMPLE.packed().to_vec()));
    assert_eq!(read(stored), Ok(EXAMPLE));
    assert_eq!(read(Value::Text(EXAMPLE.to_string())), Ok(EXAMPLE));
    assert_eq!(
        read(Value::Text(EXAMPLE.compact().to_string())),
        Ok(EXAMPLE)
    );
}

#[test]
fn err_other_values_are_refused_without_being_repeated() {
    let db = Connection::open_in_memory().unwrap();
    let person = "10000000000000000708463177";
    for value in [
        Value::Null,
        Value::Integer(1_000_000_000_000_000_007),
        Value::Real(1e25),
        Value::Blob(vec![0; 39]),
        Value::Blob(vec![0; 40]),
        Value::Blob(EXAMPLE.to_string().into_bytes()),
        Value::Text(person.into()),
        Value::Text(EXAMPLE.to_string().replace("1122", "1131")),
    ] {
        let code = db.query_row("SELECT ?1", [&value], |row| row.get::<_, IndexCode>(0));
        let error = code.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(
            !shown.contains("708463177") && !shown.contains("000000007"),
            "{shown}"
        );
    }
    for wrong in [0, 6, 256, -1] {
        let kind = db.query_row("SELECT ?1", [wrong], |row| row.get::<_, ExamType>(0));
        assert!(kind.is_err(), "{wrong}");
    }
}

#[test]
fn parts_are_texts() {
    let db = Connection::open_in_memory().unwrap();
    type Parts = (PersonCode, ExamTime, SiteCode, DeviceCode, StorageUnitCode);
    let parts = (
        EXAMPLE.person(),
        EXAMPLE.exam_time(),
        EXAMPLE.site(),
        EXAMPLE.device(),
        EXAMPLE.unit(),
    );
    let beside: (StudyInstanceUid, InstitutionCode, ExamType) = (
        "1.2.3".parse().unwrap(),
        "H35020300001".parse().unwrap(),
        ExamType::Mri,
    );
    let row: (Parts, _, String) = db
        .query_row(
            "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, typeof(?1) || typeof(?8)",
            params![
                parts.0, parts.1, parts.2, parts.3, parts.4, beside.0, beside.1, beside.2
            ],
            |row| {
                let parts = (
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                );
                Ok((parts, (row.get(5)?, row.get(6)?, row.get(7)?), row.get(8)?))
            },
        )
        .unwrap();
    assert_eq!(row, (parts, beside, "textinteger".to_owned()));
}

/// A declared type with numeric affinity destroys digits on writing; nothing is read from the ruins.
#[test]
fn err_texts_in_columns_of_numbers() {
    for declared in ["STRING", "NUMERIC", "INTEGER"] {
        let db = Connection::open_in_memory().unwrap();
        let create = format!(
            "CREATE TABLE t (person {declared}, minute {declared}, site {declared}, code {declared})"
        );
        db.execute_batch(&create).unwrap();
        let (person, minute) = (EXAMPLE.person(), EXAMPLE.exam_time());
        db.execute(
            "INSERT INTO t VALUES (?1, ?2, ?3, ?4)",
            params![person, minute, SiteCode::FILLER, EXAMPLE],
        )
        .unwrap();
        let read = |at: usize| {
            db.query_row("SELECT * FROM t", [], |row| row.get::<_, Value>(at))
                .unwrap()
        };
        assert!(matches!(read(0), Value::Real(_)), "{declared}");
        assert!(
            matches!((read(1), read(2)), (Value::Integer(_), Value::Integer(0))),
            "{declared}"
        );
        let errors = [
            db.query_row("SELECT person FROM t", [], |row| {
                row.get::<_, PersonCode>(0)
            })
            .unwrap_err(),
            db.query_row("SELECT minute FROM t", [], |row| row.get::<_, ExamTime>(0))
                .unwrap_err(),
            db.query_row("SELECT site FROM t", [], |row| row.get::<_, SiteCode>(0))
                .unwrap_err(),
        ];
        for error in errors {
            assert!(
                matches!(error, rusqlite::Error::InvalidColumnType(..)),
                "{error}"
            );
        }
        // A BLOB stays one under any declaration.
        let code = db.query_row("SELECT code FROM t", [], |row| row.get::<_, IndexCode>(0));
        assert_eq!(code, Ok(EXAMPLE), "{declared}");
    }
}
