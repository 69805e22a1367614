//! JPEG-LS (ITU-T T.87, ISO/IEC 14495-1), lossless and near-lossless, in the three interleaves.
//! Chinese PACS send it often, and the decoders at hand need a C++ compiler. Restart intervals,
//! mapping tables and point transforms, which DICOM does not use, are refused.

use super::codec::CodecFault;

/// A decoded frame: values pixel by pixel.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) values: Vec<u16>,
    pub(super) bits: u16,
}

/// What the frame and scan headers say.
#[derive(Debug, Clone, Copy)]
struct Frame {
    bits: u8,
    rows: usize,
    columns: usize,
    channels: usize,
}

/// The thresholds of a preset (C.2.4.1.1).
#[derive(Debug, Clone, Copy)]
struct Preset {
    max: i32,
    t1: i32,
    t2: i32,
    t3: i32,
    reset: i32,
}

/// Decodes a frame of the size the header of the instance gives.
pub(super) fn decode(
    bytes: &[u8],
    rows: usize,
    columns: usize,
    channels: usize,
) -> Result<Decoded, CodecFault> {
    let mut rest = bytes
        .strip_prefix(&[0xFF, 0xD8])
        .ok_or(CodecFault::Undecodable)?;
    let mut frame: Option<Frame> = None;
    let mut custom: Option<Preset> = None;
    let mut values = Vec::new();
    let mut channel = 0_usize;
    loop {
        let (marker, segment) = marker(rest)?;
        match marker {
            0xD9 => return Err(CodecFault::Cut),
            0xF7 => {
                let found = frame_header(segment)?;
                let same = (found.rows, found.columns, found.channels);
                if same != (rows, columns, channels) {
                    return Err(CodecFault::OtherSize);
                }
                values = vec![0_u16; rows * columns * channels];
                frame = Some(found);
            }
            0xF8 => custom = preset(segment)?.or(custom),
            0xDA => {
                let frame = frame.ok_or(CodecFault::Undecodable)?;
                let (head, data) = sized(segment)?;
                let (count, near, interleave) = scan_header(head)?;
                let whole = channel
                    .checked_add(count)
                    .is_some_and(|end| end <= channels);
                if !whole
                    || (interleave == 0 && count != 1)
                    || (interleave != 0 && count != channels)
                {
                    return Err(CodecFault::Undecodable);
                }
                let preset = Preset::of(frame.bits, near, custom);
                let place = Place {
                    first: channel,
                    count,
                    channels,
                };
                let used =
                    Scan::new(data, frame, preset, near, place).run(&mut values, interleave)?;
                channel += count;
                if channel == channels {
                    return Ok(Decoded {
                        values,
                        bits: u16::from(frame.bits),
                    });
                }
                rest = data.get(used..).ok_or(CodecFault::Cut)?;
                continue;
            }
            // A restart interval would put markers into the scan.
            0xDD => return Err(CodecFault::Undecodable),
            _ => {}
        }
        let (head, _) = sized(segment)?;
        rest = segment.get(head.len() + 2..).ok_or(CodecFault::Cut)?;
    }
}

/// The next marker and what follows it.
fn marker(bytes: &[u8]) -> Result<(u8, &[u8]), CodecFault> {
    let begin = bytes
        .windows(2)
        .position(|pair| matches!(pair, [0xFF, second] if *second >= 0x80 && *second != 0xFF))
        .ok_or(CodecFault::Cut)?;
    let after = bytes.get(begin + 1..).ok_or(CodecFault::Cut)?;
    let (marker, segment) = after.split_first().ok_or(CodecFault::Cut)?;
    Ok((*marker, segment))
}

/// The content of a segment, without its length, and what comes after it.
fn sized(segment: &[u8]) -> Result<(&[u8], &[u8]), CodecFault> {
    let (length, _) = segment.split_first_chunk::<2>().ok_or(CodecFault::Cut)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let content = segment.get(2..length).ok_or(CodecFault::Cut)?;
    Ok((content, segment.get(length..).unwrap_or_default()))
}

fn frame_header(segment: &[u8]) -> Result<Frame, CodecFault> {
    let (content, _) = sized(segment)?;
    let [bits, r1, r0, c1, c0, channels] = *content.first_chunk().ok_or(CodecFault::Cut)?;
    if !(2..=16).contains(&bits) {
        return Err(CodecFault::Undecodable);
    }
    Ok(Frame {
        bits,
        rows: usize::from(u16::from_be_bytes([r1, r0])),
        columns: usize::from(u16::from_be_bytes([c1, c0])),
        channels: usize::from(channels),
    })
}

/// Channels of the scan, the allowed error, and the interleave.
fn scan_header(content: &[u8]) -> Result<(usize, i32, u8), CodecFault> {
    let (count, rest) = content.split_first().ok_or(CodecFault::Cut)?;
    let count = usize::from(*count);
    let selectors = rest.get(..count * 2).ok_or(CodecFault::Cut)?;
    let mapped = selectors.chunks(2).any(|pair| pair.get(1) != Some(&0));
    let [near, interleave, transform] = *rest
        .get(count * 2..)
        .and_then(|rest| rest.first_chunk())
        .ok_or(CodecFault::Cut)?;
    if mapped || transform != 0 || interleave > 2 || count == 0 {
        return Err(CodecFault::Undecodable);
    }
    Ok((count, i32::from(near), interleave))
}

/// An LSE segment; only the first kind, coding parameters, is known to DICOM.
fn preset(segment: &[u8]) -> Result<Option<Preset>, CodecFault> {
    let (content, _) = sized(segment)?;
    let [kind, rest @ ..] = content else {
        return Err(CodecFault::Cut);
    };
    if *kind != 1 {
        return Err(CodecFault::Undecodable);
    }
    let numbers: &[[u8; 2]; 5] = rest.as_chunks().0.first_chunk().ok_or(CodecFault::Cut)?;
    let [max, t1, t2, t3, reset] = numbers.map(|pair| i32::from(u16::from_be_bytes(pair)));
    Ok(Some(Preset {
        max,
        t1,
        t2,
        t3,
        reset,
    }))
}

impl Preset {
    /// The defaults of C.2.4.1.1.1; zeros in a segment stand for them too.
    fn of(bits: u8, near: i32, custom: Option<Self>) -> Self {
        let full = (1_i32 << bits) - 1;
        let max = custom.map_or(0, |custom| custom.max);
        let max = if max == 0 { full } else { max.min(full) };
        let clamp = |value: i32, low: i32| {
            if value > max || value < low {
                low
            } else {
                value
            }
        };
        let (t1, t2, t3) = if max >= 128 {
            let factor = (max.min(4095) + 128) / 256;
            let t1 = clamp(factor + 2 + 3 * near, near + 1);
            let t2 = clamp(factor * 4 + 3 + 5 * near, t1);
            (t1, t2, clamp(factor * 17 + 4 + 7 * near, t2))
        } else {
            let factor = 256 / (max + 1);
            let t1 = clamp((3 / factor + 3 * near).max(2), near + 1);
            let t2 = clamp((7 / factor + 5 * near).max(3), t1);
            (t1, t2, clamp((21 / factor + 7 * near).max(4), t2))
        };
        let or =
            |given: Option<i32>, default: i32| given.filter(|given| *given > 0).unwrap_or(default);
        Self {
            max,
            t1: or(custom.map(|custom| custom.t1), t1),
            t2: or(custom.map(|custom| custom.t2), t2),
            t3: or(custom.map(|custom| custom.t3), t3),
            reset: or(custom.map(|custom| custom.reset), 64),
        }
    }
}

/// Bits of a scan, where a byte after 0xFF has only seven (A.1).
#[derive(Debug)]
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    held: u32,
    count: u32,
    after_ff: bool,
}

impl Bits<'_> {
    #[inline]
    fn bit(&mut self) -> Result<u32, CodecFault> {
        if self.count == 0 {
            let byte = *self.bytes.get(self.at).ok_or(CodecFault::Cut)?;
            if self.after_ff && byte & 0x80 != 0 {
                // A marker: the scan is over and bits are still wanted.
                return Err(CodecFault::Cut);
            }
            self.count = if self.after_ff { 7 } else { 8 };
            self.after_ff = byte == 0xFF;
            self.held = u32::from(byte);
            self.at += 1;
        }
        self.count -= 1;
        Ok((self.held >> self.count) & 1)
    }

    fn bits(&mut self, count: u32) -> Result<i32, CodecFault> {
        let mut value = 0_i32;
        for _ in 0..count {
            value = value << 1 | i32::from(self.bit()? == 1);
        }
        Ok(value)
    }

    /// A limited Golomb code (A.5.3).
    fn golomb(&mut self, k: u32, limit: u32, full: u32) -> Result<i32, CodecFault> {
        let mut zeros = 0_u32;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > limit {
                return Err(CodecFault::Undecodable);
            }
        }
        if zeros < limit.saturating_sub(full + 1) {
            let high = i32::try_from(zeros).unwrap_or(0) << k;
            Ok(high | self.bits(k)?)
        } else {
            Ok(self.bits(full)? + 1)
        }
    }
}

/// Which channels a scan has, and among how many they are written.
#[derive(Debug, Clone, Copy)]
struct Place {
    first: usize,
    count: usize,
    channels: usize,
}

/// The statistics of one context (A.3).
#[derive(Debug, Clone, Copy)]
struct Context {
    a: i32,
    b: i32,
    c: i32,
    n: i32,
    /// For the two contexts of run interruption only.
    negative: i32,
}

/// One scan in the making.
#[derive(Debug)]
struct Scan<'a> {
    bits: Bits<'a>,
    frame: Frame,
    preset: Preset,
    near: i32,
    range: i32,
    full: u32,
    limit: u32,
    contexts: Vec<Context>,
    /// One for each channel when lines are interleaved.
    run_index: Vec<usize>,
    place: Place,
}

/// How long runs get (A.7.1.1).
const RUN: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];
/// Regular contexts, then two of run interruption.
const CONTEXTS: usize = 365;

impl<'a> Scan<'a> {
    fn new(bytes: &'a [u8], frame: Frame, preset: Preset, near: i32, place: Place) -> Self {
        let range = (preset.max + 2 * near) / (2 * near + 1) + 1;
        let full = ceil_log2(range);
        let bits = ceil_log2(preset.max + 1).max(2);
        let start = Context {
            a: ((range + 32) / 64).max(2),
            b: 0,
            c: 0,
            n: 1,
            negative: 0,
        };
        Self {
            bits: Bits {
                bytes,
                at: 0,
                held: 0,
                count: 0,
                after_ff: false,
            },
            frame,
            preset,
            near,
            range,
            full,
            limit: 2 * (bits + bits.max(8)),
            contexts: vec![start; CONTEXTS + 2],
            run_index: vec![0; place.count],
            place,
        }
    }

    /// Decodes all lines into their places; gives the bytes used.
    fn run(mut self, values: &mut [u16], interleave: u8) -> Result<usize, CodecFault> {
        // Each line has one value more on both sides (A.2.1).
        let wide = self.frame.columns + 2;
        let mut above = vec![vec![0_i32; wide]; self.place.count];
        let mut line = above.clone();
        for row in 0..self.frame.rows {
            for (line, above) in line.iter_mut().zip(&above) {
                set(line, 0, get(above, 1));
            }
            for above in &mut above {
                let last = get(above, self.frame.columns);
                set(above, self.frame.columns + 1, last);
            }
            if interleave == 2 {
                self.line_of_pixels(&mut line, &above)?;
            } else {
                for channel in 0..self.place.count {
                    let (Some(line), Some(above)) = (line.get_mut(channel), above.get(channel))
                    else {
                        return Err(CodecFault::Undecodable);
                    };
                    self.line(line, above, channel)?;
                }
            }
            self.store(values, &line, row);
            core::mem::swap(&mut above, &mut line);
        }
        Ok(self.bits.at)
    }

    fn store(&self, values: &mut [u16], line: &[Vec<i32>], row: usize) {
        let Place {
            first, channels, ..
        } = self.place;
        for (channel, line) in line.iter().enumerate() {
            let begin = row * self.frame.columns * channels + first + channel;
            let places = values.iter_mut().skip(begin).step_by(channels);
            for (place, value) in places.zip(line.iter().skip(1).take(self.frame.columns)) {
                *place = u16::try_from(*value).unwrap_or(0);
            }
        }
    }

    /// One line of one channel.
    fn line(&mut self, line: &mut [i32], above: &[i32], channel: usize) -> Result<(), CodecFault> {
        let mut at = 1;
        while at <= self.frame.columns {
            let near = Neighbours::of(line, above, at);
            if near.is_flat(self.near) {
                let length = self.run_length(self.frame.columns + 1 - at, channel)?;
                for _ in 0..length {
                    set(line, at, near.a);
                    at += 1;
                }
                if at <= self.frame.columns {
                    let value = self.interruption(near.a, get(above, at), channel)?;
                    set(line, at, value);
                    at += 1;
                    self.shorten(channel);
                }
            } else {
                set(line, at, self.regular(near)?);
                at += 1;
            }
        }
        Ok(())
    }

    /// One line of all channels, pixel by pixel: a run is one of all of them.
    fn line_of_pixels(
        &mut self,
        line: &mut [Vec<i32>],
        above: &[Vec<i32>],
    ) -> Result<(), CodecFault> {
        let mut at = 1;
        while at <= self.frame.columns {
            let all: Vec<Neighbours> = line
                .iter()
                .zip(above)
                .map(|(line, above)| Neighbours::of(line, above, at))
                .collect();
            if all.iter().all(|near| near.is_flat(self.near)) {
                let length = self.run_length(self.frame.columns + 1 - at, 0)?;
                for _ in 0..length {
                    for (line, near) in line.iter_mut().zip(&all) {
                        set(line, at, near.a);
                    }
                    at += 1;
                }
                if at <= self.frame.columns {
                    for ((line, above), near) in line.iter_mut().zip(above).zip(&all) {
                        let value = self.interrupted(near.a, get(above, at), false, 0)?;
                        set(line, at, value);
                    }
                    at += 1;
                    self.shorten(0);
                }
            } else {
                for (line, near) in line.iter_mut().zip(&all) {
                    set(line, at, self.regular(*near)?);
                }
                at += 1;
            }
        }
        Ok(())
    }

    /// A value in regular mode (A.4 to A.6).
    fn regular(&mut self, near: Neighbours) -> Result<i32, CodecFault> {
        let (index, sign) = self.context(near);
        let context = *self.contexts.get(index).ok_or(CodecFault::Undecodable)?;
        let predicted = near.predicted() + sign * context.c;
        let predicted = predicted.clamp(0, self.preset.max);
        let k = golomb_k(context.n, context.a);
        let mapped = self.mapped(k, self.limit)?;
        let flipped = self.near == 0 && k == 0 && 2 * context.b <= -context.n;
        let error = if mapped & 1 == 0 {
            mapped >> 1
        } else {
            -((mapped + 1) >> 1)
        };
        let error = if flipped { -(error + 1) } else { error };
        self.update(index, error);
        Ok(self.rebuilt(predicted, sign * error))
    }

    /// An error as it is written; no good stream has one far outside the range.
    fn mapped(&mut self, k: u32, limit: u32) -> Result<i32, CodecFault> {
        let mapped = self.bits.golomb(k, limit, self.full)?;
        if mapped > self.range.saturating_mul(2) {
            return Err(CodecFault::Undecodable);
        }
        Ok(mapped)
    }

    /// The context of three gradients and its sign (A.3.3, A.3.4).
    fn context(&self, near: Neighbours) -> (usize, i32) {
        let [q1, q2, q3] = near.gradients().map(|gradient| self.quantised(gradient));
        let index = (q1 * 9 + q2) * 9 + q3;
        let sign = if index < 0 { -1 } else { 1 };
        (usize::try_from(index * sign).unwrap_or(0), sign)
    }

    fn quantised(&self, gradient: i32) -> i32 {
        let Preset { t1, t2, t3, .. } = self.preset;
        let size = match gradient.abs() {
            size if size >= t3 => 4,
            size if size >= t2 => 3,
            size if size >= t1 => 2,
            size if size > self.near => 1,
            _ => 0,
        };
        size * gradient.signum()
    }

    fn update(&mut self, index: usize, error: i32) {
        let (reset, near) = (self.preset.reset, self.near);
        let Some(context) = self.contexts.get_mut(index) else {
            return;
        };
        context.b = context.b.saturating_add(error * (2 * near + 1));
        context.a = context.a.saturating_add(error.abs());
        if context.n == reset {
            context.a >>= 1;
            context.b >>= 1;
            context.n >>= 1;
        }
        context.n += 1;
        if context.b <= -context.n {
            context.b = (context.b + context.n).max(1 - context.n);
            context.c = (context.c - 1).max(-128);
        } else if context.b > 0 {
            context.b = (context.b - context.n).min(0);
            context.c = (context.c + 1).min(127);
        }
    }

    /// The value from its prediction and the error, in its range (A.4.4).
    fn rebuilt(&self, predicted: i32, error: i32) -> i32 {
        let step = 2 * self.near + 1;
        let span = self.range * step;
        let mut value = predicted + error * step;
        if value < -self.near {
            value += span;
        } else if value > self.preset.max + self.near {
            value -= span;
        }
        value.clamp(0, self.preset.max)
    }

    /// The length of a run (A.7.1.2).
    fn run_length(&mut self, room: usize, channel: usize) -> Result<usize, CodecFault> {
        let mut length = 0_usize;
        while self.bits.bit()? == 1 {
            let index = self
                .run_index
                .get_mut(channel)
                .ok_or(CodecFault::Undecodable)?;
            let step = 1_usize << RUN.get(*index).copied().unwrap_or(15);
            if length + step <= room {
                length += step;
                *index = (*index + 1).min(31);
            } else {
                length = room;
            }
            if length == room {
                return Ok(length);
            }
        }
        let index = self.run_index.get(channel).copied().unwrap_or(0);
        let rest = self.bits.bits(RUN.get(index).copied().unwrap_or(15))?;
        let length = length.saturating_add(usize::try_from(rest).unwrap_or(0));
        if length > room {
            return Err(CodecFault::Undecodable);
        }
        Ok(length)
    }

    fn shorten(&mut self, channel: usize) {
        if let Some(index) = self.run_index.get_mut(channel) {
            *index = index.saturating_sub(1);
        }
    }

    /// The value that ends a run (A.7.2).
    fn interruption(&mut self, a: i32, b: i32, channel: usize) -> Result<i32, CodecFault> {
        self.interrupted(a, b, (a - b).abs() <= self.near, channel)
    }

    fn interrupted(
        &mut self,
        a: i32,
        b: i32,
        alike: bool,
        channel: usize,
    ) -> Result<i32, CodecFault> {
        let kind = i32::from(alike);
        let index = CONTEXTS + usize::from(alike);
        let context = *self.contexts.get(index).ok_or(CodecFault::Undecodable)?;
        let sign = if !alike && a > b { -1 } else { 1 };
        let predicted = if alike { a } else { b };
        let k = golomb_k(
            context.n,
            context.a + if alike { context.n >> 1 } else { 0 },
        );
        let run = self
            .run_index
            .get(channel)
            .and_then(|index| RUN.get(*index));
        let limit = self.limit.saturating_sub(run.copied().unwrap_or(0) + 1);
        let mapped = self.mapped(k, limit)?;
        let with_kind = mapped + kind;
        let map = with_kind & 1 == 1;
        let size = (with_kind + 1) >> 1;
        let tends_negative = k != 0 || 2 * context.negative >= context.n;
        let error = if tends_negative == map { -size } else { size };
        if let Some(context) = self.contexts.get_mut(index) {
            if error < 0 {
                context.negative += 1;
            }
            context.a = context.a.saturating_add((mapped + 1 - kind) >> 1);
            if context.n == self.preset.reset {
                context.a >>= 1;
                context.n >>= 1;
                context.negative >>= 1;
            }
            context.n += 1;
        }
        Ok(self.rebuilt(predicted, sign * error))
    }
}

/// The values left, above, above left and above right.
#[derive(Debug, Clone, Copy)]
struct Neighbours {
    a: i32,
    b: i32,
    c: i32,
    d: i32,
}

impl Neighbours {
    fn of(line: &[i32], above: &[i32], at: usize) -> Self {
        Self {
            a: get(line, at - 1),
            b: get(above, at),
            c: get(above, at - 1),
            d: get(above, at + 1),
        }
    }

    fn gradients(self) -> [i32; 3] {
        [self.d - self.b, self.b - self.c, self.c - self.a]
    }

    fn is_flat(self, near: i32) -> bool {
        self.gradients()
            .iter()
            .all(|gradient| gradient.abs() <= near)
    }

    /// The edge-finding prediction (A.4.1).
    fn predicted(self) -> i32 {
        let (low, high) = (self.a.min(self.b), self.a.max(self.b));
        if self.c >= high {
            low
        } else if self.c <= low {
            high
        } else {
            self.a + self.b - self.c
        }
    }
}

/// The least number of bits with `n << k >= a` (A.5.1).
fn golomb_k(n: i32, a: i32) -> u32 {
    (0..24)
        .find(|k| i64::from(n) << k >= i64::from(a))
        .unwrap_or(24)
}

fn ceil_log2(value: i32) -> u32 {
    let value = u32::try_from(value).unwrap_or(1).max(1);
    value.next_power_of_two().trailing_zeros()
}

fn get(line: &[i32], at: usize) -> i32 {
    line.get(at).copied().unwrap_or(0)
}

fn set(line: &mut [i32], at: usize, value: i32) {
    if let Some(place) = line.get_mut(at) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A stream of sixteen by nine pixels with any preset, error, interleave and content.
    fn stream(
        bits: u8,
        channels: u8,
        preset: &[u8],
        near: u8,
        interleave: u8,
        data: &[u8],
    ) -> Vec<u8> {
        let mut bytes = vec![
            0xFF,
            0xD8,
            0xFF,
            0xF7,
            0,
            8 + 3 * channels,
            bits,
            0,
            9,
            0,
            16,
            channels,
        ];
        for channel in 1..=channels {
            bytes.extend([channel, 0x11, 0]);
        }
        if let Some(preset) = preset.first_chunk::<10>() {
            bytes.extend([0xFF, 0xF8, 0, 13, 1]);
            bytes.extend(preset);
        }
        let scans = if interleave == 0 { 1 } else { channels };
        bytes.extend([0xFF, 0xDA, 0, 6 + 2 * scans, scans]);
        for channel in 1..=scans {
            bytes.extend([channel, 0]);
        }
        bytes.extend([near, interleave, 0]);
        bytes.extend(data);
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn ok_any_scan_has_an_answer(
            bits in 0_u8..18,
            channels in 1_u8..4,
            preset in prop::collection::vec(any::<u8>(), 0..12),
            near in any::<u8>(),
            interleave in 0_u8..4,
            data in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let bytes = stream(bits, channels, &preset, near, interleave, &data);
            if let Ok(decoded) = decode(&bytes, 9, 16, usize::from(channels)) {
                prop_assert_eq!(decoded.values.len(), 9 * 16 * usize::from(channels));
                let full = (1_u32 << decoded.bits) - 1;
                prop_assert!(decoded.values.iter().all(|value| u32::from(*value) <= full));
            }
        }
    }
}
