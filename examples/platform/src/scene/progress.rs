//! Progress bars on standard error; silent where nobody looks.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws the bars of a scene.
#[derive(Debug)]
pub(super) struct Progress {
    bars: MultiProgress,
    talk: bool,
}

impl Progress {
    /// Texts and bars if `talk`; bars only where standard error is a terminal.
    pub(super) fn new(talk: bool) -> Self {
        let target = if talk {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            talk,
        }
    }

    /// A bar that counts bytes.
    pub(super) fn bytes(&self, title: &str, total: u64) -> ProgressBar {
        self.bar(
            title,
            total,
            "{prefix:<18} [{bar:32}] {bytes:>11}/{total_bytes} {bytes_per_sec:>12} ETA {eta} {msg}",
        )
    }

    /// A bar that counts things.
    pub(super) fn count(&self, title: &str, total: u64) -> ProgressBar {
        self.bar(
            title,
            total,
            "{prefix:<18} [{bar:32}] {pos:>6}/{len} ETA {eta} {msg}",
        )
    }

    /// Prints text for people on standard output, above the bars.
    #[expect(clippy::print_stdout, reason = "this is what the scene says to people")]
    pub(super) fn say(&self, text: &str) {
        if self.talk {
            self.bars.suspend(|| println!("{text}"));
        }
    }

    fn bar(&self, title: &str, total: u64, template: &str) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new(total));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(title.to_owned());
        bar
    }
}
