//! Tokens that are accepted.

use mic_consent::*;
use serde_json::{Value as Json, json};

use crate::{
    common::{
        raw::{parts, to_be_signed},
        *,
    },
    file::file,
    run::case,
};

pub(crate) fn accept() -> Json {
    let mut cases = Vec::new();
    for &suite in Suite::ALL {
        let keys = keys(suite);
        let name = suite.name().to_lowercase();
        let mut token = |id: &str, note: &str, kind: &str, token: &Encoded| {
            let text = token.to_text();
            let (protected, payload, _) = parts(token.as_bytes());
            let signed = to_be_signed(&protected, &format!("mic-consent/1/{kind}"), &payload);
            let mut made = case(
                &format!("{name}-{id}"),
                note,
                json!({ "type": kind, "token": hex::encode(token.as_bytes()) }),
            );
            made["text"] = json!(text);
            made["to_be_signed"] = json!(hex::encode(signed));
            cases.push(made);
            cases.push(case(
                &format!("{name}-{id}-text"),
                note,
                json!({ "type": kind, "text": text }),
            ));
        };
        token(
            "request-all",
            "all exams",
            "mic-q",
            &request(&keys, Scope::all()),
        );
        token(
            "request-filtered",
            "days and modalities",
            "mic-q",
            &request(&keys, ct_scope()),
        );
        let operator = request_draft(Scope::list_only(ScopeFilter::new()));
        let operator = RequestDraft::new(
            realm(),
            hospital_code(),
            Purpose::Referral,
            Rights::LIST,
            Scope::list_only(operator_filter(&operator)),
        )
        .with_department(DepartmentCode::new("A03.05").unwrap())
        .with_doctor(DoctorCode::new("D110105000001").unwrap())
        .with_period_s(900)
        .with_life_s(300);
        let operator = operator
            .sign(keys.hospital.as_ref(), nonce(), now())
            .unwrap();
        token(
            "request-operator",
            "the list alone, for one department and doctor",
            "mic-q",
            &operator,
        );

        token(
            "grant-all",
            "all exams",
            "mic-g",
            &grant(&keys, Scope::all()),
        );
        token(
            "grant-filtered",
            "days and modalities",
            "mic-g",
            &grant(&keys, ct_scope()),
        );
        let id = GrantId::from_bytes([0x78; 16]);
        let chosen = grant_draft(&keys, Scope::all())
            .with_records([RECORD, OTHER_RECORD])
            .with_studies_max(2)
            .with_valid_from(after(5))
            .sign(keys.authority.as_ref(), id, now())
            .unwrap();
        token(
            "grant-chosen",
            "two chosen records, counted, beginning later",
            "mic-g",
            &chosen,
        );
        let parent = GuardianCommitment::new(suite, &opening(), b"TEST-PERSON-0002").unwrap();
        let child = grant_draft(&keys, ct_scope())
            .with_band(PatientBand::Under14)
            .with_guardian(Guardian::new(
                Relation::Parent,
                parent,
                GuardianEvidence::Register,
            ))
            .with_separate_consent(
                SeparateConsent::SENSITIVE | SeparateConsent::HAND_OVER | SeparateConsent::MINOR,
            )
            .sign(keys.authority.as_ref(), id, now())
            .unwrap();
        token(
            "grant-guardian",
            "a child under 14, with a parent",
            "mic-g",
            &child,
        );

        let held = live_grant(&keys, grant(&keys, ct_scope()));
        let list = ProofDraft::list(&held, index())
            .sign(keys.hospital.as_ref(), ProofId::from_bytes([1; 16]), now())
            .unwrap();
        token(
            "proof-list",
            "to see the list at the national index",
            "mic-p",
            &list,
        );
        let open = ProofDraft::open(&held, archive(), RECORD, &opening()).unwrap();
        let open = open
            .sign(keys.hospital.as_ref(), ProofId::from_bytes([2; 16]), now())
            .unwrap();
        token(
            "proof-open",
            "to open one record at an archive",
            "mic-p",
            &open,
        );
    }
    file("tokens that are accepted", cases)
}

pub(crate) fn operator_filter(_: &RequestDraft) -> ScopeFilter {
    ScopeFilter::new()
        .with_exam_types([ExamType::new(1).unwrap(), ExamType::new(2).unwrap()])
        .unwrap()
}
