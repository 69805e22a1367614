//! The DICOM file of a slice: a CT image in explicit little endian (PS3.3 A.3, PS3.10).

use encoding_rs::GB18030;

use super::{Phantom, SIDE};

const CT_IMAGE: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT_LE: &str = "1.2.840.10008.1.2.1";
/// The UID of this writer: below 2.25, as those of the images.
const IMPLEMENTATION: &str = "2.25.166213411405462387106917424387190385665";

const PATIENT: &str = "测试^患者";
const HOSPITAL: &str = "示例医院（虚构）";
const COMMENT: &str = "程序生成的模体，非真实患者";
const STUDY: &str = "头颅CT平扫（模体）";

/// Elements written one after the other.
#[derive(Debug, Default)]
struct Elements {
    bytes: Vec<u8>,
}

impl Elements {
    fn text(&mut self, tag: (u16, u16), vr: &[u8; 2], value: &str) {
        let (encoded, _, _) = GB18030.encode(value);
        let padding = if vr == b"UI" { 0 } else { b' ' };
        self.value(tag, vr, &encoded, padding);
    }

    fn short(&mut self, tag: (u16, u16), value: u16) {
        self.value(tag, b"US", &value.to_le_bytes(), 0);
    }

    /// An element with the short form of the length; every value here is below 64 KiB.
    fn value(&mut self, tag: (u16, u16), vr: &[u8; 2], value: &[u8], padding: u8) {
        let odd = value.len() % 2;
        let length = u16::try_from(value.len().saturating_add(odd)).unwrap_or(u16::MAX);
        self.tag(tag);
        self.bytes.extend_from_slice(vr);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(value);
        if odd == 1 {
            self.bytes.push(padding);
        }
    }

    fn tag(&mut self, (group, element): (u16, u16)) {
        self.bytes.extend_from_slice(&group.to_le_bytes());
        self.bytes.extend_from_slice(&element.to_le_bytes());
    }

    /// An element with the long form of the length.
    fn long(&mut self, tag: (u16, u16), vr: &[u8; 2], length: u32) {
        self.tag(tag);
        self.bytes.extend_from_slice(vr);
        self.bytes.extend_from_slice(&[0, 0]);
        self.bytes.extend_from_slice(&length.to_le_bytes());
    }
}

/// Preamble, meta group and data set.
pub(super) fn write(phantom: &Phantom, slice: u16, values: &[i16]) -> Vec<u8> {
    let meta = meta_group(&phantom.sop_instance_uid(slice));
    let length = u32::try_from(meta.bytes.len()).unwrap_or(u32::MAX);
    let mut file = Elements {
        bytes: Vec::with_capacity(values.len().saturating_mul(2).saturating_add(4096)),
    };
    file.bytes.resize(128, 0);
    file.bytes.extend_from_slice(b"DICM");
    file.value((0x0002, 0x0000), b"UL", &length.to_le_bytes(), 0);
    file.bytes.extend_from_slice(&meta.bytes);
    identification(&mut file, phantom, slice);
    acquisition(&mut file, phantom);
    relationship(&mut file, phantom, slice);
    image(&mut file);
    let length = u32::try_from(values.len().saturating_mul(2)).unwrap_or(u32::MAX);
    file.long((0x7FE0, 0x0010), b"OW", length);
    file.bytes
        .extend(values.iter().flat_map(|value| value.to_le_bytes()));
    file.bytes
}

fn meta_group(sop_instance_uid: &str) -> Elements {
    let mut meta = Elements::default();
    meta.long((0x0002, 0x0001), b"OB", 2);
    meta.bytes.extend_from_slice(&[0, 1]);
    meta.text((0x0002, 0x0002), b"UI", CT_IMAGE);
    meta.text((0x0002, 0x0003), b"UI", sop_instance_uid);
    meta.text((0x0002, 0x0010), b"UI", EXPLICIT_LE);
    meta.text((0x0002, 0x0012), b"UI", IMPLEMENTATION);
    meta.text((0x0002, 0x0013), b"SH", "MIC_PHANTOM");
    meta
}

fn identification(file: &mut Elements, phantom: &Phantom, slice: u16) {
    file.text((0x0008, 0x0005), b"CS", "GB18030");
    file.text((0x0008, 0x0008), b"CS", "DERIVED\\PRIMARY\\AXIAL");
    file.text((0x0008, 0x0016), b"UI", CT_IMAGE);
    file.text((0x0008, 0x0018), b"UI", &phantom.sop_instance_uid(slice));
    for (element, value) in [(0x20, "20260301"), (0x21, "20260301"), (0x23, "20260301")] {
        file.text((0x0008, element), b"DA", value);
    }
    for (element, value) in [(0x30, "093000"), (0x31, "093105"), (0x33, "093107")] {
        file.text((0x0008, element), b"TM", value);
    }
    file.text(
        (0x0008, 0x0050),
        b"SH",
        &format!("T{:015X}", phantom.seed >> 4),
    );
    file.text((0x0008, 0x0060), b"CS", "CT");
    file.text((0x0008, 0x0070), b"LO", "MADE UP");
    file.text((0x0008, 0x0080), b"LO", HOSPITAL);
    file.text((0x0008, 0x0090), b"PN", "");
    file.text((0x0008, 0x0201), b"SH", "+0800");
    file.text((0x0008, 0x1030), b"LO", STUDY);
    file.text((0x0008, 0x103E), b"LO", "头颅薄层");
    file.text((0x0008, 0x1090), b"LO", "ellipsoids");
    file.text((0x0010, 0x0010), b"PN", PATIENT);
    file.text(
        (0x0010, 0x0020),
        b"LO",
        &format!("TEST{:016X}", phantom.seed),
    );
    file.text((0x0010, 0x0030), b"DA", "19700101");
    file.text((0x0010, 0x0040), b"CS", "O");
    file.text((0x0010, 0x4000), b"LT", COMMENT);
}

fn acquisition(file: &mut Elements, phantom: &Phantom) {
    file.text((0x0018, 0x0015), b"CS", "HEAD");
    file.text((0x0018, 0x0050), b"DS", &mm(phantom.spacing_mm()));
    file.text((0x0018, 0x0060), b"DS", "120");
    file.text((0x0018, 0x0088), b"DS", &mm(phantom.spacing_mm()));
    file.text((0x0018, 0x1030), b"LO", "HEAD PHANTOM");
    file.text((0x0018, 0x1100), b"DS", "230");
    file.text((0x0018, 0x1120), b"DS", "0");
    file.text((0x0018, 0x1150), b"IS", "1000");
    file.text((0x0018, 0x1151), b"IS", "280");
    file.text((0x0018, 0x1152), b"IS", "280");
    file.text((0x0018, 0x1210), b"SH", "SOFT");
    file.text((0x0018, 0x5100), b"CS", "HFS");
}

fn relationship(file: &mut Elements, phantom: &Phantom, slice: u16) {
    let number = u32::from(slice).saturating_add(1).to_string();
    let z = mm(phantom.z_mm(slice));
    // The middle of the first pixel.
    let corner = mm(CORNER_MM);
    file.text((0x0020, 0x000D), b"UI", &phantom.study_uid());
    file.text((0x0020, 0x000E), b"UI", &phantom.series_uid());
    file.text((0x0020, 0x0010), b"SH", "1");
    file.text((0x0020, 0x0011), b"IS", "2");
    file.text((0x0020, 0x0012), b"IS", "1");
    file.text((0x0020, 0x0013), b"IS", &number);
    file.text((0x0020, 0x0032), b"DS", &format!("{corner}\\{corner}\\{z}"));
    file.text((0x0020, 0x0037), b"DS", "1\\0\\0\\0\\1\\0");
    file.text((0x0020, 0x0052), b"UI", &phantom.frame_of_reference_uid());
    file.text((0x0020, 0x1040), b"LO", "");
    file.text((0x0020, 0x1041), b"DS", &z);
}

/// Half a pixel inside the corner of the field of view: (0.5 - 256) pixels of 230/512 mm.
const CORNER_MM: f64 = -114.775_390_625;

fn image(file: &mut Elements) {
    file.short((0x0028, 0x0002), 1);
    file.text((0x0028, 0x0004), b"CS", "MONOCHROME2");
    file.short((0x0028, 0x0010), SIDE);
    file.short((0x0028, 0x0011), SIDE);
    file.text((0x0028, 0x0030), b"DS", "0.44921875\\0.44921875");
    file.short((0x0028, 0x0100), 16);
    file.short((0x0028, 0x0101), 16);
    file.short((0x0028, 0x0102), 15);
    file.short((0x0028, 0x0103), 1);
    file.value((0x0028, 0x0120), b"SS", &super::HU_MIN.to_le_bytes(), 0);
    file.text((0x0028, 0x1050), b"DS", "40");
    file.text((0x0028, 0x1051), b"DS", "90");
    file.text((0x0028, 0x1052), b"DS", "0");
    file.text((0x0028, 0x1053), b"DS", "1");
    file.text((0x0028, 0x1054), b"LO", "HU");
}

/// A length as DS, which has room for 16 characters (PS3.5 6.2).
fn mm(value: f64) -> String {
    format!("{value:.6}")
}
