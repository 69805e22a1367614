//! COSE_Sign1 (RFC 9052) in exactly one form, and the bytes that are signed (CST-13 to CST-16).

use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    cbor::{
        read::{self, Reader},
        write::{BYTES, MapWriter, TAG, Writer, head},
    },
    denial::{Denial, Reason, Step},
    key::KeyId,
    limits::{PROTECTED_BYTES_MAX, SIGNATURE_BYTES, TOKEN_BYTES_MAX},
    signer::Signature,
    suite::Suite,
    token::TokenType,
};

const SIGN1_TAG: u64 = 18;
/// An array of four that begins with the context.
const START: &[u8] = b"\x84\x6aSignature1";
const ALG: i64 = 1;
const KID: i64 = 4;
const TYP: i64 = 16;

/// The protected header: who signed, with what, which type of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Header {
    pub(crate) suite: Suite,
    pub(crate) key_id: KeyId,
    pub(crate) token_type: TokenType,
}

/// Where the parts of a token lie in its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Layout {
    pub(crate) header: Header,
    pub(crate) protected: Range<usize>,
    pub(crate) payload: Range<usize>,
    pub(crate) signature: Range<usize>,
}

/// Steps 3 and 4: finds the parts and reads the header, with a payload of at most `most` bytes. Allocates
/// nothing.
pub(crate) fn parse(token: &[u8], most: usize) -> Result<Layout, Denial> {
    parse_with(token, most, Suite::from_cose_algorithm)
}

/// [`parse`] with another reading of the alg header.
pub(crate) fn parse_with(
    token: &[u8],
    most: usize,
    algorithm: fn(i64) -> Option<Suite>,
) -> Result<Layout, Denial> {
    let mut reader = Reader::new(token, 0, Step::Structure);
    reader.take(read::tag(SIGN1_TAG))?;
    reader.take(read::array(4, 4))?;

    let protected = part(&mut reader, PROTECTED_BYTES_MAX)?;
    // The unprotected header: an empty map and nothing else.
    reader.take_as(read::head, |head| match head {
        (0xa0, 0) => Ok(()),
        (0xa0, _) => Err(Reason::UnprotectedHeader),
        _ => Err(Reason::WrongItem),
    })?;
    let payload = part(&mut reader, most)?;
    let at_signature = reader.offset();
    let signature = part(&mut reader, SIGNATURE_BYTES)?;
    if signature.len() != SIGNATURE_BYTES {
        return Err(Denial::at_offset(Reason::SignatureLength, at_signature));
    }
    reader.end()?;

    let header = parse_header(slice(token, &protected), protected.start, algorithm)?;
    Ok(Layout {
        header,
        protected,
        payload,
        signature,
    })
}

/// A byte string of the array, as a range of the token.
#[inline(always)]
fn part(reader: &mut Reader<'_>, most: usize) -> Result<Range<usize>, Denial> {
    let bytes = reader.take(read::bytes(0, most))?;
    let end = reader.offset();
    Ok(end - bytes.len()..end)
}

/// The protected header: alg, kid and typ, in this order and nothing else (CST-14).
fn parse_header(
    protected: &[u8],
    start: usize,
    algorithm: fn(i64) -> Option<Suite>,
) -> Result<Header, Denial> {
    match known_header(protected, algorithm) {
        Some(header) => Ok(header),
        None => other_header(protected, start, algorithm),
    }
}

/// A header with a number of [`Suite`], as it stands; what differs is read entry by entry to say why.
#[inline(always)]
fn known_header(protected: &[u8], algorithm: fn(i64) -> Option<Suite>) -> Option<Header> {
    let (number, rest) = match protected {
        [0xa3, 0x01, 0x3a, 0, 1, 0, 0, rest @ ..] => (-65537, rest),
        [0xa3, 0x01, 0x32, rest @ ..] => (-19, rest),
        [0xa3, 0x01, 0x28, rest @ ..] => (-9, rest),
        _ => return None,
    };
    let [0x04, 0x48, rest @ ..] = rest else {
        return None;
    };
    let (key_id, rest) = rest.split_first_chunk()?;
    let [0x10, 0x65, name @ ..] = rest else {
        return None;
    };
    Some(Header {
        suite: algorithm(number)?,
        key_id: KeyId::from_bytes(*key_id),
        // All names have five characters, as the head says.
        token_type: TokenType::from_ascii(name)?,
    })
}

#[cold]
fn other_header(
    protected: &[u8],
    start: usize,
    algorithm: fn(i64) -> Option<Suite>,
) -> Result<Header, Denial> {
    let mut map = Reader::new(protected, start, Step::Header).map()?;
    let suite = map
        .need(ALG, Reason::HeaderKeys)?
        .take_as(read::int, |number| {
            algorithm(number).ok_or(Reason::UnknownAlgorithm)
        })?;
    let key_id = map.need(KID, Reason::HeaderKeys)?.take_as(
        read::bytes(0, PROTECTED_BYTES_MAX),
        |bytes| {
            bytes
                .try_into()
                .map(KeyId::from_bytes)
                .map_err(|_| Reason::KeyIdLength)
        },
    )?;
    let token_type =
        map.need(TYP, Reason::HeaderKeys)?
            .take_as(read::text(PROTECTED_BYTES_MAX), |text| {
                TokenType::from_ascii(text).ok_or_else(|| match text.is_ascii() {
                    true => Reason::OtherType,
                    false => Reason::BadCode,
                })
            })?;
    map.finish(Reason::HeaderKeys)?.end()?;
    Ok(Header {
        suite,
        key_id,
        token_type,
    })
}

/// The bytes of `range`; empty when it lies outside, which [`parse`] excludes.
pub(crate) fn slice<'a>(token: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    token.get(range.clone()).unwrap_or_default()
}

pub(crate) fn protected_bytes(header: &Header) -> Vec<u8> {
    let mut map = MapWriter::new();
    map.key(ALG).int(header.suite.cose_algorithm());
    map.key(KID).bytes(header.key_id.as_bytes());
    map.key(TYP).text(header.token_type.name());
    map.finish()
}

/// The whole token.
pub(crate) fn assemble(protected: &[u8], payload: &[u8], signature: &Signature) -> Vec<u8> {
    let mut whole = Writer::new();
    whole
        .head(TAG, SIGN1_TAG)
        .array(4)
        .bytes(protected)
        .map(0)
        .bytes(payload)
        .bytes(signature.as_bytes());
    whole.into_bytes()
}

/// What context, heads and the external text take at most.
const AROUND_BYTES_MAX: usize = 64;
/// Of the longest token.
const INPUT_BYTES_MAX: usize = TOKEN_BYTES_MAX + PROTECTED_BYTES_MAX + AROUND_BYTES_MAX;
/// Of a token such as people scan. Clearing room for the longest one took a fifth of the time of decoding.
const SHORT_INPUT_BYTES_MAX: usize = 576;

/// Room for the signing input of any token or document.
pub(crate) type SigningInput = Input<INPUT_BYTES_MAX>;
/// Room for that of a short token.
pub(crate) type ShortInput = Input<SHORT_INPUT_BYTES_MAX>;

impl ShortInput {
    /// Whether a token of this type with so long parts has room in it.
    pub(crate) const fn holds(token_type: TokenType, protected: usize, payload: usize) -> bool {
        !token_type.is_document() && protected + payload + AROUND_BYTES_MAX <= SHORT_INPUT_BYTES_MAX
    }
}

/// The bytes that are signed: `Sig_structure` with the context `Signature1`, the protected header, the
/// external text `mic-consent/1/` plus the type, and the payload. That of a token is kept on the stack.
pub(crate) struct Input<const N: usize> {
    bytes: [u8; N],
    length: usize,
    /// That of a document, which is longer.
    long: Vec<u8>,
    is_document: bool,
}

impl<const N: usize> Input<N> {
    /// Room for one; filled in place, since moving it about costs more than the rest of the decoding.
    pub(crate) const fn empty() -> Self {
        Self {
            bytes: [0; N],
            length: 0,
            long: Vec::new(),
            is_document: false,
        }
    }

    pub(crate) fn fill(
        &mut self,
        token_type: TokenType,
        protected: &[u8],
        payload: &[u8],
    ) -> Result<(), Reason> {
        self.length = 0;
        self.long.clear();
        self.is_document = token_type.is_document();
        let external = token_type.external().as_bytes();
        self.push(START)?;
        self.head(protected.len())?.push(protected)?;
        self.head(external.len())?.push(external)?;
        self.head(payload.len())?.push(payload)?;
        Ok(())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        if self.is_document {
            return &self.long;
        }
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The head of a byte string. Those of tokens are written as they stand, without a call to copy three bytes.
    #[inline(always)]
    fn head(&mut self, length: usize) -> Result<&mut Self, Reason> {
        let [.., high, low] = (length as u64).to_be_bytes();
        match length {
            0..=23 => self.push(&[BYTES | low]),
            24..=0xff => self.push(&[BYTES | 24, low]),
            0x100..=0xffff => self.push(&[BYTES | 25, high, low]),
            _ => {
                let (bytes, count) = head(BYTES, length as u64);
                self.push(bytes.get(..count).unwrap_or_default())
            }
        }
    }

    #[inline(always)]
    fn push(&mut self, part: &[u8]) -> Result<&mut Self, Reason> {
        if self.is_document {
            self.long.extend_from_slice(part);
            return Ok(self);
        }
        let end = self.length + part.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(Reason::TokenTooLong)?
            .copy_from_slice(part);
        self.length = end;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_a_header_as_it_stands_is_the_one_read_entry_by_entry() {
        let read = |bytes: &[u8]| other_header(bytes, 0, Suite::from_cose_algorithm).ok();
        let known = |bytes: &[u8]| known_header(bytes, Suite::from_cose_algorithm);
        for &suite in Suite::ALL {
            for &token_type in TokenType::ALL {
                let header = Header {
                    suite,
                    key_id: KeyId::from_bytes([0xa5; 8]),
                    token_type,
                };
                let mut bytes = protected_bytes(&header);
                assert_eq!(known(&bytes), Some(header));
                assert_eq!(read(&bytes), Some(header));
                for bit in 0..bytes.len() * 8 {
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    assert_eq!(known(&bytes), read(&bytes), "{suite} bit {bit}");
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
                for end in 0..bytes.len() {
                    assert_eq!(known(&bytes[..end]), None);
                }
                bytes.push(0);
                assert_eq!(known(&bytes), None);
            }
        }
    }
}
