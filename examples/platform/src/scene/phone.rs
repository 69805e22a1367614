//! The patient's phone, as far as the scene needs one: it reads a QR code from a picture.

use mic_consent::QrPicture;

use crate::problem::Problem;

/// Light modules around the code in a terminal; the standard's four make it too wide for 80 columns.
const QUIET_ZONE: u32 = 2;

/// Reads the text of the one QR code in a PNG picture.
pub(super) fn read(png: &[u8]) -> Result<String, Problem> {
    let odd = |e: &dyn core::fmt::Display| Problem::data("phone.picture", e);
    let mut reader = png::Decoder::new(std::io::Cursor::new(png))
        .read_info()
        .map_err(|e| odd(&e))?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| odd(&"the picture is too large"))?;
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(|e| odd(&e))?;
    let (width, height) = (frame.width as usize, frame.height as usize);
    let bits = frame.bit_depth as usize;
    let stride = frame.line_size;
    let samples = frame.color_type.samples();
    let light = |x: usize, y: usize| {
        let bit = x * samples * bits;
        let byte = pixels.get(y * stride + bit / 8).copied().unwrap_or(0);
        match bits {
            1 => 255 * ((byte >> (7 - bit % 8)) & 1),
            _ => byte,
        }
    };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, light);
    let grids = image.detect_grids();
    let grid = grids
        .first()
        .ok_or_else(|| odd(&"expected a QR code in the picture, found none"))?;
    let (_, text) = grid.decode().map_err(|e| odd(&e))?;
    Ok(text)
}

/// The QR code of `text`, drawn for a terminal.
pub(super) fn terminal(text: &str) -> Result<String, Problem> {
    QrPicture::from_text(text)
        .and_then(|picture| picture.terminal(QUIET_ZONE))
        .map_err(|e| Problem::system("scene.qr", e))
}
