//! Pictures of a study for people: one good slice with two reformats ([`preview`]), and a sheet of
//! all series ([`contact_sheet`]), as PNG.
//!
//! Instances are read through a closure, one at a time, so a study of any size needs the memory of
//! one instance. Nothing about the bytes is believed: sizes have limits, what cannot be drawn
//! becomes a crossed tile and a line in the report, and the counts of the report add up.
//!
//! These pictures are for finding one's way. They are not for diagnosis.
//!
//! ```
//! use mic_platform::phantom::Phantom;
//! use mic_platform::picture;
//!
//! let phantom = Phantom::new(3, 4);
//! let sheet = picture::contact_sheet(4, &|n| {
//!     let slice = u16::try_from(n).map_err(std::io::Error::other)?;
//!     Ok(phantom.slice(slice))
//! })?;
//! assert!(sheet.png.starts_with(b"\x89PNG"));
//! assert_eq!((sheet.report.frames, sheet.report.drawn), (4, 4));
//! # Ok::<(), picture::PictureError>(())
//! ```

#![expect(
    clippy::float_arithmetic,
    reason = "grey levels and places in a picture; nothing is stored of them"
)]

mod canvas;
mod codec;
mod frame;
mod jpegls;
mod order;
mod raster;
mod reformat;
mod report;
mod survey;
mod tone;

use std::io;

pub use self::report::{NotDrawn, Picture, PictureError, PictureReport, Reason};

use canvas::{Canvas, Rect};
use order::spread;
use report::Counted;
use survey::{Series, Survey};

/// Pixels of one frame. The largest detectors have 20 million; whole-slide images are tiled.
pub const FRAME_PIXELS_MAX: usize = 1 << 26;
/// Tiles of a sheet in a row.
pub const SHEET_COLUMNS: usize = 8;
/// Rows of tiles of a sheet with few series.
pub const SHEET_ROWS: usize = 6;
/// Rows of tiles of a sheet with many series, each of which has a row of its own. The frames of
/// series beyond these count as left out.
pub const SHEET_ROWS_MAX: usize = 24;
/// Slices that a reformat is made of; of more, so many are chosen evenly.
pub const REFORMAT_SLICES_MAX: usize = 512;

const TILE: usize = 160;
const GAP: usize = 4;
const PREVIEW: usize = 512;
/// Below so many slices a reformat shows stripes.
const REFORMAT_SLICES_MIN: usize = 8;

/// Reads the stored bytes of the instance with this number.
pub type ReadInstance<'r> = dyn Fn(usize) -> io::Result<Vec<u8>> + 'r;

/// One good slice of the study: the middle of its largest volume, with reformats in the two other
/// directions beside it where the series is a volume.
///
/// # Errors
/// [`PictureError::NothingToDraw`] when no instance has pixels that can be drawn; the report says
/// why for each.
pub fn preview(instances: usize, read: &ReadInstance<'_>) -> Result<Picture, PictureError> {
    let survey = Survey::of(instances, read);
    let mut counted = Counted::new(&survey);
    let mut candidates: Vec<&Series> = survey.series.iter().collect();
    candidates.sort_by_key(|series| core::cmp::Reverse(series.worth()));
    for series in candidates {
        let middle = series.frames / 2;
        let Some(raster) = counted.draw(series, middle, read) else {
            continue;
        };
        let mut views = vec![raster];
        if series.is_volume() && series.shots.len() >= REFORMAT_SLICES_MIN {
            views.extend(reformat::views(series, read));
        }
        let width = views.len() * (PREVIEW + GAP) + GAP;
        let mut canvas = Canvas::new(width, PREVIEW + 2 * GAP)?;
        for (nth, view) in views.iter().enumerate() {
            canvas.fit(
                view,
                Rect::square(GAP + nth * (PREVIEW + GAP), GAP, PREVIEW),
            );
        }
        return Picture::new(&canvas, counted.done());
    }
    Err(PictureError::NothingToDraw(counted.done()))
}

/// A sheet of small pictures: the frames of each series in geometric order, chosen evenly when
/// there are more than [`SHEET_COLUMNS`] times [`SHEET_ROWS`]. Each series begins a row; its tiles
/// carry the number of the slice in it.
///
/// # Errors
/// [`PictureError::NothingToDraw`] when no instance has pixels.
pub fn contact_sheet(instances: usize, read: &ReadInstance<'_>) -> Result<Picture, PictureError> {
    let survey = Survey::of(instances, read);
    let mut counted = Counted::new(&survey);
    let rows = rows_of(&survey);
    let lines: usize = rows.iter().sum();
    if lines == 0 {
        return Err(PictureError::NothingToDraw(counted.done()));
    }
    let shown = rows.iter().filter(|rows| **rows > 0).count();
    let width = SHEET_COLUMNS * (TILE + GAP) + GAP;
    let height = lines * (TILE + GAP) + GAP + shown.saturating_sub(1) * GAP;
    let mut canvas = Canvas::new(width, height)?;
    let mut top = GAP;
    for (series, rows) in survey.series.iter().zip(rows).filter(|(_, rows)| *rows > 0) {
        let room = rows * SHEET_COLUMNS;
        for (nth, position) in spread(series.frames, room).enumerate() {
            let left = GAP + (nth % SHEET_COLUMNS) * (TILE + GAP);
            let tile = Rect::square(left, top + (nth / SHEET_COLUMNS) * (TILE + GAP), TILE);
            match counted.draw(series, position, read) {
                Some(raster) => canvas.fit(&raster, tile),
                None => canvas.cross(tile),
            }
            canvas.number(position + 1, tile);
        }
        top += rows * (TILE + GAP);
        canvas.line(top);
        top += GAP;
    }
    Picture::new(&canvas, counted.done())
}

/// How many rows of the sheet each series gets: one each, as long as there are rows, then one more
/// in turn to those with most frames still hidden.
fn rows_of(survey: &Survey) -> Vec<usize> {
    let mut rows = vec![0_usize; survey.series.len()];
    let hidden = |series: &Series, rows: usize| {
        let room = u64::try_from(rows * SHEET_COLUMNS).unwrap_or(u64::MAX);
        series.frames.saturating_sub(room)
    };
    for _ in 0..survey.series.len().clamp(SHEET_ROWS, SHEET_ROWS_MAX) {
        let next = survey
            .series
            .iter()
            .zip(&mut rows)
            .filter(|(series, rows)| hidden(series, **rows) > 0)
            // A series without a row goes before those with more to show.
            .max_by_key(|(series, rows)| (**rows == 0, hidden(series, **rows)));
        match next {
            Some((_, rows)) => *rows += 1,
            None => break,
        }
    }
    rows
}
