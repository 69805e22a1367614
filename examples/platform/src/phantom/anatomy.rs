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

/// What every head has, from outside to inside.
const HEAD: [Ellipsoid; 57] = [
    // The headrest, below (behind) the head.
    at([0.0, 112.0, -20.0], [82.0, 5.0, 300.0], -650),
    at([0.0, 111.0, -20.0], [78.0, 2.5, 300.0], -900),
    // Neck and jaw.
    at([0.0, 12.0, -105.0], [62.0, 66.0, 70.0], -95),
    at([0.0, 12.0, -105.0], [59.0, 63.0, 68.0], 48),
    at([0.0, -48.0, -88.0], [46.0, 46.0, 34.0], 45),
    at([0.0, -50.0, -86.0], [40.0, 40.0, 17.0], 950),
    at([0.0, -44.0, -84.0], [35.0, 38.0, 20.0], 55),
    // Ears.
    at([78.0, 12.0, -35.0], [8.0, 16.0, 28.0], 10),
    at([-78.0, 12.0, -35.0], [8.0, 16.0, 28.0], 10),
    // Scalp: skin, fat, muscle.
    at([0.0, 0.0, 0.0], [78.0, 97.0, 92.0], 45),
    at([0.0, 0.0, 0.0], [76.5, 95.5, 90.5], -90),
    at([0.0, 0.0, 0.0], [74.0, 93.0, 87.5], 50),
    // Face and nose.
    at([0.0, -62.0, -48.0], [54.0, 38.0, 44.0], 42),
    at([0.0, -102.0, -44.0], [12.0, 14.0, 20.0], 35),
    // Skull: outer table, spongy bone, inner table, fluid.
    at([0.0, 0.0, 0.0], [72.5, 91.5, 86.0], 1350),
    at([0.0, 0.0, 0.0], [70.5, 89.5, 84.0], 620),
    at([0.0, 0.0, 0.0], [68.5, 87.5, 82.0], 1250),
    at([0.0, 0.0, 0.0], [66.5, 85.5, 80.0], 7),
    // Brain: grey and white matter of both halves, with the cleft between them.
    at([31.5, 0.0, 6.0], [32.0, 83.0, 70.0], 39),
    at([-31.5, 0.0, 6.0], [32.0, 83.0, 70.0], 39),
    at([32.0, 0.0, 10.0], [25.0, 72.0, 58.0], 28),
    at([-32.0, 0.0, 10.0], [25.0, 72.0, 58.0], 28),
    // The falx: a thin sheet in the middle.
    at([0.0, 0.0, 30.0], [0.9, 80.0, 48.0], 62),
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
    // Cerebellum, brain stem, fourth ventricle.
    at([22.0, 46.0, -42.0], [27.0, 27.0, 20.0], 36),
    at([-22.0, 46.0, -42.0], [27.0, 27.0, 20.0], 36),
    at([0.0, 16.0, -45.0], [13.0, 12.0, 42.0], 32),
    at([0.0, 33.0, -38.0], [6.0, 5.0, 9.0], 6),
    // Base of the skull: petrous bones, clivus, mastoid cells.
    at([38.0, 14.0, -52.0], [25.0, 9.0, 9.0], 1500),
    at([-38.0, 14.0, -52.0], [25.0, 9.0, 9.0], 1500),
    at([0.0, -12.0, -52.0], [9.0, 8.0, 15.0], 800),
    at([56.0, 26.0, -54.0], [9.0, 11.0, 13.0], -520),
    at([-56.0, 26.0, -54.0], [9.0, 11.0, 13.0], -520),
    // Orbits: fat, globe, lens, nerve.
    at([31.0, -68.0, -28.0], [19.0, 26.0, 18.0], -85),
    at([-31.0, -68.0, -28.0], [19.0, 26.0, 18.0], -85),
    at([31.0, -60.0, -28.0], [2.3, 20.0, 2.3], 35),
    at([-31.0, -60.0, -28.0], [2.3, 20.0, 2.3], 35),
    at([31.0, -80.0, -28.0], [12.0, 12.0, 12.0], 12),
    at([-31.0, -80.0, -28.0], [12.0, 12.0, 12.0], 12),
    at([31.0, -88.5, -28.0], [4.5, 2.2, 4.5], 95),
    at([-31.0, -88.5, -28.0], [4.5, 2.2, 4.5], 95),
    // Air: frontal and maxillary sinuses, nasal cavity, throat.
    at([0.0, -83.5, 4.0], [17.0, 4.5, 11.0], -990),
    at([26.0, -66.0, -62.0], [13.0, 16.0, 15.0], -995),
    at([-26.0, -66.0, -62.0], [13.0, 16.0, 15.0], -995),
    at([0.0, -70.0, -55.0], [10.0, 24.0, 21.0], -985),
    at([0.0, -70.0, -55.0], [1.2, 23.0, 20.0], 180),
    at([0.0, -22.0, -96.0], [10.0, 8.0, 32.0], -998),
    // Upper cervical spine.
    at([0.0, 34.0, -96.0], [20.0, 17.0, 24.0], 560),
];

/// The canal of the spine and what runs in it; drawn last.
const CANAL: [Ellipsoid; 2] = [
    at([0.0, 40.0, -98.0], [10.0, 8.0, 40.0], 10),
    at([0.0, 40.0, -98.0], [6.0, 5.0, 40.0], 35),
];

/// Furrows of the cortex, as many as a seed scatters.
const FURROWS: usize = 220;

/// The head of a seed at a height, without noise; outside the reconstructed circle the padding.
pub(crate) fn section(seed: u64, z: f64) -> Vec<i16> {
    let mut canvas = vec![AIR; PIXELS];
    let mut random = SplitMix::new(seed ^ 0x616E_6174_6F6D_7921);
    for ellipsoid in HEAD.iter().take(CORTEX) {
        paint(&mut canvas, ellipsoid, z);
    }
    for furrow in furrows(&mut random) {
        paint(&mut canvas, &furrow, z);
    }
    for ellipsoid in HEAD.iter().skip(CORTEX) {
        paint(&mut canvas, ellipsoid, z);
    }
    for ellipsoid in bleeding(&mut random).iter().chain(&CANAL) {
        paint(&mut canvas, ellipsoid, z);
    }
    pad(&mut canvas);
    canvas
}

/// The air around the head.
const AIR: i16 = -1000;
/// So many of [`HEAD`] lie below the furrows of the cortex.
const CORTEX: usize = 20;

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
        let wide = 1.3 + random.signed_unit() * 0.5;
        let long = 7.0 + random.signed_unit() * 3.0;
        let radii = if random.signed_unit() > 0.0 {
            [wide, long, long]
        } else {
            [long, wide, long]
        };
        furrows.push(at(
            [x * scale * 59.0, y * scale * 78.0, z * scale * 68.0 + 5.0],
            radii,
            11,
        ));
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
fn paint(canvas: &mut [i16], ellipsoid: &Ellipsoid, z: f64) {
    let [cx, cy, cz] = ellipsoid.centre;
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
