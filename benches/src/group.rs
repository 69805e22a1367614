//! Contestants that do one job on one input.

use std::fmt::Debug;

/// A job and those who do it. The first contestant is ours; the others are compared with it.
pub struct Group {
    title: String,
    unit: &'static str,
    contestants: Vec<Contestant>,
}

impl Group {
    /// A job whose cost is told for each `unit`: a code, an event, a byte.
    #[must_use]
    pub fn new(title: &str, unit: &'static str) -> Self {
        Self {
            title: title.to_owned(),
            unit,
            contestants: Vec::new(),
        }
    }

    /// Adds a contestant whose single run handles so many units, after its answer is checked.
    ///
    /// # Panics
    ///
    /// The answer differs from the expected one: a wrong program is not worth timing.
    #[must_use]
    #[track_caller]
    pub fn with<T: PartialEq + Debug + 'static>(
        mut self,
        name: &str,
        units: u64,
        expected: &T,
        mut work: impl FnMut() -> T + 'static,
    ) -> Self {
        assert_eq!(&work(), expected, "{}: {name}", self.title);
        self.contestants.push(Contestant {
            name: name.to_owned(),
            units,
            bytes: 0,
            goal: None,
            work: Box::new(move || {
                std::hint::black_box(work());
            }),
        });
        self
    }

    /// How many bytes a single run of the last contestant handles.
    #[must_use]
    pub fn bytes(mut self, bytes: usize) -> Self {
        if let Some(last) = self.contestants.last_mut() {
            last.bytes = bytes as u64;
        }
        self
    }

    /// What is aimed at: the last contestant's time over ours is at least this.
    #[must_use]
    pub fn goal(mut self, ratio: f64) -> Self {
        if let Some(last) = self.contestants.last_mut() {
            last.goal = Some(ratio);
        }
        self
    }

    /// The job.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What the cost is told for.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        self.unit
    }

    /// Those who do it, ours first.
    #[must_use]
    pub fn into_contestants(self) -> Vec<Contestant> {
        self.contestants
    }
}

/// One way to do the job.
pub struct Contestant {
    name: String,
    units: u64,
    bytes: u64,
    goal: Option<f64>,
    work: Box<dyn FnMut()>,
}

impl Contestant {
    /// Its name in tables.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Units a run handles.
    #[must_use]
    pub const fn units(&self) -> u64 {
        self.units
    }

    /// Bytes a run handles; 0 where bytes say nothing.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The ratio aimed at.
    #[must_use]
    pub const fn goal(&self) -> Option<f64> {
        self.goal
    }

    /// One run.
    pub fn run(&mut self) {
        (self.work)();
    }

    /// Its name and its work.
    #[must_use]
    pub fn into_parts(self) -> (String, Box<dyn FnMut()>) {
        (self.name, self.work)
    }
}
