//! A volume seen from the side: one row and one column of each slice, set one above the other.
//! Unequal distances between slices and a tilted gantry are corrected for.

use super::frame::Instance;
use super::order::{along_normal, dot, spread};
use super::raster::{Raster, float, floor};
use super::survey::{Series, Shot};
use super::tone::{self, Window};
use super::{REFORMAT_SLICES_MAX, ReadInstance};

/// Longest side of a reformat before it is fitted to its place.
const HEIGHT_MAX: f64 = 512.0;

/// Two lines of one slice.
struct Cut {
    place: f64,
    row: Vec<u8>,
    column: Vec<u8>,
}

/// The reformats along the rows and along the columns; none when slices cannot be read or lie at
/// one place.
pub(super) fn views(series: &Series, read: &ReadInstance<'_>) -> Vec<Raster> {
    let cuts = cuts(series, read);
    let spacing = series
        .shots
        .first()
        .and_then(|shot| shot.geometry.pixel_spacing);
    let (Some(first), Some(last), Some([between_rows, between_columns])) =
        (cuts.first(), cuts.last(), spacing)
    else {
        return Vec::new();
    };
    let extent = last.place - first.place;
    let usable = extent.is_finite() && extent > 0.0 && between_rows > 0.0 && between_columns > 0.0;
    if !usable {
        return Vec::new();
    }
    vec![
        stack(&cuts, |cut| &cut.row, between_columns),
        stack(&cuts, |cut| &cut.column, between_rows),
    ]
}

/// Reads the slices, all with the window of the middle one.
fn cuts(series: &Series, read: &ReadInstance<'_>) -> Vec<Cut> {
    let middle = series.shots.get(series.shots.len() / 2);
    let Some(middle) = middle else {
        return Vec::new();
    };
    let window = Instance::open(middle.instance, read)
        .and_then(|instance| instance.frame(0))
        .map(|drawing| tone::window(&drawing));
    let Ok(window) = window else {
        return Vec::new();
    };
    spread(series.frames, REFORMAT_SLICES_MAX)
        .filter_map(|position| series.at(position))
        .filter_map(|(shot, _)| cut(shot, middle, window, read))
        .collect()
}

fn cut(shot: &Shot, middle: &Shot, window: Window, read: &ReadInstance<'_>) -> Option<Cut> {
    let position = shot.geometry.position?;
    let orientation = shot.geometry.orientation?;
    let [between_rows, between_columns] = shot.geometry.pixel_spacing?;
    let drawing = Instance::open(shot.instance, read).ok()?.frame(0).ok()?;
    if drawing.frame.channels != 1 {
        return None;
    }
    // How far this slice is shifted in its own plane against the middle one.
    let [rx, ry, rz, cx, cy, cz] = orientation;
    let origin = middle.geometry.position?;
    let right = dot(position, [rx, ry, rz]) - dot(origin, [rx, ry, rz]);
    let down = dot(position, [cx, cy, cz]) - dot(origin, [cx, cy, cz]);
    let (right, down) = (right / between_columns, down / between_rows);
    let (rows, columns) = (usize::from(shot.rows), usize::from(shot.columns));
    let grey = |row: f64, column: f64| {
        let inside = row >= 0.0 && column >= 0.0 && row < float(rows) && column < float(columns);
        let index = floor(row) * columns + floor(column);
        let value = drawing.frame.values.get(index).filter(|_| inside);
        value.map_or(0, |value| window.grey(*value))
    };
    let (half_row, half_column) = (float(rows / 2) - down, float(columns / 2) - right);
    Some(Cut {
        place: along_normal(position, orientation),
        row: (0..columns)
            .map(|column| grey(half_row, float(column) - right))
            .collect(),
        column: (0..rows)
            .map(|row| grey(float(row) - down, half_column))
            .collect(),
    })
}

/// Sets the lines one above the other at even distances, the highest place on top.
fn stack(cuts: &[Cut], line: impl Fn(&Cut) -> &Vec<u8>, spacing: f64) -> Raster {
    let (bottom, top) = (
        cuts.first().map_or(0.0, |cut| cut.place),
        cuts.last().map_or(0.0, |cut| cut.place),
    );
    let width = cuts.first().map_or(0, |cut| line(cut).len());
    let height = ((top - bottom) / spacing).clamp(1.0, HEIGHT_MAX);
    let step = (top - bottom) / height;
    let height = floor(height).max(1);
    let mut rgb = Vec::with_capacity(width.saturating_mul(height));
    for row in 0..height {
        let place = top - (float(row) + 0.5) * step;
        let after = cuts.partition_point(|cut| cut.place < place);
        let below = cuts.get(after.saturating_sub(1));
        let (Some(below), Some(above)) = (below, cuts.get(after).or(below)) else {
            continue;
        };
        let gap = above.place - below.place;
        let part = if gap > 0.0 {
            ((place - below.place) / gap).clamp(0.0, 1.0)
        } else {
            0.0
        };
        for (low, high) in line(below).iter().zip(line(above)) {
            let (low, high) = (f64::from(*low), f64::from(*high));
            rgb.push([super::raster::byte(low + (high - low) * part); 3]);
        }
    }
    Raster {
        width,
        height,
        tallness: step / spacing,
        rgb,
    }
}
