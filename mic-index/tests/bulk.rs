//! Bulk files: every vector, in portions, spilled and not; archives; limits; runs that are stopped.
#![cfg(feature = "bulk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's way to fail, and a vector that lacks a field is a broken vector"
)]

extern crate alloc;

use alloc::collections::BTreeSet;
use alloc::rc::Rc;
use core::cell::Cell;
use core::ops::ControlFlow;

use mic_index::bulk::{
    BulkError, Counts, Ended, Field, Finding, Folder, Format, Header, Heap, Ingest, Line, Options,
    Reader, RejectFormat, RejectWriter, Search, Spill,
};
use mic_index::{CheckPolicy, Collision, RecordKey};
use proptest::prelude::*;
use serde_json::{Value, json};

const CODE: &str =
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";

fn cases(file: &str) -> Vec<Value> {
    let root: Value = serde_json::from_str(file).unwrap();
    assert_eq!(root["header"]["spec"], "mic-index index code");
    assert_eq!(root["header"]["version"], "0.1");
    root["cases"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn input(case: &Value) -> Vec<u8> {
    match &case["input"] {
        Value::String(text) => text.as_bytes().to_vec(),
        _ => {
            let hex = text(&case["input_hex"]);
            let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(pair).collect()
        }
    }
}

fn options(case: &Value) -> Options {
    let mut options = Options::new();
    for (name, value) in case["options"].as_object().into_iter().flatten() {
        options = match name.as_str() {
            "line_len_max" => options.with_line_len_max(value.as_u64().unwrap() as usize),
            "require_check" => options.check(CheckPolicy::Require),
            "delimiter" => options.delimiter(text(value).as_bytes()[0]),
            "complete" => options.require_complete(true),
            "no_header" => options.header(Header::Absent),
            other => panic!("no option {other}"),
        };
    }
    options
}

/// Everything that is to be known of a file, as the vectors write it.
fn outcome<S: Spill>(
    file: &[u8],
    options: &Options,
    portion: usize,
    mut search: Search<S>,
) -> Result<Value, BulkError> {
    let mut reader = Reader::new(options.clone());
    let mut errors = Vec::new();
    let mut see = |line: Line<'_>| match line {
        Line::Row(row) => search.add(row).unwrap(),
        Line::Rejected(rejection) => {
            // IDX-92: the bytes at fault are bytes of the line.
            let span = rejection.span();
            assert!(rejection.raw().is_empty() || rejection.raw().get(span.clone()).is_some());
            errors.push(json!({
                "line": rejection.line(),
                "offset": rejection.offset(),
                "start": span.start,
                "end": span.end,
                "field": rejection.reason().field().map(Field::name),
                "kind": rejection.reason().name(),
                "expected": rejection.reason().expected(),
            }));
        }
    };
    for mut portion in file.chunks(portion) {
        while let Some(line) = reader.read(&mut portion)? {
            see(line);
        }
        assert!(portion.is_empty());
    }
    while let Some(line) = reader.end()? {
        see(line);
    }
    let mut findings = search.finish()?;
    let (mut duplicates, mut collisions) = (Vec::new(), Vec::new());
    while let Some(finding) = findings.next_finding()? {
        match finding {
            Finding::Duplicate(again) => duplicates.push(json!({
                "line": again.line(),
                "first": again.first(),
                "differs": again.differs(),
            })),
            Finding::Collision(shared) => collisions.push(collision(&shared)),
            _ => {}
        }
    }
    let counts = reader.tally().with(findings.found());
    assert!(counts.adds_up(), "IDX-50: {counts:?}");
    assert_eq!(counts.found().shared_codes(), collisions.len() as u64);
    Ok(json!({
        "format": reader.format().map(Format::name),
        "counts": counts_of(&counts),
        "errors": errors,
        "duplicates": duplicates,
        "collisions": collisions,
    }))
}

fn counts_of(counts: &Counts) -> Value {
    json!({
        "lines": counts.lines(),
        "accepted": counts.accepted(),
        "duplicates": counts.duplicates(),
        "collided": counts.collided(),
        "rejected": counts.rejected(),
        "empty": counts.tally().empty(),
        "differing": counts.found().differing(),
    })
}

fn collision(shared: &Collision) -> Value {
    assert_eq!(shared.omitted(), 0);
    let studies = shared.studies().iter().map(|study| {
        json!({
            "study_instance_uid": study.study_instance_uid().map(|uid| uid.to_string()),
            "line": study.line(),
            "lines": study.lines(),
        })
    });
    json!({
        "code": shared.code().to_string(),
        "first_line": shared.first_line(),
        "studies": studies.collect::<Vec<_>>(),
    })
}

#[test]
fn ok_every_file_of_the_vectors_in_any_portions() {
    for case in cases(include_str!("../vectors/bulk.json")) {
        let (id, file, options) = (&case["id"], input(&case), options(&case));
        for portion in [1, 2, 7, 83, file.len().max(1)] {
            let found = outcome(&file, &options, portion, Search::new(1 << 20, Heap))
                .unwrap_or_else(|error| json!({ "error": error.name() }));
            assert_eq!(found, case["expect"], "{id} in portions of {portion}");
        }
    }
}

/// The kinds in backquotes in the first column of a table of a document.
fn kinds_of(document: &'static str) -> impl Iterator<Item = &'static str> {
    let rows = document.lines().skip_while(|line| {
        let mut cells = line.split('|').map(str::trim);
        cells.next() != Some("") || cells.next() != Some("kind")
    });
    let first = rows.skip(2).map_while(|row| row.split('|').nth(1));
    let names = first.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    // A row that names a document stands for its kinds.
    names.filter(|name| !name.contains('.'))
}

#[test]
fn ok_every_kind_of_the_document_has_a_vector_and_no_other_is_given() {
    let vectors = cases(include_str!("../vectors/bulk.json"));
    let errors = vectors
        .iter()
        .filter_map(|case| case["expect"]["errors"].as_array());
    let given: BTreeSet<&str> = errors.flatten().map(|error| text(&error["kind"])).collect();
    let of_bulk: BTreeSet<&str> = kinds_of(include_str!("../spec/bulk.md")).collect();
    // The vectors of codes have those of codes one by one.
    let of_codes: BTreeSet<&str> = kinds_of(include_str!("../spec/index-code.md")).collect();
    assert_eq!((of_bulk.len(), of_codes.len()), (19, 11));
    let missing: Vec<_> = of_bulk.difference(&given).collect();
    assert!(missing.is_empty(), "kinds without a vector: {missing:?}");
    let unknown: Vec<_> = given
        .iter()
        .filter(|kind| !of_bulk.contains(*kind) && !of_codes.contains(*kind))
        .collect();
    assert!(unknown.is_empty(), "kinds no table has: {unknown:?}");
}

#[test]
fn ok_every_collision_of_the_vectors_with_and_without_spilling() {
    for case in cases(include_str!("../vectors/collisions.json")) {
        let rows = case["input"].as_array().unwrap();
        let key = |row: &Value| {
            let uid = text(&row["study_instance_uid"]).parse().unwrap();
            RecordKey::new(text(&row["code"]).parse().unwrap(), uid)
        };
        let numbered = rows
            .iter()
            .map(|row| (row["line"].as_u64().unwrap(), key(row)));
        let found: Vec<_> = Collision::among(numbered).iter().map(collision).collect();
        assert_eq!(
            Value::from(found),
            case["expect"]["collisions"],
            "{}",
            case["id"]
        );
        // The same rows as a file, whose empty lines keep their numbers.
        let mut lines = Vec::new();
        for row in rows {
            let at = row["line"].as_u64().unwrap() as usize;
            lines.resize(at.max(lines.len()), String::new());
            assert!(lines[at - 1].is_empty(), "one row a line");
            lines[at - 1] = format!(
                "{},{}",
                text(&row["code"]),
                text(&row["study_instance_uid"])
            );
        }
        let file = lines.join("\n");
        for memory in [0, 1 << 20] {
            let search = Search::new(memory, Heap);
            let found = outcome(file.as_bytes(), &Options::new(), 4096, search).unwrap();
            let expected = &case["expect"]["collisions"];
            assert_eq!(&found["collisions"], expected, "{} in {memory}", case["id"]);
        }
    }
}

/// Rows of few codes and studies, so that much is found among them.
fn crowded(count: usize) -> String {
    (0..count).fold(String::from("code,study_uid,image_count\n"), |file, at| {
        let (person, study, images) = (at * 7919 % 40, at * 104_729 % 3, at % 2 + 1);
        let code = CODE.replacen("463177", &format!("{person:06}"), 1);
        file + &format!("{code},1.2.{study},{images}\n")
    })
}

#[test]
fn ok_spilled_searches_find_what_others_find_in_the_same_order() {
    let file = crowded(5_000);
    let folder = tempfile::tempdir().unwrap();
    let whole = outcome(
        file.as_bytes(),
        &Options::new(),
        4096,
        Search::new(64 << 20, Heap),
    )
    .unwrap();
    // 16 entries a run: 313 runs, merged two by two, few of them open at once.
    let tiny = outcome(file.as_bytes(), &Options::new(), 4096, Search::new(0, Heap)).unwrap();
    let some = Search::new(50 * 1024, Folder::new(folder.path()));
    let some = outcome(file.as_bytes(), &Options::new(), 4096, some).unwrap();
    assert!(whole == tiny && whole == some);
    assert_eq!(whole["counts"]["lines"], 5_000);
    assert_eq!(whole["counts"]["accepted"], 40);
    assert_eq!(whole["counts"]["collided"], 80);
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "IDX-91"
    );
}

#[test]
fn ok_a_search_that_is_dropped_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowded(100);
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let mut search = Search::new(0, Folder::new(folder.path()));
    while let Some(line) = ingest.next_line().unwrap() {
        if let Line::Row(row) = line {
            search.add(row).unwrap();
        }
    }
    // On Unix they have no name, so that not even a process that is killed leaves any (IDX-91).
    let named = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(named, 0, "IDX-91");
    assert_eq!(search.spilled_bytes(), 96 * 88);
    drop(search);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// Runs that are counted, and refused where there are too many, as files of a process are.
#[derive(Clone)]
struct Few {
    open: Rc<Cell<usize>>,
    most: Rc<Cell<usize>>,
    max: usize,
}

impl Few {
    fn new(max: usize) -> Self {
        let (open, most) = (Rc::default(), Rc::default());
        Self { open, most, max }
    }
}

struct Counted {
    bytes: std::io::Cursor<Vec<u8>>,
    open: Rc<Cell<usize>>,
}

impl Spill for Few {
    type Run = Counted;

    fn create(&mut self) -> std::io::Result<Counted> {
        if self.open.get() >= self.max {
            return Err(std::io::ErrorKind::QuotaExceeded.into());
        }
        self.open.set(self.open.get() + 1);
        self.most.set(self.most.get().max(self.open.get()));
        let (bytes, open) = (std::io::Cursor::default(), Rc::clone(&self.open));
        Ok(Counted { bytes, open })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.open.set(self.open.get() - 1);
    }
}

impl std::io::Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.bytes.read(into)
    }
}

impl std::io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl std::io::Seek for Counted {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

#[test]
fn ok_a_search_has_few_runs_open_however_many_it_writes() {
    let file = crowded(5_000);
    let few = Few::new(20);
    let (open, most) = (Rc::clone(&few.open), Rc::clone(&few.most));
    let search = Search::new(0, few);
    let found = outcome(file.as_bytes(), &Options::new(), 4096, search).unwrap();
    assert_eq!(found["counts"]["accepted"], 40);
    // 313 runs of 16 entries were written.
    assert!(most.get() > 2 && most.get() <= 20, "IDX-91: {}", most.get());
    assert_eq!(open.get(), 0);
}

#[test]
fn err_a_search_whose_merging_failed_never_finishes() {
    let file = crowded(1_000);
    let mut search = Search::new(0, Few::new(3));
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let mut failed = None;
    while let Some(line) = ingest.next_line().unwrap() {
        if let Line::Row(row) = line {
            failed = search.add(row).err().or(failed);
        }
    }
    let kind = std::io::ErrorKind::QuotaExceeded;
    assert_eq!(failed, Some(BulkError::Spill { kind }));
    assert_eq!(search.finish().unwrap_err(), BulkError::Spill { kind });
}

#[test]
fn ok_no_limit_is_too_large() {
    let file = crowded(50);
    for portion in [1, 50, 1_000] {
        let options = Options::new()
            .with_line_len_max(usize::MAX)
            .with_decompressed_max(u64::MAX);
        let found = outcome(
            file.as_bytes(),
            &options,
            portion,
            Search::new(1 << 20, Heap),
        )
        .unwrap();
        assert_eq!(found["counts"]["lines"], 50, "IDX-54");
    }
}

#[test]
fn err_a_folder_that_is_not_there() {
    let mut search = Search::new(0, Folder::new("/nonexistent/mic"));
    let file = crowded(20);
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let mut failed = None;
    while let Some(line) = ingest.next_line().unwrap() {
        if let Line::Row(row) = line {
            failed = failed.or(search.add(row).err());
        }
    }
    let kind = std::io::ErrorKind::NotFound;
    assert_eq!(failed, Some(BulkError::Spill { kind }));
}

#[test]
fn ok_a_run_that_is_stopped_goes_on_where_it_stopped() {
    let file = crowded(20_000);
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let mut rows = 0_u64;
    let mut looks = 0;
    let ended = ingest.run(
        |progress| {
            looks += 1;
            assert!(progress.input_bytes() >= progress.text_bytes());
            if looks == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
        |_| {
            rows += 1;
            Ok(())
        },
    );
    assert_eq!(ended, Ok(Ended::Stopped));
    assert!(rows > 1_000 && rows < 20_000);
    assert_eq!(ingest.tally().lines(), rows, "IDX-93");
    while let Some(_line) = ingest.next_line().unwrap() {
        rows += 1;
    }
    assert_eq!((rows, ingest.tally().lines()), (20_000, 20_000));
    assert_eq!(ingest.progress().input_bytes(), file.len() as u64);
}

/// A finished search of `file`, in as little memory as can be.
fn searched(file: &str) -> Search<Heap> {
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let mut search = Search::new(0, Heap);
    while let Some(line) = ingest.next_line().unwrap() {
        if let Line::Row(row) = line {
            search.add(row).unwrap();
        }
    }
    search
}

/// IDX-93: the second half of a run.
#[test]
fn ok_findings_that_are_stopped_go_on_where_they_stopped() {
    let file = crowded(20_000);
    let mut whole = Vec::new();
    let mut findings = searched(&file).finish().unwrap();
    while let Some(finding) = findings.next_finding().unwrap() {
        whole.push(finding);
    }
    let mut findings = searched(&file).finish().unwrap();
    let (mut given, mut stops, mut rows) = (Vec::new(), 0, 0);
    while let Ended::Stopped = findings
        .run(
            |found| {
                assert!(found.rows() > rows);
                rows = found.rows();
                ControlFlow::Break(())
            },
            |finding| {
                given.push(finding);
                Ok(())
            },
        )
        .unwrap()
    {
        stops += 1;
    }
    // 20 000 rows, and a step more for each of 40 codes.
    assert_eq!((stops, given), (4, whole));
    assert_eq!(findings.found().rows(), 20_000);
}

/// IDX-93: looks come where nothing is found, too.
#[test]
fn ok_a_search_without_findings_is_watched() {
    let file = (0..10_000).fold(String::from("code\n"), |file, at| {
        file + &CODE.replacen("463177", &format!("{at:06}"), 1) + "\n"
    });
    let mut merged = Vec::new();
    let finished = searched(&file).finish_with(|rows| {
        merged.push(rows);
        ControlFlow::Continue(())
    });
    assert_eq!(merged.first(), Some(&4096));
    assert!(merged.is_sorted());
    let mut looks = Vec::new();
    let ended = finished.unwrap().run(
        |found| {
            looks.push(found.accepted());
            ControlFlow::Continue(())
        },
        |finding| panic!("nothing to find: {finding:?}"),
    );
    assert_eq!((ended, looks), (Ok(Ended::Complete), vec![4096, 8192]));
}

#[test]
fn err_merging_that_is_stopped_leaves_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowded(20_000);
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let few = Few::new(40);
    let open = Rc::clone(&few.open);
    let mut search = Search::new(0, few);
    let mut on_disk = Search::new(0, Folder::new(folder.path()));
    while let Some(line) = ingest.next_line().unwrap() {
        if let Line::Row(row) = line {
            search.add(row).unwrap();
            on_disk.add(row).unwrap();
        }
    }
    let stop = |_| ControlFlow::Break(());
    let error = search.finish_with(stop).unwrap_err();
    assert_eq!((error, error.name()), (BulkError::Stopped, "stopped"));
    assert!(!error.is_data());
    assert_eq!(open.get(), 0, "IDX-93");
    assert_eq!(on_disk.finish_with(stop).unwrap_err(), BulkError::Stopped);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn err_findings_whose_visitor_fails_say_so() {
    let kind = std::io::ErrorKind::StorageFull;
    let mut findings = searched(&crowded(100)).finish().unwrap();
    let ended = findings.run(|_| ControlFlow::Continue(()), |_| Err(kind.into()));
    assert_eq!(ended, Err(BulkError::Visitor { kind }));
}

#[test]
fn err_a_visitor_that_fails_is_told() {
    let kind = std::io::ErrorKind::StorageFull;
    let ended = Ingest::new(CODE.as_bytes(), Options::new())
        .run(|_| ControlFlow::Continue(()), |_| Err(kind.into()));
    assert_eq!(ended, Err(BulkError::Visitor { kind }));
}

/// All that is read before an error, and the error.
fn read(file: &[u8], options: Options) -> (u64, Option<BulkError>) {
    let mut ingest = Ingest::new(file, options);
    loop {
        match ingest.next_line() {
            Ok(Some(_)) => {}
            Ok(None) => return (ingest.tally().lines(), None),
            Err(error) => {
                // Asked again, it says the same.
                assert_eq!(ingest.next_line().unwrap_err(), error);
                return (ingest.tally().lines(), Some(error));
            }
        }
    }
}

#[cfg(feature = "gzip")]
fn gzip(text: &str) -> Vec<u8> {
    use std::io::Write;
    let mut archive = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap()
}

#[cfg(feature = "gzip")]
#[test]
fn ok_gzip_of_one_and_several_members() {
    let file = crowded(9_000);
    let (one, two) = file.split_at(file.len() / 2);
    let several = [gzip(one), gzip(two)].concat();
    assert_eq!(read(&gzip(&file), Options::new()), (9_000, None));
    assert_eq!(read(&several, Options::new()), (9_000, None));
}

#[cfg(feature = "gzip")]
#[test]
fn err_gzip_cut_or_damaged_says_where() {
    use mic_index::bulk::Compression::Gzip as compression;
    let archive = gzip(&crowded(9_000));
    for cut in [3, 10, 500, archive.len() / 2, archive.len() - 1] {
        let (lines, error) = read(&archive[..cut], Options::new());
        let at = cut as u64;
        assert_eq!(
            error,
            Some(BulkError::Truncated { compression, at }),
            "IDX-94"
        );
        assert!(lines < 9_000 || cut == archive.len() - 1);
    }
    let mut damaged = archive.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    let (_, error) = read(&damaged, Options::new());
    assert!(matches!(
        error,
        Some(BulkError::Damaged { compression: mic_index::bulk::Compression::Gzip, at }) if at > middle as u64
    ));
    let followed = [archive, b"more".to_vec()].concat();
    assert!(matches!(read(&followed, Options::new()), (9_000, Some(_))));
}

#[cfg(feature = "gzip")]
#[test]
fn err_an_archive_that_gives_too_much() {
    let bomb = gzip(&"\n".repeat(3_000_000));
    let (_, error) = read(&bomb, Options::new().with_decompressed_max(1_000_000));
    assert_eq!(error, Some(BulkError::TooLarge { max: 1_000_000 }));
}

#[cfg(feature = "zstd")]
#[test]
fn ok_zstd_of_one_and_several_frames() {
    let file = crowded(9_000);
    let (one, two) = file.split_at(file.len() / 2);
    let frame = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
    assert_eq!(read(&frame(&file), Options::new()), (9_000, None));
    let several = [frame(one), frame(two)].concat();
    assert_eq!(read(&several, Options::new()), (9_000, None));
    // As pzstd writes: a skippable frame before each other (IDX-52).
    let skippable = b"\x50\x2a\x4d\x18\x04\0\0\0size".to_vec();
    let parallel = [skippable.clone(), frame(one), skippable, frame(two)].concat();
    assert_eq!(read(&parallel, Options::new()), (9_000, None));
}

#[cfg(feature = "zstd")]
#[test]
fn err_zstd_cut_damaged_or_with_too_large_a_window() {
    use std::io::Write;
    let compression = mic_index::bulk::Compression::Zstd;
    let file = crowded(9_000);
    let archive = zstd::encode_all(file.as_bytes(), 3).unwrap();
    for cut in [8, archive.len() / 2, archive.len() - 1] {
        let (_, error) = read(&archive[..cut], Options::new());
        let at = cut as u64;
        assert_eq!(
            error,
            Some(BulkError::Truncated { compression, at }),
            "IDX-94"
        );
    }
    let followed = [archive, b"more".to_vec()].concat();
    assert!(matches!(
        read(&followed, Options::new()),
        (9_000, Some(BulkError::Damaged { .. }))
    ));
    let mut wide = zstd::Encoder::new(Vec::new(), 3).unwrap();
    wide.window_log(27).unwrap();
    wide.write_all(file.as_bytes()).unwrap();
    let (lines, error) = read(&wide.finish().unwrap(), Options::new());
    assert_eq!(lines, 0);
    assert!(matches!(error, Some(BulkError::Damaged { .. })));
}

#[cfg(not(feature = "gzip"))]
#[test]
fn err_gzip_that_is_not_compiled_in() {
    let compression = mic_index::bulk::Compression::Gzip;
    let error = Some(BulkError::NotCompiledIn { compression });
    assert_eq!(read(&[0x1f, 0x8b, 8, 0], Options::new()), (0, error));
}

#[test]
fn ok_nothing_of_a_line_is_in_rejects_errors_and_debug() {
    let secret = "7777777777";
    let file = format!(
        "code,study_uid\n{secret}{secret},{secret}\n{CODE},{secret}x\n\"{secret}\n{secret},a,b\n"
    );
    let json = format!("{{\"code\": {secret}}}\n{{\"{secret}\": 1}}\n{{\"code\": \"{secret}\"}}\n");
    for file in [file, json] {
        let mut seen = String::new();
        let mut ingest = Ingest::new(file.as_bytes(), Options::new());
        let mut csv = RejectWriter::new(Vec::new(), RejectFormat::Csv).unwrap();
        let mut ndjson = RejectWriter::new(Vec::new(), RejectFormat::Ndjson).unwrap();
        while let Some(line) = ingest.next_line().unwrap() {
            seen += &format!("{line:?}");
            if let Line::Rejected(rejection) = line {
                seen += &rejection.reason().to_string();
                csv.write(&rejection).unwrap();
                ndjson.write(&rejection).unwrap();
            }
        }
        seen += &format!("{ingest:?}");
        let ndjson = String::from_utf8(ndjson.into_inner()).unwrap();
        assert_eq!(ndjson.lines().count() as u64, ingest.tally().rejected());
        seen += &ndjson;
        seen += &String::from_utf8(csv.into_inner()).unwrap();
        assert!(!seen.contains(secret), "{seen}");
    }
}

#[test]
fn ok_a_reject_has_all_faults_of_its_code_where_they_stand_in_the_line() {
    let bad = CODE.replacen("1000", "1OOO", 1).replace("1122", "1131");
    let file = format!("{{\"code\": \"{bad}\"}}\n");
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let mut rejects = RejectWriter::new(Vec::new(), RejectFormat::Ndjson).unwrap();
    while let Some(Line::Rejected(rejection)) = ingest.next_line().unwrap() {
        assert_eq!(rejection.raw(), file.trim_end().as_bytes());
        rejects.write(&rejection).unwrap();
    }
    let row: Value = serde_json::from_slice(&rejects.into_inner()).unwrap();
    assert_eq!(row["faults"], 4);
    let proposal = &row["code_faults"][0]["proposals"][0];
    assert_eq!(proposal, &json!({"offset": 11, "confidence": "unverified"}));
    assert_eq!(row["code_faults"][3]["start"], 43);
}

#[test]
fn ok_memory_and_time_do_not_explode_on_hostile_quotation_marks() {
    // A row leaves a mark open that the next line closes and opens again, and so on to the limit.
    let block = String::from("a,\"\n") + &"\",\"\n".repeat(19_999);
    let file = String::from("code,x\n") + &block.repeat(10);
    let started = std::time::Instant::now();
    let (lines, error) = read(file.as_bytes(), Options::new().format(Format::Csv));
    assert_eq!((lines, error), (200_000, None));
    assert!(started.elapsed().as_secs() < 30);
}

/// A line of parts costs what its bytes cost, not their square (IDX-55).
#[test]
fn ok_many_parts_of_a_line_are_read_in_time() {
    let part = |at: u32| format!("\"{:09}\"", u64::from(at) * 7919 % 1_000_003 + 1);
    let parts: Vec<_> = (0..5_000).map(part).collect();
    let line = format!(
        "{{\"code\": \"{CODE}\", \"parts\": [{}]}}\n",
        parts.join(",")
    );
    let file = line.repeat(20);
    let started = std::time::Instant::now();
    let mut ingest = Ingest::new(file.as_bytes(), Options::new());
    let Some(Line::Row(row)) = ingest.next_line().unwrap() else {
        panic!("no row");
    };
    assert!(row.parts().len() == 5_000 && row.parts().is_sorted());
    while let Some(line) = ingest.next_line().unwrap() {
        assert!(matches!(line, Line::Row(_)));
    }
    assert_eq!(ingest.tally().lines(), 20);
    assert!(started.elapsed().as_secs() < 20);
}

fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just(CODE.to_owned()),
        2 => Just(CODE.replace('-', "")),
        2 => Just(CODE.replace("463177", "463178")),
        3 => Just(",".to_owned()),
        3 => Just("\"".to_owned()),
        4 => Just("\n".to_owned()),
        1 => Just("\r\n".to_owned()),
        1 => Just("1.2.3".to_owned()),
        1 => Just("code,study_uid\n".to_owned()),
        1 => Just(format!("{{\"code\": \"{CODE}\"}}\n")),
        1 => "[a-z0-9\" ]{0,50}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// IDX-50, IDX-58: the outcomes add up, and depend neither on portions nor on memory.
    #[test]
    fn ok_any_file_has_one_outcome(
        pieces in prop::collection::vec(piece(), 0..60),
        portion in 1..300_usize,
        max in prop_oneof![Just(64 * 1024_usize), 1..200_usize],
    ) {
        let file = pieces.concat();
        let options = Options::new().with_line_len_max(max);
        let whole = outcome(file.as_bytes(), &options, file.len().max(1), Search::new(1 << 20, Heap));
        let other = outcome(file.as_bytes(), &options, portion, Search::new(0, Heap));
        prop_assert_eq!(whole, other);
    }
}
