//! From the bytes of a file to its labels: preamble, meta group, encoding, data set.

use alloc::vec::Vec;
use std::io::{self, Cursor, Read, Seek};

use dicom_core::{Tag, VR};
use nom::number::Endianness;

use super::element::{Encoding, head};
use super::fault::{Finding, Label, NotAnInstance};
use super::header::{Header, Shape};
use super::inflate::{Fault, Inflating};
use super::input::{Forward, Input, Reading, Seeking};
use super::number::{integer, millionths};
use super::pixels::{Fragments, Pixels};
use super::values::{Met, Values};
use super::walk::Walk;
use super::{INFLATED_BYTES_MAX, PixelLayout, tags};
use crate::Uid;

/// The preamble before the letters `DICM` (PS3.10 7.1).
const PREAMBLE_BYTES: usize = 128;
const MAGIC: &[u8] = b"DICM";
/// Bytes looked at when it is asked how a data set is written.
const SNIFFED_BYTES: usize = 8 * 1024;
/// Elements that must fit.
const SNIFFED_ELEMENTS: usize = 3;

const IMPLICIT_LE: &str = "1.2.840.10008.1.2";
const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
/// Retired in 2016 and still in archives.
const EXPLICIT_BE: &str = "1.2.840.10008.1.2.2";
/// Deflated, JPIP referenced deflated, JPIP HTJ2K referenced deflated.
const DEFLATED: [&str; 3] = [
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.205",
];
const DIRECTORY: &str = "1.2.840.10008.1.3.10";

/// Reads the labels of the instance in a file, from its first byte.
///
/// # Errors
/// [`NotAnInstance`] when the file can't be read, is no DICOM file or a directory, or does not hold the four
/// identifiers.
pub fn read<R: Read + Seek>(reader: &mut R) -> Result<Header, NotAnInstance> {
    let source = Seeking::new(reader).map_err(io_fault)?;
    Reader::default().read(&mut Input::new(source))
}

/// [`read`], of a file in memory.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(bytes: &[u8]) -> Result<Header, NotAnInstance> {
    read(&mut Cursor::new(bytes))
}

#[derive(Default)]
struct Reader {
    meta: Values,
    data: Values,
    findings: Vec<Finding>,
}

impl Reader {
    fn read<F: Forward>(mut self, input: &mut Input<F>) -> Result<Header, NotAnInstance> {
        if input.peek(1).map_err(io_fault)?.is_empty() {
            return Err(NotAnInstance::Empty);
        }
        self.meta_group(input).map_err(io_fault)?;
        let declared = self.meta.uid(tags::TRANSFER_SYNTAX);
        if declared
            .as_ref()
            .is_some_and(|uid| DEFLATED.contains(&uid.as_str()))
        {
            let (encoding, at) = self.inflate(input)?;
            return self.header(encoding, declared, at);
        }
        let sniffed = sniff(input.peek(SNIFFED_BYTES).map_err(io_fault)?);
        let encoding = self.encoding(declared.as_ref(), sniffed)?;
        Walk::new(input, encoding)
            .run(&mut self.data, |_| true)
            .map_err(io_fault)?;
        self.header(encoding, declared, input.at())
    }

    /// Reads preamble and meta group, whose end is its group and not the length it claims.
    fn meta_group<F: Forward>(&mut self, input: &mut Input<F>) -> io::Result<()> {
        let begin = input.peek(PREAMBLE_BYTES + MAGIC.len())?;
        if begin
            .get(PREAMBLE_BYTES..)
            .is_some_and(|rest| rest.starts_with(MAGIC))
        {
            input.skip((PREAMBLE_BYTES + MAGIC.len()) as u64)?;
        } else {
            self.findings.push(Finding::PreambleMissing);
            if begin.starts_with(MAGIC) {
                input.skip(MAGIC.len() as u64)?;
            }
        }
        let Some(encoding) = sniff_meta(input.peek(6)?) else {
            self.findings.push(Finding::MetaGroupMissing);
            return Ok(());
        };
        let begin = input.at();
        Walk::new(input, encoding).run(&mut self.meta, |tag| tag.group() == 0x0002)?;
        let declared = self
            .meta
            .get(tags::META_GROUP_LENGTH)
            .and_then(|value| value.first_chunk::<4>())
            .map(|value| u32::from_le_bytes(*value));
        // The element itself, 12 bytes in either encoding, is not counted.
        let found = (input.at() - begin).saturating_sub(12);
        if let Some(declared) = declared {
            if u64::from(declared) != found {
                self.findings
                    .push(Finding::MetaGroupLengthWrong { declared, found });
            }
        }
        self.findings.append(&mut self.meta.findings);
        Ok(())
    }

    fn encoding(
        &mut self,
        declared: Option<&Uid>,
        sniffed: Option<Encoding>,
    ) -> Result<Encoding, NotAnInstance> {
        let is_file = !self.findings.contains(&Finding::MetaGroupMissing);
        match (declared.map(|uid| encoding_of(uid.as_str())), sniffed) {
            (Some(said), Some(sniffed)) if said != sniffed => {
                self.findings.push(Finding::TransferSyntaxContradicted);
                Ok(sniffed)
            }
            (Some(said), _) => Ok(said),
            (None, sniffed) if is_file => {
                self.findings.push(Finding::TransferSyntaxMissing);
                // The default of the standard, where there is a meta group that should have said.
                Ok(sniffed.unwrap_or(Encoding::IMPLICIT_LE))
            }
            (None, sniffed) => sniffed.ok_or(NotAnInstance::NotDicom),
        }
    }

    /// Walks a deflated data set (PS3.5 A.5); some writers wrap the stream as zlib does.
    fn inflate<F: Forward>(
        &mut self,
        input: &mut Input<F>,
    ) -> Result<(Encoding, u64), NotAnInstance> {
        self.findings.push(Finding::Deflated);
        let mut inflating = Inflating::new(input);
        let mut input = Input::new(Reading((&mut inflating).take(INFLATED_BYTES_MAX)));
        Walk::new(&mut input, Encoding::EXPLICIT_LE)
            .run(&mut self.data, |_| true)
            .map_err(io_fault)?;
        let at = input.at();
        let fault = inflating.fault();
        if let Some(Fault::Reader(kind)) = fault {
            return Err(NotAnInstance::Io(kind));
        }
        if fault.is_some() || at >= INFLATED_BYTES_MAX {
            self.findings.push(Finding::DeflateCut { inflated: at });
        }
        // The pixels have no place in the file.
        self.data.pixels = None;
        Ok((Encoding::EXPLICIT_LE, at))
    }

    fn header(
        mut self,
        encoding: Encoding,
        declared: Option<Uid>,
        at: u64,
    ) -> Result<Header, NotAnInstance> {
        let is_directory =
            self.data.is_directory || self.meta.text(tags::META_CLASS) == Some(DIRECTORY);
        if is_directory && !self.data.has(tags::STUDY) {
            return Err(NotAnInstance::Directory);
        }
        let in_meta = self.meta.uid(tags::META_INSTANCE);
        let instance = match (self.label(tags::INSTANCE, Label::Instance, at), in_meta) {
            (Ok(uid), in_meta) => {
                if in_meta.is_some_and(|other| other != uid) {
                    self.findings.push(Finding::InstancesDiffer);
                }
                uid
            }
            (Err(_), Some(uid)) => {
                self.findings.push(Finding::InstanceFromMeta);
                uid
            }
            (Err(reason), None) => return Err(reason),
        };
        let class = match (
            self.label(tags::CLASS, Label::Class, at),
            self.meta.uid(tags::META_CLASS),
        ) {
            (Ok(uid), _) => uid,
            (Err(_), Some(uid)) => {
                self.findings.push(Finding::ClassFromMeta);
                uid
            }
            (Err(reason), None) => return Err(reason),
        };
        let study = self.label(tags::STUDY, Label::Study, at)?;
        let series = self.label(tags::SERIES, Label::Series, at)?;
        let transfer_syntax = match declared {
            Some(uid) => uid,
            None => Uid::new(plain_syntax(encoding)).map_err(|_| NotAnInstance::NotDicom)?,
        };
        self.findings.append(&mut self.data.findings);
        let shape = self.shape(encoding.is_big());
        let pixels = self.pixels(&transfer_syntax, encoding, shape);
        Ok(Header {
            study,
            series,
            class,
            instance,
            transfer_syntax,
            instance_number: self.data.text(tags::INSTANCE_NUMBER).and_then(integer),
            position: self.data.parts(tags::POSITION, millionths),
            orientation: self.data.parts(tags::ORIENTATION, millionths),
            shape,
            pixels,
            references: self.data.references,
            findings: self.findings,
        })
    }

    fn label(&self, tag: Tag, label: Label, at: u64) -> Result<Uid, NotAnInstance> {
        if let Some(uid) = self.data.uid(tag) {
            return Ok(uid);
        }
        if self.data.has(tag) {
            return Err(NotAnInstance::Invalid(label));
        }
        let inflated_in_part = self
            .findings
            .iter()
            .any(|finding| matches!(finding, Finding::DeflateCut { .. }));
        if self.data.stop.is_some() || inflated_in_part {
            return Err(NotAnInstance::Cut { at, missing: label });
        }
        Err(NotAnInstance::Absent(label))
    }

    fn shape(&self, big: bool) -> Shape {
        let short = |tag| self.data.short(tag, big);
        let frames = self.data.text(tags::FRAMES).and_then(integer);
        Shape {
            rows: short(tags::ROWS),
            columns: short(tags::COLUMNS),
            samples: short(tags::SAMPLES),
            bits_allocated: short(tags::BITS_ALLOCATED),
            bits_stored: short(tags::BITS_STORED),
            high_bit: short(tags::HIGH_BIT),
            representation: short(tags::REPRESENTATION),
            planar: short(tags::PLANAR),
            frames: frames.and_then(|frames| u32::try_from(frames).ok()),
        }
    }

    fn pixels(
        &mut self,
        transfer_syntax: &Uid,
        encoding: Encoding,
        shape: Shape,
    ) -> Option<Pixels> {
        let (_, met) = self.data.pixels.take()?;
        let native = is_native(transfer_syntax.as_str());
        match met {
            Met::Native(range) if native => {
                let layout = self.layout(range.clone(), encoding, shape);
                Some(Pixels::Native { range, layout })
            }
            Met::Native(range) => {
                self.findings.push(Finding::PixelsContradicted);
                Some(Pixels::Opaque(range))
            }
            met @ Met::Encapsulated { .. } => {
                if native {
                    self.findings.push(Finding::PixelsContradicted);
                }
                let frames = shape.frames.unwrap_or(1);
                Fragments::new(met, frames, &mut self.findings).map(Pixels::Encapsulated)
            }
        }
    }

    fn layout(
        &mut self,
        range: core::ops::Range<u64>,
        encoding: Encoding,
        shape: Shape,
    ) -> Option<PixelLayout> {
        // Half of the colour samples are left out, so rows are not where the numbers say.
        if self.data.text(tags::PHOTOMETRIC) == Some("YBR_FULL_422") {
            return None;
        }
        let (rows, columns) = (shape.rows?, shape.columns?);
        let bits_allocated = shape.bits_allocated?;
        let bits_stored = shape
            .bits_stored
            .filter(|bits| (1..=bits_allocated).contains(bits))
            .unwrap_or(bits_allocated);
        let samples = shape.samples.unwrap_or(1);
        let frames = shape.frames.unwrap_or(1);
        let found = range.end.saturating_sub(range.start);
        let new = |range| {
            PixelLayout::new(
                range,
                rows,
                columns,
                samples,
                bits_allocated,
                bits_stored,
                frames,
            )
        };
        let Some(layout) = new(range) else {
            // The same shape over a value without end says whether the length alone was wrong.
            if let Some(expected) = new(0..u64::MAX).and_then(|layout| layout.pixel_bytes()) {
                self.findings.push(Finding::PixelsShort { expected, found });
            }
            return None;
        };
        let expected = layout.pixel_bytes()?;
        if found > expected.saturating_add(1) {
            self.findings.push(Finding::PixelsLong { expected, found });
        }
        Some(
            layout
                .with_planar(shape.planar == Some(1) && samples > 1)
                .with_big_endian(encoding.is_big()),
        )
    }
}

fn io_fault(error: io::Error) -> NotAnInstance {
    NotAnInstance::Io(error.kind())
}

fn sniff_meta(input: &[u8]) -> Option<Encoding> {
    let [0x02, 0x00, _, _, first, second] = *input.first_chunk::<6>()? else {
        return None;
    };
    // Explicit little endian by the standard; a few writers use implicit here too.
    Some(if VR::from_binary([first, second]).is_some() {
        Encoding::EXPLICIT_LE
    } else {
        Encoding::IMPLICIT_LE
    })
}

/// Which encoding reads the first elements without contradiction.
fn sniff(input: &[u8]) -> Option<Encoding> {
    [
        Encoding::EXPLICIT_LE,
        Encoding::IMPLICIT_LE,
        Encoding::EXPLICIT_BE,
    ]
    .into_iter()
    .find(|encoding| is_plausible(input, *encoding))
}

/// Whether the first elements have rising tags of low groups, and lengths that fit.
fn is_plausible(input: &[u8], encoding: Encoding) -> bool {
    let mut rest = input;
    let mut last = Tag(0, 0);
    for nth in 0..SNIFFED_ELEMENTS {
        let Some(found) = head(rest, encoding) else {
            return nth > 0 && rest.is_empty();
        };
        // The first group of every composite object is 0008; directories begin with 0004.
        let first_is_right = nth > 0 || (0x0004..=0x0010).contains(&found.tag.group());
        if found.bad_vr || found.tag <= last || !first_is_right {
            return false;
        }
        let Some(length) = found.length else {
            return true;
        };
        let next = usize::try_from(length)
            .ok()
            .and_then(|length| rest.get(found.bytes..)?.get(length..));
        match next {
            Some(next) => rest = next,
            // Cut inside a value, or beyond what is looked at: one whole element before it must do.
            None => return nth > 0,
        }
        last = found.tag;
    }
    true
}

/// The encoding that a transfer syntax declares (PS3.5 annex A): all but two are explicit little endian.
fn encoding_of(transfer_syntax: &str) -> Encoding {
    match transfer_syntax {
        IMPLICIT_LE => Encoding::IMPLICIT_LE,
        EXPLICIT_BE => Encoding::EXPLICIT_BE,
        _ => Encoding::EXPLICIT_LE,
    }
}

const fn plain_syntax(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding {
            explicit: false, ..
        } => IMPLICIT_LE,
        Encoding {
            endian: Endianness::Big,
            ..
        } => EXPLICIT_BE,
        _ => EXPLICIT_LE,
    }
}

fn is_native(transfer_syntax: &str) -> bool {
    matches!(transfer_syntax, IMPLICIT_LE | EXPLICIT_LE | EXPLICIT_BE)
}
