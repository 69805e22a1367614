//! The head: ellipsoids in millimetres, painted one over the other. x runs to the patient's left,
//! y to the back, z to the top; the origin lies in the middle of the brain. Sizes and Hounsfield
//! units are round numbers near those of textbooks.

#![expect(
    clippy::float_arithmetic,
    reason = "geometry; only correctly rounded operations, so equal everywhere"
)]

use super::random::SplitMix;
use super::{HU_MIN, PIXEL_MM, PIXELS, SIDE};

/// One ellipsoid with its axes along those of the patient.
#[derive(Debug, Clone, Copy)]
struct Ellipsoid {
    centre: [f64; 3],
    radii: [f64; 3],
    hu: i16,
}

const fn at(centre: [f64; 3], radii: [f64; 3], hu: i16) -> Ellipsoid {
    Ellipsoid { centre, radii, hu }
}

/// What lies around and below the skull, and the skull itself.
const SHELL: [Ellipsoid; 18] = [
    // The headrest, below (behind) the head.
    at([0.0, 112.0, -20.0], [82.0, 5.0, 300.0], -650),
    at([0.0, 111.0, -20.0], [78.0, 2.5, 300.0], -900),
    // Neck.
    at([0.0, 12.0, -105.0], [62.0, 66.0, 70.0], -95),
    at([0.0, 12.0, -105.0], [59.0, 63.0, 68.0], 48),
    // Ears.
    at([78.0, 12.0, -35.0], [8.0, 16.0, 28.0], 10),
    at([-78.0, 12.0, -35.0], [8.0, 16.0, 28.0], 10),
    // Scalp: skin, fat, muscle.
    at([0.0, 0.0, 4.0], [78.0, 97.0, 92.0], 45),
    at([0.0, 0.0, 4.0], [76.5, 95.5, 90.5], -90),
    at([0.0, 0.0, 4.0], [74.0, 93.0, 88.0], 50),
    // Face, nose, jaw.
    at([0.0, -58.0, -56.0], [54.0, 40.0, 52.0], 42),
    at([0.0, -102.0, -44.0], [12.0, 14.0, 20.0], 35),
    at([0.0, -50.0, -90.0], [42.0, 42.0, 15.0], 950),
    at([0.0, -45.0, -88.0], [36.0, 40.0, 18.0], 55),
    // Skull: outer table, spongy bone, inner table, fluid.
    at([0.0, 0.0, 10.0], [72.5, 91.5, 82.0], 1350),
    at([0.0, 0.0, 10.0], [70.5, 89.5, 80.0], 620),
    at([0.0, 0.0, 10.0], [68.5, 87.5, 78.0], 1250),
    at([0.0, 0.0, 10.0], [66.5, 85.5, 76.0], 7),
    // The brain as a whole: grey matter.
    at([0.0, 0.0, 11.0], [64.5, 83.0, 73.5], 38),
];

/// What lies inside, drawn over the furrows of the cortex.
const INSIDE: [Ellipsoid; 43] = [
    // White matter of both halves.
    at([29.0, -4.0, 22.0], [23.0, 62.0, 48.0], 28),
    at([-29.0, -4.0, 22.0], [23.0, 62.0, 48.0], 28),
    at([33.0, 22.0, 16.0], [23.0, 42.0, 38.0], 28),
    at([-33.0, 22.0, 16.0], [23.0, 42.0, 38.0], 28),
    at([0.0, -6.0, 24.0], [16.0, 30.0, 7.0], 29),
    // The cleft between the halves, and the falx in it: a thin sheet.
    at([0.0, -2.0, 58.0], [2.4, 74.0, 26.0], 9),
    at([0.0, 0.0, 46.0], [0.9, 79.0, 38.0], 62),
    // The clefts at the sides.
    at([50.0, -14.0, 6.0], [11.0, 20.0, 2.2], 9),
    at([-50.0, -14.0, 6.0], [11.0, 20.0, 2.2], 9),
    // Basal ganglia.
    at([17.0, -8.0, 6.0], [8.0, 18.0, 12.0], 41),
    at([-17.0, -8.0, 6.0], [8.0, 18.0, 12.0], 41),
    // Ventricles.
    at([11.0, -22.0, 18.0], [5.0, 18.0, 9.0], 6),
    at([-11.0, -22.0, 18.0], [5.0, 18.0, 9.0], 6),
    at([16.0, 18.0, 16.0], [6.0, 24.0, 8.0], 6),
    at([-16.0, 18.0, 16.0], [6.0, 24.0, 8.0], 6),
    at([0.0, -2.0, 4.0], [2.4, 14.0, 9.0], 6),
    // Choroid plexus and pineal gland, calcified.
    at([18.0, 26.0, 16.0], [2.5, 4.0, 2.5], 210),
    at([-18.0, 26.0, 16.0], [2.5, 4.0, 2.5], 190),
    at([0.0, 16.0, 6.0], [2.2, 2.6, 2.2], 240),
    // Fluid at the base, cerebellum, brain stem, fourth ventricle.
    at([0.0, 2.0, -24.0], [17.0, 17.0, 8.0], 9),
    at([20.0, 38.0, -36.0], [25.0, 25.0, 18.0], 35),
    at([-20.0, 38.0, -36.0], [25.0, 25.0, 18.0], 35),
    at([0.0, 14.0, -52.0], [12.0, 11.0, 46.0], 32),
    at([0.0, 29.0, -36.0], [6.0, 5.0, 9.0], 6),
    // Base of the skull: petrous bones, clivus, mastoid cells.
    at([38.0, 10.0, -48.0], [24.0, 8.0, 8.0], 1500),
    at([-38.0, 10.0, -48.0], [24.0, 8.0, 8.0], 1500),
    at([0.0, -10.0, -54.0], [9.0, 7.0, 14.0], 800),
    at([56.0, 22.0, -52.0], [8.0, 10.0, 12.0], -520),
    at([-56.0, 22.0, -52.0], [8.0, 10.0, 12.0], -520),
    // Orbits: fat, nerve, globe, lens.
    at([31.0, -68.0, -28.0], [19.0, 26.0, 18.0], -85),
    at([-31.0, -68.0, -28.0], [19.0, 26.0, 18.0], -85),
    at([31.0, -60.0, -28.0], [2.3, 20.0, 2.3], 35),
    at([-31.0, -60.0, -28.0], [2.3, 20.0, 2.3], 35),
    at([31.0, -80.0, -28.0], [12.0, 12.0, 12.0], 12),
    at([-31.0, -80.0, -28.0], [12.0, 12.0, 12.0], 12),
    at([31.0, -88.5, -28.0], [4.5, 2.2, 4.5], 95),
    at([-31.0, -88.5, -28.0], [4.5, 2.2, 4.5], 95),
    // Air: frontal and maxillary sinuses, nasal cavity with its septum, throat.
    at([0.0, -84.5, -2.0], [17.0, 4.0, 11.0], -990),
    at([26.0, -66.0, -64.0], [13.0, 16.0, 15.0], -995),
    at([-26.0, -66.0, -64.0], [13.0, 16.0, 15.0], -995),
    at([0.0, -70.0, -57.0], [10.0, 24.0, 21.0], -985),
    at([0.0, -70.0, -57.0], [1.2, 23.0, 20.0], 180),
    at([0.0, -20.0, -100.0], [10.0, 8.0, 34.0], -998),
];

/// The upper spine, its canal and what runs in it; drawn last.
const SPINE: [Ellipsoid; 3] = [
    at([0.0, 34.0, -100.0], [20.0, 17.0, 30.0], 560),
    at([0.0, 40.0, -98.0], [10.0, 8.0, 40.0], 10),
    at([0.0, 40.0, -98.0], [6.0, 5.0, 40.0], 35),
];

/// Furrows of the cortex, as many as a seed scatters.
const FURROWS: usize = 320;

/// The head of a seed at a height, without noise; outside the reconstructed circle the padding.
pub(crate) fn section(seed: u64, z: f64) -> Vec<i16> {
    let mut canvas = vec![AIR; PIXELS];
    let mut random = SplitMix::new(seed ^ 0x616E_6174_6F6D_7921);
    // Nobody lies exactly in the middle.
    let aside = if random.signed_unit() > 0.0 {
        1.0
    } else {
        -1.0
    };
    let aside = aside * (5.0 + random.signed_unit());
    let furrows = furrows(&mut random);
    let bleeding = bleeding(&mut random);
    let head = SHELL.iter().chain(&furrows).chain(&INSIDE);
    for ellipsoid in head.chain(&bleeding).chain(&SPINE) {
        paint(&mut canvas, ellipsoid, aside, z);
    }
    pad(&mut canvas);
    canvas
}

/// The air around the head.
const AIR: i16 = -1000;

/// Fluid in the furrows between the folds of the cortex: flat, just below the inner table.
fn furrows(random: &mut SplitMix) -> Vec<Ellipsoid> {
    let mut furrows = Vec::with_capacity(FURROWS);
    while furrows.len() < FURROWS {
        let direction = [
            random.signed_unit(),
            random.signed_unit(),
            random.signed_unit(),
        ];
        let [x, y, z] = direction;
        let length = (x * x + y * y + z * z).sqrt();
        // Even on the sphere; none at the base of the brain.
        if !(0.1..=1.0).contains(&length) || z < -0.3 * length {
            continue;
        }
        let scale = 1.0 / length;
        let thin = 1.2 + random.signed_unit() * 0.4;
        let deep = 8.0 + random.signed_unit() * 3.0;
        // Furrows run inward from the surface.
        let radii = if x.abs() > y.abs() {
            [deep, thin, 5.0]
        } else {
            [thin, deep, 5.0]
        };
        let centre = [x * scale * 60.0, y * scale * 78.0, z * scale * 68.0 + 11.0];
        furrows.push(at(centre, radii, 11));
    }
    furrows
}

/// A fresh bleeding with swelling around it, in one of the halves.
fn bleeding(random: &mut SplitMix) -> [Ellipsoid; 3] {
    let side = if random.signed_unit() > 0.0 {
        1.0
    } else {
        -1.0
    };
    let x = side * (32.0 + random.signed_unit() * 5.0);
    let y = 8.0 + random.signed_unit() * 14.0;
    let z = 16.0 + random.signed_unit() * 12.0;
    [
        at([x, y, z], [15.0, 18.0, 14.0], 18),
        at([x, y, z], [9.0, 11.0, 8.5], 66),
        at([x + 3.0, y - 4.0, z + 1.0], [5.0, 6.0, 5.0], 74),
    ]
}

/// Paints the cut of an ellipsoid, span by span; the pixels at both ends are blended by how much
/// of them it covers.
fn paint(canvas: &mut [i16], ellipsoid: &Ellipsoid, aside: f64, z: f64) {
    let [cx, cy, cz] = ellipsoid.centre;
    let cx = cx + aside;
    let [rx, ry, rz] = ellipsoid.radii;
    let dz = (z - cz) / rz;
    let cut = 1.0 - dz * dz;
    if cut <= 0.0 {
        return;
    }
    let side = usize::from(SIDE);
    let middle = f64::from(SIDE) * 0.5;
    for (row, pixels) in canvas.chunks_mut(side).enumerate() {
        let y = (f64::from(u32::try_from(row).unwrap_or(0)) + 0.5 - middle) * PIXEL_MM;
        let dy = (y - cy) / ry;
        let rest = cut - dy * dy;
        if rest <= 0.0 {
            continue;
        }
        let half = rx * rest.sqrt();
        let from = ((cx - half) / PIXEL_MM + middle).clamp(0.0, f64::from(SIDE));
        let to = ((cx + half) / PIXEL_MM + middle).clamp(0.0, f64::from(SIDE));
        span(pixels, from, to, ellipsoid.hu);
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "both ends are within the row"
)]
fn span(pixels: &mut [i16], from: f64, to: f64, hu: i16) {
    let (first, last) = (from.ceil() as usize, to.floor() as usize);
    if let Some(whole) = pixels.get_mut(first..last) {
        whole.fill(hu);
    }
    let before = first.checked_sub(1).and_then(|index| pixels.get_mut(index));
    if let Some(pixel) = before {
        *pixel = blend(*pixel, hu, from.ceil() - from);
    }
    if last >= first
        && let Some(pixel) = pixels.get_mut(last)
    {
        *pixel = blend(*pixel, hu, to - to.floor());
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "between two values of the type"
)]
fn blend(below: i16, above: i16, part: f64) -> i16 {
    let below = f64::from(below);
    (below + (f64::from(above) - below) * part) as i16
}

/// Outside the circle that the scanner reconstructs there is nothing.
fn pad(canvas: &mut [i16]) {
    let side = i32::from(SIDE);
    let radius = side * side;
    for (row, pixels) in (0_i32..).zip(canvas.chunks_mut(usize::from(SIDE))) {
        let y = 2 * row + 1 - side;
        for (column, pixel) in (0_i32..).zip(pixels) {
            let x = 2 * column + 1 - side;
            if x * x + y * y > radius {
                *pixel = HU_MIN;
            }
        }
    }
}
