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
/// Seconds by which a policy may let two clocks differ at most.
pub const SKEW_S_MAX: u32 = 300;
/// Seconds for which one look at the status list is good.
pub const STATUS_CHECK_S: u32 = 60;
/// Seconds an offer on the patient's phone lives: as long as the codes of the insurance app (医保码) at most.
pub const OFFER_LIFE_S: u32 = 90;
/// Seconds for which a hospital is told that the person declined.
pub const REFUSAL_LIFE_S: u32 = 300;
/// Seconds an emergency access lives at most: one shift; whoever needs more can ask somebody by then.
pub const EMERGENCY_LIFE_S_MAX: u32 = 14_400;
/// Seconds an emergency access lives unless told otherwise.
pub const EMERGENCY_LIFE_S: u32 = 3_600;
/// Seconds an order lives at most: a week; a longer inspection orders again.
pub const ORDER_LIFE_S_MAX: u32 = 604_800;
/// Seconds an order lives unless told otherwise.
pub const ORDER_LIFE_S: u32 = 86_400;
/// Organisations that a key set names as suspended.
pub const SUSPENDED_MAX: usize = 10_000;
/// Seconds within which an emergency access is reviewed: three days, so that a weekend fits.
pub const REVIEW_S: u32 = 259_200;
/// Seconds a status list lives at most: a week, should its authority be cut off; policy asks for less.
pub const STATUS_LIST_LIFE_S_MAX: u32 = 604_800;
/// Seconds after its issue for which a status list is believed unless the policy says otherwise.
pub const STATUS_LIST_AGE_S: u32 = 3_600;
/// Places in one status list: four million grants; more take more lists. It bounds the memory for a list at
/// 1 MiB.
pub const STATUS_PLACES_MAX: u32 = 1 << 22;
/// Bytes of a status list: two sets of that many places, each of 1.1 bits for a place in the worst case.
pub const STATUS_LIST_BYTES_MAX: usize = 1_280 * 1024;
/// Status lists in one book: a few for each authority.
pub const STATUS_LISTS_MAX: usize = 4_096;
/// Status lists of one authority in one book: 64 of four million grants, so that one key fills 64 MiB at most
/// and leaves room to the others.
pub const STATUS_LISTS_OF_ISSUER_MAX: usize = 64;
/// Withdrawals of one authority that a book remembers beyond its lists: lists are asked for every hour, so this
/// is 28 a second.
pub const WITHDRAWALS_OF_ISSUER_MAX: usize = 100_000;
/// Withdrawals that a book remembers beyond its lists.
pub const WITHDRAWALS_MAX: usize = 1_000_000;
/// Seconds a key set lives at most: a quarter of a year, so that a forgotten one ends.
pub const KEY_SET_LIFE_S_MAX: u32 = 7_776_000;
/// Bytes of a key set: [`KEYS_MAX`] records of some 160 bytes.
pub const KEY_SET_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Times that a grant may be narrowed: hospital, department's machine, viewer.
pub const NARROWINGS_MAX: usize = 3;
/// Seconds that may pass before a receipt is in its log.
pub const RECEIPT_DELAY_S: u32 = 300;
/// Hashes in a proof about a log: one for each level, so a log has at most 2^40 entries.
pub const LOG_HASHES_MAX: usize = 40;
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
/// Bytes of all tables of prepared keys in one set, unless told otherwise: 64 keys of 112,640 bytes (Ed25519; of SM2
/// or P-256, 81 of 88,064) and all three base points, so every consent authority there is, within the cache of a
/// server's cores.
pub const TABLE_BYTES_MAX: usize = 64 * 112_640 + 655_360 + 2 * 262_144;
/// Keys in one trusted set: provinces, authorities and hospitals of a region.
pub const KEYS_MAX: usize = 100_000;

const _: () = assert!(TEXT_CHARS_MAX == 3078);
const _: () = assert!(TOKEN_BYTES_MAX % 2 == 0);
const _: () = assert!(GRANT_LIFE_S <= GRANT_LIFE_S_MAX && REQUEST_LIFE_S <= REQUEST_LIFE_S_MAX);
const _: () = assert!(KEY_SET_BYTES_MAX <= u32::MAX as usize);
const _: () = assert!(
    STATUS_LIST_AGE_S <= STATUS_LIST_LIFE_S_MAX && EMERGENCY_LIFE_S <= EMERGENCY_LIFE_S_MAX
);
