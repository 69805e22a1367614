//! Every limit, with its reason. The decoder checks them before it looks further.

/// Bytes of a token. Twenty chosen studies take about 480; the rest is room, yet nothing worth a flood.
pub const TOKEN_BYTES_MAX: usize = 2048;
/// Characters of a token's text form: the prefix of six and three characters for every two bytes. It fits
/// one QR code of version 40 at level M (3,391 alphanumeric characters).
pub const TEXT_CHARS_MAX: usize = PREFIX_CHARS + TOKEN_BYTES_MAX / 2 * 3;
/// Characters of the prefix.
pub const PREFIX_CHARS: usize = 6;
/// Bytes of a protected header: three entries with a type of at most five characters.
pub const PROTECTED_BYTES_MAX: usize = 32;
/// Bytes of a signature: two numbers of 32, or the 64 of Ed25519.
pub const SIGNATURE_BYTES: usize = 64;
/// Seconds a request lives at most: long enough to take out a phone, too short to be photographed and kept.
pub const REQUEST_LIFE_S_MAX: u32 = 300;
/// Seconds a request lives unless told otherwise (the challenge on the workstation).
pub const REQUEST_LIFE_S: u32 = 120;
/// Seconds a grant lives at most: one day, the bound the European wallet rules set for short life.
pub const GRANT_LIFE_S_MAX: u32 = 86_400;
/// Seconds a grant lives unless told otherwise: one consultation.
pub const GRANT_LIFE_S: u32 = 7_200;
/// Seconds a proof of use lives: one attempt to fetch.
pub const PROOF_LIFE_S: u32 = 60;
/// Seconds by which two clocks may differ.
pub const SKEW_S: u32 = 60;
/// Seconds for which one look at the status list is good.
pub const STATUS_CHECK_S: u32 = 60;
/// Exam records chosen one by one: 64 commitments of 10 bytes keep a grant below 1,000 bytes.
pub const RECORDS_MAX: usize = 64;
/// Modalities in a scope.
pub const MODALITIES_MAX: usize = 20;
/// Provinces in a scope: more than there are.
pub const PROVINCES_MAX: usize = 40;
/// Body parts in a scope.
pub const BODY_PARTS_MAX: usize = 20;
/// Studies a counted grant may name.
pub const STUDIES_MAX: u16 = 10_000;
/// Bytes of a caller's person or record key that are hashed into a commitment.
pub const KEY_BYTES_MAX: usize = 256;
/// Bytes of all tables of prepared keys in one set, unless told otherwise: 80 keys of 88,064 bytes and both
/// base points of 262,144, so every consent authority there is, within the cache of a server's cores.
pub const TABLE_BYTES_MAX: usize = 80 * 88_064 + 2 * 262_144;
/// Keys in one trusted set: provinces, authorities and hospitals of a region.
pub const KEYS_MAX: usize = 100_000;

const _: () = assert!(TEXT_CHARS_MAX == 3078);
const _: () = assert!(TOKEN_BYTES_MAX % 2 == 0);
const _: () = assert!(GRANT_LIFE_S <= GRANT_LIFE_S_MAX && REQUEST_LIFE_S <= REQUEST_LIFE_S_MAX);
const _: () = assert!(TOKEN_BYTES_MAX <= u16::MAX as usize);
