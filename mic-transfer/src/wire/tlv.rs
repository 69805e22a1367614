//! Fields of control bodies: tag, length, value; tags rise, so there is one form.

use alloc::vec::Vec;

use nom::Parser;
use nom::bytes::complete::take;
use nom::multi::length_data;
use nom::number::complete::le_u16;

use super::frame::field;
use crate::sign::Signature;

#[derive(Default)]
pub(super) struct Fields<'a>(Vec<(u16, &'a [u8])>);

impl<'a> Fields<'a> {
    /// The fields, unless the grammar, the order or a critical tag forbids.
    pub(super) fn parse(mut body: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        let mut least = 0_u16;
        while !body.is_empty() {
            let grammar = (le_u16::<_, nom::error::Error<&[u8]>>, length_data(le_u16));
            let (rest, (tag, value)) = { grammar }.parse(body).ok()?;
            if tag < least || (tag >= field::CRITICAL) {
                return None;
            }
            least = tag.checked_add(1)?;
            fields.push((tag, value));
            body = rest;
        }
        Some(Self(fields))
    }

    pub(super) fn get(&self, tag: u16) -> Option<&'a [u8]> {
        self.0
            .iter()
            .find(|(known, _)| *known == tag)
            .map(|(_, value)| *value)
    }

    pub(super) fn number<const N: usize>(&self, tag: u16) -> Option<u64> {
        let value: [u8; N] = self.get(tag)?.try_into().ok()?;
        Some(
            value
                .iter()
                .rev()
                .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte)),
        )
    }

    pub(super) fn digest(&self, tag: u16) -> Option<crate::Digest> {
        Some(crate::Digest::from_bytes(self.get(tag)?.try_into().ok()?))
    }

    pub(super) fn text(&self, tag: u16) -> Option<&'a str> {
        core::str::from_utf8(self.get(tag)?).ok()
    }

    /// `None` is a fault; `Some(None)` says that there is no signature.
    pub(super) fn signature(&self) -> Option<Option<Signature>> {
        let parts = (
            self.get(field::SUITE),
            self.get(field::KEY_ID),
            self.get(field::SIGNATURE),
        );
        match parts {
            (None, None, None) => Some(None),
            (Some(suite), Some(key_id), Some(bytes)) => {
                let suite = core::str::from_utf8(suite).ok()?;
                Signature::new(suite, key_id.to_vec(), bytes.to_vec())
                    .ok()
                    .map(Some)
            }
            _ => None,
        }
    }
}

pub(super) fn put(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
    out.extend_from_slice(value);
}

pub(super) fn put_signature(out: &mut Vec<u8>, signature: Option<&Signature>) {
    if let Some(signature) = signature {
        put(out, field::SUITE, signature.suite().as_bytes());
        put(out, field::KEY_ID, signature.key_id());
        put(out, field::SIGNATURE, signature.bytes());
    }
}

/// Exactly all of `input` in pieces of `N` bytes.
pub(super) fn pieces<const N: usize>(input: &[u8]) -> Option<Vec<[u8; N]>> {
    let mut list = Vec::with_capacity(input.len() / N);
    let mut rest = input;
    while !rest.is_empty() {
        let (after, piece) = take::<_, _, nom::error::Error<&[u8]>>(N).parse(rest).ok()?;
        list.push(piece.try_into().ok()?);
        rest = after;
    }
    Some(list)
}
