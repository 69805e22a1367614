//! The story, step by step.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::cast;
use super::launch::Cloud;
use super::progress::Progress;
use super::report::{Bill, Proven, Report, Step, Study, counted, plural};
use super::source::Source;
use super::take_in::{TakenIn, take_in};
use super::{Lang, Options, phone};
use crate::client::Client;
use crate::node::nation::desk::{Posted, Showing};
use crate::node::{Role, sole_user};
use crate::phantom::Phantom;
use crate::problem::Problem;
use crate::time;
use crate::trust::{self, Trust};
use crate::wire::{
    Asked, Decided, Decision, Drawn, Job, Listed, Order, Proof, Pull, Register, Registered,
    Scanned, Sealed, Shown,
};

/// How often a running pull is asked how far it is.
const POLL: Duration = Duration::from_millis(40);
/// The folder of the examining hospital's key, beside the four nodes' folders.
const SOURCE_FOLDER: &str = "source-hospital";

/// Plays the whole scene and reports it.
///
/// # Errors
///
/// What cannot be part of a report: a folder that is not there, a node that does not start, a step
/// that fails. Files that are no DICOM are no error; they are listed.
pub fn play(options: &Options) -> Result<Report, Problem> {
    Scene::start(options)?.play()
}

/// Makes the keys of everyone in the scene and lets them know each other; keys that are there stay.
///
/// # Errors
///
/// As [`trust::provision`].
pub fn provision(state: &Path) -> Result<(), Problem> {
    trust::provision(state, &MEMBERS, cast::SUITE, time::now().to_utc())
}

struct Scene<'a> {
    options: &'a Options,
    source: Source,
    cloud: Cloud,
    source_hospital: Trust,
    progress: Progress,
    steps: Vec<Step>,
    _sole: File,
}

impl<'a> Scene<'a> {
    fn start(options: &'a Options) -> Result<Self, Problem> {
        let progress = Progress::new(options.talk);
        let source = match &options.studies {
            Some(root) => Source::folder(root)?,
            None => Source::Made(Phantom::new(options.seed, options.slices)),
        };
        std::fs::create_dir_all(&options.state)
            .map_err(|e| Problem::from(e).at(options.state.display()))?;
        let began = Instant::now();
        let sole = sole_user(&options.state)?;
        provision(&options.state)?;
        let cloud = Cloud::start(&options.program, &options.state)?;
        let source_hospital = Trust::load(&options.state.join(SOURCE_FOLDER))?;
        let mut scene = Self {
            options,
            source,
            cloud,
            source_hospital,
            progress,
            steps: Vec::new(),
            _sole: sole,
        };
        let doors: Vec<_> = scene
            .cloud
            .ready()
            .map(|ready| format!("{} pid {}", ready.role, ready.pid))
            .collect();
        scene.step(
            "start",
            ("start four processes", "启动四个进程"),
            doors.join(", "),
            began,
            None,
        );
        Ok(scene)
    }

    fn play(mut self) -> Result<Report, Problem> {
        let taken = self.take_in()?;
        let sealed = self.index(&taken)?;
        let registration = self.register()?;
        self.ask(&registration)?;
        let listed = self.list(&registration, &taken)?;
        let job = self.pull(&registration, &listed)?;
        let proven = self.prove(&registration, &listed, &taken)?;
        let drawn = self.draw(&registration, &listed)?;
        let bill = self.bill()?;
        Ok(Report {
            ok: taken.adds_up() && proven.missing == 0,
            steps: self.steps,
            processes: self.cloud.ready().cloned().collect(),
            intake: taken,
            studies: sealed.iter().map(Study::of).collect(),
            job,
            proven,
            drawn,
            bill,
        })
    }

    fn client(&self, role: Role) -> Result<Client, Problem> {
        Ok(Client::new(self.cloud.node(role)?.url(), None))
    }

    fn signed_client(&self, role: Role) -> Result<Client, Problem> {
        let key = self.source_hospital.key().clone();
        Ok(Client::new(self.cloud.node(role)?.url(), Some(key)))
    }

    fn say(&self, en: &str, zh: &str) -> String {
        self.options.lang.pick(en, zh).to_owned()
    }

    fn step(
        &mut self,
        name: &'static str,
        (en, zh): (&str, &str),
        did: String,
        began: Instant,
        bytes: Option<u64>,
    ) {
        let title = self.say(en, zh);
        self.steps.push(Step {
            step: name,
            title,
            did,
            seconds: began.elapsed().as_secs_f64(),
            bytes,
        });
    }

    fn take_in(&mut self) -> Result<TakenIn, Problem> {
        let began = Instant::now();
        let bar = self.progress.count(
            self.options.lang.pick("take in", "接收"),
            self.source.files() as u64,
        );
        let taken = take_in(&self.source, &self.signed_client(Role::Province)?, &bar)?;
        bar.finish_and_clear();
        for passed in &taken.passed_over {
            self.progress.say(&format!(
                "{}: {}: {}",
                self.options.lang.pick("passed over", "略过"),
                passed.file,
                passed.reason
            ));
        }
        let passed_over = taken.passed_over.len();
        let did = match self.options.lang {
            Lang::En => format!(
                "{} = {}; {}",
                plural(taken.files, "file"),
                counted(&[
                    (taken.stored, "new"),
                    (taken.held, "already there"),
                    (taken.repeated, "repeated"),
                    (passed_over, "passed over"),
                ]),
                plural(taken.studies.len(), "study")
            ),
            Lang::Zh => format!(
                "{} 个文件 = {}；{} 个检查",
                taken.files,
                counted(&[
                    (taken.stored, "新收"),
                    (taken.held, "已有"),
                    (taken.repeated, "重复"),
                    (passed_over, "略过"),
                ]),
                taken.studies.len()
            ),
        };
        let title = ("province takes the study in", "省级平台接收影像");
        self.step("take_in", title, did, began, Some(taken.bytes_sent));
        if taken.studies.is_empty() {
            return Err(Problem::data(
                "scene.nothing",
                format!("none of {} files is a DICOM instance", taken.files),
            ));
        }
        Ok(taken)
    }

    fn index(&mut self, taken: &TakenIn) -> Result<Vec<Sealed>, Problem> {
        let began = Instant::now();
        let order = Order {
            person: cast::PATIENT.into(),
            institution: cast::YANAN_HOSPITAL.to_owned(),
            encounter: cast::encounter(&time::now()),
            visit: time::now(),
            studies: taken.studies.iter().cloned().collect(),
        };
        let sealed: Vec<Sealed> = self
            .signed_client(Role::Province)?
            .post("/v1/seal", &order)?;
        let did = Study::indexed(&sealed, self.options.lang);
        let title = ("index records to the nation", "索引上报国家平台");
        self.step("index", title, did, began, None);
        Ok(sealed)
    }

    fn register(&mut self) -> Result<String, Problem> {
        let began = Instant::now();
        let registered: Registered = self.client(Role::Hospital)?.post(
            "/v1/registrations",
            &Register {
                person: cast::PATIENT.into(),
            },
        )?;
        let did = self.say(
            "a made-up patient from Yan'an registers in Beijing",
            "延安患者（虚构）在北京挂号",
        );
        self.step("register", ("registration", "挂号"), did, began, None);
        Ok(registered.registration)
    }

    /// The workstation shows the QR; the phone reads the picture, shows who asks, and she agrees.
    fn ask(&mut self, registration: &str) -> Result<(), Problem> {
        let hospital = self.client(Role::Hospital)?;
        let began = Instant::now();
        let asked: Asked = hospital.post(&format!("/v1/registrations/{registration}/ask"), &())?;
        let picture = hospital.get_bytes(&format!("/v1/registrations/{registration}/qr.png"))?;
        let text = phone::read(&picture)?;
        if text != asked.text {
            return Err(Problem::system(
                "scene.qr",
                "the picture does not read as what was asked",
            ));
        }
        let file = self.picture("consent-qr.png", &picture)?;
        self.progress.say(&phone::terminal(&asked.text)?);
        let characters = asked.text.len();
        let did = match self.options.lang {
            Lang::En => format!(
                "signed request, {characters} characters, QR version {}-M, read back from {file}",
                asked.version
            ),
            Lang::Zh => format!(
                "签名请求 {characters} 字符，二维码版本 {}-M，已由图片 {file} 读回",
                asked.version
            ),
        };
        self.step("ask", ("the QR is shown", "出示二维码"), did, began, None);

        let began = Instant::now();
        let authority = self.client(Role::Authority)?;
        let shown: Shown = authority.post("/v1/requests", &Scanned { text: text.clone() })?;
        let decided: Decided = authority.post(
            "/v1/decisions",
            &Decision {
                text,
                person: cast::PATIENT.into(),
                agree: true,
            },
        )?;
        if decided.grant.is_none() {
            return Err(Problem::denied("scene.refused", "the patient refused"));
        }
        hospital.post::<()>(&format!("/v1/registrations/{registration}/collect"), &())?;
        let did = match self.options.lang {
            Lang::En => format!(
                "{} asks: {}, {}, {} min; she agrees; signed grant collected and checked",
                shown.institution, shown.purpose, shown.scope, shown.minutes
            ),
            Lang::Zh => format!(
                "{} 请求：{}，{}，{} 分钟；患者同意；签名授权已取回并核验",
                shown.institution, shown.purpose, shown.scope, shown.minutes
            ),
        };
        self.step("consent", ("consent", "扫码授权"), did, began, None);
        Ok(())
    }

    /// The whole list is found; the scene goes on with the studies of this run.
    fn list(&mut self, registration: &str, taken: &TakenIn) -> Result<Vec<Listed>, Problem> {
        let began = Instant::now();
        let mut listed: Vec<Listed> = self
            .client(Role::Hospital)?
            .post(&format!("/v1/registrations/{registration}/list"), &())?;
        let count = listed.len();
        let did = match self.options.lang {
            Lang::En => format!(
                "{} on the patient's list, by grant and proof of use",
                plural(count, "exam")
            ),
            Lang::Zh => format!("凭授权与使用证明查得 {count} 项检查"),
        };
        self.step("list", ("the list is found", "查得索引"), did, began, None);
        listed.retain(|line| taken.studies.contains(&line.exam.study));
        Ok(listed)
    }

    fn pull(&mut self, registration: &str, listed: &[Listed]) -> Result<Job, Problem> {
        let began = Instant::now();
        let hospital = self.client(Role::Hospital)?;
        let total = listed.iter().map(|line| line.exam.bytes).sum();
        let bar = self
            .progress
            .bytes(self.options.lang.pick("pull", "调阅"), total);
        let path = format!("/v1/registrations/{registration}/pull");
        let studies = listed.iter().map(|line| line.exam.study.clone()).collect();
        let mut job: Job = hospital.post(&path, &Pull { studies })?;
        while !job.ended {
            std::thread::sleep(POLL);
            job = hospital.get(&path)?;
            show(&bar, &job);
        }
        bar.finish_and_clear();
        if let Some(problem) = job.problem {
            return Err(problem);
        }
        let fetched = job.first_instance_ms.filter(|_| job.bytes_fetched > 0);
        let first = fetched.map_or_else(
            || self.say("nothing to fetch", "无需传输"),
            |ms| match self.options.lang {
                Lang::En => format!("first instance readable after {ms} ms"),
                Lang::Zh => format!("首个实例 {ms} ms 后可读"),
            },
        );
        let held_count = job.instances_held as usize;
        let fetched_count = job.instances_done as usize - held_count;
        let did = match self.options.lang {
            Lang::En => format!(
                "{} of {} complete; instances: {}; {first}",
                job.studies_done,
                plural(job.studies as usize, "study"),
                counted(&[(fetched_count, "fetched"), (held_count, "already held")])
            ),
            Lang::Zh => format!(
                "{}/{} 个检查完整；实例：{}；{first}",
                job.studies_done,
                job.studies,
                counted(&[(fetched_count, "取得"), (held_count, "已有")])
            ),
        };
        let title = ("pull to the front-end machine", "调阅到前置机");
        self.step("pull", title, did, began, Some(job.bytes_fetched));
        Ok(job)
    }

    /// The front-end machine hashes what lies on its disk with SHA-256; the scene did the same with
    /// what lay at the source.
    fn prove(
        &mut self,
        registration: &str,
        listed: &[Listed],
        taken: &TakenIn,
    ) -> Result<Proven, Problem> {
        let began = Instant::now();
        let hospital = self.client(Role::Hospital)?;
        let mut held = std::collections::BTreeSet::new();
        for line in listed {
            let study = &line.exam.study;
            let proofs: Vec<Proof> = hospital.get(&format!(
                "/v1/registrations/{registration}/studies/{study}/proof"
            ))?;
            held.extend(proofs.into_iter().map(|proof| (proof.sha256, proof.bytes)));
        }
        let proven = Proven::compare(taken, &held);
        let did = match self.options.lang {
            Lang::En => format!(
                "{} files byte-identical to their source by SHA-256, {} not",
                proven.identical, proven.missing
            ),
            Lang::Zh => format!(
                "SHA-256 比对：{} 个文件与源逐字节一致，{} 个不一致",
                proven.identical, proven.missing
            ),
        };
        self.step("prove", ("proof", "一致性证明"), did, began, None);
        Ok(proven)
    }

    fn draw(&mut self, registration: &str, listed: &[Listed]) -> Result<Vec<Drawn>, Problem> {
        let began = Instant::now();
        let hospital = self.client(Role::Hospital)?;
        let bar = self
            .progress
            .count(self.options.lang.pick("draw", "成像"), listed.len() as u64);
        let mut drawn = Vec::new();
        let mut files = 0;
        for (number, line) in (1..).zip(listed) {
            let base = format!(
                "/v1/registrations/{registration}/studies/{}",
                line.exam.study
            );
            let report: Drawn = hospital.get(&format!("{base}/pictures"))?;
            if report.drawn > 0 {
                for kind in ["preview", "sheet"] {
                    let png = hospital.get_bytes(&format!("{base}/{kind}.png"))?;
                    self.picture(&format!("study-{number:03}-{kind}.png"), &png)?;
                    files += 1;
                }
            }
            drawn.push(report);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let frames: u64 = drawn.iter().map(|report| report.drawn).sum();
        let not: usize = drawn.iter().map(|report| report.not_drawn.len()).sum();
        let place = self.options.pictures.display();
        let did = match self.options.lang {
            Lang::En => {
                format!("{files} PNG files in {place}: {frames} frames drawn, {not} not drawable")
            }
            Lang::Zh => format!("{place} 下 {files} 个 PNG：{frames} 帧，{not} 个实例无法成像"),
        };
        self.step(
            "draw",
            ("preview and contact sheet", "预览与总览图"),
            did,
            began,
            None,
        );
        Ok(drawn)
    }

    fn bill(&mut self) -> Result<Bill, Problem> {
        let began = Instant::now();
        let nation = self.signed_client(Role::Nation)?;
        nation.post::<usize>("/v1/insurer/events", &cast::visit_without_index()?)?;
        let posted: Posted = nation.post("/v1/insurer/post", &())?;
        let showing: Showing = self.client(Role::Nation)?.get("/v1/insurer/visits")?;
        let bill = Bill {
            posted,
            visits: showing.visits,
        };
        let did = bill.summary(self.options.lang);
        self.step(
            "bill",
            ("the insurer's lines", "医保记账"),
            did,
            began,
            None,
        );
        Ok(bill)
    }

    fn picture(&self, name: &str, png: &[u8]) -> Result<String, Problem> {
        let folder = &self.options.pictures;
        std::fs::create_dir_all(folder).map_err(|e| Problem::from(e).at(folder.display()))?;
        let path = folder.join(name);
        std::fs::write(&path, png).map_err(|e| Problem::from(e).at(path.display()))?;
        Ok(path.display().to_string())
    }
}

/// Everyone who has a key in the scene.
const MEMBERS: [trust::Member<'static>; 5] = [
    trust::Member {
        folder: "hospital",
        role: Role::Hospital,
        organisation: cast::BEIJING_HOSPITAL,
    },
    trust::Member {
        folder: "province",
        role: Role::Province,
        organisation: cast::SHAANXI_ARCHIVE,
    },
    trust::Member {
        folder: "nation",
        role: Role::Nation,
        organisation: cast::NATION,
    },
    trust::Member {
        folder: "authority",
        role: Role::Authority,
        organisation: cast::AUTHORITY,
    },
    trust::Member {
        folder: SOURCE_FOLDER,
        role: Role::Hospital,
        organisation: cast::YANAN_HOSPITAL,
    },
];

fn show(bar: &ProgressBar, job: &Job) {
    if job.bytes > 0 {
        bar.set_length(job.bytes);
    }
    bar.set_position(job.bytes_done);
    bar.set_message(format!("{}/{}", job.instances_done, job.instances));
}
