//! The curve as SVG, in Chinese or English.

use std::fmt::Write as _;

use mic_platform::scene::Lang;

use super::{BOTTOM, Curve, HEIGHT, LEFT, RIGHT, TOP, WIDTH, label};

struct Words {
    rate: &'static str,
    time: &'static str,
    mean: &'static str,
}

const ENGLISH: Words = Words {
    rate: "rate (MB/s)",
    time: "time (s)",
    mean: "mean",
};
const CHINESE: Words = Words {
    rate: "速率 (MB/s)",
    time: "时间 (s)",
    mean: "平均",
};

pub(super) fn draw(curve: &Curve, lang: Lang) -> String {
    let words = match lang {
        Lang::Zh => CHINESE,
        _ => ENGLISH,
    };
    let (right, low) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    // Writing to a string cannot fail.
    for (seconds, mb_s) in curve.ticks() {
        let (x, y) = (curve.x(seconds), curve.y(mb_s));
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {y:.1}H{right}M{x:.1} {TOP}V{low}\" stroke=\"#ddd\"/>\n\
             <text class=\"rate\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n\
             <text class=\"time\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            LEFT - 8.0,
            y + 4.0,
            label(mb_s, curve.top_mb_s),
            low + 18.0,
            label(seconds, curve.seconds),
        );
    }
    if let (Some((first, _)), Some((last, _))) = (curve.corners().first(), curve.corners().last()) {
        let mut points = format!("{first:.3},{low}");
        for (x, y) in curve.corners() {
            let _ = write!(points, " {x:.3},{y:.3}");
        }
        let _ = writeln!(
            text,
            "<polygon data-seconds=\"{}\" data-mb-s=\"{}\" points=\"{points} {last:.3},{low}\" fill=\"#1b6ca8\" fill-opacity=\"0.25\" \
             stroke=\"#1b6ca8\"/>",
            curve.seconds, curve.top_mb_s,
        );
    }
    let mean = curve.y(curve.mean_mb_s);
    let _ = writeln!(
        text,
        "<path d=\"M{LEFT} {mean:.1}H{right}\" stroke=\"#c0392b\" stroke-dasharray=\"6 4\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"14\">{}</text>\n\
         <text x=\"{right}\" y=\"28\" text-anchor=\"end\" fill=\"#c0392b\">{} {:.1} MB/s, {:.1} MB</text>\n\
         <text x=\"{right}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n</svg>",
        words.rate,
        words.mean,
        curve.mean_mb_s,
        curve.megabytes,
        HEIGHT - 8.0,
        words.time,
    );
    text
}
