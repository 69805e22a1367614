//! The story runs, and says what its transcript says.
//!
//! `MIC_WRITE_TRANSCRIPT=1 cargo test -p mic-cli --test consent story` writes the transcript anew.

use std::path::Path;
use std::process::Command;

#[test]
fn ok_the_story_says_what_its_transcript_says() {
    let folder = tempfile::tempdir().unwrap();
    let stories = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories");
    let bin = Path::new(env!("CARGO_BIN_EXE_mic")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .arg(stories.join("consent.sh"))
        .current_dir(folder.path())
        .env("PATH", format!("{}:{path}", bin.display()))
        .env_remove("MIC_TEST_SEED")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{err}");
    let kept = stories.join("consent.md");
    let picture = stories.join("request.png");
    let drawn = std::fs::read(folder.path().join("request.png")).unwrap();
    // Every block is longer than a line apart from the next: one newline ends the file.
    let said = format!("{}\n", said.trim_end());
    if std::env::var_os("MIC_WRITE_TRANSCRIPT").is_some() {
        std::fs::write(&kept, &said).unwrap();
        std::fs::write(&picture, &drawn).unwrap();
    }
    let told = std::fs::read_to_string(&kept).unwrap();
    let differs = said
        .lines()
        .zip(told.lines())
        .find(|(one, other)| one != other);
    assert!(
        said == told,
        "write it anew and look at the difference: {differs:?}"
    );
    assert!(
        std::fs::read(&picture).unwrap() == drawn,
        "stories/request.png differs"
    );
    // What the story is about, whatever the transcript says.
    for words in [
        "ProofReplayed (number 1501",
        "OutsideScope (number 1403",
        "Withdrawn (number 1201",
        "NotInLog (number 1701",
        "every access has its grant, and none goes beyond it",
        "after-withdrawal",
        "the log only grew",
    ] {
        assert!(said.contains(words), "{words}");
    }
}
