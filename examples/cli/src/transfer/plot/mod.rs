//! `--plot FILE`: the rate of a run over time, as SVG or PNG.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use mic_platform::problem::Problem;
use mic_platform::scene::Lang;

mod png;
mod svg;

/// Bins that are kept; with one more, neighbours are joined, so that a run may take days.
const BINS_MAX: usize = 4096;
/// The width of a bin at first.
const BIN: Duration = Duration::from_millis(1);
/// Steps of the curve that is drawn.
const STEPS: usize = 120;

/// Size of the picture, and of its margins.
const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 92.0;
const RIGHT: f64 = 36.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 48.0;
/// Lines across, on each axis.
const TICKS: usize = 5;

/// What kind of file a plot is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Svg,
    Png,
}

/// A file to plot into.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    path: PathBuf,
    kind: Kind,
}

/// For clap: a name that ends in .svg or .png.
pub(super) fn target(text: &str) -> Result<Target, String> {
    let path = PathBuf::from(text);
    let ending = path.extension().and_then(|ending| ending.to_str());
    let kind = match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => Kind::Svg,
        Some("png") => Kind::Png,
        _ => return Err("expected a name that ends in .svg or .png".to_owned()),
    };
    Ok(Target { path, kind })
}

/// Bytes by time, since it was made. Shared between threads.
#[derive(Debug)]
pub(super) struct Meter {
    began: Instant,
    bins: Mutex<Bins>,
}

impl Meter {
    pub(super) fn start() -> Self {
        Self {
            began: Instant::now(),
            bins: Mutex::new(Bins::new()),
        }
    }

    /// So many bytes came now.
    pub(super) fn add(&self, bytes: u64) {
        let now = self.began.elapsed();
        let mut bins = self.bins.lock().unwrap_or_else(PoisonError::into_inner);
        bins.add(now, bytes);
    }

    /// Draws what came until now.
    pub(super) fn draw(&self, target: &Target) -> Result<(), Problem> {
        let took = self.began.elapsed();
        let bins = self.bins.lock().unwrap_or_else(PoisonError::into_inner);
        let curve = bins.curve(took);
        let file = match target.kind {
            Kind::Svg => svg::draw(&curve, Lang::of_environment()).into_bytes(),
            Kind::Png => png::draw(&curve).map_err(|e| Problem::system("transfer.plot", e))?,
        };
        write(&target.path, &file)
    }
}

fn write(path: &Path, file: &[u8]) -> Result<(), Problem> {
    std::fs::write(path, file).map_err(|e| Problem::system("transfer.plot", e).at(path.display()))
}

#[derive(Debug)]
struct Bins {
    width: Duration,
    bytes: Vec<u64>,
}

impl Bins {
    const fn new() -> Self {
        Self {
            width: BIN,
            bytes: Vec::new(),
        }
    }

    fn add(&mut self, at: Duration, bytes: u64) {
        let mut bin = at.as_nanos() / self.width.as_nanos().max(1);
        while bin >= BINS_MAX as u128 {
            self.bytes = self.bytes.chunks(2).map(|two| two.iter().sum()).collect();
            self.width = self.width.saturating_mul(2);
            bin = at.as_nanos() / self.width.as_nanos().max(1);
        }
        let bin = usize::try_from(bin).unwrap_or(BINS_MAX);
        if self.bytes.len() <= bin {
            self.bytes.resize(bin + 1, 0);
        }
        if let Some(sum) = self.bytes.get_mut(bin) {
            *sum = sum.saturating_add(bytes);
        }
    }

    /// At most [`STEPS`] steps; the last may be narrower than the others.
    fn curve(&self, took: Duration) -> Curve {
        let group = self.bytes.len().div_ceil(STEPS).max(1);
        let bin_s = self.width.as_secs_f64();
        let step = |(at, part): (usize, &[u64])| Step {
            from_s: (at * group) as f64 * bin_s,
            to_s: (at * group + part.len()) as f64 * bin_s,
            mb_s: part.iter().sum::<u64>() as f64 / (part.len() as f64 * bin_s) / 1e6,
        };
        let steps: Vec<Step> = self.bytes.chunks(group).enumerate().map(step).collect();
        let megabytes = self.bytes.iter().sum::<u64>() as f64 / 1e6;
        let end_s = steps.last().map_or(bin_s, |step| step.to_s);
        let most = steps.iter().fold(0.0_f64, |most, step| most.max(step.mb_s));
        Curve {
            mean_mb_s: megabytes / took.as_secs_f64().max(1e-9),
            seconds: took.as_secs_f64().max(end_s),
            top_mb_s: round_up(most),
            steps,
            megabytes,
        }
    }
}

#[derive(Debug)]
struct Step {
    from_s: f64,
    to_s: f64,
    mb_s: f64,
}

/// What is drawn: MB (10^6 bytes) a second, in steps.
#[derive(Debug)]
struct Curve {
    steps: Vec<Step>,
    /// Where the axes end.
    seconds: f64,
    top_mb_s: f64,
    mean_mb_s: f64,
    megabytes: f64,
}

impl Curve {
    fn x(&self, seconds: f64) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds
    }

    fn y(&self, mb_s: f64) -> f64 {
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * mb_s / self.top_mb_s
    }

    /// The corners of the steps, from the first to the last.
    fn corners(&self) -> Vec<(f64, f64)> {
        let ends = |step: &Step| [step.from_s, step.to_s].map(|at| (self.x(at), self.y(step.mb_s)));
        self.steps.iter().flat_map(ends).collect()
    }

    /// The marks of both axes: seconds and rates.
    fn ticks(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        (0..=TICKS).map(|tick| {
            let share = tick as f64 / TICKS as f64;
            (self.seconds * share, self.top_mb_s * share)
        })
    }
}

/// Up to 1, 2 or 5 times a power of ten, so that the marks are round.
fn round_up(most: f64) -> f64 {
    let power = 10.0_f64.powf(most.max(1e-3).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let fitting = steps
        .iter()
        .find(|step| *step * power >= most * (1.0 - 1e-9));
    fitting.unwrap_or(&10.0) * power
}

/// A number with as many digits as tell its mark from the next.
fn label(value: f64, axis: f64) -> String {
    let digits = match axis / TICKS as f64 {
        step if step >= 2.0 => 0,
        step if step >= 0.2 => 1,
        step if step >= 0.02 => 2,
        _ => 4,
    };
    format!("{value:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_joined_bins_lose_no_byte_and_no_place() {
        let mut bins = Bins::new();
        for second in 0..100_000_u64 {
            bins.add(Duration::from_secs(second), 7);
        }
        assert!(bins.bytes.len() <= BINS_MAX);
        assert_eq!(bins.bytes.iter().sum::<u64>(), 700_000);
        let half = bins.bytes.len() / 2;
        let first: u64 = bins.bytes[..half].iter().sum();
        assert!(first.abs_diff(350_000) < 1_000, "{first}");
    }

    #[test]
    fn ok_a_steady_rate_is_a_level_curve() {
        let mut bins = Bins::new();
        (0..1_000).for_each(|ms| bins.add(Duration::from_millis(ms), 100_000));
        let curve = bins.curve(Duration::from_secs(1));
        assert!(
            curve
                .steps
                .iter()
                .all(|step| (step.mb_s - 100.0).abs() < 1e-6),
            "{curve:?}"
        );
        assert_eq!((curve.seconds, curve.megabytes), (1.0, 100.0));
        assert!((curve.mean_mb_s - 100.0).abs() < 1e-6);
    }

    #[test]
    fn ok_nothing_that_came_is_an_empty_picture() {
        let curve = Bins::new().curve(Duration::from_millis(5));
        assert!(curve.corners().is_empty());
        assert!(svg::draw(&curve, Lang::En).ends_with("</svg>\n"));
        assert!(png::draw(&curve).is_ok());
    }

    #[test]
    fn ok_axes_end_on_round_numbers() {
        for (most, end) in [
            (0.0, 0.001),
            (1.0, 1.0),
            (103.4, 200.0),
            (117.7, 200.0),
            (49.0, 50.0),
        ] {
            assert!(
                (round_up(most) / end - 1.0).abs() < 1e-9,
                "{most}: {}",
                round_up(most)
            );
        }
        assert_eq!(label(12.345, 100.0), "12");
        assert_eq!(label(0.12, 0.2), "0.12");
    }

    #[test]
    fn err_another_kind_of_file() {
        for name in ["rate", "rate.gif", ".svg"] {
            assert!(target(name).is_err(), "{name}");
        }
        assert!(target("a.SVG").is_ok_and(|target| target.kind == Kind::Svg));
    }
}
