//! A picture of rates over time, as SVG.

use std::fmt::Write as _;

use crate::emulator::BIN;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const BOTTOM: f64 = 40.0;
/// Bins of the emulator in one point of a line: 100 ms.
const BINS: usize = 10;
const COLOURS: [&str; 8] = [
    "#1b6ca8", "#c0392b", "#27803b", "#8e44ad", "#d68910", "#148f77", "#555555", "#b03a7c",
];

/// Named series of bytes in each bin.
pub fn svg(title: &str, series: &[(String, Vec<u64>)]) -> String {
    let seconds = BIN.as_secs_f64() * BINS as f64;
    let rates: Vec<(&str, Vec<f64>)> = series
        .iter()
        .map(|(name, bins)| {
            let sums = bins
                .chunks(BINS)
                .map(|part| part.iter().sum::<u64>() as f64 / seconds / 1e6);
            (name.as_str(), sums.collect())
        })
        .collect();
    let longest = rates
        .iter()
        .map(|(_, rates)| rates.len())
        .max()
        .unwrap_or(1)
        .max(1);
    let most = rates
        .iter()
        .flat_map(|(_, rates)| rates)
        .fold(1.0_f64, |most, rate| most.max(*rate))
        * 1.05;
    let x = |at: usize| LEFT + (WIDTH - LEFT - 150.0) * at as f64 / longest as f64;
    let y = |rate: f64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 40.0) * rate / most;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{title}</text>\n"
    );
    // Writing to a string cannot fail.
    for step in 0..=4 {
        let rate = most * f64::from(step) / 4.0;
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#ddd\"/>",
            x(longest),
            y(rate)
        );
        let _ = writeln!(
            text,
            "<text x=\"8\" y=\"{:.1}\">{rate:.0} MB/s</text>",
            y(rate) + 4.0
        );
        let at = longest * step as usize / 4;
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\">{:.1} s</text>",
            x(at),
            HEIGHT - 15.0,
            at as f64 * seconds
        );
    }
    for (index, (name, rates)) in rates.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let points: Vec<String> = rates
            .iter()
            .enumerate()
            .map(|(at, rate)| format!("{:.1},{:.1}", x(at), y(*rate)))
            .collect();
        let _ = writeln!(
            text,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.join(" ")
        );
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            WIDTH - 140.0,
            40.0 + 18.0 * index as f64
        );
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_every_series_has_a_line() {
        let picture = svg(
            "a line",
            &[
                ("one".into(), vec![1_000_000; 100]),
                ("two".into(), Vec::new()),
            ],
        );
        assert_eq!(picture.matches("<polyline").count(), 2);
        // 10^6 bytes in each 10 ms are 100 MB/s; the axis ends 5 % above.
        assert!(
            picture.contains(">105 MB/s<") && picture.contains(">1.0 s<"),
            "{picture}"
        );
    }
}
