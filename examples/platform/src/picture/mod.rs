//! Pictures of a study, as PNG.
