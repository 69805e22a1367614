//! `mic index` as a shell user sees it: what it prints, to the letter, and how it ends.

#![expect(clippy::unwrap_used, reason = "a test's way to fail")]

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use mic_platform::phantom::Phantom;
use serde_json::{Value, json};

const CODE: &str =
    "10000000000000000708463177-202411221430-000000000-0000000000000-123502004266007916";
const OTHER: &str =
    "10000000000000000708463178-202411221430-B020ZYZZZ-0000000000000-123502004266007916";
const PACKED: &str =
    "0ee6b2800000002a3a4a497d4a2cc00000000000000000000000000000221940200082318003a426";

fn mic(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mic"))
        .arg("index")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // Who does not read its input ends the pipe.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

#[track_caller]
fn check(output: &Output, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(output.status.code(), Some(code));
}

fn json_lines(output: &Output) -> Vec<Value> {
    let text = std::str::from_utf8(&output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn cases(file: &str) -> Vec<Value> {
    let root: Value = serde_json::from_str(file).unwrap();
    root["cases"].as_array().unwrap().clone()
}

#[test]
fn ok_parse_prints_the_parts_for_people() {
    let stdout = format!(
        "printed   {CODE}\n\
         packed    {PACKED}\n\
         person    人员管理码        10000000000000000708463177\n\
         time      检查日期时间代码  2024-11-22T14:30:00+08:00\n\
         site      检查部位代码      not assigned (zeros)\n\
         device    医用设备代码      not assigned (zeros)\n\
         unit      影像存储单位代码  123502004266007916\n"
    );
    check(&mic(&["parse", CODE], b""), 0, &stdout, "");
}

#[test]
fn ok_parse_prints_json_to_the_letter() {
    let input = format!("{CODE}\r\n{}\n", OTHER.replace('-', ""));
    let compact = CODE.replace('-', "");
    let first = format!(
        "{{\"input_line\":1,\"ok\":true,\"printed\":\"{CODE}\",\"compact\":\"{compact}\",\
         \"packed\":\"{PACKED}\",\"person\":\"10000000000000000708463177\",\
         \"exam_time\":\"2024-11-22T14:30:00+08:00\",\"site\":null,\"device\":null,\
         \"unit\":\"123502004266007916\",\"unit_check\":\"match\"}}"
    );
    let output = mic(&["parse", "--json", "-"], input.as_bytes());
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some(first.as_str()));
    let second: Value = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(second["input_line"], 2);
    assert_eq!(second["site"], "B020ZYZZZ");
    assert_eq!((lines.next(), output.status.code()), (None, Some(0)));
}

#[test]
fn err_parse_tells_every_fault_of_the_vectors() {
    let vectors = cases(include_str!("../../../mic-index/vectors/invalid.json"));
    for policy in ["report", "require"] {
        let of_policy: Vec<_> = vectors
            .iter()
            .filter(|case| case["check_policy"].as_str().unwrap_or("report") == policy)
            // A line cannot hold a line feed, and loses a carriage return at its end.
            .filter(|case| {
                case["input"]
                    .as_str()
                    .is_some_and(|text| !text.contains('\n') && !text.ends_with('\r'))
            })
            .collect();
        assert!(!of_policy.is_empty());
        let input: String = of_policy
            .iter()
            .map(|case| format!("{}\n", case["input"].as_str().unwrap()))
            .collect();
        let mut arguments = vec!["parse", "--json", "-"];
        if policy == "require" {
            arguments.push("--require-check");
        }
        let output = mic(&arguments, input.as_bytes());
        assert_eq!(output.status.code(), Some(1));
        let found = json_lines(&output);
        assert_eq!(found.len(), of_policy.len());
        for ((found, case), line) in found.iter().zip(of_policy).zip(1..) {
            let mut faults = case["expect"]["faults"].clone();
            for fault in faults.as_array_mut().unwrap() {
                for proposal in fault["proposals"].as_array_mut().unwrap() {
                    proposal.as_object_mut().unwrap().remove("confidence");
                }
            }
            let expected = json!({"input_line": line, "ok": false, "faults": faults});
            assert_eq!(found, &expected, "{}", case["id"]);
        }
    }
}

#[test]
fn err_parse_shows_a_picture_to_who_typed_the_code_and_to_nobody_else() {
    let bad = CODE.replace("202411", "202413");
    let said = "code 1: exam time: expected a month from 01 to 12 at bytes 31..33\n";
    let picture = format!(
        "{said}{bad}\n{:31}^^ exam time: expected a month from 01 to 12\n\n",
        ""
    );
    check(&mic(&["parse", &bad], b""), 1, "", &picture);
    check(&mic(&["parse", "-"], bad.as_bytes()), 1, "", said);
}

#[test]
fn err_a_check_character_is_an_error_where_it_is_required() {
    let wrong = CODE[..81].to_owned() + "7";
    assert_eq!(mic(&["parse", &wrong], b"").status.code(), Some(0));
    let row = &json_lines(&mic(&["parse", "--json", &wrong], b""))[0];
    assert_eq!(row["unit_check"], "mismatch");
    let output = mic(&["parse", "--json", "--require-check", &wrong], b"");
    assert_eq!(output.status.code(), Some(1));
    let fault = &json_lines(&output)[0]["faults"][0];
    assert_eq!(
        (&fault["part"], &fault["kind"]),
        (&json!("unit"), &json!("check_character"))
    );
    assert_eq!(
        fault["proposals"],
        json!([{"offset": 81, "from": "7", "to": "6"}])
    );
}

#[test]
fn ok_every_line_has_its_answer_even_if_empty_long_or_no_text() {
    let mut input = b"\n\xff\xfe\n".to_vec();
    input.extend(vec![b'0'; 200_000]);
    input.extend(format!("\n{CODE}").as_bytes());
    let output = mic(&["parse", "--json", "-"], &input);
    let rows = json_lines(&output);
    let ok: Vec<_> = rows
        .iter()
        .map(|row| row["ok"].as_bool().unwrap())
        .collect();
    assert_eq!(ok, [false, false, false, true]);
    assert_eq!(rows[3]["input_line"], 4);
}

#[test]
fn ok_who_stops_reading_ends_it_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mic"))
        .args(["index", "parse", "--json", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines = format!("{CODE}\n").repeat(20_000);
    let writer = std::thread::spawn(move || drop(stdin.write_all(lines.as_bytes())));
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    // The pipe is closed now.
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
    writer.join().unwrap();
}

#[test]
fn ok_pack_and_unpack_are_inverse() {
    check(&mic(&["pack", CODE], b""), 0, &format!("{PACKED}\n"), "");
    check(&mic(&["unpack", PACKED], b""), 0, &format!("{CODE}\n"), "");
    let lines = format!("{CODE}\n{OTHER}\n");
    let packed = mic(&["pack", "-"], lines.as_bytes());
    check(&mic(&["unpack", "-"], &packed.stdout), 0, &lines, "");
}

#[test]
fn err_what_cannot_be_unpacked_leaves_its_line_empty() {
    let input = format!("zz\n{}\n{PACKED}\n", "ff".repeat(40));
    let stderr = "packed 1: expected 80 hexadecimal digits\n\
                  packed 2: packed person: value outside the part's range at bits 0..88\n";
    let output = mic(&["unpack", "-"], input.as_bytes());
    check(&output, 1, &format!("\n\n{CODE}\n"), stderr);
}

#[test]
fn ok_explain_draws_the_parts() {
    let stdout = format!(
        "{OTHER}\n\
         ^^^^^^^^^^^^^^^^^^^^^^^^^^ person 人员管理码: given by the national insurance platform\n\
         {:27}^^^^^^^^^^^^ exam time 检查日期时间代码: 2024-11-22T14:30:00+08:00\n\
         {:40}^^^^^^^^^ site 检查部位代码: B020ZYZZZ, 颅脑CT普通扫描(平扫)\n\
         {:50}^^^^^^^^^^^^^ device 医用设备代码: not given\n\
         {:64}^^^^^^^^^^^^^^^^^^ unit 影像存储单位代码: 123502004266007916\n\
         unit: 机构编制 事业单位, 350200 福建\n",
        "", "", "", ""
    );
    check(&mic(&["explain", OTHER], b""), 0, &stdout, "");
}

#[test]
fn err_explain_draws_faults_and_proposals() {
    let bad = CODE.replace("463177", "46317O");
    let stdout = format!(
        "{bad}\n{:25}^ person: expected a digit, found a capital letter\n\
         proposal: byte 25: 'O' to '0' (unverified)\n",
        ""
    );
    check(&mic(&["explain", &bad], b""), 1, &stdout, "");
}

#[test]
fn ok_explain_reads_lines_with_an_empty_one_between() {
    let bad = CODE.replace("202411", "202413");
    let lines = format!("{OTHER}\r\n{bad}\n{CODE}");
    let output = mic(&["explain", "-"], lines.as_bytes());
    let pictures: Vec<_> = [OTHER, &bad, CODE]
        .iter()
        .map(|code| String::from_utf8(mic(&["explain", code], b"").stdout).unwrap())
        .collect();
    assert!(pictures[1].contains("expected a month from 01 to 12"));
    check(&output, 1, &pictures.join("\n"), "");
}

#[test]
fn err_explain_of_a_check_character_where_it_is_required() {
    let wrong = CODE[..81].to_owned() + "7";
    let drawn = mic(&["explain", &wrong], b"");
    let text = String::from_utf8_lossy(&drawn.stdout);
    assert_eq!(drawn.status.code(), Some(0));
    assert!(text.contains("unit: 机构编制"), "{text}");
    let output = mic(&["explain", "--require-check", &wrong], b"");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text.starts_with(&format!("{wrong}\n{:81}^ unit: ", "")),
        "{text}"
    );
    assert!(
        text.ends_with("proposal: byte 81: '7' to '6' (check fits)\n"),
        "{text}"
    );
    let fits = mic(&["explain", "--require-check", CODE], b"");
    assert_eq!(fits.status.code(), Some(0));
}

#[test]
fn ok_repair_reads_lines_and_prints_one_for_each() {
    let (untidy, bad) = (CODE.replace('-', "－"), CODE.replace("202411", "202413"));
    let lines = format!("{untidy}\n{bad}\n\n{OTHER}\n");
    let output = mic(&["repair", "--apply", "-"], lines.as_bytes());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("{CODE}\n\n\n{OTHER}\n")
    );
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("code 2: still wrong: exam time"), "{told}");
    assert!(told.ends_with("code 4: legal as it is\n"), "{told}");
    // Without --apply nothing of the codes is printed.
    let output = mic(&["repair", "-"], lines.as_bytes());
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(!told.contains(CODE) && !told.contains(OTHER), "{told}");
    let rows = json_lines(&mic(&["repair", "--json", "-"], lines.as_bytes()));
    let outcome =
        |row: &Value| [row["ok"].as_bool(), row["repaired"].as_bool()].map(Option::unwrap);
    let outcomes: Vec<_> = rows.iter().map(outcome).collect();
    let neither = [false; 2];
    assert_eq!(outcomes, [[false, true], neither, neither, [true, false]]);
}

#[test]
fn ok_repair_shows_first_and_prints_only_when_asked() {
    let untidy = format!(" {}", CODE.replace('-', "－"));
    let output = mic(&["repair", &untidy], b"");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(!stdout.contains(CODE));
    assert!(
        stdout.starts_with("code 1: byte 0: U+0020 left out (blank)\n"),
        "{stdout}"
    );
    assert!(
        stdout.ends_with("code 1: legal with these changes; --apply prints it\n"),
        "{stdout}"
    );
    let applied = mic(&["repair", "--apply", &untidy], b"");
    assert_eq!(
        String::from_utf8_lossy(&applied.stdout),
        format!("{CODE}\n")
    );
    assert_eq!(applied.status.code(), Some(0));

    let row = &json_lines(&mic(&["repair", "--json", &untidy], b""))[0];
    assert_eq!(
        (&row["ok"], &row["repaired"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(row["changes"].as_array().unwrap().len(), 5);
    assert!(row.get("text").is_none());
    check(
        &mic(&["repair", CODE], b""),
        0,
        "code 1: legal as it is\n",
        "",
    );
}

#[test]
fn err_repair_prints_nothing_that_is_still_wrong() {
    let bad = CODE.replace("202411", "202413");
    let output = mic(&["repair", "--apply", &bad], b"");
    let stderr = "code 1: still wrong: exam time: expected a month from 01 to 12 at bytes 31..33\n";
    check(&output, 1, "\n", stderr);
}

#[test]
fn ok_technique_by_code_name_part_of_name_and_index_code() {
    let head = "B020ZYZZZ  颅脑CT普通扫描(平扫)  CT\n";
    check(&mic(&["technique", "B020ZYZZZ"], b""), 0, head, "");
    check(
        &mic(&["technique", "颅脑CT普通扫描(平扫)"], b""),
        0,
        head,
        "",
    );
    check(&mic(&["technique", OTHER], b""), 0, head, "");
    let two = mic(&["technique", "--json", "BQ2FZUZZZ", "乳腺"], b"");
    let rows = json_lines(&two);
    assert_eq!(rows[0]["answer"], "ambiguous");
    assert_eq!(rows[0]["techniques"].as_array().unwrap().len(), 2);
    assert_eq!(rows[1]["answer"], "part_of_name");
    assert_eq!(rows[1]["techniques"].as_array().unwrap().len(), 8);
    let stderr = "query 1: unknown in the table; a code may be legal all the same\n";
    check(&mic(&["technique", "C00000000"], b""), 1, "", stderr);
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn bulk() -> String {
    let bad = CODE.replace("202411", "202413");
    format!(
        "hospital,code,study_uid,image_count\n\
         A,{CODE},1.2.3,28\n\
         A,{CODE},1.2.4,28\n\
         \"A, B\",{CODE},1.2.3,29\n\
         A,{bad},1.2.5,28\n\
         A,{OTHER},1.2.6,28\n\
         A,{OTHER},1.2.6\n"
    )
}

#[test]
fn ok_ingest_counts_four_outcomes_for_people() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "bulk.csv", bulk());
    let output = mic(&["ingest", &file], b"");
    let stdout = String::from_utf8_lossy(&output.stdout);
    for row in ["accepted", "duplicates", "collided", "rejected", "all"] {
        assert!(stdout.contains(row), "{stdout}");
    }
    assert!(
        stdout.contains("1 of them with other fields that differ"),
        "{stdout}"
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stderr, b"");
}

#[test]
fn ok_ingest_writes_counts_rejects_findings_and_asked_for_lines() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let file = write(folder.path(), "bulk.csv", bulk());
    let (rejects, lines, findings) = (place("rejects.csv"), place("lines"), place("found.ndjson"));
    let arguments = [
        "ingest",
        &file,
        "--json",
        "--rejects",
        &rejects,
        "--rejected-lines",
        &lines,
        "--findings",
        &findings,
    ];
    let output = mic(&arguments, b"");
    let size = bulk().len();
    let stdout = format!(
        "{{\"lines\":6,\"accepted\":2,\"duplicates\":1,\"collided\":1,\"rejected\":2,\
         \"searched\":true,\"differing\":1,\"shared_codes\":1,\"empty\":0,\"format\":\"csv\",\"header\":true,\
         \"columns\":[null,\"code\",\"study_instance_uid\",\"image_count\"],\
         \"input_bytes\":{size},\"text_bytes\":{size},\"spilled_bytes\":0,\"spilled_to\":null,\
         \"lines_not_kept\":0}}\n"
    );
    check(&output, 1, &stdout, "");
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    assert_eq!(
        read(&rejects),
        "line,offset,start,end,field,part,kind,expected,faults\n\
         5,323,33,35,code,exam_time,month,01 to 12,1\n\
         7,511,0,90,,,columns,4 fields,1\n"
    );
    assert_eq!(
        read(&findings),
        "{\"finding\":\"duplicate\",\"line\":4,\"first\":2,\"differs\":true}\n\
         {\"finding\":\"collision\",\"first\":2,\"studies\":[\
         {\"study_instance_uid\":\"1.2.3\",\"line\":2,\"lines\":2},\
         {\"study_instance_uid\":\"1.2.4\",\"line\":3,\"lines\":1}],\"omitted\":0}\n"
    );
    assert_eq!(read(&lines).lines().count(), 3);
    assert!(read(&lines).ends_with(&format!("A,{OTHER},1.2.6\n")));
    // A file of lines that is there already keeps its rights; it is not written over.
    assert_eq!(mic(&arguments, b"").status.code(), Some(2));
}

#[test]
fn ok_ingest_reads_archives_standard_input_and_little_memory_alike() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..3_000)
        .map(|at| {
            format!(
                "{}\n",
                CODE.replace("463177", &format!("{:06}", at % 1_000))
            )
        })
        .collect();
    let plain = write(folder.path(), "codes.txt", &text);
    let zstd = write(
        folder.path(),
        "codes.zst",
        zstd::encode_all(text.as_bytes(), 3).unwrap(),
    );
    let expected = json!([3_000, 1_000, 2_000, 0, 0]);
    let spill = folder.path().to_str().unwrap();
    for (arguments, input) in [
        (vec!["ingest", "--json", &plain], &b""[..]),
        (vec!["ingest", "--json", &zstd], b""),
        (vec!["ingest", "--json", "-"], text.as_bytes()),
        (
            vec![
                "ingest", "--json", &plain, "--memory", "4K", "--spill", spill,
            ],
            b"",
        ),
    ] {
        let output = mic(&arguments, input);
        let row = &json_lines(&output)[0];
        let counts =
            ["lines", "accepted", "duplicates", "collided", "rejected"].map(|name| &row[name]);
        assert_eq!(json!(counts), expected);
        assert_eq!(output.status.code(), Some(0));
        let spilled = row["spilled_bytes"].as_u64().unwrap();
        assert_eq!(spilled > 0, arguments.contains(&"--memory"));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

/// A gzip archive (RFC 1952) of one stored block.
fn gzip(text: &[u8]) -> Vec<u8> {
    let sum = text.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ ((sum & 1) * 0xedb8_8320)
        })
    });
    let len = u16::try_from(text.len()).unwrap();
    let mut archive = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
    archive.extend(len.to_le_bytes());
    archive.extend((!len).to_le_bytes());
    archive.extend(text);
    archive.extend((!sum).to_le_bytes());
    archive.extend(u32::from(len).to_le_bytes());
    archive
}

#[test]
fn ok_ingest_of_gzip() {
    let folder = tempfile::tempdir().unwrap();
    let archive = gzip(bulk().as_bytes());
    let file = write(folder.path(), "bulk.csv.gz", &archive);
    let row = &json_lines(&mic(&["ingest", "--json", &file], b""))[0];
    assert_eq!(row["text_bytes"], bulk().len());
    assert_eq!(row["input_bytes"], archive.len());
    let plain = mic(&["ingest", "--json", "-"], bulk().as_bytes());
    for name in ["lines", "accepted", "duplicates", "collided", "rejected"] {
        assert_eq!(row[name], json_lines(&plain)[0][name], "{name}");
    }
    // An archive that is cut is an error that says where, after the lines there were.
    let cut = archive.len() - 4;
    let output = mic(&["ingest", "--json", "-"], &archive[..cut]);
    let stderr = format!(
        "mic: -: gzip archive: expected more, the input ends at byte {cut} (after 6 lines) \
         [index.bulk.truncated]\n"
    );
    check(&output, 1, "", &stderr);
}

#[test]
fn ok_ingest_of_ndjson() {
    let folder = tempfile::tempdir().unwrap();
    let lines = format!(
        "{{\"code\":\"{CODE}\",\"study_instance_uid\":\"1.2.3\",\"image_count\":28}}\n\
         {{\"study_instance_uid\":\"1.2.3\",\"code\":\"{CODE}\"}}\n\
         {{\"code\":\"{OTHER}\"}}\n\
         {{\"code\":\"{OTHER}\",\"exam_type\":9}}\n\
         {{\"study_instance_uid\":\"1.2.3\"}}\n\
         {{\"code\":\n"
    );
    let file = write(folder.path(), "bulk.ndjson", &lines);
    let rejects = folder.path().join("rejects.ndjson");
    let rejects = rejects.to_str().unwrap();
    let output = mic(&["ingest", "--json", &file, "--rejects", rejects], b"");
    assert_eq!(output.status.code(), Some(1));
    let row = &json_lines(&output)[0];
    let counts = ["lines", "accepted", "duplicates", "collided", "rejected"];
    assert_eq!(json!(counts.map(|name| &row[name])), json!([6, 2, 1, 0, 3]));
    assert_eq!(
        (&row["format"], &row["differing"]),
        (&json!("ndjson"), &json!(1))
    );
    let rejected = std::fs::read_to_string(rejects).unwrap();
    let kinds: Vec<Value> = rejected
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["kind"].clone())
        .collect();
    assert_eq!(
        json!(kinds),
        json!(["exam_type", "no_field", "json_syntax"])
    );
}

#[test]
fn err_ingest_of_what_is_no_bulk_file() {
    let folder = tempfile::tempdir().unwrap();
    let book = write(folder.path(), "book.xlsx", b"PK\x03\x04....");
    let output = mic(&["ingest", &book], b"");
    let stderr = format!(
        "mic: {book}: expected text in UTF-8, found a zip archive or Excel workbook \
         (after 0 lines) [index.bulk.encoding]\n"
    );
    check(&output, 1, "", &stderr);
    assert_eq!(mic(&["ingest", "no-such-file"], b"").status.code(), Some(2));
    assert_eq!(
        mic(&["ingest", &book, "--memory", "much"], b"")
            .status
            .code(),
        Some(2)
    );
    assert_eq!(mic(&["ingest"], b"").status.code(), Some(2));
}

#[test]
fn ok_record_tells_what_the_headers_of_a_folder_say() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = Phantom::new(5, 3);
    for slice in 0..3 {
        write(folder.path(), &format!("{slice}.dcm"), phantom.slice(slice));
    }
    write(folder.path(), "notes.txt", "no DICOM");
    let path = folder.path().to_str().unwrap();
    let output = mic(&["record", path, "--json"], b"");
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("passed over"));
    let row = &json_lines(&output)[0];
    assert_eq!(row["study_instance_uid"], phantom.study_uid());
    assert_eq!(
        (&row["image_count"], &row["series_count"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(
        (&row["exam_type"], &row["record"]),
        (&json!(2), &Value::Null)
    );
    assert_eq!(
        row["lacks"],
        "missing person code, storage unit, institution"
    );

    let known = [
        "record",
        path,
        "--json",
        "--person",
        "10000000000000000708463177",
        "--unit",
        "123502004266007916",
        "--institution",
        "H35020300001",
    ];
    let row = &json_lines(&mic(&known, b""))[0];
    assert_eq!(row["record"]["code"], row["code"]);
    assert_eq!(row["lacks"], Value::Null);
    let table = mic(&["record", path], b"");
    assert!(String::from_utf8_lossy(&table.stdout).contains(&phantom.study_uid()));
    let empty = tempfile::tempdir().unwrap();
    let none = mic(&["record", empty.path().to_str().unwrap()], b"");
    check(&none, 1, "", "mic: no DICOM file among 0\n");
}

/// A file of the phantom with texts replaced by others of the same length, as another device writes it.
fn altered(phantom: &Phantom, slice: u16, changes: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = phantom.slice(slice);
    for (from, to) in changes {
        assert_eq!(from.len(), to.len());
        let mut found = 0;
        for at in 0..bytes.len() - from.len() {
            if bytes[at..].starts_with(from.as_bytes()) {
                bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
                found += 1;
            }
        }
        assert!(found > 0, "{from}");
    }
    bytes
}

const CT: &str = "`\0CS\u{2}\0CT";

fn modality(name: &str) -> String {
    CT.replace("CT", name)
}

#[test]
fn ok_record_folds_all_files_of_a_study_in_any_order() {
    let phantom = Phantom::new(5, 5);
    let series = phantom.series_uid();
    let (last, rest) = (&series[series.len() - 1..], &series[..series.len() - 1]);
    let other_series = format!("{rest}{}", if last == "1" { "2" } else { "1" });
    let (report, state, key) = (modality("SR"), modality("PR"), modality("KO"));
    let beside = |name| vec![(CT, name), (series.as_str(), other_series.as_str())];
    let files = [
        altered(&phantom, 0, &beside(&report)),
        altered(&phantom, 1, &beside(&state)),
        altered(&phantom, 2, &beside(&key)),
        phantom.slice(3),
        altered(&phantom, 4, &[("093000", "092900")]),
    ];
    let mut rows = Vec::new();
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 4, 1, 2]] {
        let folder = tempfile::tempdir().unwrap();
        for (at, file) in order.into_iter().enumerate() {
            write(folder.path(), &format!("{at}.dcm"), &files[file]);
        }
        let output = mic(&["record", folder.path().to_str().unwrap(), "--json"], b"");
        rows.push(json_lines(&output));
    }
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[0], rows[2]);
    let row = &rows[0][0];
    assert_eq!(row["exam_type"], 2);
    assert_eq!(row["modality"], "CT");
    assert_eq!(row["exam_time"], "2026-03-01T09:29:00+08:00");
    assert_eq!(
        (&row["image_count"], &row["series_count"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(row["other_times"], 1);
    assert_eq!(row["findings"], json!([]));
}

#[test]
fn ok_record_of_a_study_of_two_exam_types_has_none_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = Phantom::new(5, 2);
    let magnet = modality("MR");
    write(folder.path(), "0.dcm", phantom.slice(0));
    write(
        folder.path(),
        "1.dcm",
        altered(&phantom, 1, &[(CT, &magnet)]),
    );
    let output = mic(&["record", folder.path().to_str().unwrap(), "--json"], b"");
    let row = &json_lines(&output)[0];
    assert_eq!(row["exam_type"], Value::Null);
    assert_eq!(row["modality"], "CT\\MR");
    assert_eq!(
        row["findings"],
        json!([{"attribute": "Modality", "kind": "several_exam_types", "used": null}])
    );
}

#[test]
fn ok_record_of_reports_alone_counts_no_image() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = Phantom::new(5, 1);
    let report = modality("SR");
    write(
        folder.path(),
        "0.dcm",
        altered(&phantom, 0, &[(CT, &report)]),
    );
    let known = [
        "record",
        folder.path().to_str().unwrap(),
        "--json",
        "--person",
        "10000000000000000708463177",
        "--unit",
        "123502004266007916",
        "--institution",
        "H35020300001",
    ];
    let row = &json_lines(&mic(&known, b""))[0];
    assert_eq!(row["image_count"], 0);
    assert_eq!(row["record"], Value::Null);
    assert_eq!(row["lacks"], "missing image count");
}

#[test]
fn err_record_gives_no_person_the_studies_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (Phantom::new(5, 1), Phantom::new(6, 1));
    write(folder.path(), "one.dcm", one.slice(0));
    write(folder.path(), "two.dcm", two.slice(0));
    let path = folder.path().to_str().unwrap();
    let person = ["record", path, "--person", "10000000000000000708463177"];
    let stderr = "mic: --person: the files are of 2 patients by PatientID (0010,0020); \
                  expected those of one [index.person]\n";
    check(&mic(&person, b""), 2, "", stderr);
    // Without a person nothing is given to anybody.
    let output = mic(&["record", path, "--json"], b"");
    assert_eq!(json_lines(&output).len(), 2);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn err_record_gives_no_person_a_study_of_two_patients() {
    let folder = tempfile::tempdir().unwrap();
    let phantom = Phantom::new(5, 2);
    write(folder.path(), "0.dcm", phantom.slice(0));
    let strange = [("TEST0000000000000005", "TEST0000000000000006")];
    write(folder.path(), "1.dcm", altered(&phantom, 1, &strange));
    let path = folder.path().to_str().unwrap();
    let person = ["record", path, "--person", "10000000000000000708463177"];
    assert_eq!(mic(&person, b"").status.code(), Some(2));
}

#[cfg(target_os = "linux")]
#[test]
fn ok_record_reads_the_header_of_a_huge_file_and_not_its_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "huge.dcm", Phantom::new(5, 1).slice(0));
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(8 << 30).unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 2000000; exec \"$0\" index record --json \"$1\"",
        ])
        .args([env!("CARGO_BIN_EXE_mic"), &path])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(json_lines(&output)[0]["image_count"], 1);
}

#[test]
fn err_ingest_writes_over_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "bulk.csv", bulk());
    let new = folder.path().join("new.csv");
    let new = new.to_str().unwrap();
    for option in ["--rejects", "--findings", "--rejected-lines"] {
        let output = mic(&["ingest", &file, option, &file], b"");
        let stderr = format!(
            "mic: {file}: {option}: is there already; expected a new file [index.output]\n"
        );
        check(&output, 2, "", &stderr);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), bulk());
    }
    // Nor one output over the other.
    let output = mic(&["ingest", &file, "--rejects", new, "--findings", new], b"");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn ok_rejected_lines_can_be_read_again_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let long = format!("A,{CODE},1.2.7,{}\n", "9".repeat(70_000));
    let file = write(folder.path(), "bulk.csv", bulk() + &long);
    let lines = place("lines.csv");
    let output = mic(
        &["ingest", "--json", &file, "--rejected-lines", &lines],
        b"",
    );
    let row = &json_lines(&output)[0];
    assert_eq!(
        (&row["rejected"], &row["lines_not_kept"]),
        (&json!(3), &json!(1))
    );
    let stderr =
        format!("mic: {lines}: 1 rejected line was too long to be kept and is not in it\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    let bad = CODE.replace("202411", "202413");
    let kept = format!("hospital,code,study_uid,image_count\nA,{bad},1.2.5,28\nA,{OTHER},1.2.6\n");
    assert_eq!(std::fs::read_to_string(&lines).unwrap(), kept);
    // Repaired, the file is read with the columns of the first one.
    let repaired = kept
        .replace("202413", "202411")
        .replace("1.2.6\n", "1.2.6,28\n");
    let again = write(folder.path(), "again.csv", repaired);
    let row = &json_lines(&mic(&["ingest", "--json", &again], b""))[0];
    assert_eq!((&row["accepted"], &row["rejected"]), (&json!(2), &json!(0)));
    assert_eq!(row["columns"][1], "code");
}

#[test]
fn err_parse_counts_the_faults_it_leaves_out() {
    let wild = "一".repeat(1_000);
    let row = &json_lines(&mic(&["parse", "--json", &wild], b""))[0];
    let told = row["faults"].as_array().unwrap().len() as u64;
    assert!(row["omitted"].as_u64().unwrap() > 0, "{told} told");
    let few = &json_lines(&mic(&["parse", "--json", &CODE[1..]], b""))[0];
    assert_eq!(few.get("omitted"), None);
}

#[test]
fn ok_ingest_without_a_search_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(
        folder.path(),
        "twice.txt",
        format!("{CODE}\n{CODE}\n1000\n"),
    );
    let output = mic(&["ingest", "--json", "--no-search", &file], b"");
    let row = &json_lines(&output)[0];
    assert_eq!((&row["lines"], &row["accepted"]), (&json!(3), &json!(2)));
    assert_eq!(
        (&row["duplicates"], &row["collided"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(
        (&row["rejected"], &row["searched"]),
        (&json!(1), &json!(false))
    );
    let output = mic(&["ingest", "--quiet", "--no-search", &file], b"");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("were not looked for"), "{told}");
    let both = mic(&["ingest", "--no-search", "--memory", "1M", &file], b"");
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn ok_ingest_spills_beside_its_input_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{CODE}\n").repeat(3_000);
    let file = write(folder.path(), "codes.txt", &text);
    let output = mic(&["ingest", "--json", &file, "--memory", "4K"], b"");
    let row = &json_lines(&output)[0];
    assert_eq!(row["spilled_to"], folder.path().to_str().unwrap());
    let table = mic(&["ingest", &file, "--memory", "4K"], b"");
    let stdout = String::from_utf8_lossy(&table.stdout);
    assert!(stdout.contains(folder.path().to_str().unwrap()), "{stdout}");
    let row = &json_lines(&mic(&["ingest", "--json", &file], b""))[0];
    assert_eq!(row["spilled_to"], Value::Null);
}

#[cfg(target_os = "linux")]
#[test]
fn ok_ingest_spills_to_no_folder_in_memory_silently() {
    let Ok(folder) = tempfile::tempdir_in("/dev/shm") else {
        println!("no /dev/shm here: nothing shown");
        return;
    };
    let text = format!("{CODE}\n").repeat(3_000);
    let file = write(folder.path(), "codes.txt", &text);
    let output = mic(&["ingest", "--json", &file, "--memory", "4K"], b"");
    let row = &json_lines(&output)[0];
    let stderr = String::from_utf8_lossy(&output.stderr);
    let to = row["spilled_to"].as_str().unwrap();
    assert!(
        !to.starts_with("/dev/shm") || stderr.contains("in memory"),
        "{to}: {stderr}"
    );
    // Who names it gets it.
    let shm = folder.path().to_str().unwrap();
    let asked = mic(
        &["ingest", "--json", &file, "--memory", "4K", "--spill", shm],
        b"",
    );
    assert_eq!(json_lines(&asked)[0]["spilled_to"], shm);
}
