//! Proposals are ranked, and where all of the first ones are taken the text is a code or still none.
#![expect(clippy::std_instead_of_alloc, reason = "tests have std")]

use std::collections::BTreeMap;

use mic_index::{CheckPolicy, Diagnosis, IndexCode, Parser, Proposal, normalise};
use serde_json::{Value, json};

fn shown(proposal: &Proposal) -> Value {
    json!({
        "offset": proposal.offset(),
        "from": proposal.from(),
        "to": proposal.to(),
        "confidence": proposal.confidence().name(),
    })
}

/// The text with the best proposal of each fault taken: what a person who trusts them all would get.
fn taken(text: &str, diagnosis: &Diagnosis) -> String {
    let best = diagnosis
        .faults()
        .iter()
        .filter_map(|fault| fault.proposals().first());
    let at: BTreeMap<usize, Option<char>> = best.map(|best| (best.offset(), best.to())).collect();
    let kept = |(offset, c)| at.get(&offset).copied().unwrap_or(Some(c));
    text.char_indices().filter_map(kept).collect()
}

#[test]
fn every_vector() {
    let root: Value = serde_json::from_str(include_str!("../vectors/repair.json")).unwrap();
    for case in root["cases"].as_array().unwrap() {
        let text = case["input"].as_str().unwrap();
        let parser = Parser::new().check(CheckPolicy::Require);
        let diagnosis = parser.diagnose(text);
        let faults = diagnosis.faults().iter();
        for fault in faults.clone() {
            let ranks = fault
                .proposals()
                .iter()
                .map(|proposal| proposal.confidence());
            assert!(ranks.is_sorted(), "{}", case["id"]);
        }
        let proposals: Vec<Value> = faults
            .flat_map(|fault| fault.proposals().iter().map(shown))
            .collect();
        let repaired = taken(text, &diagnosis);
        let refused = parser.parse(&repaired).err();
        let found = json!({
            "proposals": proposals,
            "repaired": if refused.is_none() { Some(&repaired) } else { None },
            "refused": refused.map(|error| format!("{} {}", error.part().name(), error.kind().name())),
            "normalised": IndexCode::parse(&normalise(text).0).is_ok(),
        });
        assert_eq!(found, case["expect"], "{}", case["id"]);
    }
}
