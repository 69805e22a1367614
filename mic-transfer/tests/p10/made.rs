//! Small DICOM files, written the plainest way.

/// An element in explicit little endian.
pub(crate) fn element(tag: u32, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
    out.extend(vr.as_bytes());
    let mut value = value.to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" || vr == "OB" { 0 } else { b' ' });
    }
    if ["OB", "OW", "SQ", "UN", "UT"].contains(&vr) {
        out.extend([0, 0]);
        out.extend((value.len() as u32).to_le_bytes());
    } else {
        out.extend((value.len() as u16).to_le_bytes());
    }
    out.extend(value);
    out
}

/// The same in implicit little endian.
pub(crate) fn implicit(tag: u32, value: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
    out.extend((value.len() as u32).to_le_bytes());
    out.extend(value);
    out
}

/// An item of a known length.
pub(crate) fn item(content: &[u8]) -> Vec<u8> {
    implicit(0xFFFE_E000, content)
}

/// A sequence of undefined length around `content`.
pub(crate) fn undefined(tag: u32, vr: &str, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(((tag >> 16) as u16).to_le_bytes());
    out.extend((tag as u16).to_le_bytes());
    out.extend(vr.as_bytes());
    out.extend([0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    out.extend(content);
    out.extend(implicit(0xFFFE_E0DD, &[]));
    out
}

pub(crate) const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const KEY_OBJECT: &str = "1.2.840.10008.5.1.4.1.1.88.59";

/// What a made image says.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) class: &'static str,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) instance: String,
    pub(crate) number: Option<i32>,
    pub(crate) slice: Option<i32>,
    pub(crate) rows: u16,
    pub(crate) columns: u16,
    pub(crate) bits: u16,
    pub(crate) frames: u32,
    pub(crate) pixels: Vec<u8>,
}

impl Made {
    pub(crate) fn new(study: &str, series: &str, instance: &str) -> Self {
        Self {
            class: CT,
            study: study.into(),
            series: series.into(),
            instance: instance.into(),
            number: Some(1),
            slice: None,
            rows: 4,
            columns: 6,
            bits: 16,
            frames: 1,
            pixels: (0..48).collect(),
        }
    }

    /// The elements before the pixels.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut out = element(0x0008_0016, "UI", self.class.as_bytes());
        out.extend(element(0x0008_0018, "UI", self.instance.as_bytes()));
        out.extend(element(0x0010_0010, "PN", b"MADE^UP"));
        out.extend(element(0x0020_000D, "UI", self.study.as_bytes()));
        out.extend(element(0x0020_000E, "UI", self.series.as_bytes()));
        if let Some(number) = self.number {
            out.extend(element(0x0020_0013, "IS", number.to_string().as_bytes()));
        }
        if let Some(slice) = self.slice {
            let text = format!("0\\0\\{slice}.5");
            out.extend(element(0x0020_0032, "DS", text.as_bytes()));
            out.extend(element(0x0020_0037, "DS", b"1\\0\\0\\0\\1\\0"));
        }
        let short = |tag, value: u16| element(tag, "US", &value.to_le_bytes());
        out.extend(short(0x0028_0002, 1));
        if self.frames > 1 {
            out.extend(element(
                0x0028_0008,
                "IS",
                self.frames.to_string().as_bytes(),
            ));
        }
        out.extend(short(0x0028_0010, self.rows));
        out.extend(short(0x0028_0011, self.columns));
        out.extend(short(0x0028_0100, self.bits));
        out.extend(short(0x0028_0101, self.bits.min(12)));
        out.extend(short(0x0028_0102, self.bits.min(12) - 1));
        out.extend(short(0x0028_0103, 0));
        out
    }

    /// The data set in explicit little endian.
    pub(crate) fn data_set(&self) -> Vec<u8> {
        let mut out = self.head();
        if !self.pixels.is_empty() {
            out.extend(element(0x7FE0_0010, "OW", &self.pixels));
        }
        out
    }

    /// A file that keeps every rule.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.file_of(EXPLICIT_LE, &self.data_set())
    }

    /// Preamble and meta group before a data set.
    pub(crate) fn file_of(&self, syntax: &str, data_set: &[u8]) -> Vec<u8> {
        let mut group = element(0x0002_0002, "UI", self.class.as_bytes());
        group.extend(element(0x0002_0003, "UI", self.instance.as_bytes()));
        group.extend(element(0x0002_0010, "UI", syntax.as_bytes()));
        let length = (group.len() as u32).to_le_bytes();
        let mut out = vec![0; 128];
        out.extend(b"DICM");
        out.extend(element(0x0002_0000, "UL", &length));
        out.extend(group);
        out.extend(data_set);
        out
    }
}
