//! Reads the published example of an index code, and says what is wrong with a spoilt one.

use mic_index::{IndexCode, ParseError};

const PUBLISHED: &str =
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";

fn main() -> Result<(), ParseError> {
    let code: IndexCode = PUBLISHED.parse()?;
    assert_eq!(code.to_string(), PUBLISHED);
    assert_eq!(code.packed().len(), 40);
    assert_eq!(IndexCode::from_packed(*code.packed()), Ok(code));
    println!(
        "taken {} at the unit {}",
        code.exam_time().to_chrono(),
        code.unit()
    );

    let spoilt = PUBLISHED.replace("202411221430", "202413221430");
    let error = spoilt
        .parse::<IndexCode>()
        .expect_err("there is no month 13");
    println!("refused: {error}");
    Ok(())
}
