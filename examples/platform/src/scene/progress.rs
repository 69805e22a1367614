//! Progress bars on standard error; silent where nobody looks.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws the bars of a scene.
#[derive(Debug)]
pub(super) struct Progress {
    bars: MultiProgress,
}

impl Progress {
    /// Bars on standard error if `visible` and it is a terminal.
    pub(super) fn new(visible: bool) -> Self {
        let target = if visible {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
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

    /// Prints a line above the bars.
    pub(super) fn say(&self, line: &str) {
        if self.bars.is_hidden() {
            return;
        }
        let _ = self.bars.println(line);
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
