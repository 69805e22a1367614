//! Journals, and what is believed of them.

use mic_transfer::journal::{self, Record};
use mic_transfer::{Run, SignedManifest};
use serde_json::json;

use crate::shared::{case, instance, manifest, settle, unhex};

/// XFR-51, XFR-52: the longest valid beginning, and what of it is believed.
#[test]
fn ok_journals() {
    let signed = SignedManifest::new(
        manifest(vec![instance(1, b"file"), instance(2, b"two")]),
        None,
    );
    let run = |first, count| Run::new(first, count).unwrap();
    let of = |records: &[Record]| {
        let numbered = (0_u32..).zip(records);
        numbered
            .flat_map(|(number, record)| journal::encode(number, record))
            .collect::<Vec<u8>>()
    };
    let open = Record::Open(signed);
    let whole = [
        open.clone(),
        Record::Have(run(0, 1)),
        Record::Mark,
        Record::Have(run(1, 1)),
    ];
    let good = of(&whole);
    let complete = [&whole[..], &[Record::Mark, Record::Commit]].concat();
    let (first, second) = (of(&whole[..1]).len(), of(&whole[..2]).len());
    let third = of(&whole[..3]).len();
    let mut damaged = good.clone();
    damaged[second - 1] ^= 1;
    let skipped = [of(&whole[..1]), journal::encode(2, &Record::Mark)].concat();
    let early = of(&[
        open.clone(),
        Record::Have(run(0, 1)),
        Record::Mark,
        Record::Commit,
    ]);
    let beyond = of(&[open.clone(), Record::Have(run(0, 3))]);
    let lost = of(&[&whole[..], &[Record::Lost(run(0, 2)), Record::Mark]].concat());
    let synced = |before: u32| of(&[&whole[..], &[Record::Synced(before)]].concat());
    let beside = of(&[
        open.clone(),
        Record::Have(run(0, 1)),
        Record::Have(run(1, 1)),
        Record::Synced(2),
    ]);
    let filled = |local: u32| {
        of(&[
            open.clone(),
            Record::Have(run(0, 1)),
            Record::Mark,
            Record::Filled { chunk: 1, local },
        ])
    };
    let expect = |holes: u32, cut: bool, valid: usize, marked: u64, unmarked: u64, complete| {
        let says = json!({
            "valid_bytes": valid, "marked": marked, "unmarked": unmarked, "complete": complete,
            "holes": holes,
        });
        if cut {
            json!({ "err": says })
        } else {
            json!({ "ok": says })
        }
    };
    let cases = vec![
        case(
            "marked",
            "one chunk synced, one not",
            &good,
            expect(0, false, good.len(), 1, 1, false),
        ),
        case(
            "complete",
            "committed",
            &of(&complete),
            expect(0, false, of(&complete).len(), 2, 0, true),
        ),
        case(
            "lost",
            "found wrong after a crash",
            &lost,
            expect(0, false, lost.len(), 0, 0, false),
        ),
        case(
            "synced-beside",
            "the first chunk was synced while the second was written",
            &beside,
            expect(0, false, beside.len(), 1, 1, false),
        ),
        case(
            "synced-ahead",
            "says that a record behind it is synced",
            &synced(5),
            expect(1, true, good.len(), 0, 2, false),
        ),
        case(
            "filled",
            "a chunk of which two bytes were here",
            &filled(2),
            expect(0, false, filled(2).len(), 1, 1, false),
        ),
        case(
            "filled-whole",
            "as many bytes were here as the chunk has: that is Held",
            &filled(3),
            expect(1, true, third, 0, 1, false),
        ),
        case(
            "torn",
            "the last record is cut",
            &good[..good.len() - 1],
            expect(0, true, third, 1, 0, false),
        ),
        case(
            "damaged",
            "a bit of the second record: the mark behind it is not believed, the last chunk is hashed",
            &damaged,
            expect(1, true, first, 0, 1, false),
        ),
        case(
            "skipped",
            "a sequence number is missing",
            &skipped,
            expect(1, true, first, 0, 0, false),
        ),
        case(
            "early",
            "a commit with a chunk missing: nothing marked is believed",
            &early,
            expect(1, true, third, 0, 1, false),
        ),
        case(
            "beyond",
            "a chunk that the study has not",
            &beyond,
            expect(1, true, first, 0, 0, false),
        ),
        case(
            "no-open",
            "the study is missing",
            &of(&[Record::Mark]),
            expect(0, true, 0, 0, 0, false),
        ),
    ];
    for case in settle("journals", "journals and what is believed of them", cases) {
        let bytes = unhex(&case["input"]);
        let replay = journal::replay(&bytes);
        let cut = replay.valid_bytes() < bytes.len() as u64;
        let valid = replay.valid_bytes() as usize;
        let (marked, unmarked) = (replay.marked().len(), replay.unmarked().len());
        let found = expect(
            replay.holes(),
            cut,
            valid,
            marked,
            unmarked,
            replay.is_committed(),
        );
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
