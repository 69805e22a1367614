//! CBOR (RFC 8949) in exactly one form: definite, shortest, integer map keys in ascending order, no floats,
//! no simple values, one tag (CST-10, CST-11).

pub(crate) mod read;
pub(crate) mod write;
