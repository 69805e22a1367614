//! Which chunks a source codes.

/// Which chunks a source sends in a coded form, to a receiver that takes it.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CoderPolicy {
    /// None.
    Off,
    /// Those whose coded form the source keeps: it costs no work at the source.
    AtRest,
    /// Those, and others while a [`Chooser`](super::Chooser) finds that more gets away coded than raw.
    #[default]
    Trial,
    /// All that are worth it, whatever the line.
    Always,
}
