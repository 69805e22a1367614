//! An index code (医保影像云索引): its five parts, its packed form, what its check character says,
//! and what is wrong with a bad one.
//!
//! Type `cargo run -p mic-quickstart --bin parse_index_code`. It prints:
//!
//! ```text
//! person   10000000000000000708463177
//! time     2024-11-22T14:30:00+08:00
//! site     not assigned yet: zeros
//! device   not assigned yet: zeros
//! unit     123502004266007916
//! compact  100000000000000007084631772024112214300000000000000000000000123502004266007916
//! packed   0ee6b2800000002a3a4a497d4a2cc00000000000000000000000000000221940200082318003a426
//! debug    IndexCode { person: .., exam_time: 202411221430, site: 000000000, device: 0000000000000, unit: 123502004266007916 }
//!
//! check    expected 6, found 7
//! strict   unit: expected check character '6', found another at bytes 81..82
//!
//! bytes    25..26: expected a digit, found a capital letter
//! 1000000000000000070846317O-202413221430-000000000-0000000000000-12350200426600791S
//!                          ^ person: expected a digit, found a capital letter
//!                                ^^ exam time: expected a month from 01 to 12
//!                                                                                  ^ unit: expected a digit or c…
//! byte 25: perhaps 0 was meant, not O (unverified)
//! byte 81: perhaps 5 was meant, not S (check_fails)
//! ```
//!
//! The code is the published example.

use mic_index::{IndexCode, Parser, UnitCheck, diagnose};

const GOOD: &str =
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";

fn main() -> anyhow::Result<()> {
    let code: IndexCode = GOOD.parse()?;

    println!("person   {}", code.person().text());
    println!("time     {}", code.exam_time().to_chrono().to_rfc3339());
    println!("site     {}", assigned(code.site().is_assigned()));
    println!("device   {}", assigned(code.device().is_assigned()));
    println!("unit     {}", code.unit());
    println!("compact  {}", code.compact());

    // Forty bytes for databases and the wire, checked again on the way back.
    let packed: [u8; 40] = *code.packed();
    let hex: String = packed.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("packed   {hex}");
    assert_eq!(IndexCode::from_packed(packed)?, code);

    // `Debug` is what ends up in logs: it has no person code.
    println!("debug    {code:?}");

    // A wrong check character is a finding, because legal codes of the early years fail it. Who
    // wants an error says so.
    let typo = GOOD.replace("7916", "7917");
    let code: IndexCode = typo.parse()?;
    if let UnitCheck::Mismatch { expected, found } = code.unit().check() {
        println!("\ncheck    expected {expected}, found {found}");
    }
    let strict = Parser::new().check(mic_index::CheckPolicy::Require);
    if let Err(error) = strict.parse(&typo) {
        println!("strict   {error}");
    }

    // The parser stops at the first fault; `diagnose` lists all, with what may have been meant.
    let bad = "1000000000000000070846317O-202413221430-000000000-0000000000000-12350200426600791S";
    if let Err(error) = IndexCode::parse(bad) {
        println!("\nbytes    {:?}: {}", error.span(), error.kind());
    }
    let diagnosis = diagnose(bad);
    print!("{}", diagnosis.picture(bad));
    for fault in diagnosis.faults() {
        for repair in fault.proposals() {
            let (at, from, why) = (repair.offset(), repair.from(), repair.confidence().name());
            match repair.to() {
                Some(to) => println!("byte {at}: perhaps {to} was meant, not {from} ({why})"),
                None => println!("byte {at}: perhaps to be left out ({why})"),
            }
        }
    }
    Ok(())
}

fn assigned(is_assigned: bool) -> &'static str {
    if is_assigned {
        "assigned"
    } else {
        "not assigned yet: zeros"
    }
}
