//! Any file has one outcome: the same however its bytes are split and however little memory there is, and
//! the four outcomes add up to the lines (IDX-50, IDX-58).
#![no_main]

use libfuzzer_sys::fuzz_target;
use mic_index::bulk::{
    BulkError, Column, Field, Finding, Folder, Heap, Line, Options, Reader, Search, Spill,
};

/// The rejected lines, the findings in their order, and the counts.
fn outcome<S: Spill>(
    file: &[u8],
    options: &Options,
    portion: usize,
    mut search: Search<S>,
) -> Result<String, BulkError> {
    let mut reader = Reader::new(options.clone());
    let mut told = String::new();
    let mut see = |line: Line<'_>| match line {
        Line::Row(row) => search.add(row),
        Line::Rejected(rejection) => {
            let span = rejection.span();
            assert!(rejection.raw().is_empty() || rejection.raw().get(span).is_some());
            told += &format!("{rejection:?}");
            Ok(())
        }
    };
    for mut portion in file.chunks(portion) {
        while let Some(line) = reader.read(&mut portion)? {
            see(line)?;
        }
    }
    while let Some(line) = reader.end()? {
        see(line)?;
    }
    let mut findings = search.finish()?;
    while let Some(finding) = findings.next_finding()? {
        if let Finding::Collision(shared) = &finding {
            told += &shared.code().to_string();
        }
        told += &format!("{finding:?}");
    }
    let counts = reader.tally().with(findings.found());
    assert!(counts.adds_up());
    Ok(format!("{told}{counts:?}"))
}

fuzz_target!(|input: &[u8]| {
    // How it is split, what is chosen, and how long a line may be; the rest is the file.
    let [choices, limit, file @ ..] = input else {
        return;
    };
    let mut options = Options::new()
        .with_line_len_max(match limit {
            0xff => 64 * 1024,
            few => usize::from(*few) * 4,
        })
        .require_complete(choices & 0x80 != 0);
    if choices & 0x20 != 0 {
        options = options
            .delimiter(b';')
            .column(Field::Code, Column::Named("note".into()))
            .column(Field::StudyInstanceUid, Column::At(1));
    }
    let portion = usize::from(choices & 0x1f) + 1;
    let whole = outcome(
        file,
        &options,
        file.len().max(1),
        Search::new(1 << 20, Heap),
    );
    let apart = if portion == 1 {
        let folder = Folder::new(std::env::temp_dir());
        outcome(file, &options, portion, Search::new(0, folder))
    } else {
        outcome(file, &options, portion, Search::new(0, Heap))
    };
    assert_eq!(apart, whole);
});
